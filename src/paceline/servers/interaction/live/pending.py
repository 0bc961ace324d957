"""The changes of a batch in work: what the committer writes in one transaction."""

from collections.abc import Callable

import msgspec

from paceline.model.agent import AgentKey
from paceline.model.interaction import Row
from paceline.model.interaction_snapshot import InteractionSnapshot
from paceline.servers.interaction.store.node import Finished, Key, TokenKey
from paceline.wire.call import Peer
from paceline.wire.operations.event import Event


class Pending(msgspec.Struct):
    """Everything that gathered since the last commit; empty for a batch that only read.

    `holdings` are the moves of interactions between router sessions, `links` the client sessions that
    began (True) or ceased to speak for an agent: both are undone when it fails.
    """

    inserted: dict[Key, Row] = {}
    updated: dict[Key, Row] = {}
    finished: dict[Key, Finished] = {}
    moved: list[Key] = []
    new_data: dict[Key, str] = {}
    changed_data: dict[Key, str] = {}
    custom: set[Key] = set()
    destinations: set[Key] = set()
    property_states: dict[Key, tuple[str, bool] | None] = {}
    client_ids: list[tuple[int, str, int]] = []
    tokens: list[tuple[int, str, str, str, int, bytes, str]] = []
    forgotten_tokens: list[TokenKey] = []
    agents: set[AgentKey] = set()
    parties: set[Key] = set()
    snapshots: list[InteractionSnapshot] = []
    snapshot_items: list[tuple[int, str, int, str]] = []
    released: list[Key] = []
    holdings: list[tuple[str | None, str | None, Key]] = []
    links: list[tuple[bool, AgentKey, Peer]] = []
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
            or self.parties
            or self.snapshots
            or self.released
            or self.property_states
            or self.events
            or self.tokens
            or self.forgotten_tokens
        )
