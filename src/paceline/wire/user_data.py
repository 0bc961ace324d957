"""The one cheap check of user data: an object, at most 1 MiB, depth 32, no NUL, no key twice.

User data are stored as they came; only keys that are filter keys or custom properties are decoded.
"""

import json
import re
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32

_top_level = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"')
_BRACKET = re.compile(rb"[\[\]{}]")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
"""The escape of U+0000 whose own backslash is not escaped; a bare one is no JSON."""


def checked(raw: msgspec.Raw | bytes) -> dict[str, msgspec.Raw]:
    """The top-level keys of a user data object, with their values still encoded.

    Raises
    ------
    PacelineError
        `invalid_attribute` (field user_data) naming what is wrong.
    """
    data = bytes(raw)
    if len(data) > MAX_BYTES:
        raise _wrong(f"has {len(data)} bytes; at most {MAX_BYTES} are stored")
    try:
        if not data.isascii():
            data.decode()  # values are not looked at below
        keys = _top_level.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _wrong(f"must be a JSON object in UTF-8: {error}") from None
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
        raise _wrong(f"is nested deeper than {MAX_DEPTH}")
    if data.count(b":") != len(keys) and _top_level_pairs(data) != len(keys):
        raise _wrong("has the same key twice")
    if has_nul(data):
        raise _wrong("contains the character U+0000")
    return keys


def has_nul(data: bytes) -> bool:
    """Whether a text in this JSON has the character U+0000, which PostgreSQL takes in no text."""
    return b"\\u0000" in data and _NUL.search(data) is not None


def _wrong(what: str) -> PacelineError:
    return PacelineError("invalid_attribute", f"user_data {what}", field="user_data")


def _top_level_pairs(data: bytes) -> int:
    """Number of pairs of the outermost object, counting a repeated key each time."""
    pairs: list[tuple[str, Any]] = json.loads(data, object_pairs_hook=list, parse_int=len)
    return len(pairs)


def _depth(data: bytes) -> int:
    """Deepest nesting of valid JSON; no recursion, so that no depth can exhaust the stack."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
