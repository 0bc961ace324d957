"""Why a target got the permits it got: one small number per target and cycle.

Written by the pacer, translated into words by whoever shows it; the wire carries the name in lower case.
"""

from enum import IntEnum


class PermitReason(IntEnum):
    """Reason of a permit count. Numbers are stored in audit rows: never reuse one.

    MISCONFIGURED and STOPPED are never set here: the pacing server overrides the pacer with them.
    """

    FORECAST = 0
    NO_AGENTS = 1
    NO_CAPACITY_LEFT = 2
    OVER_GOAL = 3
    COLD_START = 4
    MISCONFIGURED = 5
    NO_STATISTICS = 6
    STALE_STATISTICS = 7
    ENGINE_UNREACHABLE = 8
    STOPPED = 9
    SHARED_AGENTS = 10
    GOAL_ZERO = 11
    NO_LIMIT = 12
    PROGRESSIVE = 13
    REACTIVE_GUARD = 14
    MULTIPLE = 15
