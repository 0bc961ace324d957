"""What the stores of a node and of an engine hold, read through the servers' own functions.

For rehearsals (simulator/whole), which compare it with what clients were told. Never writes.
"""

from collections.abc import Iterable, Mapping

from paceline.model.agent import Agent
from paceline.model.interaction import Row
from paceline.model.party import Party
from paceline.servers.engagement.store.invitations import InvitationStore
from paceline.servers.interaction.event_log.store import read_after
from paceline.servers.interaction.store.agents import read_agents
from paceline.servers.interaction.store.node import (
    read_finished,
    read_queue_depths,
    read_rows,
)
from paceline.servers.interaction.store.parties import read_parties
from paceline.storage.database import Database
from paceline.units.quantities import DEFAULT_TENANT
from paceline.wire.operations.event import Event


class NodeFacts:
    """An interaction node's store, of one tenant."""

    def __init__(self, database: Database, tenant: int = DEFAULT_TENANT) -> None:
        self._database = database
        self._tenant = tenant

    async def events(self, after: int, limit: int) -> tuple[tuple[Event, ...], bool]:
        """At most so many events with higher ids, and whether that is all there is."""
        page = await read_after(self._database, self._tenant, after, limit)
        return page.events, page.complete

    async def in_work(self, ids: Iterable[str]) -> dict[str, Row]:
        """Rows of those that are in work."""
        rows = await read_rows(self._database, [(self._tenant, one) for one in ids])
        return {row.interaction_id: row for row in rows.values()}

    async def finished(self, ids: Iterable[str]) -> set[str]:
        """Those that are finished."""
        found = await read_finished(self._database, [(self._tenant, one) for one in ids])
        return {interaction_id for _, interaction_id in found}

    async def depths(self) -> dict[int, int]:
        """How many wait, by the id of the interaction queue."""
        found = await read_queue_depths(self._database, self._tenant)
        return {queue_id: depth for queue_id, (depth, _) in found.items()}

    async def parties(self) -> dict[str, list[Party]]:
        """Parties beside owners, joined or asked for, by interaction."""
        found: dict[str, list[Party]] = {}
        for party in await read_parties(self._database):
            if party.tenant_id == self._tenant:
                found.setdefault(party.interaction_id, []).append(party)
        return found

    async def agents(self, names: Mapping[int, str]) -> dict[str, Agent]:
        """Agents' sessions by name; `names` are of agents' ids."""
        stored = await read_agents(self._database, names)
        return {agent.name: agent for agent in stored if agent.tenant_id == self._tenant}


class EngineFacts:
    """An engagement engine's store."""

    def __init__(self, database: Database, tenant: int = DEFAULT_TENANT) -> None:
        self._store = InvitationStore(database, tenant)

    async def has_invitation(self, invitation_id: str) -> bool:
        """Whether it is there, over or not."""
        return await self._store.find(invitation_id) is not None

    async def epochs(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Epoch and sequence of the newest report, by cluster and credential."""
        return dict((await self._store.load()).epochs)
