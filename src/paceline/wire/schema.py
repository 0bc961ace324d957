"""Strict and lenient decoding from one struct: servers refuse what they do not know, clients ignore it.

A strict twin is a subclass that forbids unknown fields, built once per struct; the error it gives
names the field and the nearest known one.
"""

import difflib
import re
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from paceline.errors.failure import PacelineError
from paceline.wire.user_data import has_nul

_UNKNOWN = re.compile(r"unknown field `([^`]*)`")
_MISSING = re.compile(r"missing required field `([^`]*)`")
_PATH = re.compile(r"at `\$\.?([^`]*)`")
_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])
_Number = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


@cache
def strict_twin(kind: Any) -> Any:
    """The subclass of a struct, and of the structs inside it, that refuses unknown fields.

    It also refuses whole numbers of more than 64 bits, which no database takes.
    """
    hints = get_type_hints(kind, include_extras=True)
    overridden = [
        (field.name, _strict(hints[field.name]), _default_of(field))
        for field in msgspec.structs.fields(kind)
        if _strict(hints[field.name]) is not hints[field.name]
    ]
    return msgspec.defstruct(
        kind.__name__,
        [spec if spec[2] is not msgspec.NODEFAULT else spec[:2] for spec in overridden],
        bases=(kind,),
        forbid_unknown_fields=True,
        frozen=True,
        kw_only=True,
        module=kind.__module__,
    )


def _default_of(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default


def _strict(hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return strict_twin(hint)
    if hint is int:
        return _Number
    origin, arguments = get_origin(hint), get_args(hint)
    if not arguments or origin in (Annotated, Literal):
        return hint
    changed = tuple(_strict(argument) for argument in arguments)
    if changed == arguments:
        return hint
    if origin in (Union, types.UnionType):
        return Union[changed]  # noqa: UP007 - built at run time from a tuple
    return origin[changed]


@cache
def strict_decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """Decoder of a request that refuses unknown fields."""
    return msgspec.json.Decoder(strict_twin(kind))


@cache
def lenient_decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    """Decoder that ignores unknown fields: for answers, notices, and requests of a newer peer."""
    return msgspec.json.Decoder(kind)


@cache
def known_fields(kind: Any) -> tuple[str, ...]:
    """Field names of a struct, then those of the structs inside it."""
    names = {field.encode_name: None for field in msgspec.structs.fields(kind)}
    for hint in get_type_hints(kind).values():
        for inner in _structs_in(hint):
            names |= dict.fromkeys(known_fields(inner))
    return tuple(names)


def _structs_in(hint: Any) -> Iterator[Any]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        yield hint
    for argument in get_args(hint):
        yield from _structs_in(argument)


def field_error(error: Exception, kind: Any) -> PacelineError:
    """The error of a body that does not fit its struct, naming the field and the fix."""
    text = str(error)
    if found := _UNKNOWN.search(text):
        name = found.group(1)
        known = known_fields(kind)
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean '{near[0]}'?" if near else f"known fields: {', '.join(known)}"
        return PacelineError("invalid_attribute", f"unknown field '{name}'; {hint}", field=name)
    if found := _MISSING.search(text):
        name = found.group(1)
        return PacelineError("invalid_attribute", f"field '{name}' is missing", field=name)
    if found := _PATH.search(text):
        name = found.group(1)
        return PacelineError("invalid_attribute", f"field '{name}': {text}", field=name)
    return PacelineError(
        "invalid_attribute", f"the body is not valid JSON for this request: {text}", field="body"
    )


def decode_request(kind: Any, body: bytes | msgspec.Raw, *, strict: bool = True) -> Any:
    """A request from its JSON.

    Raises
    ------
    PacelineError
        `invalid_attribute` naming the field, with the nearest known one when it is unknown; also
        when a text has the character U+0000.
    """
    decoder = strict_decoder(kind) if strict else lenient_decoder(kind)
    try:
        request = decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise field_error(error, kind) from None
    if has_nul(bytes(body)):
        raise nul_error(_top_level.decode(body))
    return request


def nul_error(fields: Mapping[str, str | msgspec.Raw]) -> PacelineError:
    """The error of a request with the character U+0000 in one of its fields, as text or JSON."""
    guilty = [
        name
        for name, value in fields.items()
        if ("\0" in value if isinstance(value, str) else has_nul(bytes(value)))
    ]
    name = guilty[0] if guilty else "body"
    return PacelineError(
        "invalid_attribute", f"{name} contains the character U+0000; remove it", field=name
    )
