"""The contact centre as the reporting events tell it: each event changes it and counts actions.

Called by tasks/follow_events with events in order, once per event and node, and by the checkpoint.
Never waits, so that every answer stands at one position of the streams.
"""

from collections.abc import Callable, Iterable

import msgspec

from paceline.model import events as names
from paceline.model.party import INTRUDE
from paceline.runtime.log import get_log
from paceline.servers.stat.live.agents import Agents
from paceline.servers.stat.live.interactions import KeyValue, OpenInteraction
from paceline.servers.stat.live.positions import Positions
from paceline.servers.stat.live.statistics import Statistic, Statistics
from paceline.servers.stat.rules import actions
from paceline.wire.operations.event import Event

_log = get_log("stat")


class EventData(msgspec.Struct, kw_only=True, gc=False):
    """What statistics read of an event's data."""

    media_type: str = ""
    virtual_queue: str | None = None
    keys: dict[str, KeyValue] | None = None
    party: str = ""
    role: str | None = None
    owner: str | None = None
    was_ringing: bool | None = None
    calls: int | None = None


_decode = msgspec.json.Decoder(EventData).decode

InteractionKey = tuple[int, str]
"""Tenant and id."""


class Centre:
    """Open interactions and agents; `unsaved` interactions go into the next checkpoint."""

    def __init__(self, statistics: Statistics, agents: Agents, positions: Positions) -> None:
        self.statistics = statistics
        self.agents = agents
        self.positions = positions
        self.interactions: dict[InteractionKey, OpenInteraction] = {}
        self.unsaved: set[InteractionKey] = set()
        self._in_queue: dict[tuple[int, str], set[str]] = {}
        self._takers: dict[str, Callable[[Event, EventData], None]] = {
            names.INTERACTION_SUBMITTED: self._keys_known,
            names.PROPERTIES_CHANGED: self._keys_known,
            names.VIRTUAL_QUEUE_ENTERED: self._entered,
            names.VIRTUAL_QUEUE_DISTRIBUTED: self._distributed,
            names.VIRTUAL_QUEUE_ABANDONED: self._abandoned,
            names.VIRTUAL_QUEUE_CLEARED: self._cleared,
            names.AGENT_INVITED: self._invited,
            names.REJECTED: self._offer_over,
            names.REVOKED: self._offer_over,
            names.PARTY_ADDED: self._party_added,
            names.PARTY_REMOVED: self._party_removed,
            names.PROCESSING_STOPPED: self._stopped,
            names.AGENT_LOGIN: self._logged_in,
            names.AGENT_LOGOUT: self._logged_out,
            names.MEDIA_ADDED: self._media_changed,
            names.MEDIA_REMOVED: self._media_changed,
            names.READY_FOR_MEDIA: self._media_changed,
            names.NOT_READY_FOR_MEDIA: self._media_changed,
            names.MEDIA_STATE_REASON_CHANGED: self._calls_known,
            names.DO_NOT_DISTURB_ON: self._disturbance_changed,
            names.DO_NOT_DISTURB_OFF: self._disturbance_changed,
        }

    def take(self, source: str, events: Iterable[Event], position: str) -> int:
        """Take events of one source in order; the number of those not taken before."""
        taken = 0
        for event in events:
            if self.positions.take(event.node, event.event_id, event.at):
                taken += 1
                self._apply(event)
        self.positions.reached(source, position)
        return taken

    def count_now(self, statistic: Statistic) -> int:
        """Value of a current number, by looking at every interaction in its virtual queue."""
        key = statistic.key
        queue = (key.tenant, key.objects[0])
        inside = (self.interactions[key.tenant, each] for each in self._in_queue.get(queue, ()))
        return sum(x.durable_action in key.actions and statistic.takes(x) for x in inside)

    def restore(self, interaction: OpenInteraction, at: str) -> None:
        """Put back an interaction of a checkpoint; agents' slots follow from it."""
        place = (interaction.tenant, interaction.interaction_id)
        self.interactions[place] = interaction
        if interaction.virtual_queue is not None:
            self._enter(interaction)
        for agent in (interaction.ringing, interaction.asked, *interaction.handling):
            if agent is not None:
                self.agents.occupy((interaction.tenant, agent), interaction.media_type, 1, at)

    def _apply(self, event: Event) -> None:
        taker = self._takers.get(event.name)
        if taker is None:
            return
        try:
            data = _decode(event.data)
        except msgspec.ValidationError as mistake:
            _log.error("event not understood", event_id=event.event_id, problem=str(mistake))
            return
        self.statistics.advance(event.at)
        taker(event, data)

    # --- interactions ---------------------------------------------------------------------------

    def _find(self, event: Event) -> OpenInteraction | None:
        return self.interactions.get((event.tenant, event.interaction_id or ""))

    def _of(self, event: Event, data: EventData) -> OpenInteraction:
        """The event's interaction, held from now on."""
        place = (event.tenant, event.interaction_id or "")
        self.unsaved.add(place)
        found = self.interactions.get(place)
        if found is None:
            found = self.interactions[place] = OpenInteraction(
                tenant=place[0],
                interaction_id=place[1],
                media_type=data.media_type,
                keys=data.keys or {},
            )
        return found

    def _settle(self, interaction: OpenInteraction) -> None:
        """Forget the interaction when nothing is left to know of it."""
        place = (interaction.tenant, interaction.interaction_id)
        self.unsaved.add(place)
        if not interaction.is_needed:
            self.interactions.pop(place, None)

    def _keys_known(self, event: Event, data: EventData) -> None:
        found = self._find(event)
        if data.keys is None or (found is None and not data.keys):
            return
        interaction = self._of(event, data)
        self._count_current(interaction, -1)
        interaction.keys = data.keys
        self._count_current(interaction, 1)
        self._settle(interaction)

    def _entered(self, event: Event, data: EventData) -> None:
        number = data.virtual_queue
        interaction = self._of(event, data)
        if number is None or interaction.virtual_queue == number:
            return
        if interaction.virtual_queue is not None:
            self._leave(interaction, actions.CALL_DISTRIBUTED_TO_QUEUE)
        interaction.virtual_queue = number
        self._enter(interaction)
        self.statistics.count_on_queue(number, actions.CALL_ENTERED, interaction)
        self._count_current(interaction, 1)

    def _distributed(self, event: Event, data: EventData) -> None:
        self._left(event, data, actions.CALL_ANSWERED)

    def _abandoned(self, event: Event, data: EventData) -> None:
        found = self._find(event)
        rang = data.was_ringing
        if rang is None:
            rang = found is not None and found.ringing is not None
        self._left(
            event, data, actions.CALL_ABANDONED_FROM_RINGING if rang else actions.CALL_ABANDONED
        )

    def _cleared(self, event: Event, data: EventData) -> None:
        is_moved = event.reason == names.MOVED
        self._left(
            event,
            data,
            actions.CALL_DISTRIBUTED_TO_QUEUE if is_moved else actions.CALL_CLEARED,
        )

    def _left(self, event: Event, data: EventData, action: str) -> None:
        """Only what is in the virtual queue can leave it: each entry has exactly one end."""
        interaction = self._find(event)
        if interaction is not None and interaction.virtual_queue == data.virtual_queue:
            self._leave(interaction, action)
            self._settle(interaction)

    def _enter(self, interaction: OpenInteraction) -> None:
        place = (interaction.tenant, interaction.virtual_queue or "")
        self._in_queue.setdefault(place, set()).add(interaction.interaction_id)

    def _leave(self, interaction: OpenInteraction, action: str) -> None:
        number = interaction.virtual_queue
        if number is None:
            return
        self._count_current(interaction, -1)
        self.statistics.count_on_queue(number, action, interaction)
        interaction.virtual_queue = None
        inside = self._in_queue[interaction.tenant, number]
        inside.discard(interaction.interaction_id)
        if not inside:
            del self._in_queue[interaction.tenant, number]

    def _count_current(self, interaction: OpenInteraction, by: int) -> None:
        if interaction.virtual_queue is not None:
            self.statistics.count_current(
                interaction.virtual_queue, interaction.durable_action, interaction, by
            )

    # --- delivery -------------------------------------------------------------------------------

    def _invited(self, event: Event, data: EventData) -> None:
        if event.agent is None or data.role == INTRUDE:  # about an intruder the owner is asked
            return
        if data.role is None:
            self._ring(self._of(event, data), event.agent, event.at)
        else:
            self._ask(self._of(event, data), event.agent, event.at)

    def _offer_over(self, event: Event, data: EventData) -> None:
        interaction = self._find(event)
        if interaction is None:
            return
        if data.role is not None:
            if event.agent == interaction.asked:
                self._ask(interaction, None, event.at)
        elif event.agent in (interaction.ringing, None):
            self._ring(interaction, None, event.at)
        self._settle(interaction)

    def _ask(self, interaction: OpenInteraction, agent: str | None, at: str) -> None:
        """The owner asks this agent now, or nobody: a slot is taken, nothing else changes."""
        before, interaction.asked = interaction.asked, agent
        for who, by in ((before, -1), (agent, 1)):
            if who is not None:
                self.agents.occupy((interaction.tenant, who), interaction.media_type, by, at)

    def _ring(self, interaction: OpenInteraction, agent: str | None, at: str) -> None:
        """It rings at this agent now, or at nobody."""
        if agent == interaction.ringing:
            return
        self._count_current(interaction, -1)
        before, interaction.ringing = interaction.ringing, agent
        self._count_current(interaction, 1)
        for who, by in ((before, -1), (agent, 1)):
            if who is not None:
                self.agents.occupy((interaction.tenant, who), interaction.media_type, by, at)

    def _party_added(self, event: Event, data: EventData) -> None:
        agent = event.agent
        if data.party != "agent" or agent is None:
            return
        interaction = self._of(event, data)
        if agent in interaction.handling:
            return
        if interaction.asked == agent:
            self._ask(interaction, None, event.at)
        if data.role is not None:
            interaction.parties = (*interaction.parties, agent)
        was_ringing = interaction.ringing == agent
        if was_ringing:
            self._ring(interaction, None, event.at)
        interaction.handling = (*interaction.handling, agent)
        self.agents.occupy((event.tenant, agent), interaction.media_type, 1, event.at)
        if was_ringing:
            self.statistics.count_on_agent(agent, actions.CALL_ANSWERED, interaction)

    def _party_removed(self, event: Event, data: EventData) -> None:
        interaction = self._find(event)
        if data.party == "agent" and interaction is not None and event.agent is not None:
            self._release(interaction, event.agent, event.at)
            interaction.parties = _without(interaction.parties, data.owner)
            self._settle(interaction)

    def _release(self, interaction: OpenInteraction, agent: str, at: str) -> None:
        """The agent has it no longer; of who took part beside the owner nothing is counted."""
        if agent not in interaction.handling:
            return
        interaction.handling = _without(interaction.handling, agent)
        self.agents.occupy((interaction.tenant, agent), interaction.media_type, -1, at)
        if agent in interaction.parties:
            interaction.parties = _without(interaction.parties, agent)
            return
        for action in (actions.CALL_RELEASED, actions.ACW_COMPLETED):
            self.statistics.count_on_agent(agent, action, interaction)

    def _stopped(self, event: Event, data: EventData) -> None:
        """The end; whatever its own events did not end yet ends here, so that nothing gets stuck."""
        interaction = self._find(event)
        if interaction is None:
            return
        self._leave(interaction, actions.CALL_CLEARED)
        self._ring(interaction, None, event.at)
        self._ask(interaction, None, event.at)
        for agent in interaction.handling:
            self._release(interaction, agent, event.at)
        interaction.keys = {}
        self._settle(interaction)

    # --- agents ---------------------------------------------------------------------------------

    def _logged_in(self, event: Event, data: EventData) -> None:
        if event.agent is not None:
            self.agents.log_in((event.tenant, event.agent), event.place, event.at)

    def _logged_out(self, event: Event, data: EventData) -> None:
        if event.agent is not None:
            self.agents.log_out((event.tenant, event.agent), event.at)

    def _media_changed(self, event: Event, data: EventData) -> None:
        if event.agent is not None:
            is_ready = (
                None if event.name == names.MEDIA_REMOVED else (event.name == names.READY_FOR_MEDIA)
            )
            self.agents.set_media((event.tenant, event.agent), data.media_type, is_ready, event.at)
            self._calls_known(event, data)

    def _calls_known(self, event: Event, data: EventData) -> None:
        """A telephone system's word on an agent: its calls take slots beside interactions."""
        if event.agent is not None and data.calls is not None:
            self.agents.set_calls(
                (event.tenant, event.agent), data.media_type, data.calls, event.at
            )

    def _disturbance_changed(self, event: Event, data: EventData) -> None:
        if event.agent is not None:
            is_on = event.name == names.DO_NOT_DISTURB_ON
            self.agents.set_disturbed((event.tenant, event.agent), is_on, event.at)


def _without(agents: tuple[str, ...], agent: str | None) -> tuple[str, ...]:
    return tuple(each for each in agents if each != agent)
