"""What a pacing report must hold beyond its types; checked before anything is done with it."""

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_millis
from paceline.units.quantities import Millis
from paceline.wire.operations.engagement import Report

LATEST_S = 30.0
"""A permit never lives past `sent_at` + `valid_for_s` + 30 s (INTERFACES: the engine's contract)."""

LONGEST_LIFE_S = 3600.0
"""Longest `valid_for_s` (chosen: two of the longest periods are 120 s; an hour is a mistake)."""


def check_report(report: Report) -> None:
    """Refuse what no pacing service would send.

    Raises
    ------
    PacelineError
        `invalid_attribute` naming the field; `unknown_base` for a delta, as this engine holds no
        base and wants the full set.
    """
    if not 1 <= report.page <= report.pages:
        raise _wrong("page", f"page is {report.page} of {report.pages}; it counts from 1 to pages")
    if not 0 < report.valid_for_s <= LONGEST_LIFE_S:
        raise _wrong("valid_for_s", f"valid_for_s is above 0 and at most {LONGEST_LIFE_S:g}")
    if report.epoch < 0 or report.sequence < 0:
        raise _wrong("sequence", "epoch and sequence are not negative")
    names = set()
    for permit in report.targets:
        if permit.permits < 0:
            raise _wrong("permits", f"target '{permit.id}' has {permit.permits} permits, below 0")
        if permit.id in names:
            raise _wrong("targets", f"target '{permit.id}' is listed twice")
        names.add(permit.id)
    to_millis(report.sent_at, field="sent_at")
    if report.base_sequence is not None:
        raise PacelineError(
            "unknown_base",
            f"base sequence {report.base_sequence} is not held; send the full set",
            field="base_sequence",
        )


def end_of_permits(report: Report, received_at: Millis) -> Millis:
    """Business instant at which the report's permits are over."""
    life_ms = round(1000 * report.valid_for_s)
    sent_at = to_millis(report.sent_at, field="sent_at")
    return Millis(min(received_at + life_ms, sent_at + life_ms + round(1000 * LATEST_S)))


def _wrong(field: str, message: str) -> PacelineError:
    return PacelineError("invalid_attribute", message, field=field)
