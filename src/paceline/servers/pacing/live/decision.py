"""The decision of a cycle: a reading and the engine's last counts in, permits with reasons out.

Holds the pacer, the targets and what must be remembered between cycles; called by the cycle only.
Overrules the pacer where it cannot know: misconfigured, stopped, refused by the Stat Server, first
cycle. Never sends and never waits.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from paceline.model.options import OptionValues
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.model.target import Discovery, PacingTarget, discover
from paceline.pacer import CycleInput, CycleOutput, Pacer, PermitReason
from paceline.runtime.log import get_log
from paceline.servers.pacing.links.statistics import Reading
from paceline.servers.pacing.live.agents import AgentPools, AgentStates
from paceline.servers.pacing.rules.inputs import Field, InputPlan, plan_inputs
from paceline.wire.operations.engagement import TargetCounts

Array = NDArray[np.float64]

_log = get_log("pacing.decision")

DIAGNOSTICS = (
    "slack",
    "safety",
    "acceptance",
    "acceptance_low",
    "acceptance_high",
    "patience_s",
    "handle_time_s",
    "debt",
    "abandonment_forecast",
)


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """Permits and reasons of the sound targets, arrays (n,), with what they rest on."""

    targets: tuple[PacingTarget, ...]
    misconfigured: tuple[PacingTarget, ...]
    permits: NDArray[np.int64]
    reasons: NDArray[np.uint8]
    inputs: Mapping[str, Array]
    diagnostics: Mapping[str, Array]
    details: Mapping[str, str] = field(default_factory=dict)


class Decider:
    """Decides for one tenant's targets; `set_targets` before the first `decide`."""

    def __init__(self, tenant: int, states: AgentStates) -> None:
        self._tenant = tenant
        self._states = states
        self._pacer: Pacer | None = None
        self._made_with: tuple[str, int] = ("", 0)
        self._period_s = 0.0
        self._is_arranged = False
        self._pools = AgentPools(())
        self._pool_count = 0
        self._heard: set[str] = set()
        self.discovery = Discovery((), (), {}, ())
        self.plan: InputPlan = plan_inputs((), tenant=tenant)

    def begin(self, saved: bytes, made_with: tuple[str, int]) -> None:
        """A leadership begins: go on from what the last one learned, as far as it can be read.

        `made_with` is the algorithm and the smallest sample that the state was saved with. Every
        target counts as one whose pending invitations are unknown.
        """
        self._heard.clear()
        self._is_arranged = False
        self._pacer = None  # learns anew, with cautious first cycles
        if saved:
            try:
                self._pacer, self._made_with = Pacer.restore(saved), made_with
            except ValueError as damage:
                _log.warning("the saved pacing state is of no use", why=str(damage))

    def save(self) -> tuple[bytes, tuple[str, int]]:
        """Everything learned, for `begin`; empty before the first cycle."""
        return b"" if self._pacer is None else self._pacer.save(), self._made_with

    def set_targets(self, snapshot: ConfigurationSnapshot, options: OptionValues) -> None:
        """Take over the configuration; kept targets keep what was learned about them."""
        found = discover(
            snapshot,
            tenant=self._tenant,
            default_goal=options.number("pacing", "optimizationGoal"),
            last_goals=self.discovery.goals,
        )
        period_s = options.seconds("pacing", "refreshPeriod")
        made_with = (options.text("pacing", "algorithm"), options.integer("pacing", "minSample"))
        if self._pacer is None:
            self._pacer = Pacer((), policy=made_with[0], min_sample=made_with[1])
            self._is_arranged = False
        elif made_with != self._made_with:
            self._pacer.set_policy(made_with[0], min_sample=made_with[1])
        self._made_with = made_with
        if found.targets != self.discovery.targets:
            self.plan = plan_inputs(found.targets, tenant=self._tenant)
            self._pools = AgentPools(found.targets)
            self._pool_count = 0
            self._is_arranged = False
        self.discovery = found
        if not self._is_arranged or period_s != self._period_s:
            self._period_s = period_s
            self._arrange(self._pacer)
            self._is_arranged = True

    def decide(
        self,
        reading: Reading,
        counts: Mapping[str, TargetCounts],
        *,
        elapsed_s: float,
        stopped: Collection[str],
        is_all_stopped: bool,
        most: int | None,
    ) -> Decision:
        """One step of the pacer, then what it cannot know. `most` caps every target's permits."""
        targets = self.discovery.targets
        pacer = self._pacer
        if pacer is None or not targets:
            nothing = np.zeros(0)
            return Decision(
                targets,
                self.discovery.misconfigured,
                nothing.astype(np.int64),
                nothing.astype(np.uint8),
                {},
                {},
            )
        inputs = self._inputs(pacer, reading)
        is_first = np.array([target.name not in self._heard for target in targets])
        answers = self._answers(counts, is_first)
        output = pacer.step(CycleInput(elapsed_s=elapsed_s, **_pacer_fields(inputs), **answers))
        self._heard.update(target.name for target in targets)
        permits, reasons = self._cautious_start(output, inputs, is_first)
        if most is not None:
            permits = np.minimum(permits, most)
        details = self._overrule(reading, permits, reasons, stopped, is_all_stopped)
        return Decision(
            targets=targets,
            misconfigured=self.discovery.misconfigured,
            permits=permits,
            reasons=reasons,
            inputs={**inputs, **answers},
            diagnostics={name: getattr(output, name) for name in DIAGNOSTICS},
            details=details,
        )

    def _arrange(self, pacer: Pacer) -> None:
        targets = self.discovery.targets
        pacer.set_targets(
            [target.name for target in targets],
            goal_percent=np.array([target.goal_percent for target in targets]),
            period_s=np.full(len(targets), self._period_s),
            reach=self._pools.reach,
        )

    def _inputs(self, pacer: Pacer, reading: Reading) -> dict[str, Array]:
        """What the Stat Server says, per target and per pool; NaN where it says nothing."""
        sums: dict[Field, Array] = self.plan.add_up(reading.values)
        ready, busy = self._pools.measure(self._states)
        reach = self._pools.reach
        if ready.size != self._pool_count:
            self._pool_count = ready.size
            self._arrange(pacer)
        if not reading.has_states:
            ready, busy = np.full(ready.size, np.nan), np.full(busy.size, np.nan)
        unknown = np.full(len(self.discovery.targets), np.nan)
        has = reading.has_states
        return {
            **{str(name): values for name, values in sums.items()},
            "ready": np.asarray(reach @ ready) if has else unknown,
            "busy": np.asarray(reach @ busy) if has else unknown,
            "pool_ready": ready,
            "pool_busy": busy,
        }

    def _answers(
        self, counts: Mapping[str, TargetCounts], is_first: NDArray[np.bool_]
    ) -> dict[str, Array]:
        """The engine's counts; a target's first cycle begins with 0 pending (S1)."""
        found = [counts.get(target.name) for target in self.discovery.targets]

        def column(name: str) -> Array:
            values = [None if row is None else getattr(row, name) for row in found]
            return np.array([np.nan if value is None else value for value in values], dtype=float)

        pending = column("pending")
        return {
            "pending": np.where(is_first & np.isnan(pending), 0.0, pending),
            "sent": column("sent"),
            "resolved": column("resolved"),
        }

    def _cautious_start(
        self, output: CycleOutput, inputs: Mapping[str, Array], is_first: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
        """A first cycle cannot burst: at most one invitation per agent who is free right now."""
        free = np.nan_to_num(np.maximum(inputs["ready"] - inputs["waiting"], 0.0))
        capped = np.where(is_first, np.minimum(output.permits, free), output.permits)
        reasons = np.where(
            is_first & (capped < output.permits), np.uint8(PermitReason.COLD_START), output.reason
        )
        return capped.astype(np.int64), reasons.astype(np.uint8)

    def _overrule(
        self,
        reading: Reading,
        permits: NDArray[np.int64],
        reasons: NDArray[np.uint8],
        stopped: Collection[str],
        is_all_stopped: bool,
    ) -> dict[str, str]:
        """No permits for what is refused or stopped; returns why, by target, where there is more to say."""
        details = self._refusals(reading)
        for row, target in enumerate(self.discovery.targets):
            if target.name in details:
                permits[row], reasons[row] = 0, PermitReason.NO_STATISTICS
            elif reasons[row] == PermitReason.NO_STATISTICS and reading.problem:
                details[target.name] = reading.problem
            if is_all_stopped or target.name in stopped:
                permits[row], reasons[row] = 0, PermitReason.STOPPED
                details.pop(target.name, None)
        return details

    def _refusals(self, reading: Reading) -> dict[str, str]:
        """What the Stat Server refused, by the targets that need it."""
        targets = self.discovery.targets
        found = {
            targets[row].name: why
            for place, why in reading.refused.items()
            for row in self.plan.users[place]
        }
        refused = {self.plan.groups[at].object: why for at, why in reading.refused_groups.items()}
        if refused:
            for target in targets:
                for group in target.agent_groups:
                    if group in refused:
                        found[target.name] = refused[group]
        return found


def _pacer_fields(inputs: Mapping[str, Array]) -> dict[str, Array]:
    return {name: values for name, values in inputs.items() if name != "answered"}
