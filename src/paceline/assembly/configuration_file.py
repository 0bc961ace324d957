"""The configuration file: one YAML document of objects, read into changes and written from objects.

Called by `paceline config` and by `demo` and `up`. Top-level keys are object types, each with a
list of objects: `name`, `tenant` where it is not 1, and the fields of the type. Never connects.
"""

import datetime
import difflib
import io
from collections.abc import Iterable
from typing import Any, NoReturn

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from paceline.errors.failure import PacelineError
from paceline.model.configuration import OBJECT_TYPES
from paceline.servers.configuration.rules.bodies import fields_of, typed_body
from paceline.servers.configuration.rules.names import checked_name
from paceline.units.quantities import DEFAULT_TENANT
from paceline.wire.operations.configuration import Change, ObjectRecord


def read_configuration(text: str) -> tuple[Change, ...]:
    """The objects of a file as changes, in the order of the file; an empty file has none.

    Parameters
    ----------
    text
        The YAML. Each object is checked as the Configuration Server does; names of other objects
        are left to it.

    Raises
    ------
    PacelineError
        `configuration_mistake` naming line, type, object and field.
    """
    document = _parsed(text)
    if document is None:
        return ()
    if not isinstance(document, CommentedMap):
        _refuse(1, "the file is not a mapping of object types to lists of objects")
    changes: list[Change] = []
    for object_type in document:
        line = _line(document, object_type)
        _check_type(line, object_type)
        listed = document[object_type]
        if listed is None:
            continue
        if not isinstance(listed, CommentedSeq):
            _refuse(line, f"{object_type}: write a list of objects, each with a dash and a name")
        changes += [
            _change(object_type, item, listed.lc.item(n)[0] + 1) for n, item in enumerate(listed)
        ]
    return tuple(changes)


def write_configuration(objects: Iterable[ObjectRecord]) -> str:
    """The file that makes these objects, by type and id; secrets stand as `***`, which keeps them."""
    document: dict[str, list[dict[str, Any]]] = {}
    for item in sorted(objects, key=lambda item: (OBJECT_TYPES.index(item.type), item.id)):
        entry: dict[str, Any] = {"name": item.name} if item.name else {}
        if item.tenant != DEFAULT_TENANT:
            entry["tenant"] = item.tenant
        entry.update(msgspec.json.decode(item.body))
        document.setdefault(item.type, []).append(entry)
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 100
    target = io.StringIO()
    yaml.dump(document, target)
    return target.getvalue() if document else ""


def _parsed(text: str) -> Any:
    try:
        return YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = str(error.problem or error.context).replace("\n", " ")
        _refuse(mark.line + 1 if mark is not None else 1, f"this is not YAML: {problem}")
    except YAMLError as error:
        _refuse(1, f"this is not YAML: {str(error).splitlines()[0]}")


def _change(object_type: str, item: Any, line: int) -> Change:
    if not isinstance(item, CommentedMap):
        _refuse(line, f"{object_type}: an object is written as `- name: …` with its fields below")
    fields = _plain(item)
    name, tenant = fields.pop("name", ""), fields.pop("tenant", DEFAULT_TENANT)
    if not isinstance(name, str):
        _refuse(
            _line(item, "name"), f"{object_type}: name {name!r} is not a text; put it in quotes"
        )
    if isinstance(tenant, bool) or not isinstance(tenant, int):
        what = f"{object_type} '{name}': tenant is the number of one, not {tenant!r}"
        _refuse(_line(item, "tenant"), what)
    body = msgspec.Raw(msgspec.json.encode(fields))
    try:
        checked_name(object_type, name)
        typed_body(object_type, name, fields_of(body))
    except PacelineError as refused:
        field = (refused.field or "").split(".")[0].split("[")[0]
        _refuse(_line(item, field, line), refused.message, field=refused.field)
    return Change(type=object_type, name=name, body=body, tenant=tenant)


def _check_type(line: int, object_type: Any) -> None:
    if object_type in OBJECT_TYPES:
        return
    near = difflib.get_close_matches(str(object_type), OBJECT_TYPES, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"use {', '.join(OBJECT_TYPES)}"
    _refuse(line, f"there is no object type '{object_type}'; {hint}", field=str(object_type))


def _plain(value: Any) -> Any:
    """Values as JSON has them; YAML's dates stay the texts that they were written as."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def _line(item: CommentedMap, key: Any, otherwise: int = 1) -> int:
    """Line of a key; of the mapping where it does not have the key."""
    if key not in item:
        return otherwise
    line: int = item.lc.key(key)[0]
    return line + 1


def _refuse(line: int, what: str, *, field: str | None = None) -> NoReturn:
    raise PacelineError("configuration_mistake", f"line {line}: {what}", field=field)
