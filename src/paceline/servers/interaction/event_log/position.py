"""Positions in the stream of events: opaque text outside, node code and event id inside."""

from paceline.errors.failure import PacelineError
from paceline.wire.page import LONGEST_NUMBER


def position_text(node_code: int, event_id: int) -> str:
    """The position right after an event."""
    return f"{node_code}.{event_id}"


def event_id_of(position: str | None, node_code: int, *, field: str = "after") -> int:
    """The last event id that a position covers; 0 = the beginning.

    Raises
    ------
    PacelineError
        `invalid_attribute` when it is no position of this node.
    """
    if not position:
        return 0
    node, _, number = position.partition(".")
    is_number = number.isascii() and number.isdecimal() and len(number) <= LONGEST_NUMBER
    if node != str(node_code) or not is_number:
        raise PacelineError(
            "invalid_attribute",
            f"position '{position}' is not one of this node's; use one that an event or a page gave",
            field=field,
        )
    return int(number)
