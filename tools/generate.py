"""Writes what comes from tables: the SDK clients and the reference pages on errors, options, operations.

`python -m tools.generate` (make docs) writes them, `--check` (make check) says which are stale.
A server room without an option table is an error, not a gap in the manual.
"""

import argparse
import importlib
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from paceline.assembly.general_options import GENERAL_OPTIONS
from paceline.errors.table import ERRORS
from paceline.model.options import Option, OptionTable
from paceline.runtime.log import LOG_OPTIONS
from paceline.wire.operation import ALL_CLIENT_KINDS, Operation
from paceline.wire.operations.catalogue import NOTICES, OPERATIONS_OF
from tools.generate_sdk import sdk_pages

ROOT = Path(__file__).resolve().parent.parent
SERVERS = ROOT / "src" / "paceline" / "servers"
NOTE = "<!-- Written by `make docs` from the tables in the code. Do not edit. -->\n"


def errors_page() -> str:
    """Every error with its number, outcome and what a client does next."""
    rows = [
        (
            str(spec.number),
            f"`{spec.name}`",
            str(spec.http_status),
            spec.outcome.replace("_", " "),
            spec.trigger,
            spec.repeat,
            str(spec.log_number or ""),
        )
        for spec in sorted(ERRORS.values(), key=lambda spec: spec.number)
    ]
    head = ("number", "name", "HTTP", "outcome", "when", "repeat", "log message")
    intro = (
        "Outcome says whether the work may have happened: *not done* or *unknown*. An answer that\n"
        "is no error means done. The object, field and fix stand in the message.\n"
    )
    return _page("Errors", intro, _table(head, rows))


def options_page() -> str:
    """Every option of every server."""
    parts = []
    shared = [option for table in (LOG_OPTIONS, GENERAL_OPTIONS) for option in table.options]
    parts += ["## Every server\n", _table(_OPTION_HEAD, [_option_row(option) for option in shared])]
    for room in _rooms():
        parts.append(f"## {room}\n")
        parts.append(_table(_OPTION_HEAD, [_option_row(option) for option in _options_of(room)]))
    intro = (
        "Options of an application, by server. A duration may be written `250ms`, `5s`, `30min`,\n"
        "`2h`. *Business* time is scaled in `demo` and virtual in simulation; *machine* time is\n"
        "real. A wrong value changes nothing: the old one stays and a finding says so.\n"
    )
    return _page("Options", intro, *parts)


def operations_page() -> str:
    """Every operation of every server, and the notices."""
    kinds = list(OPERATIONS_OF.values())
    shared = set.intersection(*(set(operations) for operations in kinds))
    parts = ["## Every server\n", *(_operation(kinds[0][name]) for name in sorted(shared))]
    for server, operations in OPERATIONS_OF.items():
        own = [operations[name] for name in operations if name not in shared]
        if own:
            parts.append(f"## {server}\n")
            parts.extend(_operation(operation) for operation in own)
    notices = [(f"`{name}`", _fields(body)) for name, body in sorted(NOTICES.items())]
    parts.extend(("## Notices\n", _table(("notice", "fields"), notices)))
    intro = (
        "An operation is reached over HTTP by its route and over the session by its name. A field\n"
        "with `?` may be left out. *Repeatable*: by nature (twice is once), by key (send\n"
        "`Idempotency-Key` or `client_token`), or not.\n"
    )
    return _page("Operations", intro, *parts)


PAGES: dict[str, Callable[[], str]] = {
    "docs/reference/errors.md": errors_page,
    "docs/reference/operations.md": operations_page,
    "docs/reference/options.md": options_page,
}

_OPTION_HEAD = ("section", "option", "default", "allowed", "time", "takes effect", "what it does")
_REPEATABLE = {"by_nature": "by nature", "key": "by key", "none": "no"}


def _rooms() -> list[str]:
    return sorted(path.parent.name for path in SERVERS.glob("*/__init__.py"))


def _options_of(room: str) -> list[Option]:
    module = importlib.import_module(f"paceline.servers.{room}.options")
    tables = [value for value in vars(module).values() if isinstance(value, OptionTable)]
    if not any(table.options for table in tables):
        raise SystemExit(f"paceline.servers.{room}.options declares no option table")
    found = {option.name: option for table in tables for option in table.options}
    return list(found.values())


def _option_row(option: Option) -> Sequence[str]:
    effect = "at once" if option.live else "after a restart"
    allowed = option.allowed + (" (secret)" if option.secret else "")
    name = f"`{option.key}`"
    return (option.section, name, _default(option), allowed, option.time or "", effect, option.help)


def _default(option: Option) -> str:
    match option.default:
        case None:
            return "none"
        case bool():
            return str(option.default).lower()
        case str():
            return option.default or "empty"
    return f"{option.default} {option.unit}".rstrip()


def _operation(operation: Operation) -> str:
    lines = [f"### `{operation.name}`\n", f"{operation.summary}\n"]
    if operation.http is not None:
        route = operation.http
        status = "" if route.method == "WS" else f" → {route.status}"
        lines.append(f"- `{route.method} {route.path}`{status}")
    right = " ".join(reversed(operation.right)) if operation.right else "open to anyone"
    lines.append(f"- right: {right}; repeatable: {_REPEATABLE[operation.idempotency]}")
    if operation.client_kinds != ALL_CLIENT_KINDS:
        lines.append(f"- for: {', '.join(sorted(operation.client_kinds))}")
    if operation.audited:
        lines.append("- kept in the audit record")
    lines.append(f"- request: {_fields(operation.request)}")
    lines.append(f"- answer: {_fields(operation.answer)}{', then notices' * operation.stream}")
    return "\n".join(lines) + "\n"


def _fields(struct: type[Any]) -> str:
    if not issubclass(struct, msgspec.Struct):
        return f"a {struct.__name__}"
    names = [
        f"`{field.encode_name}{'' if field.required else '?'}`"
        for field in msgspec.structs.fields(struct)
    ]
    return ", ".join(names) or "nothing"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head), *map(_row, rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _page(title: str, *parts: str) -> str:
    return "\n".join((f"# {title}\n", NOTE, *parts))


def main() -> int:
    """Write the pages, or with `--check` only say which are stale; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail if stale")
    check = parser.parse_args().check
    stale = False
    for path, text in (
        *((ROOT / name, write()) for name, write in PAGES.items()),
        *sdk_pages().items(),
    ):
        name = path.relative_to(ROOT)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale = True
        print(f"{name}: {'stale, run make docs' if check else 'written'}")
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(check and stale)


if __name__ == "__main__":
    sys.exit(main())
