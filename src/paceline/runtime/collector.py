"""Python's garbage collector in a server process: what a start allocated is never looked at again.

Called once per process when its servers have started.
"""

import gc

YOUNG, MIDDLE, OLD = 50_000, 50, 100
"""Allocations before a young collection, and how many of one generation before the next: with the
defaults a busy interaction node spent 15-25 % of its time collecting futures that were not garbage
(bench interactions, 256 in flight)."""


def settle_collector() -> None:
    """Sets the start's objects aside and collects more rarely; may be repeated."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
