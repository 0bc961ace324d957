"""The state of an interaction node as its events alone tell it.

Fed with the whole log in order by invariants; compared there with the stored rows. Locks have no
events, so they are not known here; custom reporting events change nothing.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from paceline.model import events
from paceline.model.instant import to_millis
from paceline.wire.operations.event import Event

OrderKey = tuple[int, int, int, str]
"""Default order of a view: priority downwards, received, placed in the queue; then the id."""


PRIVATE_QUEUE: Final = "/PrivateQueue"
"""What follows a workbin's name in the name of its queue (interaction-server.md, workbins)."""

AFTER_THE_END: Final = (events.DATA_ERASED, events.CUSTOM_REPORTING)
"""Events of an interaction that may follow its end."""


class Impossible(Exception):
    """An event that cannot follow on those before it."""


class EventData(msgspec.Struct, frozen=True):
    """What the replay reads of an event's data."""

    party: str | None = None
    ticket: int = 0
    virtual_queue: str | None = None
    media_type: str = ""
    session_id: str = ""
    priority: int | None = None
    received_at: str = ""
    scheduled_at: str | None = None
    submit_seq: int = 0
    queue_seq: int | None = None
    keys: dict[str, object] | None = None
    user_data: dict[str, object] | None = None
    was_ringing: bool = False
    role: str | None = None
    visibility: str = ""
    workbin: str = ""
    owner: str = ""


class ToldParty(msgspec.Struct, frozen=True, kw_only=True):
    """An agent beside the owner, or one whose joining is asked for under a ticket."""

    agent: str
    role: str
    visibility: str
    ticket: int = 0
    since: str = ""


class ToldInteraction(msgspec.Struct, kw_only=True):
    """An interaction. `agent` handles it; `ringing` has been offered it under `ticket`.

    `parties` take part beside the agent, `asked` may join; `workbin` is a workbin and its owner.
    """

    interaction_id: str
    media_type: str
    queue: str
    priority: int
    received_at: int
    queue_seq: int
    state: str = "queued"
    agent: str | None = None
    ringing: str | None = None
    ticket: int = 0
    virtual_queue: str | None = None
    is_abandoned: bool = False
    is_proactive: bool = False
    is_held: bool = False
    scheduled_at: int | None = None
    workbin: tuple[str, str] | None = None
    parties: dict[str, ToldParty] = {}
    asked: ToldParty | None = None
    values: dict[str, object] = {}

    @property
    def order(self) -> OrderKey:
        """Its place among those that wait in its queue."""
        return (-self.priority, self.received_at, self.queue_seq, self.interaction_id)


class ToldAgent(msgspec.Struct, kw_only=True):
    """An agent's session; `media` tells which are ready, `reasons` why they are as they are."""

    place: str | None
    session_id: str
    is_disturbed: bool = False
    media: dict[str, bool] = {}
    reasons: dict[str, str | None] = {}
    reason: str | None = None


_decoder = msgspec.json.Decoder(EventData)


def data_of(event: Event) -> EventData:
    """The event's data, typed."""
    return _decoder.decode(event.data)


class Replay:
    """State after the events taken so far. Finished interactions are kept as `stopped`."""

    def __init__(self) -> None:
        self.last_event_id = 0
        self.interactions: dict[str, ToldInteraction] = {}
        self.agents: dict[str, ToldAgent] = {}
        self.handled: set[tuple[str, str]] = set()
        self._waiting: dict[str, list[OrderKey]] = {}
        self._routing: dict[str, set[str]] = {}
        self._last_seq = 0
        on = self._interaction_events()
        self._on: dict[str, Callable[[ToldInteraction, Event, EventData], None]] = on

    def waiting(self, queue: str, now: int) -> Iterator[ToldInteraction]:
        """What views may give of a queue at an instant, in the default order: not held, and due."""
        for *_, interaction_id in self._waiting.get(queue, ()):
            told = self.interactions[interaction_id]
            if not told.is_held and (told.scheduled_at is None or told.scheduled_at <= now):
                yield told

    def in_routing(self, queue: str) -> list[ToldInteraction]:
        """What routers have taken out of a queue and no agent has accepted yet."""
        return [self.interactions[one] for one in self._routing.get(queue, ())]

    def depth(self, queue: str) -> int:
        """How many wait in a queue and are not held, due or not."""
        waiting = self._waiting.get(queue, ())
        return sum(not self.interactions[key[3]].is_held for key in waiting)

    def take(self, event: Event) -> None:
        """The next event.

        Raises
        ------
        Impossible
            When it cannot follow on what was told before.
        """
        self.last_event_id = event.event_id
        data = data_of(event)
        if event.interaction_id is None:
            if event.agent is not None and event.name != events.CUSTOM_REPORTING:
                self._agent_event(event.agent, event, data)
            return
        if event.name == events.INTERACTION_SUBMITTED:
            self._submitted(event, data)
            return
        found = self.interactions.get(event.interaction_id)
        if found is None:
            raise Impossible("it was never submitted")
        if found.state == "stopped" and event.name not in AFTER_THE_END:
            raise Impossible("it is stopped")
        act = self._on.get(event.name)
        if act is not None:
            act(found, event, data)

    # --- interactions ---------------------------------------------------------------------------

    def _interaction_events(
        self,
    ) -> dict[str, Callable[[ToldInteraction, Event, EventData], None]]:
        return {
            events.TAKEN_FROM_QUEUE: self._taken,
            events.PLACED_IN_QUEUE: self._placed,
            events.PARTY_ADDED: self._party_added,
            events.PARTY_REMOVED: self._party_removed,
            events.AGENT_INVITED: self._invited,
            events.REJECTED: self._offer_over,
            events.REVOKED: self._offer_over,
            events.PROCESSING_STOPPED: self._stopped,
            events.ABANDONED: self._abandoned,
            events.PROPERTIES_CHANGED: self._changed,
            events.DATA_ERASED: self._erased,
            events.HELD: self._held,
            events.RESUMED: self._held,
            events.PLACED_IN_WORKBIN: self._into_workbin,
            events.VIRTUAL_QUEUE_ENTERED: self._entered,
            events.VIRTUAL_QUEUE_DISTRIBUTED: self._left,
            events.VIRTUAL_QUEUE_ABANDONED: self._left,
            events.VIRTUAL_QUEUE_CLEARED: self._left,
        }

    def _submitted(self, event: Event, data: EventData) -> None:
        key = event.interaction_id or ""
        if key in self.interactions:
            raise Impossible("it was submitted before")
        told = ToldInteraction(
            interaction_id=key,
            media_type=data.media_type,
            queue=event.queue or "",
            priority=data.priority or 0,
            received_at=to_millis(data.received_at, field="received_at"),
            queue_seq=data.submit_seq,
            is_proactive=(data.keys or {}).get("Proactive") == "1",
            scheduled_at=None
            if data.scheduled_at is None
            else to_millis(data.scheduled_at, field="scheduled_at"),
            values=data.user_data or {},
        )
        self._last_seq = data.submit_seq
        self.interactions[key] = told
        insort(self._waiting.setdefault(told.queue, []), told.order)

    def _taken(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.state != "queued":
            raise Impossible(f"it is taken from a queue while {told.state}")
        self._unwait(told)
        told.state = "taken"
        if data.party == "strategy":
            told.state = "routing"
            self._routing.setdefault(told.queue, set()).add(told.interaction_id)

    def _placed(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.agent is not None or told.ringing is not None or told.parties or told.asked:
            raise Impossible(f"it goes to a queue while {told.agent or told.ringing} has it")
        if told.state == "queued":
            self._unwait(told)
        queue = event.queue or ""
        self._no_routing(told)
        if data.queue_seq is not None:
            if data.queue_seq <= self._last_seq:
                raise Impossible(f"its place {data.queue_seq} is not the last of all")
            self._last_seq = told.queue_seq = data.queue_seq
        elif queue != told.queue:
            raise Impossible(f"it goes from {told.queue} to {queue} and keeps its place")
        if told.workbin is not None and told.workbin[0] + PRIVATE_QUEUE != queue:
            told.workbin = None
        told.queue, told.state = queue, "queued"
        insort(self._waiting.setdefault(queue, []), told.order)

    def _party_added(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if data.role is not None:
            self._joined(told, event, data)
            return
        if told.agent is not None:
            raise Impossible(f"agent {told.agent} handles it already")
        if data.party != "agent":
            told.state = "routing"
            return
        if told.state == "queued" or event.agent is None:
            raise Impossible("an agent has it while it waits in its queue")
        if told.ringing not in (None, event.agent):
            raise Impossible(f"it rings at {told.ringing}")
        self._no_routing(told)
        told.state, told.agent = "handling", event.agent
        told.ringing, told.ticket = None, 0
        self.handled.add((told.interaction_id, event.agent))

    def _party_removed(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if data.party != "agent":
            return
        if data.role is not None:
            if told.parties.pop(event.agent or "", None) is None:
                raise Impossible(f"{event.agent} leaves and took no part")
            return
        if told.agent != event.agent:
            raise Impossible(f"{event.agent} loses it while {told.agent} has it")
        told.agent = _heir(told)
        if told.agent is not None:
            del told.parties[told.agent]
            self.handled.add((told.interaction_id, told.agent))

    def _joined(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        party = told.asked
        if party is None or party.agent != event.agent or told.agent is None:
            raise Impossible(f"{event.agent} joins {told.agent} without being asked")
        told.asked = None
        told.parties[party.agent] = msgspec.structs.replace(party, ticket=0, since=event.at)
        self.handled.add((told.interaction_id, party.agent))

    def _invited(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if data.role is not None:
            if told.agent is None or told.asked is not None:
                raise Impossible(f"{event.agent} is asked while {told.asked or 'nobody'} is")
            told.asked = ToldParty(
                agent=event.agent or "", role=data.role, visibility=data.visibility,
                ticket=data.ticket,
            )  # fmt: skip
            return
        if told.state != "routing" or told.ringing is not None:
            raise Impossible(f"it is offered while {told.state}, ringing at {told.ringing}")
        told.ringing, told.ticket = event.agent, data.ticket

    def _offer_over(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if not data.ticket:
            return  # the agent lost what it handled; its own event follows
        if data.role is not None:
            if told.asked is None or told.asked.ticket != data.ticket:
                raise Impossible(f"request {data.ticket} ends while {told.asked} is asked")
            told.asked = None
            return
        if told.ticket != data.ticket:
            raise Impossible(f"offer {data.ticket} ends while offer {told.ticket} rings")
        told.ringing, told.ticket = None, 0

    def _stopped(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.agent is not None or told.ringing is not None or told.virtual_queue is not None:
            raise Impossible(
                f"it stops while agent {told.agent or told.ringing} has it "
                f"and it is in virtual queue {told.virtual_queue}"
            )
        if told.parties or told.asked:
            raise Impossible(f"it stops while {sorted(told.parties)} and {told.asked} take part")
        if told.state == "queued":
            self._unwait(told)
        self._no_routing(told)
        told.state = "stopped"

    def _abandoned(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        told.is_abandoned = True

    def _changed(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        told.values = data.user_data or {}
        if data.priority is None:
            return
        if told.state == "queued":
            self._unwait(told)
        told.priority = data.priority
        if told.state == "queued":
            insort(self._waiting[told.queue], told.order)

    def _erased(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        told.values = {}

    def _held(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        is_held = event.name == events.HELD
        if told.is_held == is_held:
            raise Impossible(f"{event.name}, which it was before")
        told.is_held = is_held

    def _into_workbin(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        told.workbin = data.workbin, data.owner

    def _entered(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.virtual_queue is not None:
            raise Impossible(f"it enters a virtual queue while in {told.virtual_queue}")
        told.virtual_queue = data.virtual_queue

    def _left(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.virtual_queue != data.virtual_queue:
            raise Impossible(f"it leaves {data.virtual_queue} while in {told.virtual_queue}")
        told.virtual_queue = None

    def _unwait(self, told: ToldInteraction) -> None:
        waiting = self._waiting[told.queue]
        del waiting[bisect_left(waiting, told.order)]

    def _no_routing(self, told: ToldInteraction) -> None:
        self._routing.get(told.queue, set()).discard(told.interaction_id)

    # --- agents ---------------------------------------------------------------------------------

    def _agent_event(self, name: str, event: Event, data: EventData) -> None:
        if event.name == events.AGENT_LOGIN:
            if name in self.agents:
                raise Impossible(f"agent {name} logs in twice")
            self.agents[name] = ToldAgent(place=event.place, session_id=data.session_id)
            return
        agent = self.agents.get(name)
        if agent is None:
            raise Impossible(f"agent {name} is not logged in")
        match event.name:
            case events.AGENT_LOGOUT:
                del self.agents[name]
            case events.DO_NOT_DISTURB_ON | events.DO_NOT_DISTURB_OFF:
                agent.is_disturbed = event.name == events.DO_NOT_DISTURB_ON
            case events.AGENT_STATE_REASON_CHANGED:
                agent.reason = event.reason
            case _:
                _media_event(agent, data.media_type, event)


def _media_event(agent: ToldAgent, media: str, event: Event) -> None:
    match event.name:
        case events.MEDIA_ADDED | events.NOT_READY_FOR_MEDIA | events.READY_FOR_MEDIA:
            agent.media[media] = event.name == events.READY_FOR_MEDIA
            agent.reasons[media] = event.reason
        case events.MEDIA_REMOVED:
            agent.media.pop(media, None)
        case events.MEDIA_STATE_REASON_CHANGED:
            agent.reasons[media] = event.reason


def _heir(told: ToldInteraction) -> str | None:
    """Who has it when the owner has it no longer: who was transferred to, or the first who joined to work."""
    for party in told.parties.values():
        if party.role == "transfer":
            return party.agent
    joined = sorted(told.parties.values(), key=lambda party: (party.since, party.agent))
    return next((party.agent for party in joined if party.visibility != "monitor"), None)
