"""World E of PACING.md as a small discrete-event playground: many replications side by side, each a target.

Used by the pacer's quality tests. All durations are exponential, so each replication is a Markov chain whose
jumps are drawn for all replications at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paceline.pacer import CycleInput, Pacer

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class WorldE:
    """N agents, acceptance p, service, response and patience in seconds, cycle T, reactive arrivals per second."""

    agents: int = 20
    acceptance: float = 0.3
    service_s: float = 200.0
    response_s: float = 15.0
    patience_s: float = 60.0
    period_s: float = 5.0
    reactive_rate: float = 0.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """Busy share of agent time, abandoned share of accepted proactive interactions, after the warm-up."""

    utilization: float
    abandoned_share: float
    accepted: float


class _Chains:
    """State and cumulative counts of all replications."""

    def __init__(self, world: WorldE, replications: int, seed: int) -> None:
        self.world = world
        self.draw = np.random.default_rng(seed)
        self.pending, self.busy, self.busy_s = np.zeros((3, replications))
        self.waiting, self.waiting_reactive = np.zeros((2, replications))
        self.accepted, self.abandoned, self.served, self.sent, self.resolved = np.zeros(
            (5, replications)
        )
        self.reactive_arrived, self.reactive_abandoned = np.zeros((2, replications))

    def run(self, duration_s: float) -> None:
        """Let every replication pass `duration_s`."""
        left = np.full(self.pending.size, duration_s)
        while (left > 0.0).any():
            left = self._jump(left)

    def _jump(self, left: Array) -> Array:
        world = self.world
        rates = np.stack(
            (
                self.pending / world.response_s,
                self.busy / world.service_s,
                self.waiting / world.patience_s,
                self.waiting_reactive / world.patience_s,
                np.full(left.size, world.reactive_rate),
            )
        )
        edges = np.cumsum(rates, axis=0)
        chance = self.draw.random((3, left.size))
        wait = -np.log1p(-chance[0]) / np.maximum(edges[-1], 1e-12)
        happens = wait < left
        self.busy_s += self.busy * np.minimum(wait, left)
        kind = np.where(happens, (chance[1] * edges[-1] >= edges).sum(axis=0), -1)
        answer = kind == 0
        enters = answer & (chance[2] < world.acceptance)
        released = kind == 1
        left_proactive, left_reactive, arrives = kind == 2, kind == 3, kind == 4
        self.pending -= answer
        self.resolved += answer
        self.accepted += enters
        self.reactive_arrived += arrives
        self.served += released
        self.abandoned += left_proactive
        self.reactive_abandoned += left_reactive
        self.busy -= released
        self.waiting += enters.astype(float) - left_proactive
        self.waiting_reactive += arrives.astype(float) - left_reactive
        self._seat(chance[2])
        return np.where(happens, left - wait, 0.0)

    def _seat(self, chance: Array) -> None:
        """Give a free agent the next waiting interaction (which kind: in proportion, all exponential)."""
        total = self.waiting + self.waiting_reactive
        seats = (total > 0.0) & (self.busy < self.world.agents)
        is_reactive = seats & (chance * total < self.waiting_reactive)
        self.busy += seats
        self.waiting_reactive -= is_reactive
        self.waiting -= seats & ~is_reactive

    def reading(self, elapsed_s: float) -> CycleInput:
        """What a stat server and an engine would tell the pacer now."""
        return CycleInput(
            elapsed_s=elapsed_s,
            accepted=self.accepted,
            abandoned=self.abandoned,
            reactive_arrived=self.reactive_arrived,
            reactive_abandoned=self.reactive_abandoned,
            served=self.served,
            waiting=self.waiting + self.waiting_reactive,
            ready=self.world.agents - self.busy,
            busy=self.busy,
            pending=self.pending,
            sent=self.sent,
            resolved=self.resolved,
        )


def simulate(
    world: WorldE,
    *,
    replications: int,
    cycles: int,
    warm_up: int = 360,
    seed: int = 1,
    goal_percent: float = 3.0,
    policy: str = "position",
) -> Outcome:
    """Run one pacer over all replications; the first `warm_up` cycles (30 min at T = 5 s) are not counted."""
    chains = _Chains(world, replications, seed)
    pacer = Pacer(
        [f"target {number}" for number in range(replications)],
        goal_percent=goal_percent,
        period_s=world.period_s,
        policy=policy,
    )
    before = np.zeros(3)
    for cycle in range(cycles):
        if cycle == warm_up:
            before = _totals(chains)
        permits = pacer.step(chains.reading(world.period_s)).permits
        chains.pending += permits
        chains.sent += permits
        chains.run(world.period_s)
    busy_s, abandoned, accepted = _totals(chains) - before
    agent_s = world.agents * replications * (cycles - warm_up) * world.period_s
    return Outcome(busy_s / agent_s, abandoned / max(accepted, 1.0), accepted)


def _totals(chains: _Chains) -> Array:
    return np.array([chains.busy_s.sum(), chains.abandoned.sum(), chains.accepted.sum()])
