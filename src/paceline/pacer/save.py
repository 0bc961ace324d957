"""A pacer's whole state as bytes: format version first, then ids, settings and arrays.

Called by `Pacer.save` and `Pacer.restore`; the pacing server keeps the bytes so that a new master starts warm.
Never reads or writes a store.
"""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

FORMAT_VERSION: Final = 1
_MARK: Final = b"pace"


class StoredArray(msgspec.Struct, frozen=True):
    """One array: kind, shape, little-endian bytes."""

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
    return StoredArray(little.dtype.str, little.shape, little.tobytes())


def loaded(array: StoredArray) -> NDArray[Any]:
    """Give back the array `stored` kept, as a copy of its own.

    Raises
    ------
    ValueError
        Bytes and shape that do not belong together.
    """
    if array.kind not in ("<f4", "<f8", "<i4", "<i8"):
        raise ValueError(f"saved pacer state holds an array of kind {array.kind!r}")
    return np.frombuffer(array.data, dtype=np.dtype(array.kind)).reshape(array.shape).copy()


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
