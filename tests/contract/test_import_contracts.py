"""The import contracts of pyproject.toml hold on the tree, and each of them notices its breach.

All breaches are planted at once in a copy of the sources; one run of lint-imports must name each
planted module under the contract that it breaks.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS: list[str] = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
]

# One breach for each contract, in the order of pyproject.toml: modules to write, and what the
# report must blame.
BREACHES: list[tuple[dict[str, str], str]] = [
    ({"units.planted": "import paceline.model"}, "paceline.units.planted -> paceline.model"),
    (
        {"servers.router.requests.planted": "import paceline.servers.stat.server"},
        "paceline.servers.router.requests.planted -> paceline.servers.stat.server",
    ),
    (
        {"cli.planted": "import paceline.servers.router.server"},
        "paceline.cli.planted -> paceline.servers.router.server",
    ),
    (
        {"servers.message.requests.planted": "import paceline.servers.message.server"},
        "paceline.servers.message.requests.planted -> paceline.servers.message.server",
    ),
    ({"numerics.planted": "import logging"}, "paceline.numerics.planted -> logging"),
    ({"wire.client.planted": "import sqlite3"}, "paceline.wire.client.planted -> sqlite3"),
    ({"bench.planted": "import litestar"}, "paceline.bench.planted -> litestar"),
    ({"sdk.planted": "import typer"}, "paceline.sdk.planted -> typer"),
    (
        {
            "runtime.planted_one": "import paceline.runtime.planted_two",
            "runtime.planted_two": "import paceline.runtime.planted_one",
        },
        "planted_one",  # the report may ask to cut the circle at either import
    ),
]


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the sources under `tree`, without its cache."""
    shutil.copy(ROOT / "pyproject.toml", tree / "pyproject.toml")
    environment = os.environ | {"PYTHONPATH": str(tree / "src"), "COLUMNS": "400"}
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, check=False
    )


def copy_sources(tree: Path) -> Path:
    """A copy of the package's sources under `tree`."""
    ignore = shutil.ignore_patterns("__pycache__")
    return shutil.copytree(ROOT / "src" / "paceline", tree / "src" / "paceline", ignore=ignore)


@pytest.fixture(scope="module")
def blamed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Contract name to what the report says of its breach, with every breach planted."""
    tree = tmp_path_factory.mktemp("planted")
    package = copy_sources(tree)
    for modules, _ in BREACHES:
        for name, statement in modules.items():
            module = package / (name.replace(".", "/") + ".py")
            module.write_text(f'"""Planted."""\n\n{statement}\n')
    report = lint_imports(tree).stdout
    _, _, broken = report.partition("Broken contracts")
    parts = re.split(r"^(.+)\n-{3,}\n", broken, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_contract_has_a_breach() -> None:
    """A contract that is added here gets a planted breach, too."""
    assert len(CONTRACTS) == len(BREACHES) == 9


def test_the_tree_keeps_every_contract(tmp_path: Path) -> None:
    """The sources as they are break no contract."""
    copy_sources(tmp_path)
    run = lint_imports(tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in run.stdout


@pytest.mark.parametrize("number", range(len(BREACHES)))
def test_a_planted_breach_is_reported_under_its_contract(
    number: int, blamed: dict[str, str]
) -> None:
    """An import that breaks a contract is named in that contract's part of the report."""
    said = blamed.get(CONTRACTS[number], "")
    assert BREACHES[number][1] in said
