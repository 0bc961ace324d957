"""`paceline rehearse`: the whole site on virtual time under faults from a seed, judged by invariants.

The rehearsal itself is in simulator/whole, imported when it runs, so that other commands start sooner; here
is what is asked and what is told.
"""

import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from paceline.cli.output import AsJson, print_json, print_table
from paceline.runtime.chance import Chance
from paceline.simulator.whole.plan import Outcome, Plan, Profile

app = typer.Typer()

Seed = Annotated[int | None, typer.Option(help="Repeats a run.", show_default="drawn")]
Hours = Annotated[float, typer.Option(min=0.01, help="Simulated hours with faults.")]
Kind = Annotated[Profile, typer.Option("--profile", help="How often what goes wrong.")]
Scale = Annotated[float, typer.Option(min=0.0, help="Customers per customer of the bank.")]
MostFaults = Annotated[
    int | None, typer.Option(min=0, help="Only so many faults of the seed's.", show_default="all")
]
Many = Annotated[
    int | None, typer.Option(min=1, help="So many runs, with the seeds that follow the first.")
]
Jobs = Annotated[int, typer.Option(min=1, help="Runs at once with --many.")]
LogFile = Annotated[Path | None, typer.Option("--log", help="Write the run's log here.")]


@app.callback(invoke_without_command=True)
def rehearse_site(
    context: typer.Context,
    seed: Seed = None,
    hours: Hours = 1.0,
    profile: Kind = "rough",
    scale: Scale = 0.1,
    most_faults: MostFaults = None,
    many: Many = None,
    jobs: Jobs = 2,
    log: LogFile = None,
    as_json: AsJson = False,
) -> None:
    """Rehearse the worst days: every server, agents and visitors in one process, time that jumps.

    Processes are killed and paused, links cut, databases fail, clocks go wrong, as the seed draws
    it. After each step invariants are checked: nothing acknowledged is lost, no interaction is with
    two agents, state is what the events tell, and more. The same seed gives the same run, byte for
    byte: the log's SHA-256 is printed last. A failure says what broke and how to run it again.

    With --many the first seed that fails is cut down to its shortest failing beginning.
    """
    if context.invoked_subcommand is not None:
        return
    if many is not None and log is not None:
        raise typer.BadParameter("--log is for one run; give its --seed without --many")
    plan = Plan(
        seed=Chance(seed).seed,
        duration_s=3600 * hours,
        profile=profile,
        scale=scale,
        most_faults=most_faults,
    )
    outcomes = [_one(plan, log)] if many is None else _many(plan, many, jobs)
    last = outcomes[-1]
    if as_json:
        print_json(last if many is None else outcomes)
    elif many is None or last.failure is not None:
        _tell(last)
    else:
        _tell_all(outcomes)
    if last.failure is not None:
        raise typer.Exit(1)


@app.command("bank-day")
def bank_day(
    replications: Annotated[
        int, typer.Option(min=1, help="Pairs of days, each with a seed of its own.")
    ] = 5,
    policies: Annotated[
        str, typer.Option(help="Two policies of the pacer, the first less the second is told.")
    ] = "position,progressive",
    hours: Annotated[float, typer.Option(min=0.01, help="Length of a day from 08:00 on.")] = 2.0,
    seed: Annotated[int, typer.Option(help="Seed of the first pair.")] = 1,
    jobs: Jobs = 2,
    as_json: AsJson = False,
) -> None:
    """Live a real bank's day through the whole servers, under two pacing policies with the same people.

    Nothing goes wrong; the difference is the policies' alone. Intervals are 95 %, over the pairs.
    """
    from paceline.simulator.whole.bank_day import compare, live_all

    names = tuple(policies.split(","))
    if len(names) != 2:
        raise typer.BadParameter("name two policies, such as position,progressive")
    days = []
    seeds = range(seed, seed + replications)
    _say(f"seeds {seed} to {seed + replications - 1}")
    with _bar() as bar:
        task = bar.add_task("days", total=2 * replications)
        for day in live_all(seeds, (names[0], names[1]), hours, jobs):
            days.append(day)
            bar.update(task, advance=1)
    found = compare(days, (names[0], names[1]), hours)
    if as_json:
        print_json(found)
        return
    rows = [
        (name, f"{100 * used:.2f}", f"{lost:.2f}", accepted)
        for name, used, lost, accepted in zip(
            found.policies, found.utilization, found.abandoned_percent, found.accepted, strict=True
        )
    ]
    print_table(
        f"{found.pairs} pairs of {hours:g} h",
        ("policy", "utilization %", "abandoned %", "accepted"),
        rows,
    )
    interval = f"({100 * found.low:+.2f} to {100 * found.high:+.2f})"
    print(
        f"difference of utilization {100 * found.difference:+.2f} points "
        f"{interval if found.pairs > 1 else '(one pair has no interval)'}"
    )
    print(f"{found.hours_per_s:.3f} simulated h per s and process")


def _one(plan: Plan, log: Path | None) -> Outcome:
    from paceline.simulator.whole.run import rehearse

    _say(f"seed {plan.seed}")
    with _bar() as bar:
        task = bar.add_task(f"{plan.profile}, {plan.duration_s / 3600:g} h", total=plan.duration_s)
        if log is None:
            return rehearse(plan, progress=lambda now: bar.update(task, completed=now))
        with log.open("w", encoding="utf-8") as file:
            return rehearse(plan, file=file, progress=lambda now: bar.update(task, completed=now))


def _many(plan: Plan, count: int, jobs: int) -> list[Outcome]:
    """Outcomes of all seeds; or up to the first that fails, which then is as short as possible."""
    from paceline.simulator.whole.many import rehearse_many, shortest_failing

    _say(f"seeds {plan.seed} to {plan.seed + count - 1}")
    plans = [msgspec.structs.replace(plan, seed=plan.seed + n) for n in range(count)]
    ended: list[Outcome] = []
    with _bar() as bar:
        task = bar.add_task(f"{plan.profile}, {plan.duration_s / 3600:g} h each", total=count)
        for outcome in rehearse_many(plans, jobs):
            ended.append(outcome)
            bar.update(task, advance=1)
            if outcome.failure is None:
                told = f"seed {outcome.plan.seed} passed: {outcome.faults} faults, {outcome.speed:.0f} times"
                bar.console.print(f"{told} as fast as real time", highlight=False)
            else:
                bar.stop()
                _say(f"seed {outcome.plan.seed} fails: {outcome.failure.what}")
                _say("looking for its shortest failing beginning")
                ended[-1] = shortest_failing(outcome, _say)
                break
    return ended


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(console=console, disable=not console.is_terminal, transient=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _tell_all(outcomes: list[Outcome]) -> None:
    simulated_s = sum(outcome.simulated_s for outcome in outcomes)
    real_s = sum(outcome.real_s for outcome in outcomes)
    print(
        f"{len(outcomes)} seeds passed: {simulated_s / 3600:.1f} simulated h, "
        f"{sum(o.faults for o in outcomes)} faults, {sum(o.requests for o in outcomes)} requests, "
        f"{sum(o.interactions for o in outcomes)} interactions"
    )
    print(f"{simulated_s / real_s:.0f} simulated s per s and process")


def _tell(outcome: Outcome) -> None:
    failure = outcome.failure
    print(
        f"seed {outcome.plan.seed}: {outcome.faults} faults, {outcome.requests} requests, "
        f"{outcome.interactions} interactions, {outcome.events} events "
        f"in {outcome.simulated_s:.0f} simulated s"
    )
    if failure is not None:
        print(f"FAILED after {failure.at_s:.3f} s: {failure.invariant}")
        print(f"  {failure.what}")
        for line in failure.lines:
            print(f"    {line}")
        print(f"again: {outcome.plan.command} --log FILE")
    print(f"{outcome.speed:.0f} simulated s per s")
    print(f"log SHA-256 {outcome.digest}")
