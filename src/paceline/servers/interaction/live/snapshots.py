"""The snapshots of a node: their heads, what they lock, and when each was last asked for.

Heads and locks are those of the database plus the batch in work; a failed batch is read anew.
"""

from collections.abc import Callable, Iterable, Mapping

from paceline.errors.failure import PacelineError
from paceline.model.interaction_snapshot import InteractionSnapshot
from paceline.servers.interaction.store.node import Key


class Snapshots:
    """Heads and locks; `asked_at` is in machine milliseconds and memory only."""

    def __init__(self) -> None:
        self._heads: dict[Key, InteractionSnapshot] = {}
        self._asked_at: dict[Key, int] = {}
        self.locks: dict[Key, str] = {}
        self.on_first: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        return len(self._heads)

    def add(self, head: InteractionSnapshot, locked: Iterable[Key], now: int) -> None:
        """A new snapshot and what it locks."""
        self._heads[head.key] = head
        self._asked_at[head.key] = now
        self.locks.update(dict.fromkeys(locked, head.snapshot_id))
        self.on_first()

    def remove(self, key: Key) -> None:
        """A snapshot is released; what it locked was unlocked before."""
        self._heads.pop(key, None)
        self._asked_at.pop(key, None)

    def find(self, key: Key) -> InteractionSnapshot | None:
        """The head of a snapshot, None when it was released."""
        return self._heads.get(key)

    def owned(self, key: Key, owner: str, now: int) -> InteractionSnapshot:
        """The snapshot of a client, who has asked for it now.

        Raises
        ------
        PacelineError
            `snapshot_not_accessible` when it is unknown, released, expired or another client's.
        """
        head = self._heads.get(key)
        if head is None or head.owner != owner:
            raise PacelineError(
                "snapshot_not_accessible",
                f"snapshot '{key[1]}' is unknown, released, expired or another client's",
                field="snapshot_id",
            )
        self._asked_at[key] = now
        return head

    def last_asked(self) -> list[tuple[int, Key]]:
        """When each snapshot was last asked for, the longest ago first."""
        return sorted((asked_at, key) for key, asked_at in self._asked_at.items())

    def restore(
        self, heads: Iterable[InteractionSnapshot], locks: Mapping[Key, str], now: int
    ) -> None:
        """Takes what is stored; one that was not known counts as asked for now."""
        self._heads = {head.key: head for head in heads}
        self._asked_at = {key: self._asked_at.get(key, now) for key in self._heads}
        self.locks = dict(locks)
        if self._heads:
            self.on_first()
