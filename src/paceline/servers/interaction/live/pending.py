"""The changes of a batch in work: what the committer writes in one transaction."""

from collections.abc import Callable

import msgspec

from paceline.model.interaction import Row
from paceline.servers.interaction.store.node import Finished, Key
from paceline.wire.operations.event import Event


class Pending(msgspec.Struct):
    """Everything that gathered since the last commit; empty for a batch that only read.

    `holdings` are the moves of interactions between router sessions, to be undone when it fails.
    """

    inserted: dict[Key, Row] = {}
    updated: dict[Key, Row] = {}
    finished: dict[Key, Finished] = {}
    moved: list[Key] = []
    new_data: dict[Key, str] = {}
    changed_data: dict[Key, str] = {}
    client_ids: list[tuple[int, str, int]] = []
    tokens: list[tuple[int, str, str, str, int, bytes, str]] = []
    agents: set[tuple[int, int]] = set()
    holdings: list[tuple[str | None, str | None, Key]] = []
    events: dict[int, list[Event]] = {}
    after_commit: list[Callable[[], None]] = []

    def has_changes(self) -> bool:
        """Whether anything is to be written."""
        return bool(
            self.inserted
            or self.updated
            or self.finished
            or self.changed_data
            or self.agents
            or self.events
            or self.tokens
        )
