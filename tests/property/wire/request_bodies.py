"""Bodies for every operation: near enough to be taken often, far enough to break what is not checked."""

from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from paceline.wire.operation import Operation

ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, -(2**31) - 1, 2**63, -(2**63) - 1, 10**30])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
ODD_TEXTS = st.text(max_size=8) | st.sampled_from(
    ["", " ", "'", "\x00", "a\x00b", "\ud7ff", "😀", "__BACK__", "1.1", "9" * 30, "-1", "NaN", "x" * 300,
     "2026-01-31T08:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-13-01T00:00:00Z",
     "priority > 1", "queue = 'Chats' order", "_age() > ", "priority desc", "((((((((", "%", "\\"]
)  # fmt: skip


def bodies(operation: Operation, known: Mapping[str, list[str]]) -> st.SearchStrategy[Any]:
    """Requests of an operation; `known` gives values that fit a field of that name."""
    return _struct(operation.request, known) | ANY_JSON


def _struct(kind: Any, known: Mapping[str, list[str]]) -> st.SearchStrategy[dict[str, Any]]:
    hints = get_type_hints(kind, include_extras=False)
    needed, optional = {}, {}
    for field in msgspec.structs.fields(kind):
        # One in eight values is any JSON at all.
        value = st.integers(0, 7).flatmap(
            lambda n, f=field: ANY_JSON if n == 0 else _value(f.encode_name, hints[f.name], known)
        )
        (needed if field.required else optional)[field.encode_name] = value
    return st.fixed_dictionaries(needed, optional=optional)


def _value(name: str, hint: Any, known: Mapping[str, list[str]]) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is Union or type(hint).__name__ == "UnionType":
        return st.one_of(*(_value(name, argument, known) for argument in arguments))
    if origin in (tuple, list):
        return st.lists(_value(name, arguments[0], known), max_size=3)
    if origin is dict:
        return st.dictionaries(ODD_TEXTS, _value(name, arguments[1], known), max_size=3)
    return _scalar(name, hint, known)


def _scalar(name: str, hint: Any, known: Mapping[str, list[str]]) -> st.SearchStrategy[Any]:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _struct(hint, known)
    if hint is str:
        fitting = known.get(name, [])
        return st.sampled_from(fitting) | ODD_TEXTS if fitting else ODD_TEXTS
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(-2, 5) | st.integers() | st.sampled_from([2**31, 2**63, -(2**63) - 1])
    if hint is float:
        return st.floats(-1, 1) | st.sampled_from([1e308, -1e308, 0.0])
    if hint is type(None):
        return st.none()
    return st.dictionaries(ODD_TEXTS, ANY_JSON, max_size=3) | ANY_JSON
