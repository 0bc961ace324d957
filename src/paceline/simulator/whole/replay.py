"""The state of an interaction node as its events alone tell it.

Fed with the whole log in order by invariants; compared there with the stored rows. Knows the
transitions of routed interactions and agents' sessions; other events change nothing here.
"""

from bisect import bisect_left, insort
from collections.abc import Callable

import msgspec

from paceline.model import events
from paceline.model.instant import to_millis
from paceline.wire.operations.event import Event

OrderKey = tuple[int, int, int, str]
"""Default order of a view: priority downwards, received, placed in the queue; then the id."""


class Impossible(Exception):
    """An event that cannot follow on those before it."""


class EventData(msgspec.Struct, frozen=True):
    """What the replay reads of an event's data."""

    party: str | None = None
    ticket: int = 0
    virtual_queue: str | None = None
    media_type: str = ""
    session_id: str = ""
    priority: int = 0
    received_at: str = ""
    submit_seq: int = 0
    keys: dict[str, object] | None = None
    was_ringing: bool = False


class ToldInteraction(msgspec.Struct, kw_only=True):
    """An interaction. `agent` handles it; `ringing` has been offered it under `ticket`."""

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

    @property
    def order(self) -> OrderKey:
        """Its place among those that wait in its queue."""
        return (-self.priority, self.received_at, self.queue_seq, self.interaction_id)


class ToldAgent(msgspec.Struct, kw_only=True):
    """An agent's session; `media` tells which are ready."""

    place: str | None
    session_id: str
    is_disturbed: bool = False
    media: dict[str, bool] = {}


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
        self._last_seq = 0
        on = self._interaction_events()
        self._on: dict[str, Callable[[ToldInteraction, Event, EventData], None]] = on

    def first_waiting(self, queue: str) -> str | None:
        """Which interaction a view of the whole queue in the default order gives next."""
        waiting = self._waiting.get(queue)
        return waiting[0][3] if waiting else None

    def depth(self, queue: str) -> int:
        """How many wait in a queue."""
        return len(self._waiting.get(queue, ()))

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
            if event.agent is not None:
                self._agent_event(event.agent, event, data)
            return
        if event.name == events.INTERACTION_SUBMITTED:
            self._submitted(event, data)
            return
        found = self.interactions.get(event.interaction_id)
        if found is None:
            raise Impossible("it was never submitted")
        if found.state == "stopped":
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
            priority=data.priority,
            received_at=to_millis(data.received_at, field="received_at"),
            queue_seq=data.submit_seq,
            is_proactive=(data.keys or {}).get("Proactive") == "1",
        )
        self._last_seq = data.submit_seq
        self.interactions[key] = told
        insort(self._waiting.setdefault(told.queue, []), told.order)

    def _taken(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.state != "queued":
            raise Impossible(f"it is taken from a queue while {told.state}")
        self._unwait(told)
        told.state = "routing" if data.party == "strategy" else "taken"

    def _placed(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.agent is not None or told.ringing is not None:
            raise Impossible(f"it goes to a queue while {told.agent or told.ringing} has it")
        if told.state == "queued":
            self._unwait(told)
        queue = event.queue or ""
        if queue != told.queue:  # into another queue it goes as a new one, else to its old place
            self._last_seq += 1
            told.queue, told.queue_seq = queue, self._last_seq
        told.state = "queued"
        insort(self._waiting.setdefault(queue, []), told.order)

    def _party_added(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.agent is not None:
            raise Impossible(f"agent {told.agent} handles it already")
        if data.party != "agent":
            told.state = "routing"
            return
        if told.state == "queued" or event.agent is None:
            raise Impossible("an agent has it while it waits in its queue")
        if told.ringing not in (None, event.agent):
            raise Impossible(f"it rings at {told.ringing}")
        told.state, told.agent = "handling", event.agent
        told.ringing, told.ticket = None, 0
        self.handled.add((told.interaction_id, event.agent))

    def _party_removed(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if data.party != "agent":
            return
        if told.agent != event.agent:
            raise Impossible(f"{event.agent} loses it while {told.agent} has it")
        told.agent = None

    def _invited(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.state != "routing" or told.ringing is not None:
            raise Impossible(f"it is offered while {told.state}, ringing at {told.ringing}")
        told.ringing, told.ticket = event.agent, data.ticket

    def _offer_over(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if not data.ticket:
            return  # the agent lost what it handled; its own event follows
        if told.ticket != data.ticket:
            raise Impossible(f"offer {data.ticket} ends while offer {told.ticket} rings")
        told.ringing, told.ticket = None, 0

    def _stopped(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        if told.agent is not None or told.ringing is not None or told.virtual_queue is not None:
            raise Impossible(
                f"it stops while agent {told.agent or told.ringing} has it "
                f"and it is in virtual queue {told.virtual_queue}"
            )
        if told.state == "queued":
            self._unwait(told)
        told.state = "stopped"

    def _abandoned(self, told: ToldInteraction, event: Event, data: EventData) -> None:
        told.is_abandoned = True

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
            case events.MEDIA_ADDED | events.NOT_READY_FOR_MEDIA:
                agent.media[data.media_type] = False
            case events.READY_FOR_MEDIA:
                agent.media[data.media_type] = True
            case events.MEDIA_REMOVED:
                agent.media.pop(data.media_type, None)
            case events.DO_NOT_DISTURB_ON:
                agent.is_disturbed = True
            case events.DO_NOT_DISTURB_OFF:
                agent.is_disturbed = False
