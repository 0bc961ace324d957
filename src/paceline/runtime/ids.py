"""Ids made here: interaction ids in order of submission, and ids of requests and batches.

An interaction id is 16 characters of Crockford base32 (INTERFACES: Ids): 2 node code, 9
milliseconds since 1970, 5 counter. Called by the interaction server, wire and storage.
"""

import re
import uuid
from functools import lru_cache
from typing import Final

from paceline.runtime.entropy import entropy, random_bytes
from paceline.runtime.times import Times
from paceline.units.ids import InteractionId, RequestId

MAX_NODE_CODE: Final = 1023
"""Two characters of five bits (INTERFACES: Ids)."""

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = tuple(a + b for a in _ALPHABET for b in _ALPHABET)
_COUNTER_END: Final = 1 << 25
_GENERATED: Final = re.compile(f"[{_ALPHABET}]{{16}}")
_CLIENT: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")


def _encode_millis(ms: int) -> str:
    """Nine characters: 45 bits, enough until the year 3084."""
    return _high_part(ms >> 10) + _PAIRS[ms & 1023]


@lru_cache(maxsize=4)
def _high_part(high: int) -> str:
    """The first seven of them, which are the same for a second."""
    pairs = (_PAIRS[high >> shift & 1023] for shift in (20, 10, 0))
    return _ALPHABET[high >> 30 & 31] + "".join(pairs)


class InteractionIds:
    """Interaction ids of one node: each is above the one before, whatever the clock does.

    Parameters
    ----------
    last_id_ms
        `last_ms` of the process before; every new id is above all of its ids.
    """

    __slots__ = ("_counter", "_machine", "_node", "_prefix", "last_ms")

    def __init__(self, node_code: int, times: Times, last_id_ms: int = 0) -> None:
        if not 0 <= node_code <= MAX_NODE_CODE:
            raise ValueError(f"node code is {node_code}; it must be from 0 to {MAX_NODE_CODE}")
        self._machine = times.machine
        self._node = _PAIRS[node_code]
        self._counter = 0
        self._prefix = ""
        self._enter(last_id_ms + 1)

    def next(self) -> InteractionId:
        """The next id."""
        now = self._machine.now()
        if now > self.last_ms:
            self._enter(now)
        elif self._counter == _COUNTER_END:
            self._enter(self.last_ms + 1)
        count = self._counter
        self._counter = count + 1
        high, low = _PAIRS[count >> 10 & 1023], _PAIRS[count & 1023]
        return InteractionId(self._prefix + _ALPHABET[count >> 20] + high + low)

    def _enter(self, ms: int) -> None:
        self.last_ms = ms
        self._counter = 0
        self._prefix = self._node + _encode_millis(ms)


def is_generated(text: str) -> bool:
    """Whether it has the form of ids made by a node."""
    return _GENERATED.fullmatch(text) is not None


def node_code_of(text: str) -> int | None:
    """Code of the node that made the id; None when a client made it."""
    if not is_generated(text):
        return None
    return _ALPHABET.index(text[0]) << 5 | _ALPHABET.index(text[1])


def is_client_id(text: str) -> bool:
    """Whether a client may bring it as an interaction id."""
    return _CLIENT.fullmatch(text) is not None and not is_generated(text)


def request_id() -> RequestId:
    """Id of a request: this process's random prefix and a count."""
    process = entropy()
    return RequestId(f"{process.request_prefix}-{next(process.request_count):x}")


def batch_id() -> str:
    """Id of a batch of writes, a UUID as text: unique over all processes and restarts."""
    return str(uuid.UUID(bytes=random_bytes(16), version=4))
