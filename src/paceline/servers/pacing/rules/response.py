"""What an engine's answer must hold to be believed (pacing-service.md §4).

Called by links/engagement for each page; a page that breaks a rule is told as a whole (100607), an
error of one target (100605) leaves the others alone.
"""

from collections.abc import Iterable

import msgspec

from paceline.wire.operations.engagement import ReportAnswer, TargetCounts

_decoder = msgspec.json.Decoder(ReportAnswer)


class InvalidAnswer(Exception):
    """The answer breaks the contract; the message says where."""


def read_answer(body: bytes, *, sequence: int, names: Iterable[str]) -> dict[str, TargetCounts]:
    """Counts by target, exactly one for each target of the page.

    Raises
    ------
    InvalidAnswer
        Not JSON of the contract, wrong sequence, an unknown, repeated or missing id, a negative or
        fractional count.
    """
    try:
        answer = _decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidAnswer(f"the answer is not what the contract says: {error}") from None
    if answer.sequence != sequence:
        raise InvalidAnswer(f"the answer is to sequence {answer.sequence}, not {sequence}")
    asked = set(names)
    counts: dict[str, TargetCounts] = {}
    for row in answer.targets:
        if row.id not in asked:
            raise InvalidAnswer(f"the answer holds the target '{row.id}', which was not sent")
        if row.id in counts:
            raise InvalidAnswer(f"the answer holds the target '{row.id}' twice")
        _check_counts(row)
        counts[row.id] = row
    if missing := asked - counts.keys():
        raise InvalidAnswer(f"the answer lacks {len(missing)} targets, '{min(missing)}' among them")
    return counts


def _check_counts(row: TargetCounts) -> None:
    for name in ("pending", "sent", "resolved", "accepted"):
        value = getattr(row, name)
        if value is not None and value < 0:
            raise InvalidAnswer(f"target '{row.id}': {name} is {value}, below 0")


def error_of(row: TargetCounts) -> str | None:
    """What the engine says is wrong with this target."""
    if row.error is None:
        return None
    return row.error.get("message") or row.error.get("code") or "an error without a message"
