"""What is done with outcomes: the shortest failing beginning, paired days, the page on failures."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from paceline.simulator.summary import DemoSummary, Interactions, Reactive
from paceline.simulator.whole import (
    answers,
    invariant,
    liveness,
    many,
    order,
    permits,
    statistics,
    stored_state,
)
from paceline.simulator.whole.bank_day import BankDay, compare
from paceline.simulator.whole.plan import Failure, Outcome, Plan

PAGE = Path(__file__).parents[4] / "docs" / "how-to" / "read-a-failed-rehearsal.md"


def outcome(plan: Plan, *, fails: bool) -> Outcome:
    """What a run may come to."""
    broken = Failure(invariant="i", what="i: broken", at_s=plan.duration_s + 60)
    return Outcome(
        plan=plan, simulated_s=plan.duration_s, real_s=1.0, faults=40, requests=1, events=1,
        interactions=1, digest="", failure=broken if fails else None,
    )  # fmt: skip


def test_the_shortest_failing_beginning_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fewest faults with which it fails, then the shortest time with these."""

    def rehearse(plan: Plan) -> Outcome:
        faults = 40 if plan.most_faults is None else plan.most_faults
        return outcome(plan, fails=faults >= 7 and plan.duration_s >= 300.0)

    monkeypatch.setattr(many, "rehearse", rehearse)
    told: list[str] = []
    plan = Plan(seed=1, duration_s=3600.0)
    found = many.shortest_failing(outcome(plan, fails=True), told.append)
    assert found.plan.most_faults == 7
    assert 300.0 <= found.plan.duration_s < 300.0 + many.SHORTEST_S
    assert found.plan.command.startswith("paceline rehearse --seed 1 --hours 0.08")
    assert any("with 7 faults fails" in line for line in told)


def test_many_runs_end_when_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one process they come in the order of the plans, each begun only when asked for."""
    begun: list[int] = []

    def rehearse(plan: Plan) -> Outcome:
        begun.append(plan.seed)
        return outcome(plan, fails=plan.seed == 2)

    monkeypatch.setattr(many, "rehearse", rehearse)
    plans = [Plan(seed=seed) for seed in range(5)]
    for one in many.rehearse_many(plans, jobs=1):
        if one.failure is not None:
            break
    assert begun == [0, 1, 2]


def day(seed: int, policy: str, utilization: float) -> BankDay:
    """A day of which only the utilization differs."""
    summary = DemoSummary(
        business_hours=1.0, permits=1, invitations=1, accepted=100, abandoned=2,
        abandoned_percent=2.0, abandoned_percent_interval=(0.0, 5.0), goal_percent=3.0,
        utilization=utilization, reactive=Reactive(1, 0), interactions=Interactions(1, 1, 0),
        events=1, events_recounted=1, alarms=0, log_errors=0, policy=policy,
    )  # fmt: skip
    return BankDay(seed=seed, policy=policy, summary=summary, real_s=36.0)


def test_paired_days_are_compared() -> None:
    """Mean difference 0.06 with standard error 0.01/√3: Student's t of 2 degrees is 4.303."""
    days = []
    for seed, gain in enumerate((0.05, 0.06, 0.07)):
        base = 0.7 + seed / 100
        days += [day(seed, "position", base + gain), day(seed, "progressive", base)]
    found = compare(days, ("position", "progressive"), 1.0)
    assert found.difference == pytest.approx(0.06)
    assert found.high - found.difference == pytest.approx(4.303 * 0.01 / 3**0.5, rel=1e-3)
    assert found.abandoned_percent == (2.0, 2.0)
    assert found.hours_per_s == pytest.approx(1 / 36)


def test_the_page_names_every_invariant() -> None:
    """docs/how-to/read-a-failed-rehearsal.md has a row for each."""
    page = PAGE.read_text(encoding="utf-8")
    named = (
        answers.AnsweredInTime, answers.AcknowledgedIsKept, answers.RefusedIsUndone,
        answers.NothingUnforeseen,
        invariant.EventLog, order.ViewOrder, order.SubscribersSeeAll, stored_state.StoredState,
        permits.PermitsSpent, permits.NoneSpentDead, statistics.StatisticsRecounted,
        liveness.Liveness,
    )  # fmt: skip
    for one in named:
        assert one.NAME in page, one.NAME


def test_a_plan_says_how_to_run_it_again() -> None:
    """Everything that the course depends on stands in the command."""
    plan = replace(Plan(seed=3, duration_s=1800.0, profile="hostile"), most_faults=4)
    assert plan.command == (
        "paceline rehearse --seed 3 --hours 0.5 --profile hostile --scale 0.1 --most-faults 4"
    )
