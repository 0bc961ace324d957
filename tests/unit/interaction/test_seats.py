"""Seats of a site with several nodes: the documented way and ours."""

import pytest

from paceline.servers.interaction.rules.seats import seat_limit, seats_taken


def test_the_documented_example() -> None:
    """100 seats and 4 nodes set to 30: the last one gets 10, so that 10 agents can log in."""
    assert seats_taken((30, 30, 30, 30), 100) == (30, 30, 30, 10)
    assert seat_limit((30, 30, 30, 30), 100, "documented") == 10


def test_the_example_in_cluster_mode() -> None:
    """The pool is the limit; without a pool it is the sum of the nodes."""
    assert seat_limit((30, 30, 30, 30), 100, "cluster") == 100
    assert seat_limit((30, 30, 30, 30), 0, "cluster") == 120


@pytest.mark.parametrize(
    ("wanted", "pool", "mode", "limit"),
    [
        ((0,), 0, "cluster", None),
        ((0,), 0, "documented", None),
        ((5,), 0, "documented", 5),
        ((5,), 0, "cluster", 5),
        ((0,), 7, "cluster", 7),
        ((0,), 7, "documented", 7),
        ((5, 0), 0, "cluster", None),
        ((5, 0), 0, "documented", 5),
        ((5, 0), 7, "documented", 2),
        ((30, 30), 20, "documented", 0),
    ],
)
def test_zero_means_no_limit(
    wanted: tuple[int, ...], pool: int, mode: str, limit: int | None
) -> None:
    """A node without a limit takes what is left of the pool; nodes may find the pool empty."""
    assert seat_limit(wanted, pool, mode) == limit
