"""Bodies of objects from their JSON: strict, in NFC, without the write-only credential.

Called by plan.py and by the configuration file's reader in assembly.
"""

import difflib
import unicodedata
from typing import Any, NamedTuple, get_args

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.configuration import (
    BODY_TYPES,
    Body,
    Dn,
    Folder,
    Script,
    View,
    decode_body,
)
from paceline.model.options import SecretSource
from paceline.servers.configuration.rules.names import check_number, check_type, script_kind
from paceline.wire.schema import field_error, strict_decoder

CREDENTIAL_FIELDS = {"persons": "password", "applications": "secret"}
"""Write-only fields: what a person or an application logs in with."""

_SCRIPTS: dict[str, Any] = {script_kind(kind): kind for kind in get_args(Script)}


class TypedBody(NamedTuple):
    """A body, and the credential that came with it."""

    body: Body
    credential: SecretSource | None


def fields_of(raw: bytes | msgspec.Raw) -> dict[str, Any]:
    """The fields of a JSON object, every text in NFC.

    Raises
    ------
    PacelineError
        `invalid_attribute` when it is no JSON object.
    """
    try:
        fields = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise PacelineError(
            "invalid_attribute", f"the body is not JSON: {error}", field="body"
        ) from None
    if not isinstance(fields, dict):
        raise PacelineError("invalid_attribute", "the body is not a JSON object", field="body")
    normal: dict[str, Any] = _normal(fields)
    return normal


def _normal(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, dict):
        return {_normal(key): _normal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_normal(inner) for inner in value]
    return value


def typed_body(object_type: str, name: str, fields: dict[str, Any]) -> TypedBody:
    """The typed body of an object; an unknown field is refused with the nearest known one.

    Raises
    ------
    PacelineError
        `invalid_attribute` naming object, field and fix.
    """
    try:
        check_type(object_type)
        rest = dict(fields)
        credential = _credential(object_type, rest)
        kind = _script(rest) if object_type == "scripts" else BODY_TYPES[object_type]
        encoded = msgspec.json.encode(rest)
        try:
            strict_decoder(kind).decode(encoded)
        except msgspec.DecodeError as error:
            raise field_error(error, kind) from None
        body = decode_body(object_type, encoded)
        _check_values(body)
    except PacelineError as refused:
        raise PacelineError(
            refused.name, f"{object_type} '{name}': {refused.message}", field=refused.field
        ) from None
    return TypedBody(body, credential)


def merged(fields: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The fields after an RFC 7386 merge patch: null removes, objects merge, all else replaces."""
    result = dict(fields)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            inner = result.get(key)
            result[key] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[key] = value
    return result


def _script(fields: dict[str, Any]) -> Any:
    given = fields.get("script_type")
    if given in _SCRIPTS:
        return _SCRIPTS[given]
    near = difflib.get_close_matches(str(given), _SCRIPTS, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"use one of {', '.join(_SCRIPTS)}"
    what = "is missing" if given is None else f"has no kind '{given}'"
    raise PacelineError(
        "invalid_attribute", f"field 'script_type' {what}; {hint}", field="script_type"
    )


def _credential(object_type: str, fields: dict[str, Any]) -> SecretSource | None:
    field = CREDENTIAL_FIELDS.get(object_type)
    given = fields.pop(field, None) if field else None
    if field is None or given is None:
        return None
    if isinstance(given, str) and given:
        return SecretSource("value", given)
    if isinstance(given, dict) and len(given) == 1:
        [(place, text)] = given.items()
        if place in ("file", "env") and isinstance(text, str) and text:
            return SecretSource("file" if place == "file" else "env", text)
    raise PacelineError(
        "invalid_attribute",
        f"field '{field}': give a text, {{file: …}} or {{env: …}}",
        field=field,
    )


def _check_values(body: Body) -> None:
    if isinstance(body, Dn):
        check_number(body.number)
    if isinstance(body, Folder) and body.object_type:
        check_type(body.object_type)
    if isinstance(body, View) and bool(body.queue) == bool(body.workbin):
        raise PacelineError(
            "invalid_attribute",
            "name the queue or the workbin that the view selects from, one of both",
            field="queue",
        )
