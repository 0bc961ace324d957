"""The invariant that the site becomes live again soon after the last fault has passed.

Begun by run.py when the faults stop, with the traffic still on; judged at every step from then on by
what clients get and by the event log.
"""

from itertools import count
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient, StatServerClient
from paceline.simulator.whole.invariant import EventLog, InvariantBroken
from paceline.simulator.whole.permits import SeenReport

LIVE_WITHIN_S: Final = 60.0
"""At worst three hops recover one after the other: a server's link to the Interaction Server, the
router's to the Stat Server, a client's to the engine. Each silent link is dropped after 20 s
(2 × PING_S); leases (4 s), restarts and pauses between attempts (2 s) pass meanwhile.
"""

PROBE_S: Final = 5.0
"""Between two probes (chosen: some reach the site within every stage of its recovery)."""

PRIORITY: Final = 1000
"""Probes come before all that waits, so that they do not wait for the bank's customers."""


class Liveness:
    """Submissions are accepted and agents get them, permits flow, Stat Servers are up to date.

    How long an agent then takes is no matter of the site's; that all of it is finished is judged at the end.

    Parameters
    ----------
    queues
        Interaction queue of each medium that is probed.
    """

    NAME = "the site is live again soon after the faults"

    def __init__(
        self,
        log: EventLog,
        *,
        client: InteractionServerClient,
        stats: dict[str, StatServerClient],
        queues: dict[str, str],
        times: Times,
        tasks: TaskGroup,
    ) -> None:
        self._log = log
        self._client = client
        self._stats = stats
        self._queues = queues
        self._machine = times.machine
        self._tasks = tasks
        self._until: float | None = None
        self._last_event_id = 0
        self._probes: set[str] = set()
        self._missing: dict[str, str] = {}
        self.is_live = False

    async def begin(self) -> None:
        """The faults have stopped."""
        await self._log.catch_up()
        self._last_event_id = self._log.replay.last_event_id
        self._until = self._machine.monotonic() + LIVE_WITHIN_S
        self._missing = {"permits": "no report of permits was taken by the engine"}
        for media in self._queues:
            self._missing[media] = (
                f"no submission to {media} was accepted and delivered to an agent"
            )
        for name, client in self._stats.items():
            self._missing[name] = f"{name} is not up to date"
            self._tasks.start(f"position of {name}", self._follow(name, client))
        self._tasks.start("probes", self._probe())

    def answered(self, seen: SeenReport) -> None:
        """The engine's answer to a report left."""
        if seen.is_taken:
            self._missing.pop("permits", None)

    async def check_now(self) -> None:
        """What is still missing, once the time is over."""
        if self._until is None or self.is_live:
            return
        for interaction_id in sorted(self._probes):
            told = self._log.replay.interactions.get(interaction_id)
            was_handled = any(key == interaction_id for key, _ in self._log.replay.handled)
            if told is not None and was_handled:
                self._missing.pop(told.media_type, None)
                self._probes.discard(interaction_id)
        self.is_live = not self._missing
        if self._missing and self._machine.monotonic() > self._until:
            what = "; ".join(self._missing.values())
            raise InvariantBroken(
                self.NAME, f"{LIVE_WITHIN_S:g} s after them {what}", about=sorted(self._probes)[:3]
            )

    async def check_at_end(self) -> None:
        """The same."""
        await self.check_now()

    async def _probe(self) -> None:
        for number in count(1):
            if self.is_live:
                return
            for media in self._queues:
                if media in self._missing:
                    self._tasks.start("probe", self._submit(media, f"probe-{media}-{number}"))
            await self._machine.sleep(PROBE_S)

    async def _submit(self, media: str, token: str) -> None:
        try:
            submitted = await self._client.interaction.submit(
                media_type=media,
                queue=self._queues[media],
                client_token=token,
                priority=PRIORITY,
                timeout_s=5.0,
            )
        except PacelineError:
            return
        self._probes.add(submitted.interaction_id)

    async def _follow(self, name: str, client: StatServerClient) -> None:
        while name in self._missing:
            try:
                position = await client.stat.position(timeout_s=5.0)
            except PacelineError:
                position = None
            if position is not None and position.is_live:
                taken = max((node.last_event_id for node in position.nodes), default=0)
                if taken >= self._last_event_id:
                    self._missing.pop(name, None)
            await self._machine.sleep(PROBE_S)
