"""A contact centre for tests of statistics: its configuration, and events written by hand."""

from itertools import count
from typing import Any

import msgspec

from paceline.model import events as names
from paceline.model.configuration import (
    AgentGroup,
    Application,
    CapacityRule,
    Dn,
    Person,
    Place,
    Tenant,
)
from paceline.model.instant import to_text
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.stat.live.agents import Agents
from paceline.servers.stat.live.centre import Centre
from paceline.servers.stat.live.opened import Opened
from paceline.servers.stat.live.positions import Positions
from paceline.servers.stat.live.statistics import Statistic, Statistics
from paceline.servers.stat.rules.definitions import resolve
from paceline.servers.stat.rules.stat_types import Catalogue
from paceline.wire.operations.event import Event
from paceline.wire.operations.statistic import Definition, OpenStatistic
from tests.fakes.configuration import SnapshotBuilder

START = 1_767_254_400_000
"""2026-01-01T08:00:00Z."""

PROACTIVE = {"Proactive": "1"}


def site() -> SnapshotBuilder:
    """Tenant 1 with agents a1 to a3 (chat 2, email 1), two groups, virtual queues VQ1, VQ2, 77."""
    made = SnapshotBuilder()
    made.add("tenants", "Environment", Tenant(capacity_rule="blended"))
    made.add("scripts", "blended", CapacityRule(media={"chat": 2, "email": 1}))
    made.add("places", "seat", Place())
    for name in ("a1", "a2", "a3"):
        made.add("persons", name, Person(is_agent=True, skills={"Spanish": int(name[1])}))
    made.add("agent-groups", "left", AgentGroup(agents=("a1", "a2")))
    made.add("agent-groups", "right", AgentGroup(agents=("a2", "a3")))
    made.add("dns", "VQ1", Dn(switch="s", number="VQ1"))
    made.add("dns", "VQ2", Dn(switch="s", number="VQ2"))
    made.add("dns", "Support", Dn(switch="s", number="77"))
    made.add("applications", "stat", Application(application_type="stat_server"))
    return made


class Story:
    """Writes events one after the other, a second apart, as an interaction server would."""

    def __init__(self, node: int = 101) -> None:
        self.node = node
        self.events: list[Event] = []
        self._ids = count(1)

    def event(self, name: str, interaction: str | None = None, **given: Any) -> Event:
        """One event; fields that an event does not have go into its data."""
        own = {k: given.pop(k) for k in ("agent", "place", "reason", "queue") if k in given}
        if interaction is not None:
            given.setdefault("media_type", "chat")
        event_id = next(self._ids)
        event = Event(
            position=f"p{event_id}",
            node=self.node,
            event_id=event_id,
            name=name,
            at=to_text(START + 1000 * event_id),
            tenant=1,
            actor="test",
            interaction_id=interaction,
            data=msgspec.Raw(msgspec.json.encode(given)),
            **own,
        )
        self.events.append(event)
        return event

    def log_in(self, agent: str, *media: str) -> None:
        """An agent logs in, ready in these media."""
        self.event(names.AGENT_LOGIN, agent=agent, place="seat")
        for each in media:
            self.event(names.MEDIA_ADDED, agent=agent, media_type=each)
            self.event(names.READY_FOR_MEDIA, agent=agent, media_type=each)

    def enter(self, interaction: str, queue: str, **data: Any) -> None:
        """It begins to wait in a virtual queue."""
        self.event(names.VIRTUAL_QUEUE_ENTERED, interaction, virtual_queue=queue, **data)

    def invite(self, interaction: str, agent: str, **data: Any) -> None:
        """It rings at an agent."""
        self.event(names.AGENT_INVITED, interaction, agent=agent, **data)

    def accept(self, interaction: str, agent: str, queue: str | None = None, **data: Any) -> None:
        """The agent takes it, out of its virtual queue if it is in one."""
        self.event(names.PARTY_ADDED, interaction, agent=agent, party="agent", **data)
        if queue is not None:
            self.event(
                names.VIRTUAL_QUEUE_DISTRIBUTED, interaction, agent=agent, virtual_queue=queue
            )

    def release(self, interaction: str, agent: str, **data: Any) -> None:
        """The agent has it no longer."""
        self.event(names.PARTY_REMOVED, interaction, agent=agent, party="agent", **data)

    def leave(self, interaction: str, queue: str, name: str, **data: Any) -> None:
        """It leaves a virtual queue without an agent."""
        self.event(name, interaction, virtual_queue=queue, **data)

    def stop(self, interaction: str) -> None:
        """The end of its processing."""
        self.event(names.PROCESSING_STOPPED, interaction)


class Floor:
    """The live part of a Stat Server without its server, fed with a story."""

    def __init__(self, snapshot: ConfigurationSnapshot | None = None) -> None:
        self.snapshot = snapshot or site().build()
        self.centre = Centre(Statistics(), Agents(), Positions())
        self.configure(self.snapshot)

    def configure(self, snapshot: ConfigurationSnapshot) -> None:
        """Another configuration holds from now on."""
        self.snapshot = snapshot
        self.centre.statistics.configure(snapshot)
        self.centre.agents.configure(snapshot, to_text(START))

    def open(self, kind: Any, name: str, **wanted: Any) -> Statistic:
        """Open a statistic: `stat_type`, or the fields of a definition; `filter`, `profile`."""
        common = {k: wanted.pop(k) for k in ("stat_type", "filter", "profile") if k in wanted}
        if wanted:
            common["definition"] = Definition(**wanted)
        request = OpenStatistic(object_kind=kind, object=name, **common)
        key = resolve(request, 1, Catalogue(), self.snapshot)
        return Opened(self.centre).open(key, "test", now=START, at=to_text(START), maximum=1000)

    def take(self, story: Story) -> None:
        """Take what the story has told so far; what was taken before is not taken again."""
        self.centre.take("ixn", story.events, story.events[-1].position)
