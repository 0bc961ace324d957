"""When scheduled interactions of a queue become due, so that the heads of its views take them in.

Knows one instant per queue, read from the database when it is needed; those that come nearer tell it.
"""

from paceline.model.interaction import Row


class Schedule:
    """The next due instants of the node's queues."""

    def __init__(self) -> None:
        self._seen_until: dict[int, int] = {}
        self._next: dict[int, int | None] = {}

    def is_due(self, queue_id: int, now: int) -> bool:
        """Whether the database must be asked: nothing is known yet, or something became due."""
        if queue_id not in self._next:
            return True
        following = self._next[queue_id]
        return following is not None and following <= now

    def seen_until(self, queue_id: int) -> int | None:
        """Up to when all that was due has been offered; None when nothing has."""
        return self._seen_until.get(queue_id)

    def looked(self, queue_id: int, now: int, following: int | None) -> None:
        """All that is due is offered; `following` is when the next one is."""
        self._seen_until[queue_id] = now
        self._next[queue_id] = following

    def add(self, row: Row) -> None:
        """A scheduled interaction waits for its time."""
        following = self._next.get(row.queue_id, 0)
        scheduled_at = row.scheduled_at or 0
        if following is None or scheduled_at < following:
            self._next[row.queue_id] = scheduled_at

    def next_at(self, queue_id: int) -> int | None:
        """When the next one is due, as far as is known."""
        return self._next.get(queue_id)

    def forget(self) -> None:
        """Nothing is known; the next pulls ask."""
        self._seen_until.clear()
        self._next.clear()
