"""Writes the typed SDK clients from the operations' declarations.

Called by tools/generate; one module per server kind in src/paceline/sdk. Never edited by hand.
"""

import subprocess
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec

from paceline.wire.operation import Operation, empty_object
from paceline.wire.operations.catalogue import NOTICES, OPERATIONS_OF

SDK = Path(__file__).resolve().parent.parent / "src" / "paceline" / "sdk"
CLIENTS = {
    "configuration": "ConfigurationServerClient",
    "message": "MessageServerClient",
    "interaction": "InteractionServerClient",
    "stat": "StatServerClient",
    "router": "RouterClient",
    "pacing": "PacingServerClient",
    "engagement": "EngagementEngineClient",
}
"""Server kind to the class of its client."""


def sdk_pages() -> dict[Path, str]:
    """Path and text of every generated module, formatted as the project is."""
    pages = {SDK / f"{kind}.py": _module(kind, name) for kind, name in CLIENTS.items()}
    return {path: _formatted(text, path) for path, text in pages.items()}


def _formatted(text: str, path: Path) -> str:
    for step in (["check", "--fix-only", "--quiet", "--select", "F401,I001"], ["format"]):
        command = [sys.executable, "-m", "ruff", *step, "--stdin-filename", str(path), "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=True)
        text = done.stdout
    return text


def _module(kind: str, client: str) -> str:
    operations = [o for o in OPERATIONS_OF[kind].values() if _is_callable(o)]
    nouns: dict[str, list[Operation]] = {}
    for operation in operations:
        nouns.setdefault(operation.name.partition(".")[0], []).append(operation)
    names = _Names()
    groups = [_group(noun, items, names) for noun, items in nouns.items()]
    attributes = "\n".join(f"        self.{noun} = {_class_of(noun)}(connection)" for noun in nouns)
    return (
        f'"""Typed client of the {kind} server. Written by `make docs` from the operations; do not edit."""\n\n'
        + names.imports()
        + f'\n\n_OPERATIONS = OPERATIONS_OF["{kind}"]\n\n\n'
        + "\n\n\n".join(groups)
        + f'\n\n\nclass {client}:\n    """Every operation of the {kind} server, by noun and verb."""\n\n'
        + "    def __init__(self, connection: Connection) -> None:\n"
        + "        self.connection = connection\n"
        + attributes
        + "\n"
    )


def _is_callable(operation: Operation) -> bool:
    return not operation.name.startswith("server.") or operation.name in (
        "server.status",
        "server.ping",
        "server.findings",
    )


def _class_of(noun: str) -> str:
    return "_" + "".join(part.capitalize() for part in noun.split("_"))


def _group(noun: str, operations: Iterable[Operation], names: "_Names") -> str:
    methods = "\n\n".join(_method(operation, names) for operation in operations)
    return (
        f"class {_class_of(noun)}:\n"
        "    def __init__(self, connection: Connection) -> None:\n"
        "        self._connection = connection\n\n" + methods
    )


def _method(operation: Operation, names: "_Names") -> str:
    verb = operation.name.partition(".")[2]
    request, answer = names.use(operation.request), names.use(operation.answer)
    if operation.stream:
        notice = names.use(NOTICES[operation.name])
        return (
            f"    def subscribe(self, make_request: Callable[[], {request}], "
            f"on_notice: Callable[[{notice}], None], "
            f"on_open: Callable[[{answer}], None] | None = None) -> Subscription[{notice}]:\n"
            f'        """{operation.summary}"""\n'
            f'        return self._connection.subscribe(_OPERATIONS["{operation.name}"], '
            "make_request, on_notice, on_open)\n"
        )
    fields = msgspec.structs.fields(operation.request)
    hints = get_type_hints(operation.request)
    required = [field for field in fields if field.required]
    optional = [field for field in fields if not field.required]
    parameters = [f"{f.name}: {names.text(hints[f.name])}" for f in required]
    parameters += [
        f"{f.name}: {names.text(hints[f.name])} = {_default(f, names)}" for f in optional
    ]
    parameters += ["timeout_s: float | None = None", "idempotency_key: str | None = None"]
    passed = ", ".join(f"{f.name}={f.name}" for f in (*required, *optional))
    return (
        f"    def {verb}(self, *, {', '.join(parameters)}) -> Awaitable[{answer}]:\n"
        f'        """{operation.summary}"""\n'
        f"        request = {request}({passed})\n"
        f'        return self._connection.call(_OPERATIONS["{operation.name}"], request, '
        "timeout_s=timeout_s, key=idempotency_key)\n"
    )


def _default(field: msgspec.structs.FieldInfo, names: "_Names") -> str:
    if field.default_factory is empty_object:
        names.uses_raw = True
        return 'Raw(b"{}")'
    if field.default_factory is not msgspec.NODEFAULT:
        return "{}" if field.default_factory is dict else f"{field.default_factory.__name__}()"
    return repr(field.default)


class _Names:
    """Imports that a module needs, and the source text of annotations."""

    def __init__(self) -> None:
        self._by_module: dict[str, set[str]] = {}
        self._aliases: dict[tuple[str, str], str] = {}
        self.uses_raw = False
        self._uses_literal = False

    def use(self, kind: type[Any]) -> str:
        """The name of a struct, imported; two of one name are told apart by their module."""
        self._by_module.setdefault(kind.__module__, set()).add(kind.__name__)
        return kind.__name__

    def text(self, hint: Any) -> str:
        """An annotation as source."""
        origin, arguments = get_origin(hint), get_args(hint)
        if hint is msgspec.Raw:
            self.uses_raw = True
            return "Raw"
        if hint is type(None):
            return "None"
        if origin in (Union, types.UnionType):
            return " | ".join(self.text(argument) for argument in arguments)
        if getattr(origin, "__name__", "") == "Literal" or str(origin) == "typing.Literal":
            self._uses_literal = True
            return f"Literal[{', '.join(repr(argument) for argument in arguments)}]"
        if hint is Ellipsis:
            return "..."
        if origin is not None:
            return f"{origin.__name__}[{', '.join(self.text(argument) for argument in arguments)}]"
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return self.use(hint)
        return str(hint.__name__)

    def imports(self) -> str:
        """The import block."""
        lines = ["from collections.abc import Awaitable, Callable"]
        if self._uses_literal:
            lines.append("from typing import Literal")
        if self.uses_raw:
            lines.append("\nfrom msgspec import Raw")
        lines.append("\nfrom paceline.sdk.connection import Connection, Subscription")
        modules = {**self._by_module, "paceline.wire.operations.catalogue": {"OPERATIONS_OF"}}
        lines += [
            f"from {module} import {', '.join(sorted(found))}"
            for module, found in sorted(modules.items())
        ]
        return "\n".join(lines)
