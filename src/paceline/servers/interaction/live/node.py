"""The state of one interaction node as its single writer sees it, and the changes of the batch in work.

Requests change it through `put`, `insert`, `finish`, `event`; the committer (committer.py) writes what
gathered and forgets all of it when a batch fails. What is not in memory is read by `load`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import TypeVar

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.agent import Agent, AgentKey
from paceline.model.configuration import Dn, InteractionQueue, Workbin
from paceline.model.instant import to_text
from paceline.model.interaction import Row
from paceline.model.party import INTRUDE, Party
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.ids import InteractionIds
from paceline.runtime.times import Times
from paceline.servers.interaction.event_log.position import position_text
from paceline.servers.interaction.live.agents import AgentLinks
from paceline.servers.interaction.live.event_data import encoded
from paceline.servers.interaction.live.intrusions import Intrusion
from paceline.servers.interaction.live.pending import Pending
from paceline.servers.interaction.live.property_echo import PropertyEcho
from paceline.servers.interaction.live.running_times import RunningTimes
from paceline.servers.interaction.live.snapshots import Snapshots
from paceline.servers.interaction.live.views import Views
from paceline.servers.interaction.live.workbin_room import WorkbinRoom
from paceline.servers.interaction.live.workbin_watchers import WorkbinWatchers
from paceline.servers.interaction.rules.custom_values import (
    CustomValues,
    PropertyChanges,
    PropertyStates,
    configured,
)
from paceline.servers.interaction.rules.media_types import MediaOptions, media_options
from paceline.servers.interaction.rules.wire_form import PRIVATE_QUEUE
from paceline.servers.interaction.store.node import (
    Counters,
    Finished,
    Key,
    TokenKey,
    read_client_ids,
    read_data,
    read_finished,
    read_rows,
    read_tokens,
)
from paceline.servers.interaction.store.row_shape import PLAIN, RowShape
from paceline.storage.database import Queries
from paceline.wire.call import Peer
from paceline.wire.once import KeptAnswer
from paceline.wire.operations.event import Event

CACHED_ROWS = 20_000
"""Recent interactions kept in memory: a few seconds of work at the gate's rate, about 40 MB (chosen)."""

CodedReason = tuple[str, int]
"""A reason's text and the code that goes with it."""

T = TypeVar("T")


class NodeState:
    """See the module. Everything here runs in the write lane's turn."""

    def __init__(
        self,
        node_code: int,
        counters: Counters,
        times: Times,
        snapshot: ConfigurationSnapshot,
        head_size: int,
    ) -> None:
        self.node_code = node_code
        self.times = times
        self.now = times.business.now()
        self._now_text = to_text(self.now)
        self.reason: CodedReason | None = None
        self.counters = counters
        self.ids = InteractionIds(node_code, times, counters.last_id_ms)
        self.views = Views(head_size)
        self.custom = CustomValues()
        self.shape = PLAIN
        self.property_states: PropertyStates = {}
        self.agents: dict[AgentKey, Agent] = {}
        self.links = AgentLinks()
        self.parties: dict[Key, dict[int, Party]] = {}
        self.running = RunningTimes()
        self.workbin_watchers = WorkbinWatchers()
        self.workbin_room = WorkbinRoom()
        self.property_echo = PropertyEcho()
        self.snapshots = Snapshots()
        self.intrusions: dict[int, Intrusion] = {}
        self.on_agents_changed: Callable[[set[AgentKey]], None] = lambda _: None
        self.held: dict[str, set[Key]] = {}
        self.routers: dict[str, Peer] = {}
        self.on_freed: dict[str, Callable[[], None]] = {}
        self.logs_user_data = False
        self.pending = Pending()
        self.event_id = counters.last_event_id
        self.submit_seq = counters.last_submit_seq
        self._rows: dict[Key, Row] = {}
        self._finished: dict[Key, Finished] = {}
        self._data: dict[Key, str] = {}
        self._used_ids: set[Key] = set()
        self._tokens: dict[TokenKey, KeptAnswer] = {}
        self._ticket = 0
        self.snapshot = snapshot
        self.names: Mapping[int, str] = {}
        self.media_options: Mapping[tuple[int, str], MediaOptions] = {}
        self.configure(snapshot)

    # --- configuration --------------------------------------------------------------------------

    def configure(self, snapshot: ConfigurationSnapshot) -> None:
        """Takes a new configuration: names, queues, views."""
        self.snapshot = snapshot
        numbers = {o.id: dn.number for o, dn in snapshot.all_of(Dn)}
        queues = {o.id: f"{o.name}{PRIVATE_QUEUE}" for o, _ in snapshot.all_of(Workbin)}
        self.names = {**snapshot.names, **numbers, **queues}
        self.media_options = media_options(snapshot)
        self._configure_views()

    def _configure_views(self) -> None:
        self.custom = CustomValues(configured(self.snapshot), self.property_states)
        if self.custom.columns != self.shape.custom:
            self.shape = RowShape(self.custom.columns)
        self.views.configure(self.snapshot, self.custom)

    def restore_property_states(self, states: PropertyStates) -> None:
        """Takes what the database knows of custom properties."""
        self.property_states = states
        self._configure_views()

    def change_property_states(self, changes: PropertyChanges) -> None:
        """The columns of custom properties were added, filled, or are no more."""
        states = {**self.property_states, **changes}
        kept = {place: state for place, state in states.items() if state is not None}
        self.pending.property_states.update(changes)
        self.after_commit(lambda: self.restore_property_states(kept))

    def fill_custom(self, key: Key) -> None:
        """Gives an interaction the values of its custom properties; a finished one is no matter."""
        row = self._rows.get(key)
        if row is None:
            return
        custom = self.custom.of(key[0], self.user_data(key))
        self.put(row, msgspec.structs.replace(row, custom=custom))
        self.pending.custom.add(key)

    def queue_id(self, tenant: int, name: str, *, field: str = "queue") -> int:
        """The id of an interaction queue; `invalid_attribute` when it does not exist or is disabled."""
        found = self.snapshot.named(tenant, InteractionQueue, "scripts", name)
        if found is None:
            raise PacelineError(
                "invalid_attribute",
                f"queue '{name}' does not exist in tenant {tenant}; create it or name another",
                field=field,
            )
        return found.id

    def queue_ids(self, tenant: int, names: Iterable[str], *, field: str) -> tuple[int, ...]:
        """The ids of several interaction queues; see `queue_id`."""
        return tuple(self.queue_id(tenant, name, field=field) for name in names)

    def virtual_queue_id(self, tenant: int, number: str) -> int:
        """The id of a virtual queue by number; `invalid_attribute` when it does not exist."""
        found = self.snapshot.virtual_queues.get((tenant, number))
        if found is None:
            raise PacelineError(
                "invalid_attribute",
                f"virtual queue '{number}' does not exist",
                field="virtual_queue",
            )
        return found[0]

    def agent_id(self, tenant: int, name: str) -> int:
        """The id of an agent, or of a place that is logged in alone.

        Raises
        ------
        PacelineError
            `invalid_attribute` when no enabled agent has this user name, nor such a place.
        """
        found = self.snapshot.agents.get((tenant, name))
        if found is None:
            place_id = self.snapshot.places.get((tenant, name))
            if place_id is not None and (tenant, place_id) in self.agents:
                return place_id
            raise PacelineError(
                "invalid_attribute",
                f"'{name}' is not an enabled agent of tenant {tenant}",
                field="agent",
            )
        return found[0]

    def logged_in(self, tenant: int, name: str) -> Agent:
        """The session of an agent; `media_not_logged_in` when there is none."""
        agent = self.agents.get((tenant, self.agent_id(tenant, name)))
        if agent is None:
            raise PacelineError(
                "media_not_logged_in", f"agent '{name}' is not logged in", field="agent"
            )
        self.links.active(agent.key, self.now)
        return agent

    # --- reading --------------------------------------------------------------------------------

    async def load(self, queries: Queries, keys: Iterable[Key], with_data: Iterable[Key]) -> None:
        """Brings interactions into memory, from the hot table or from the finished ones."""
        missing = [
            k for k in dict.fromkeys(keys) if k not in self._rows and k not in self._finished
        ]
        if missing:
            found = await read_rows(queries, missing, self.shape)
            self._rows.update(found)
            gone = [key for key in missing if key not in found]
            if gone:
                self._finished.update(await read_finished(queries, gone, self.shape))
        without = [key for key in dict.fromkeys(with_data) if key not in self._data]
        if without:
            self._data.update(await read_data(queries, without))

    async def load_used(
        self, queries: Queries, client_ids: Sequence[Key], tokens: Sequence[TokenKey]
    ) -> None:
        """Reads which client-made ids and client tokens are used."""
        if client_ids:
            self._used_ids |= await read_client_ids(queries, list(dict.fromkeys(client_ids)))
        if tokens:
            self._tokens.update(await read_tokens(queries, list(dict.fromkeys(tokens))))

    def remember(self, rows: Iterable[tuple[Row, str]]) -> None:
        """Keeps rows that a view's refill read; what is in memory already is newer."""
        for row, user_data in rows:
            if row.key not in self._rows:
                self._rows[row.key] = row
            self._data.setdefault(row.key, user_data)

    def row(self, key: Key) -> Row:
        """An interaction in work; `not_found` when it is finished or never was."""
        row = self._rows.get(key)
        if row is None:
            what = "is finished" if key in self._finished else "does not exist"
            raise PacelineError(
                "not_found", f"interaction '{key[1]}' {what}", field="interaction_id"
            )
        return row

    def known(self, key: Key) -> Row | None:
        """An interaction in work if it is in memory."""
        return self._rows.get(key)

    def is_loaded(self, key: Key) -> bool:
        """Whether an interaction in work is in memory with its user data."""
        return key in self._rows and key in self._data

    def finished(self, key: Key) -> Finished | None:
        """The end of a finished interaction, None when it is in work or never was."""
        return self._finished.get(key)

    def drop_finished(self, before: int) -> None:
        """Forgets finished interactions that stopped before an instant: their retention is over."""
        for key in [k for k, done in self._finished.items() if done.stopped_at < before]:
            del self._finished[key]
            self._data.pop(key, None)

    def user_data(self, key: Key) -> str:
        """User data as they came; loaded before."""
        return self._data.get(key, "{}")

    def is_used(self, key: Key) -> bool:
        """Whether a client-made id is used."""
        return key in self._used_ids

    def token(self, key: TokenKey) -> KeptAnswer | None:
        """What a client token did before."""
        return self._tokens.get(key)

    # --- changing -------------------------------------------------------------------------------

    def insert(self, row: Row, user_data: str) -> None:
        """A new interaction."""
        key = row.key
        self._rows[key] = row
        self._data[key] = user_data
        self.pending.inserted[key] = row
        self.pending.new_data[key] = user_data
        if row.is_waiting:
            self.views.offer(row, self.now)

    def put(self, old: Row, new: Row) -> None:
        """A changed interaction; heads of views and the routers' holdings follow."""
        key = new.key
        self._rows[key] = new
        if new.custom is not old.custom and new.custom != old.custom:
            self.pending.custom.add(key)
        if new.destinations is not old.destinations:
            self.pending.destinations.add(key)
        if key in self.pending.inserted:
            self.pending.inserted[key] = new
        else:
            self.pending.updated[key] = new
        if old.is_waiting:
            self.views.remove(old)
        if new.is_waiting:
            self.views.offer(new, self.now)
        self.views.moved(old, new)
        if self.workbin_room.counts:
            self.workbin_room.moved(old, new)
        self._hold(old.router_session, new.router_session, key)

    def finish(self, row: Row, reason: str | None) -> None:
        """The end of an interaction; `row` is its last state in memory."""
        key = row.key
        if row.is_waiting:
            self.views.remove(row)
        self.views.moved(row, None)
        if self.workbin_room.counts:
            self.workbin_room.moved(row, None)
        self._hold(row.router_session, None, key)
        ended = msgspec.structs.replace(
            row, state=4, agent_id=None, place_id=None, router_session=None, ticket=0, ticket_until=None,
            virtual_queue_id=None, virtual_queue_at=None, version=row.version + 1,
        )  # fmt: skip
        del self._rows[key]
        finished = Finished(ended, self.now, reason)
        self._finished[key] = finished
        self.pending.finished[key] = finished
        self.pending.updated.pop(key, None)
        if self.pending.inserted.pop(key, None) is None:
            self.pending.moved.append(key)

    def change_data(self, key: Key, user_data: str) -> None:
        """New user data."""
        self._data[key] = user_data
        if key in self.pending.new_data:
            self.pending.new_data[key] = user_data
        else:
            self.pending.changed_data[key] = user_data

    def use_id(self, key: Key) -> None:
        """Marks a client-made id as used."""
        self._used_ids.add(key)
        self.pending.client_ids.append((*key, self.now))

    def use_token(self, key: TokenKey, stored: KeptAnswer, expires_at: int) -> None:
        """Keeps what a client token did."""
        self._tokens[key] = stored
        self.pending.tokens.append((*key, expires_at, stored.body_hash, stored.answer))

    def forget_token(self, key: TokenKey) -> None:
        """What was done under it is undone: whoever repeats the request does it anew."""
        self._tokens.pop(key, None)
        self.pending.tokens = [kept for kept in self.pending.tokens if kept[:4] != key]
        self.pending.forgotten_tokens.append(key)

    def next_ticket(self) -> int:
        """A number no invitation of this node had before, also before a restart."""
        self._ticket = max(self._ticket + 1, self.times.machine.now())
        return self._ticket

    def change_agent(self, agent: Agent) -> None:
        """A new or changed agent session."""
        self.agents[agent.key] = agent
        self.pending.agents.add(agent.key)

    def remove_agent(self, agent: Agent) -> None:
        """The end of an agent session; nobody speaks for the agent any more."""
        self.agents.pop(agent.key, None)
        self.pending.agents.add(agent.key)
        self.links.forget_activity(agent.key)
        for peer in self.links.peers(agent.key):
            self.detach(agent.key, peer)

    def attach(self, key: AgentKey, peer: Peer) -> None:
        """A client session speaks for the agent from now on."""
        if self.links.attach(key, peer):
            self.pending.links.append((True, key, peer))

    def detach(self, key: AgentKey, peer: Peer) -> None:
        """A client session speaks for the agent no longer."""
        self.links.detach(key, peer.session_id)
        self.pending.links.append((False, key, peer))

    def change_party(self, party: Party) -> None:
        """A new or changed party beside the owner."""
        self.parties.setdefault(party.key, {})[party.agent_id] = party
        self.pending.parties.add(party.key)

    def remove_party(self, party: Party) -> None:
        """The end of a party beside the owner."""
        parties = self.parties[party.key]
        del parties[party.agent_id]
        if not parties:
            del self.parties[party.key]
        self.pending.parties.add(party.key)

    def event(
        self,
        name: str,
        actor: str,
        *,
        row: Row | None = None,
        tenant: int = 0,
        agent: str | None = None,
        place: str | None = None,
        reason: str | None = None,
        data: Mapping[str, object] | None = None,
        with_queue: bool = False,
    ) -> None:
        """A reporting event of this batch, in order."""
        self.event_id += 1
        fields = data
        if row is not None:
            about: dict[str, object] = {"media_type": row.media_type}
            if data:
                about.update(data)
            if self.logs_user_data and name in events.WITH_USER_DATA:
                about["user_data"] = msgspec.Raw(self.user_data(row.key).encode())
            fields = about
        event = Event(
            position=position_text(self.node_code, self.event_id),
            node=self.node_code,
            event_id=self.event_id,
            name=name,
            at=self._now_text,
            tenant=row.tenant_id if row is not None else tenant,
            actor=actor,
            interaction_id=row.interaction_id if row is not None else None,
            queue=self.names.get(row.queue_id) if row is not None and with_queue else None,
            agent=agent,
            place=place,
            reason=reason,
            reason_code=None if self.reason is None else self.code_of(reason),
            properties_version=row.properties_version if row is not None else None,
            data=encoded(fields),
        )
        self.pending.events.setdefault(event.tenant, []).append(event)

    def code_of(self, reason: str | None) -> int | None:
        """The code that the request in work gave with a reason; None for reasons of the server's own."""
        given = self.reason
        return given[1] if given is not None and given[0] == reason else None

    def after_commit(self, act: Callable[[], None]) -> None:
        """Something to do when the batch is durable: a notice, a timer. Must not fail."""
        self.pending.after_commit.append(act)

    # --- batches --------------------------------------------------------------------------------

    def begin(self) -> None:
        """Starts a batch: one instant for all of it."""
        self.now = max(self.times.business.now(), self.now)
        self._now_text = to_text(self.now)

    def settle(self) -> Pending:
        """Makes the batch's changes the truth; gives them for notices."""
        done, self.pending = self.pending, Pending()
        self.running.settle(done, self.now, self.user_data)
        if self.on_freed:
            self._tell_freed(done)
        self.counters = self.counter_values()
        self._used_ids.clear()
        self._tokens.clear()
        _trim(self._rows, CACHED_ROWS)
        _trim(self._data, CACHED_ROWS)
        _trim(self._finished, CACHED_ROWS)
        return done

    def _tell_freed(self, done: Pending) -> None:
        """Sessions that hold less than before are told; they may take more."""
        for old, _, _ in done.holdings:
            if old is not None and (told := self.on_freed.get(old)) is not None:
                told()

    def counter_values(self) -> Counters:
        """The node row after this batch."""
        return Counters(
            self.counters.epoch, self.event_id, self.submit_seq, self.ids.last_ms, self.now
        )

    def forget(self) -> None:
        """Drops everything that may hold changes of a failed batch; agents are read anew by the committer.

        What router sessions hold is put right at once: one may be lost before the next batch.
        """
        failed, self.pending = self.pending, Pending()
        for old, new, key in reversed(failed.holdings):
            self._move(new, old, key)
        for was_attached, agent_key, peer in reversed(failed.links):
            if was_attached:
                self.links.detach(agent_key, peer.session_id)
            elif self.links.is_watched(peer.session_id):
                self.links.attach(agent_key, peer)
        self.event_id = self.counters.last_event_id
        self.submit_seq = self.counters.last_submit_seq
        self._rows.clear()
        self._data.clear()
        self._finished.clear()
        self._used_ids.clear()
        self._tokens.clear()
        self.views.forget()

    def restore_agents(self, agents: Iterable[Agent], handled: Iterable[Row]) -> None:
        """Takes the stored agent sessions, and what rings at them or is handled by them."""
        self.agents = {agent.key: agent for agent in agents}
        for row in handled:
            agent = self.agents.get((row.tenant_id, row.agent_id or 0))
            if agent is None:
                continue
            if row.ticket:
                agent.ringing[row.media_type] = row.interaction_id
            else:
                agent.handling.add(row.interaction_id)

    def restore_parties(self, parties: Iterable[Party]) -> None:
        """Takes the stored parties beside owners; agents are restored before."""
        self.parties = {}
        for party in parties:
            self.parties.setdefault(party.key, {})[party.agent_id] = party
            agent = self.agents.get((party.tenant_id, party.agent_id))
            if agent is not None and party.is_joined:
                agent.handling.add(party.interaction_id)
            elif agent is not None and party.role != INTRUDE:
                agent.ringing[party.media_type] = party.interaction_id

    def _hold(self, old: str | None, new: str | None, key: Key) -> None:
        if old != new:
            self.pending.holdings.append((old, new, key))
            self._move(old, new, key)

    def _move(self, old: str | None, new: str | None, key: Key) -> None:
        if old is not None:
            held = self.held.get(old)
            if held is not None:
                held.discard(key)
                if not held:
                    del self.held[old]
        if new is not None:
            self.held.setdefault(new, set()).add(key)


def _trim(entries: dict[Key, T], limit: int) -> None:
    """Drops the oldest entries beyond the limit."""
    surplus = len(entries) - limit
    if surplus > 0:
        for key in list(islice(entries, surplus)):
            del entries[key]
