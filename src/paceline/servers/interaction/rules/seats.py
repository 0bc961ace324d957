"""How many agents may be logged in at once: seats of nodes, the site's pool, and the two modes.

The documented mode is what a licence server did: nodes take their seats out of the pool in the order
of their start, and since an agent needs a seat at each node, the smallest node is the site's limit.
"""

from collections.abc import Sequence


def seats_taken(wanted: Sequence[int], pool: int) -> tuple[int, ...]:
    """Seats each node gets, in the order of start; a node without a limit (0) takes all that is left.

    >>> seats_taken((30, 30, 30, 30), 100)
    (30, 30, 30, 10)
    """
    taken = []
    left = pool
    for seats in wanted:
        taken.append(min(seats or left, left))
        left -= taken[-1]
    return tuple(taken)


def seat_limit(wanted: Sequence[int], pool: int, mode: str) -> int | None:
    """Most agents logged in at all nodes together; None = no limit.

    >>> seat_limit((30, 30, 30, 30), 100, "documented"), seat_limit((30, 30, 30, 30), 100, "cluster")
    (10, 100)
    """
    if mode == "documented":
        limited = seats_taken(wanted, pool) if pool else [seats for seats in wanted if seats]
        return min(limited, default=None)
    if pool:
        return pool
    return sum(wanted) if all(wanted) else None
