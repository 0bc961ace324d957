"""The pacing cycle: read, decide, report, learn; once per period while this node is the master.

Started by server.py in its task group. One step after the other: a report never overlaps the next.
What the Stat Server, the engine or the database do never ends the cycle: it goes on with what it
knows, and says so.
"""

from typing import Protocol

from paceline.errors.failure import PacelineError
from paceline.model.options import Finding, OptionValues
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.log import get_log
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk import ConfigurationSource
from paceline.servers.pacing.links.engagement import Outcome
from paceline.servers.pacing.links.statistics import Reading, StatisticsLink
from paceline.servers.pacing.live.decision import Decider, Decision
from paceline.servers.pacing.live.picture import CycleView, Picture, rows_of
from paceline.servers.pacing.live.reporter import SHORTEST_TIMEOUT_S, Reporter
from paceline.servers.pacing.live.stops import Stops
from paceline.servers.pacing.metrics import PacingFigures
from paceline.servers.pacing.requests.stream import TargetStream
from paceline.servers.pacing.store.pacer_state import PacerStateStore, SavedState, StoredCycle
from paceline.units.ids import Epoch
from paceline.wire.operations.engagement import TargetCounts
from paceline.wire.operations.pacing import TargetRow

SAVE_EVERY = 12
"""Cycles between two savings of what was learned: a minute at 5 s (chosen)."""
STANDBY_PAUSE_S = 0.1
"""How often a node that is not the master looks again; machine seconds (chosen)."""

_log = get_log("pacing.cycle")


class Leadership(Protocol):
    """The lease of the cluster's master, as `cluster.lease.Lease` offers it."""

    @property
    def epoch(self) -> Epoch:
        """Epoch of the lease while it is held."""
        ...

    def is_held(self) -> bool:
        """Whether it was taken and neither released nor refused since."""
        ...

    def is_trusted(self) -> bool:
        """Whether the store has confirmed it recently enough."""
        ...

    async def is_taken(self) -> bool:
        """Whether any node holds it now, by the store's word."""
        ...


class PacingCycle:
    """See the module; also the `Mastership` that requests show."""

    def __init__(
        self,
        *,
        settings: LiveSettings,
        times: Times,
        configuration: ConfigurationSource,
        leadership: Leadership,
        statistics: StatisticsLink,
        decider: Decider,
        reporter: Reporter,
        store: PacerStateStore,
        stops: Stops,
        picture: Picture,
        stream: TargetStream,
        figures: PacingFigures,
    ) -> None:
        self._settings = settings
        self._times = times
        self._configuration = configuration
        self._leadership = leadership
        self._statistics = statistics
        self._decider = decider
        self._reporter = reporter
        self._store = store
        self._stops = stops
        self._picture = picture
        self._stream = stream
        self._figures = figures
        self._lease_epoch: Epoch | None = None
        self._refused_epoch: Epoch | None = None
        self._epoch = 0
        self._sequence = 0
        self._has_raised = False
        self._trusted_at = 0.0
        self._stepped_at: float | None = None
        self._counts: dict[str, TargetCounts] = {}
        self._seen: tuple[ConfigurationSnapshot, OptionValues] | None = None
        self._reading: Reading | None = None
        self._cycles = 0

    # --- what requests and findings show --------------------------------------------------------

    @property
    def epoch(self) -> int:
        """Epoch of the last report."""
        return self._epoch

    @property
    def sequence(self) -> int:
        """Sequence of the last report."""
        return self._sequence

    def is_master(self) -> bool:
        """Whether this node sends: it holds the lease and the engine has not refused its epoch.

        While the store of the lease is away it goes on for `maxStoreSilence`: nobody else can get
        a higher epoch meanwhile (ARCHITECTURE: decision 7).
        """
        if not self._leadership.is_held():
            return False
        now = self._times.machine.monotonic()
        if self._leadership.is_trusted():
            self._trusted_at = now
        limit_s = self._settings.current.seconds("clustering", "maxStoreSilence")
        return self._leadership.epoch != self._refused_epoch and now - self._trusted_at <= limit_s

    def findings(self) -> tuple[Finding, ...]:
        """What the Stat Server does not give."""
        reading, plan = self._reading, self._decider.plan
        if reading is None:
            return ()
        refused = [
            (f"{plan.wanted[place].object_kind} '{plan.wanted[place].object}'", why)
            for place, why in reading.refused.items()
            if place < len(plan.wanted)
        ]
        refused += [
            (f"GroupAgents '{plan.groups[place].object}'", why)
            for place, why in reading.refused_groups.items()
            if place < len(plan.groups)
        ]
        found = [
            Finding(where, "statistics", f"{why}; its targets get no permits", "mend it there")
            for where, why in dict.fromkeys(refused)
        ]
        if reading.problem:
            consequence = f"{reading.problem}; permits end after three cycles"
            fix = "start the Stat Server, or look at its findings"
            found.append(Finding("Stat Server", "statistics", consequence, fix))
        return tuple(found)

    # --- the loop -------------------------------------------------------------------------------

    async def run(self) -> None:
        """Run until cancelled."""
        machine = self._times.machine
        due = machine.monotonic()
        while True:
            if not self.is_master():
                self._figures.is_master.set(0)
                self._stepped_at = None
                await machine.sleep(STANDBY_PAUSE_S)
                due = machine.monotonic()
                continue
            await self._step_safely()
            due += self._reporter.period_machine_s()
            if machine.monotonic() > due:
                self._figures.late_cycles.inc()
                due = machine.monotonic()
            await machine.sleep(due - machine.monotonic())

    async def save(self) -> None:
        """Store what was learned, the stops and the epoch; nothing before the first leadership.

        Raises
        ------
        PacelineError
            `database_unavailable`; `stale_epoch` when a newer master has saved.
        """
        if self._lease_epoch is None:
            return
        pacer, (algorithm, min_sample) = self._decider.save()
        state = SavedState(
            pacer=pacer,
            algorithm=algorithm,
            min_sample=min_sample,
            is_stopped=self._stops.is_all,
            stopped=self._stops.targets,
            alarms=self._reporter.active_alarms,
        )
        stored = StoredCycle(epoch=self._epoch, sequence=self._sequence, state=state)
        await self._store.save(stored, self._times.business.now())

    async def store_stops(self) -> None:
        """Store the stops before they are answered; raises like `save`, and before the first cycle."""
        if self._lease_epoch != self._leadership.epoch:
            raise PacelineError(
                "operation_in_progress", "this node is just taking over; repeat", retry_after_s=1.0
            )
        await self.save()

    async def _save_some(self) -> None:
        try:
            await self.save()
        except PacelineError as error:
            _log.warning("what was learned is not saved now", why=error.message)

    async def _step_safely(self) -> None:
        try:
            if self._leadership.epoch != self._lease_epoch:
                await self._begin_leadership(self._leadership.epoch)
            await self._step()
        except PacelineError as error:
            _log.warning("a cycle was left out", why=error.message, error=error.name)

    async def _begin_leadership(self, lease_epoch: Epoch) -> None:
        """Start on what the last master saved, above every epoch it used."""
        stored = await self._store.load()
        state = stored.state
        self._epoch = max(lease_epoch, stored.epoch + 1)
        self._sequence = 0
        self._has_raised = False
        self._counts = {}
        self._seen = None
        self._stepped_at = None
        self._stops.restore(state.is_stopped, state.stopped)
        self._reporter.restore_alarms(state.alarms)
        self._decider.begin(state.pacer, (state.algorithm, state.min_sample))
        self._take_over_configuration()
        self._lease_epoch = lease_epoch
        await self.save()
        _log.standard("this node is the pacing master", epoch=self._epoch)

    async def _step(self) -> None:
        machine = self._times.machine
        started_at = machine.monotonic()
        options = self._take_over_configuration()
        limit_s = max(SHORTEST_TIMEOUT_S, self._reporter.period_machine_s() / 2)
        self._reading = await self._statistics.read(self._decider.plan, timeout_s=limit_s)
        most = options["pacing", "maxInvitesPerPeriod"]
        decision = self._decider.decide(
            self._reading,
            self._counts,
            elapsed_s=self._elapsed_s(options),
            stopped=self._stops.targets,
            is_all_stopped=self._stops.is_all,
            most=most if isinstance(most, int) else None,
        )
        rows = rows_of(decision, self._stops.targets)
        self._figures.compute.observe(machine.monotonic() - started_at)
        outcome = await self._reporter.send(rows, epoch=self._epoch, sequence=self._sequence + 1)
        self._sequence = outcome.sequence
        self._count(outcome, decision)
        self._show(decision, rows)
        self._counts = self._reporter.learn(outcome)
        if outcome.newer_epoch is not None:
            await self._answer_stale(outcome.newer_epoch)
        self._cycles += 1
        if self._cycles % SAVE_EVERY == 0:
            await self._save_some()

    def _take_over_configuration(self) -> OptionValues:
        """Targets follow the configuration at once; nothing is computed while it stays the same."""
        now = (self._configuration.snapshot, self._settings.current)
        if self._seen is None or self._seen[0] is not now[0] or self._seen[1] is not now[1]:
            self._decider.set_targets(*now)
            self._seen = now
        return now[1]

    def _elapsed_s(self, options: OptionValues) -> float:
        """Business seconds since the last step; one period at the first."""
        now, before = self._times.machine.monotonic(), self._stepped_at
        self._stepped_at = now
        if before is None:
            return options.seconds("pacing", "refreshPeriod")
        return (now - before) * self._times.business.speed

    async def _answer_stale(self, engines_epoch: int) -> None:
        """409 stale_epoch: whoever still holds the lease goes above the engine's epoch, once."""
        if self._leadership.is_trusted() and not self._has_raised:
            self._has_raised = True
            self._epoch = max(self._epoch, engines_epoch) + 1
            self._sequence = 0
            _log.warning(
                "the engagement engine follows a newer epoch, yet this node holds the lease: "
                "its epoch is raised",
                engines_epoch=engines_epoch,
                epoch=self._epoch,
            )
            await self._save_some()
            return
        self._refused_epoch = self._lease_epoch
        _log.warning(
            "the engagement engine follows a newer epoch: this node sends no more until it takes "
            "the lease anew",
            engines_epoch=engines_epoch,
            epoch=self._epoch,
        )

    def _show(self, decision: Decision, rows: tuple[TargetRow, ...]) -> None:
        view = CycleView(
            decision=decision,
            rows=rows,
            at=self._times.business.now(),
            epoch=self._epoch,
            sequence=self._sequence,
        )
        self._picture.add(view)
        self._stream.publish(view)

    def _count(self, outcome: Outcome, decision: Decision) -> None:
        figures = self._figures
        figures.is_master.set(1)
        figures.cycles.inc()
        figures.round_trip.observe(outcome.round_trip_s)
        figures.targets.labels("sound").set(len(decision.targets))
        figures.targets.labels("misconfigured").set(len(decision.misconfigured))
        figures.pending.set(sum(row.pending for row in outcome.counts.values()))
        if outcome.failure:
            figures.failures.inc()
        else:
            figures.permits.inc(int(decision.permits.sum()))
