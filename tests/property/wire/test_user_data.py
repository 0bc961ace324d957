"""The check of user data agrees with a slow and obvious one, whatever bytes it gets."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from paceline.errors.failure import PacelineError
from paceline.wire.user_data import MAX_BYTES, MAX_DEPTH, checked

KEYS = st.text(alphabet='ab{}[]:,"\\\u00e9\x00', max_size=3)
LEAVES = st.none() | st.booleans() | st.integers() | KEYS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner))
PAIRS = st.lists(st.tuples(KEYS, VALUES), max_size=5)


def written(pairs: list[tuple[str, Any]], *, ascii_only: bool) -> bytes:
    """An object with these pairs, keys repeated as they come."""
    parts = (
        f"{json.dumps(key, ensure_ascii=ascii_only)} : {json.dumps(value, ensure_ascii=ascii_only)}"
        for key, value in pairs
    )
    return ("{" + ",".join(parts) + "}").encode()


def depth(value: Any) -> int:
    """Levels of objects and lists."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def has_nul(value: Any) -> bool:
    """Whether U+0000 stands in any key or text."""
    if isinstance(value, dict):
        return any(has_nul(key) or has_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(has_nul, value))
    return isinstance(value, str) and "\0" in value


@given(PAIRS, st.booleans())
@example([("a", "\\u0000")], True)
@example([("a", "\\\x00")], True)
@example([("a", ['"', "}"]), ("b", ":")], False)
def test_it_takes_exactly_what_may_be_stored(
    pairs: list[tuple[str, Any]], ascii_only: bool
) -> None:
    """No key twice, no NUL; the values come back encoded as they came."""
    data = written(pairs, ascii_only=ascii_only)
    keys = [key for key, _ in pairs]
    is_fine = len(set(keys)) == len(keys) and not has_nul([list(pair) for pair in pairs])
    try:
        taken = checked(data)
    except PacelineError as refused:
        assert not is_fine
        assert (refused.name, refused.field) == ("invalid_attribute", "user_data")
    else:
        assert is_fine
        assert {key: msgspec.json.decode(value) for key, value in taken.items()} == dict(pairs)


@given(st.binary(max_size=40) | st.text(max_size=40).map(lambda text: f'{{"a":"{text}"}}'.encode()))
@example(b'{"a":"\xff"}')
@example(b'{"a":{"\xff":1}}')
@example(b'{"a":' + b"9" * 5000 + b',"b":":"}')
@example(b'{"a":"\\ud800"}')
@example(b'{"a":"\\udc00"}')
def test_whatever_it_takes_every_reader_can_decode(data: bytes) -> None:
    """Any bytes are either refused by the one error, or whole and valid JSON in UTF-8."""
    try:
        checked(data)
    except PacelineError as refused:
        assert refused.field == "user_data"
    else:
        assert isinstance(json.loads(data.decode(), parse_int=len), dict)


@pytest.mark.parametrize("levels", [1, MAX_DEPTH, MAX_DEPTH + 1, 600, 1100, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth(levels: int, opening: bytes, closing: bytes) -> None:
    """32 levels and not one more; no depth exhausts the stack."""
    inner = levels - 1
    data = b'{"x":' + opening * inner + b"1" + closing * inner + b"}"
    if levels <= MAX_DEPTH:
        assert list(checked(data)) == ["x"]
    else:
        with pytest.raises(PacelineError) as refused:
            checked(data)
        assert refused.value.field == "user_data"


@given(VALUES)
def test_brackets_in_texts_are_no_levels(value: Any) -> None:
    """A text full of brackets beside any value changes nothing."""
    data = json.dumps({"text": "[{" * 40, "value": value}).encode()
    if depth(value) < MAX_DEPTH and not has_nul(value):
        assert set(checked(data)) == {"text", "value"}


def test_size() -> None:
    """1 MiB and not one byte more."""
    whole = b'{"a":"' + b"x" * (MAX_BYTES - 8) + b'"}'
    assert len(whole) == MAX_BYTES
    checked(whole)
    with pytest.raises(PacelineError, match="at most 1048576"):
        checked(whole[:-2] + b'x"}')
