"""The wire as it stands, in files: whoever changes an operation or a struct sees it in the review.

`python -m tests.contract.test_golden --update` writes the files anew. Within /v1 only optional
fields and new operations may be added (INTERFACES: versions).
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from paceline.errors.table import ERRORS
from paceline.wire.frames import PROTOCOL
from paceline.wire.operation import Operation
from paceline.wire.operations.catalogue import NOTICES, OPERATIONS_OF
from paceline.wire.operations.everywhere import OPERATIONS as EVERYWHERE
from paceline.wire.operations.everywhere import Hello, Welcome

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "python -m tests.contract.test_golden --update"


def schemas(kinds: Iterable[Any]) -> dict[str, Any]:
    """JSON schemas of structs and of those inside them, without their prose."""
    _, components = msgspec.json.schema_components(tuple(kinds), ref_template="{name}")
    for schema in components.values():
        schema.pop("description", None)
    return components


def operation_form(operation: Operation) -> dict[str, Any]:
    """All of a declaration that a client may rely on."""
    return {
        "request": operation.request.__name__,
        "answer": operation.answer.__name__,
        "right": operation.right,
        "client_kinds": sorted(operation.client_kinds),
        "idempotency": operation.idempotency,
        "size_class": operation.size_class,
        "stream": operation.stream,
        "http": operation.http,
        "since": operation.since,
    }


def operations_form(operations: Iterable[Operation]) -> dict[str, Any]:
    """Operations by name with the structs they use."""
    listed = tuple(operations)
    return {
        "operations": {operation.name: operation_form(operation) for operation in listed},
        "structs": schemas(kind for one in listed for kind in (one.request, one.answer)),
    }


def forms() -> dict[str, Any]:
    """File name to what it holds: one per server kind, one for what all share."""
    own = {
        kind: [o for name, o in operations.items() if name not in EVERYWHERE]
        for kind, operations in OPERATIONS_OF.items()
    }
    pages: dict[str, Any] = {kind: operations_form(o) for kind, o in own.items() if o}
    pages["everywhere"] = operations_form(EVERYWHERE.values()) | {
        "protocol": PROTOCOL,
        "session": schemas((Hello, Welcome)),
    }
    pages["notices"] = {
        "notices": {name: kind.__name__ for name, kind in NOTICES.items()},
        "structs": schemas(NOTICES.values()),
    }
    pages["errors"] = {
        name: {"number": spec.number, "http_status": spec.http_status, "outcome": spec.outcome}
        for name, spec in ERRORS.items()
    }
    return pages


def text_of(form: Any) -> str:
    """A form as it stands in its file."""
    return json.dumps(msgspec.to_builtins(form), indent=1, sort_keys=True) + "\n"


@pytest.mark.parametrize("name", sorted(forms()))
def test_the_wire_is_as_the_golden_file_says(name: str) -> None:
    """Every operation, struct, notice and error number, as it was when somebody last looked at it."""
    path = GOLDEN / f"{name}.json"
    golden = path.read_text(encoding="utf-8") if path.exists() else "nothing"
    assert text_of(forms()[name]) == golden, f"the wire changed; if that is meant: {UPDATE}"


def test_there_is_no_golden_file_too_many() -> None:
    """A server kind that is gone takes its file along."""
    assert {path.stem for path in GOLDEN.iterdir()} == set(forms())


def update() -> None:
    """Writes every file anew."""
    for path in GOLDEN.iterdir():
        path.unlink()
    for name, form in forms().items():
        (GOLDEN / f"{name}.json").write_text(text_of(form), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(f"usage: {UPDATE}")
    update()
