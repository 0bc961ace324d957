"""One rehearsal from its seed to its verdict: site, traffic, faults, invariants after every step.

Called by the command, by many.py and by tests. Everything happens inside one virtual loop; what
broke is told as a `Failure`, never raised.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import IO, Final

from paceline.assembly.stored_facts import EngineFacts, NodeFacts
from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.log import log_silenced
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import MachineTime
from paceline.sdk import (
    ConfigurationFollower,
    Connection,
    EngagementEngineClient,
    InteractionServerClient,
    MessageServerClient,
    PacingServerClient,
    StatServerClient,
)
from paceline.simulator.summary import SiteClients
from paceline.simulator.whole.answers import (
    AcknowledgedIsKept,
    AnsweredInTime,
    NothingUnforeseen,
    RefusedIsUndone,
)
from paceline.simulator.whole.configuration import PLACES
from paceline.simulator.whole.faults import Faults
from paceline.simulator.whole.history import History, record
from paceline.simulator.whole.invariant import EventLog, Invariant, InvariantBroken
from paceline.simulator.whole.liveness import Liveness
from paceline.simulator.whole.log import RehearsalLog
from paceline.simulator.whole.loop import run_simulated
from paceline.simulator.whole.order import SubscribersSeeAll, ViewOrder
from paceline.simulator.whole.permits import NoneSpentDead, PermitsSpent
from paceline.simulator.whole.plan import Failure, Outcome, Plan
from paceline.simulator.whole.seen_reports import SeenReports
from paceline.simulator.whole.site import START, SimulatedSite
from paceline.simulator.whole.statistics import StatisticsRecounted
from paceline.simulator.whole.stored_state import StoredState
from paceline.simulator.whole.traffic import Traffic, TrafficClients
from paceline.wire.operation import ClientKind

STEP_S: Final = 1.0
"""Virtual seconds between two looks at the invariants; each fault brings one more (chosen)."""

FINISH_S: Final = 20.0
"""How long quick agents finish what they have before everybody leaves (chosen: twice their work)."""

QUIET_S: Final = 120.0
"""After everybody has left: mass-logout-grace (30 s) and the ends of offers and invitations pass."""


class _Rehearsal:
    def __init__(self, plan: Plan, log: RehearsalLog, progress: Callable[[float], None]) -> None:
        self.plan = plan
        self.log = log
        self.faults: Faults | None = None
        self.history: History | None = None
        self.events: EventLog | None = None
        self._progress = progress
        self._invariants: list[Invariant] = []
        self._connections: list[Connection] = []
        self._look = asyncio.Event()
        self._broken_traffic = ""

    async def run(self) -> None:
        """From the start of the site to the last look.

        Raises
        ------
        InvariantBroken
            The first that did not hold.
        """
        chance = Chance(self.plan.seed)
        site = self._site = SimulatedSite(chance=chance, log=self.log)
        self._machine = site.times.machine
        await site.start()
        tasks = TaskGroup("rehearsal", self._traffic_failed)
        source = ConfigurationFollower(site.configuration("rehearsal"))
        await source.start()
        self._judge(source, tasks)
        traffic = self._traffic(source, chance)
        for connection in self._connections:
            await connection.wait_connected()
        await self._statistics.begin()
        await traffic.start()
        faults = self.faults = Faults(
            site, self.plan.profile, chance.seed, most_faults=self.plan.most_faults,
            on_fault=self._look.set,
        )  # fmt: skip
        schedule = tasks.start("faults", faults.run())
        await self._pass(self.plan.duration_s)
        schedule.cancel()
        await faults.stop()
        traffic.steady()
        await self._liveness.begin()
        while not self._liveness.is_live:
            await self._pass(STEP_S)
        traffic.finish()
        await self._pass(FINISH_S)
        await traffic.stop()
        for connection in self._connections:
            if connection is not self._follower:  # who hears the rest of the events, too
                await connection.close()
        await self._pass(QUIET_S)
        for invariant in self._invariants:
            await invariant.check_at_end()
        await tasks.aclose()
        await site.stop()

    # --- who judges -----------------------------------------------------------------------------

    def _judge(self, source: ConfigurationFollower, tasks: TaskGroup) -> None:
        site, machine = self._site, self._machine
        now = machine.monotonic
        history = self.history = History(now, partial(self.log.write, "request", "-"))
        events = self.events = EventLog(
            NodeFacts(site.database_of("interaction")),
            write=partial(self.log.write, "event", "-"),
        )
        engine = EngineFacts(site.database_of("engagement"))
        stats = {
            place.application: StatServerClient(
                site.connect("stat", "operator", client="rehearsal", application=place.application)
            )
            for place in PLACES
            if place.kind == "stat"
        }
        snapshot = source.snapshot
        spent = PermitsSpent(history, now)
        alive = NoneSpentDead(history, engine, machine_seconds=site.times.business.machine_seconds)
        self._subscriber = SubscribersSeeAll(events)
        self._statistics = StatisticsRecounted(events, stats, snapshot, site.times)
        self._liveness = Liveness(
            events,
            client=InteractionServerClient(self._connect("interaction", "media_server", "probe")),
            stats=stats,
            queues={"chat": "Chats", "email": "E-mails", "voice": "Callbacks"},
            times=site.times,
            tasks=tasks,
        )
        reports = SeenReports(
            now,
            arrived=[spent.arrived, alive.arrived],
            answered=[spent.answered, alive.answered, self._liveness.answered],
        )
        site.tap(reports.take)
        self._invariants = [
            AnsweredInTime(history, now),
            NothingUnforeseen(history),
            AcknowledgedIsKept(history, events, engine),
            RefusedIsUndone(history, events),
            ViewOrder(events, snapshot),
            StoredState(events, snapshot),
            spent,
            alive,
            self._subscriber,
            self._liveness,
            self._statistics,
        ]

    # --- who acts -------------------------------------------------------------------------------

    def _traffic(self, source: ConfigurationFollower, chance: Chance) -> Traffic:
        follower = self._follower = self._connect("interaction", "reporting", "follower")

        def interactions(kind: ClientKind, client: str) -> InteractionServerClient:
            return InteractionServerClient(self._connect("interaction", kind, client))

        bank = SiteClients(
            media=interactions("media_server", "bank"),
            desk=interactions("agent", "bank desks"),
            engagement=EngagementEngineClient(self._connect("engagement", "operator", "bank")),
            stat=StatServerClient(self._connect("stat", "operator", "bank")),
            pacing=PacingServerClient(self._connect("pacing", "operator", "bank")),
            message=MessageServerClient(self._connect("message", "operator", "bank")),
        )
        clients = TrafficClients(
            bank=bank,
            media=interactions("media_server", "tries"),
            desk=interactions("agent", "quick desks"),
            router=interactions("router", "tries router"),
            engagement=EngagementEngineClient(self._connect("engagement", "operator", "guests")),
            follower=InteractionServerClient(follower),
        )
        return Traffic(
            clients=clients,
            configuration=source,
            times=self._site.times,
            chance=chance,
            opening=START,
            scale=self.plan.scale,
            subscriber=self._subscriber,
            on_failure=self._traffic_failed,
        )

    def _connect(self, kind: str, client_kind: ClientKind, client: str) -> Connection:
        assert self.history is not None
        connection = self._site.connect(kind, client_kind, client=client)
        record(connection, self.history, client)
        self._connections.append(connection)
        return connection

    def _traffic_failed(self, reason: str) -> None:
        self._broken_traffic = self._broken_traffic or reason

    # --- time -----------------------------------------------------------------------------------

    async def _pass(self, seconds: float) -> None:
        """Lets time pass; looks at everything after each step and each fault."""
        until = self._machine.monotonic() + seconds
        while (left := until - self._machine.monotonic()) > 0:
            self._look.clear()
            try:
                async with asyncio.timeout(min(STEP_S, left)):
                    await self._look.wait()
            except TimeoutError:
                pass
            await self._check()
            self._progress(self._machine.monotonic())

    async def _check(self) -> None:
        if self._broken_traffic:
            raise RuntimeError(f"the rehearsal itself failed: {self._broken_traffic}")
        for crash in self._site.crashes:
            raise InvariantBroken("no server fails in a way that nobody foresaw", crash)
        for invariant in self._invariants:
            await invariant.check_now()


def rehearse(
    plan: Plan,
    *,
    file: IO[str] | None = None,
    progress: Callable[[float], None] = lambda now: None,
) -> Outcome:
    """Runs it and tells what came of it.

    Parameters
    ----------
    file
        Gets the log's lines.
    progress
        Told the virtual time after each step.
    """
    real = MachineTime()
    began_at = real.monotonic()
    log = RehearsalLog(file)
    rehearsal = _Rehearsal(plan, log, progress)

    async def judged() -> tuple[Failure | None, float]:
        loop = asyncio.get_running_loop()
        failure = None
        try:
            await rehearsal.run()
        except InvariantBroken as broken:
            lines = tuple(log.about(*filter(None, broken.about))) if broken.about else ()
            failure = Failure(
                invariant=broken.invariant,
                what=str(broken),
                at_s=loop.time(),
                about=broken.about,
                lines=lines,
            )
        except PacelineError as error:
            failure = Failure(
                invariant="the site answers while nothing disturbs it",
                what=str(error),
                at_s=loop.time(),
            )
        return failure, loop.time()

    with log_silenced():
        failure, simulated_s = run_simulated(judged())
    events = rehearsal.events
    return Outcome(
        plan=plan,
        simulated_s=simulated_s,
        real_s=real.monotonic() - began_at,
        faults=0 if rehearsal.faults is None else rehearsal.faults.count,
        requests=0 if rehearsal.history is None else rehearsal.history.count,
        events=0 if events is None else events.replay.last_event_id,
        interactions=0 if events is None else len(events.replay.interactions),
        digest=log.digest,
        failure=failure,
    )
