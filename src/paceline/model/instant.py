"""Instants between their two forms: integer milliseconds inside, RFC 3339 text on the wire.

Called wherever an instant enters or leaves a message; never reads a clock.
"""

from datetime import UTC, datetime
from functools import lru_cache

from paceline.errors.failure import PacelineError
from paceline.units.quantities import Millis


@lru_cache(maxsize=4096)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=4096)
def to_text(instant: int) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`, as every message and event writes it.

    Much of what happens within a few seconds has the same few instants.
    """
    second, ms = divmod(instant, 1000)
    return f"{_second_text(second)}.{ms:03d}Z"


def optional_text(instant: int | None) -> str | None:
    """Like `to_text`; nothing stays nothing."""
    return None if instant is None else to_text(instant)


def to_millis(text: str, *, field: str) -> Millis:
    """Milliseconds since 1970 of an RFC 3339 text with an offset.

    Raises
    ------
    PacelineError
        `invalid_attribute` naming the field when the text is no instant or has no offset.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise PacelineError(
            "invalid_attribute",
            f"{field}: '{text}' is not an RFC 3339 instant; write it like 2026-01-31T08:00:00.000Z",
            field=field,
        )
    return Millis(round(moment.timestamp() * 1000))
