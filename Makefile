# Paceline's commands. `make` alone lists them. The first one that needs Python sets up .venv from requirements.lock;
# what it says goes to standard error, so that the output of `make demo ARGS=--json` stays clean.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python
READY := $(VENV)/ready
PIP := $(RUN) -m pip --quiet --disable-pip-version-check
ARGS ?=
# Where it is set, every process that a test starts would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=

# The lock stands for every library; pyproject.toml for the console script. Either one changed: install again.
$(READY): requirements.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "Paceline needs Python 3.11 or newer: install the Debian package python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Paceline needs Python 3.11 or newer; $$($(PYTHON) --version) was found (choose another with make PYTHON=…)" >&2; exit 1; }
	@if ! $(RUN) -m pip --version >/dev/null 2>&1 && ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
	  if [ "$$(id -u)" = 0 ]; then as_root=; \
	  elif sudo -n true 2>/dev/null; then as_root='sudo -n'; \
	  else echo "Python cannot make a virtual environment here. Run once: sudo apt-get install python3-venv" >&2; exit 1; fi; \
	  echo "Installing the Debian package python3-venv: Python here cannot make a virtual environment without it." >&2; \
	  $$as_root apt-get update -qq; \
	  DEBIAN_FRONTEND=noninteractive $$as_root apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; \
	fi
	@$(RUN) -m pip --version >/dev/null 2>&1 || { echo "Making $(VENV)" >&2; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the locked libraries into $(VENV)" >&2
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: help setup demo test check test-all bench bench-pacing sim sim-many fault docs fmt lock clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(READY) ## make .venv and install the locked libraries (every other command does it when needed)

demo: $(READY) ## run the whole loop on an embedded database, with a live page (ARGS='--headless --duration 1m --json')
	@$(BIN)/paceline demo $(ARGS)

test: $(READY) ## run the fast tests, at most 2 minutes on two cores (ARGS='-k lane')
	@$(RUN) -m pytest -n 2 -m 'not slow and not fault' $(ARGS)

check: $(READY) ## format, lint, types, import contracts, sizes, generated files fresh
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run make fmt" >&2; $(BIN)/ruff format --check .; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo || { $(BIN)/lint-imports --no-logo --verbose >&2; exit 1; }
	@$(RUN) -m tools.check_sizes
	@$(RUN) -m tools.generate --check

test-all: $(READY) ## every test, with many more examples per law
	@$(RUN) -m pytest --hypothesis-profile=thorough $(ARGS)

bench: $(READY) ## measure the interaction path against its bounds
	@$(BIN)/paceline bench interactions $(ARGS)

bench-pacing: $(READY) ## measure the pacing policies in every suite, beside the best possible (ARGS='--quick --out pacing.json')
	@$(BIN)/paceline bench pacing $(ARGS)

SEED ?=
HOURS ?= 1
PROFILE ?= rough
COUNT ?= 10

sim: $(READY) ## run the whole site on virtual time under faults from a seed (SEED=7 HOURS=2 PROFILE=calm|rough|hostile)
	@$(BIN)/paceline rehearse $(if $(SEED),--seed $(SEED)) --hours $(HOURS) --profile $(PROFILE) $(ARGS)

sim-many: $(READY) ## the same for many seeds; the first that fails is cut down to its shortest failing beginning (COUNT=50)
	@$(BIN)/paceline rehearse $(if $(SEED),--seed $(SEED)) --hours $(HOURS) --profile $(PROFILE) --many $(COUNT) $(ARGS)

fault: $(READY) ## kill, stop and cut off real processes, many rounds
	@$(RUN) -m pytest -m fault $(ARGS)

docs: $(READY) ## write the reference pages again from their tables
	@$(RUN) -m tools.generate

fmt: $(READY) ## format the code and mend what the linter can mend
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: $(READY) ## write requirements.lock again from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url \
	  --no-header --quiet $(ARGS) --output-file requirements.lock

clean: ## remove .venv and every cache
	@rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
