"""The Interaction Server of one node: opens the store under its epoch, serves, hands back what was held."""

import asyncio
from collections.abc import Callable
from typing import Any

from paceline.errors.failure import PacelineError
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.servers.interaction.event_log.publisher import EventPublisher
from paceline.servers.interaction.event_log.store import count_events, read_floor
from paceline.servers.interaction.live.client_sessions import ClientSessions
from paceline.servers.interaction.live.committer import Committer, Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.agent_lists import AgentListRequests
from paceline.servers.interaction.requests.agent_media import AgentMediaRequests
from paceline.servers.interaction.requests.agent_reservation import ReservationRequests
from paceline.servers.interaction.requests.agent_session import AgentRequests
from paceline.servers.interaction.requests.children import ChildRequests
from paceline.servers.interaction.requests.delivery import DeliveryRequests, Offers
from paceline.servers.interaction.requests.events import EventRequests
from paceline.servers.interaction.requests.flags import FlagRequests
from paceline.servers.interaction.requests.lane import NodeLane
from paceline.servers.interaction.requests.lists import ListRequests
from paceline.servers.interaction.requests.parties import PartyRequests
from paceline.servers.interaction.requests.place import PlaceRequests
from paceline.servers.interaction.requests.privacy import PrivacyRequests
from paceline.servers.interaction.requests.properties import PropertyRequests
from paceline.servers.interaction.requests.pull import PullRequests
from paceline.servers.interaction.requests.push import PushRequests
from paceline.servers.interaction.requests.session_list import SessionListRequests
from paceline.servers.interaction.requests.sessions import RouterSessions, returned
from paceline.servers.interaction.requests.snapshot import SnapshotRequests
from paceline.servers.interaction.requests.submit import SubmitRequests
from paceline.servers.interaction.requests.topics import TopicRequests
from paceline.servers.interaction.requests.workbin import WorkbinRequests
from paceline.servers.interaction.store.agents import read_agents
from paceline.servers.interaction.store.custom_properties import read_states
from paceline.servers.interaction.store.node import (
    create_node,
    read_counters,
    read_data,
    read_handled,
    read_held,
    read_unheld,
)
from paceline.servers.interaction.store.parties import read_parties
from paceline.servers.interaction.store.snapshots import read_locked, read_snapshots
from paceline.servers.interaction.tasks.agents import AgentTimers
from paceline.servers.interaction.tasks.clean_up import run_clean_up
from paceline.servers.interaction.tasks.custom_properties import CustomPropertyColumns
from paceline.servers.interaction.tasks.retention import Retention
from paceline.servers.interaction.tasks.snapshots import run_snapshot_ends
from paceline.servers.interaction.tasks.timers import (
    run_handling_ends,
    run_offer_ends,
    run_routing_ends,
)
from paceline.storage.batch_outcome import Fence
from paceline.storage.database import Database, Queries
from paceline.storage.lane import Lane
from paceline.units.ids import Epoch
from paceline.wire.call import Handlers, Peer

PING_TIMEOUT_S = 1.0
"""Machine seconds that a ping waits for the database; a monitor's ping expects its answer at once (chosen)."""

NODE_COLUMNS = ("last_event_id", "last_submit_seq", "last_id_ms", "business_at")


async def stored_business_time(database: Database, node_code: int) -> int | None:
    """The business instant of the node's last commit, from which a restart goes on; None when new."""
    counters = await read_counters(database, node_code)
    return counters.business_at if counters is not None and counters.business_at else None


class InteractionServer(LifeCycle):
    """See the room's docstring. Needs the node's lease: `epoch` is its fencing number.

    Parameters
    ----------
    on_stale
        Told once that another process writes the node: this one can do nothing more.
    """

    def __init__(
        self,
        *,
        name: str,
        settings: LiveSettings,
        times: Times,
        configuration: ConfigurationSource,
        database: Database,
        epoch: Epoch,
        metrics: Metrics,
        on_stale: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__()
        self.name = name
        self._settings = settings
        self._times = times
        self._configuration = configuration
        self._database = database
        self._epoch = epoch
        self._metrics = metrics
        self._on_stale = on_stale
        self._tasks = TaskGroup(f"interaction server {name}", self.set_unavailable)
        self._handlers: Handlers = {}
        self._lane: Lane[Work, Any] | None = None
        self._node: NodeState | None = None
        self._sessions = ClientSessions(times.machine)
        self._columns: CustomPropertyColumns | None = None

    @property
    def handlers(self) -> Handlers:
        """Every operation of the kind; filled by `start`."""
        return self._handlers

    def session_began(self, peer: Peer) -> None:
        """A client's session: a media server may have asked for changes to what it submitted."""
        self._sessions.began(peer)
        if self._node is not None:
            self._node.property_echo.began(peer)

    def findings(self) -> tuple[Finding, ...]:
        """Views that cannot be read, and mistakes in the options."""
        views = tuple(self._node.views.findings) if self._node is not None else ()
        return (*self._settings.findings, *views)

    async def node_states(self) -> dict[str, str]:
        """The node's state: the server's own, or that its database does not answer."""
        code = self._settings.current.integer("node", "code")
        state = str(self.state)
        try:
            async with asyncio.timeout(PING_TIMEOUT_S):
                await read_counters(self._database, code)
        except (PacelineError, TimeoutError):
            state = "database_unavailable"
        return {str(code): state}

    async def count_events(self, tenant: int) -> int:
        """How many reporting events of a tenant the log holds."""
        return await count_events(self._database, tenant)

    async def _start(self) -> None:
        code = self._settings.current.integer("node", "code")
        await create_node(self._database, code)
        fence = Fence("interaction", code, self._epoch, NODE_COLUMNS)
        await fence.take(self._database)
        counters = await read_counters(self._database, code)
        if counters is None:
            raise PacelineError("database_unavailable", f"node {code} has no row in its database")
        head_size = self._settings.current.integer("views", "head-size")
        node = NodeState(code, counters, self._times, self._configuration.snapshot, head_size)
        node.restore_property_states(await read_states(self._database))
        # In a transaction: its connection goes by index, whatever statistics the database has.
        await self._database.transaction(lambda transaction: self._restore(node, transaction))
        floor = await read_floor(self._database, code)
        publisher = EventPublisher(
            self._database, self._times.machine, code, counters.last_event_id, floor, self._tasks
        )
        committer = Committer(node, publisher, self._database.engine)
        self._lane = Lane(self._database, committer, fence, self._times, on_stale=self._stale)
        self._node = node
        lane = NodeLane(self._lane, node, self._settings, self._tasks)
        retention = Retention(lane, self._database, publisher)
        await retention.make_room()
        self._build(lane, publisher, retention)
        self._configuration.watch(self._configured)

    async def _restore(self, node: NodeState, queries: Queries) -> None:
        """What the process before knew: agents, parties, snapshots, and for how long all that goes on."""
        handled = await read_handled(queries)
        node.restore_agents(await read_agents(queries, node.names), handled)
        node.restore_parties(await read_parties(queries))
        node.snapshots.restore(
            await read_snapshots(queries), await read_locked(queries), self._times.machine.now()
        )
        user_data = await read_data(queries, [row.key for row in handled])
        unheld = await read_unheld(queries)
        node.running.restore(handled, unheld, node.now, lambda key: user_data.get(key, "{}"))

    def _build(self, lane: NodeLane, publisher: EventPublisher, retention: Retention) -> None:
        node = lane.node
        offers = Offers()
        delivery = DeliveryRequests(lane, offers)
        agents = AgentTimers(lane, self._tasks)
        snapshots = SnapshotRequests(lane, self._database)
        sessions = RouterSessions(lane)
        push = PushRequests(lane, sessions, self.name)
        self._settings.watch(lambda _old, _new: push.options_changed())
        self._settings.watch(lambda _old, _new: self._set_up(node))
        self._set_up(node)
        self._configuration.watch(lambda _old, _new: push.options_changed())
        for family in (
            SubmitRequests(lane),
            PullRequests(lane, sessions, self._database),
            push,
            delivery,
            PlaceRequests(lane),
            PropertyRequests(lane, self._database),
            FlagRequests(lane),
            PartyRequests(lane, offers),
            ChildRequests(node, self._database),
            WorkbinRequests(lane, self._database),
            snapshots,
            AgentRequests(lane, agents.lost_link),
            AgentMediaRequests(lane),
            AgentListRequests(lane),
            ReservationRequests(lane, self._tasks),
            TopicRequests(lane),
            SessionListRequests(lane, self._sessions),
            ListRequests(node, self._database),
            EventRequests(node, self._database, publisher),
            PrivacyRequests(lane, self._database),
        ):
            self._handlers |= family.handlers
        if self._lane is not None:
            self._tasks.start("write lane", self._lane.run())
        self._tasks.start("ends of offers", run_offer_ends(lane, offers, delivery))
        self._tasks.start("ends of handling", run_handling_ends(lane))
        self._tasks.start("ends of routing", run_routing_ends(lane))
        self._tasks.start("ends of snapshots", run_snapshot_ends(lane, snapshots))
        self._tasks.start("clean-up", run_clean_up(lane, self._database))
        self._tasks.start("retention", retention.run())
        self._columns = CustomPropertyColumns(lane, self._database)
        self._tasks.start("columns of custom properties", self._columns.run())
        self._tasks.start("sessions without requests", agents.run_idle())
        self._tasks.start("what a restart looks after", self._recover(lane, offers, agents))

    async def _recover(self, lane: NodeLane, offers: Offers, agents: AgentTimers) -> None:
        """Returns what sessions of the process before held; offers go on, linked agents get their grace."""
        node = lane.node
        sessions: dict[str, list[tuple[int, str]]] = {}
        for parties in node.parties.values():
            for party in parties.values():
                if party.ticket_until is not None:
                    offers.add(party.ticket_until, party.ticket, party.key)
        for row in await self._database.transaction(read_held):
            if row.ticket_until is not None:
                offers.add(row.ticket_until, row.ticket, row.key)
            if row.router_session is not None and row.router_session not in node.routers:
                sessions.setdefault(row.router_session, []).append(row.key)
        for session, keys in sessions.items():
            await lane.carry_out(returned(tuple(keys), session))
        agents.begin_grace([agent.key for agent in node.agents.values() if agent.is_linked])

    def _set_up(self, node: NodeState) -> None:
        """What the node looks at too often for an option's look-up."""
        node.logs_user_data = self._settings.current.flag("event-filtering", "log-userdata")

    def _configured(self, _old: ConfigurationSnapshot, new: ConfigurationSnapshot) -> None:
        if self._node is not None:
            self._node.configure(new)
        if self._columns is not None:
            self._columns.changed()

    def _stale(self, error: PacelineError) -> None:
        reason = f"another process writes this node: {error.message}"
        self.set_unavailable(reason)
        if self._on_stale is not None:
            self._on_stale(reason)

    async def _stop(self) -> None:
        if self._lane is not None:
            self._lane.close()
            while self._lane.depth:
                await self._times.machine.sleep(0.01)
        await self._tasks.aclose()
