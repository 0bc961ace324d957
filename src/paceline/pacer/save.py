"""A pacer's whole state as bytes: format version first, then ids, settings and arrays.

Called by `Pacer.save` and `Pacer.restore`; the pacing server keeps the bytes so that a new master starts warm.
Never reads or writes a store.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from paceline.pacer.ages import AgeGrid

FORMAT_VERSION: Final = 3
"""1: seventeen ages counted apart and float64 columns; 2: no usual crew. `fitted_columns` still reads both."""
_MARK: Final = b"pace"
_RENAMED: Final = {"last_permits": "given_permits"}


class StoredArray(msgspec.Struct, frozen=True):
    """One array: kind, shape, little-endian bytes; the bytes of one element where all are the same."""

    kind: str
    shape: tuple[int, ...]
    data: bytes


class Saved(msgspec.Struct, frozen=True, kw_only=True):
    """All that makes a pacer's future."""

    target_ids: list[str]
    policy: str
    min_sample: int
    settings: dict[str, StoredArray]
    columns: dict[str, StoredArray]


def stored(values: NDArray[Any]) -> StoredArray:
    """Keep an array exactly."""
    ordered = np.ascontiguousarray(values)
    little = ordered.astype(ordered.dtype.newbyteorder("<"), copy=False)
    data = little.tobytes()
    first = data[: little.itemsize]
    if little.size > 1 and data == first * little.size:
        data = first
    return StoredArray(little.dtype.str, little.shape, data)


def loaded(array: StoredArray) -> NDArray[Any]:
    """Give back the array `stored` kept, as a copy of its own.

    Raises
    ------
    ValueError
        Bytes and shape that do not belong together.
    """
    if array.kind not in ("<f2", "<f4", "<f8", "<i4", "<i8", "|u1", "|i1"):
        raise ValueError(f"saved pacer state holds an array of kind {array.kind!r}")
    values = np.frombuffer(array.data, dtype=np.dtype(array.kind))
    if values.size == 1:
        return np.full(array.shape, values[0])
    return values.reshape(array.shape).copy()


def encode(saved: Saved) -> bytes:
    """Format version (after a mark of four bytes), then MessagePack."""
    return _MARK + FORMAT_VERSION.to_bytes(2, "big") + msgspec.msgpack.encode(saved)


def decode(data: bytes) -> Saved:
    """Read what `encode` wrote.

    Raises
    ------
    ValueError
        Not a pacer's state, damaged, or of a newer format than this code knows.
    """
    if len(data) < 6 or data[:4] != _MARK:
        raise ValueError("these bytes are not a saved pacer state")
    version = int.from_bytes(data[4:6], "big")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"saved pacer state has format {version}; this version reads up to {FORMAT_VERSION}: upgrade it"
        )
    try:
        return msgspec.msgpack.decode(data[6:], type=Saved)
    except msgspec.MsgspecError as damage:
        raise ValueError("saved pacer state is damaged") from damage


def fitted_columns(
    columns: Mapping[str, NDArray[Any]], size: int, grid: AgeGrid
) -> dict[str, NDArray[Any]]:
    """Check the saved columns, those of format 1 brought to today's ages and names.

    Raises
    ------
    ValueError
        An array that does not fit its targets or ages.
    """
    fitted = {}
    is_old = "accept_block_variance" in columns
    for name, values in columns.items():
        ages = grid.age_count if name == "by_age_pending" else grid.bucket_count
        column = values
        if is_old and values.ndim > 1:
            by_age = grid.fitted(values)
            column = by_age if name == "by_age_pending" else grid.gathered(by_age)
        shape = (ages, size) if name.startswith("by_age_") else (size,)
        if column.shape != shape:
            raise ValueError("saved pacer state is damaged: an array does not fit its targets")
        fitted[_RENAMED.get(name, name)] = column
    return fitted
