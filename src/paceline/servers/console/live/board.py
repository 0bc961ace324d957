"""The board: the last answer of every server, and once a second one picture of them for all browsers.

Written by tasks/collect.py, read by requests/live_feed.py. Bounded: rows per list, events, trails.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

import msgspec

from paceline.model.instant import to_text
from paceline.runtime.ids import batch_id
from paceline.runtime.times import Times
from paceline.servers.console.rules.agents import AgentRow
from paceline.servers.console.rules.events import EventLine, event_line
from paceline.wire.operations.configuration import ApplicationStatus
from paceline.wire.operations.engagement import EngagementTarget
from paceline.wire.operations.event import Event
from paceline.wire.operations.interaction import QueueRow, ViewRow
from paceline.wire.operations.message import Alarm
from paceline.wire.operations.pacing import Cluster, TargetRow
from paceline.wire.operations.router import VirtualQueueRow

MAX_EVENTS: Final = 50
"""Events on the page (chosen: what people can still follow)."""

TRAIL: Final = 120
"""Pictures a trail of permits reaches back: two minutes (chosen)."""

FRESH_S: Final = 5.0
"""Age from which the last answer of a server is said to be old, and its trails have a gap (chosen)."""


class SectionState(msgspec.Struct, frozen=True):
    """Whether figures are current: the problem with their server, and how old they are."""

    problem: str | None = None
    age_s: float | None = None


class FindingLine(msgspec.Struct, frozen=True):
    """A finding and the servers that told it."""

    object: str
    field: str
    consequence: str
    fix: str
    told_by: tuple[str, ...]


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """The header: both times, and the pacing cluster's state when it was ever heard."""

    business_now: str
    machine_now: str
    speed: float
    time_zone: str
    cluster: Cluster | None


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """All figures of the page at one moment; `incomplete` names the lists that were cut."""

    number: int
    site: Site
    sections: dict[str, SectionState]
    incomplete: tuple[str, ...]
    targets: tuple[TargetRow, ...]
    engagement: tuple[EngagementTarget, ...]
    queues: tuple[QueueRow, ...]
    views: tuple[ViewRow, ...]
    virtual_queues: tuple[VirtualQueueRow, ...]
    agents: tuple[AgentRow, ...]
    alarms: tuple[Alarm, ...]
    findings: tuple[FindingLine, ...]
    events: tuple[EventLine, ...]
    servers: tuple[ApplicationStatus, ...]


class Board:
    """Last answers as plain attributes; `publish` makes the next picture of them."""

    def __init__(self, times: Times) -> None:
        self._times = times
        self._events: deque[Event] = deque(maxlen=MAX_EVENTS)
        self._problems: dict[str, str | None] = {}
        self._answered: dict[str, float] = {}
        self._trails: dict[str, deque[int | None]] = {}
        self._number = 0
        self._life = batch_id()[:8]
        self.incomplete: set[str] = set()
        self.time_zone = "UTC"
        self.cluster: Cluster | None = None
        self.targets: tuple[TargetRow, ...] = ()
        self.engagement: tuple[EngagementTarget, ...] = ()
        self.queues: tuple[QueueRow, ...] = ()
        self.views: tuple[ViewRow, ...] = ()
        self.virtual_queues: tuple[VirtualQueueRow, ...] = ()
        self.agents: tuple[AgentRow, ...] = ()
        self.alarms: tuple[Alarm, ...] = ()
        self.findings: tuple[FindingLine, ...] = ()
        self.servers: tuple[ApplicationStatus, ...] = ()
        self.picture = b"{}"
        self.publish()

    @property
    def etag(self) -> str:
        """Tag of the picture: differs between any two, also over a restart."""
        return f'"{self._life}-{self._number}"'

    def answered(self, section: str) -> None:
        """The figures of a section are as of now."""
        self._answered[section] = self._times.machine.monotonic()
        self._problems[section] = None

    def failed(self, section: str, problem: str) -> None:
        """A section's server cannot be read; its last figures stay."""
        self._problems[section] = problem

    def note(self, name: str, is_complete: bool) -> None:
        """Whether the list of this name holds all there is."""
        (self.incomplete.discard if is_complete else self.incomplete.add)(name)

    def add_events(self, events: Iterable[Event]) -> None:
        """What has just happened; the oldest ones fall off."""
        self._events.extend(events)

    def trails(self) -> bytes:
        """Permits of each target in the last pictures, oldest first, as JSON with the picture's number."""
        trails = {name: tuple(trail) for name, trail in self._trails.items()}
        return msgspec.json.encode({"number": self._number, "trails": trails})

    def publish(self) -> None:
        """Makes the next picture."""
        self._number += 1
        self._lengthen_trails()
        times = self._times
        picture = Picture(
            number=self._number,
            site=Site(
                business_now=to_text(times.business.now()),
                machine_now=to_text(times.machine.now()),
                speed=times.business.speed,
                time_zone=self.time_zone,
                cluster=self.cluster,
            ),
            sections={name: self._state(name) for name in self._problems},
            incomplete=tuple(sorted(self.incomplete)),
            targets=self.targets,
            engagement=self.engagement,
            queues=self.queues,
            views=self.views,
            virtual_queues=self.virtual_queues,
            agents=self.agents,
            alarms=self.alarms,
            findings=self.findings,
            events=tuple(event_line(event) for event in reversed(self._events)),
            servers=self.servers,
        )
        self.picture = msgspec.json.encode(picture)

    def _state(self, section: str) -> SectionState:
        age_s = self._age(section)
        return SectionState(self._problems[section], None if age_s is None else round(age_s, 1))

    def _age(self, section: str) -> float | None:
        at = self._answered.get(section)
        return None if at is None else self._times.machine.monotonic() - at

    def _lengthen_trails(self) -> None:
        age_s = self._age("pacing")
        is_fresh = age_s is not None and age_s < FRESH_S
        old = self._trails
        self._trails = {}
        for target in self.targets:
            trail = old.get(target.name) or deque(maxlen=TRAIL)
            trail.append(target.permits if is_fresh else None)
            self._trails[target.name] = trail
