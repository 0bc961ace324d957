"""`paceline bench pacing` and `paceline bench cycle`: how good the pacer is, and how fast.

Pacer and suites are imported when they run: the suites need the extra `sim`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress

from paceline.cli.output import AsJson, print_json, print_table
from paceline.cli.running import run
from paceline.cli.simulate import require_worlds
from paceline.errors.failure import PacelineError

if TYPE_CHECKING:
    from paceline.bench.pacing import AloneClass, Class, Line, Report
    from paceline.simulator.numeric.figures import Estimate

TELL_EVERY_S = 30.0
"""Seconds between two lines of progress where there is no terminal."""


def pacing(
    suite: Annotated[
        list[str] | None, typer.Option(help="Only this suite; may be given again.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this policy; may be given again. All but position take a quarter of the days, at least 2."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Repeats the same chance.")] = 1,
    quick: Annotated[
        bool, typer.Option("--quick", help="A tenth of the days, no 500 agents.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Also write the JSON to this file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the pacing policies in the suites of the design, beside the best that is possible."""
    require_worlds()
    from paceline.bench.pacing import measure
    from paceline.bench.pacing_suites import SUITES
    from paceline.pacer.pacer import POLICIES

    suites = _chosen("suite", suite, SUITES)
    policies = _chosen("policy", policy, POLICIES)
    with _progress() as progress:
        report = measure(suites, policies, seed=seed, quick=quick, progress=progress)
    if out is not None:
        out.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    if as_json:
        print_json(report)
    else:
        _print(report)


def cycle(
    policy: Annotated[str, typer.Option(help="Policy of the pacer.")] = "position",
    rounds: Annotated[int, typer.Option(min=1, help="Steps that are measured.")] = 7,
    largest: Annotated[int, typer.Option(min=1, help="Leave out larger sizes.")] = 1_000_000,
    as_json: AsJson = False,
) -> None:
    """Measure the pacer alone: ms per step for 10,000, 100,000 and 1,000,000 targets, bytes per target."""
    from paceline.bench import cycle as cycles
    from paceline.pacer.pacer import POLICIES

    _chosen("policy", [policy], POLICIES)
    sizes = tuple(size for size in cycles.SIZES if size <= largest)
    found = run(
        cycles.measure(
            policy=policy,
            sizes=sizes,
            rounds=rounds,
            progress=lambda line: print(line, file=sys.stderr),
        )
    )
    if as_json:
        print_json(found)
        return
    print_table(
        f"One step, policy {policy}",
        ("targets", "agents", "median ms", "min", "max"),
        [
            (
                f"{s.targets:,}",
                s.arrangement,
                *(f"{v:,.4g}" for v in msgspec.structs.astuple(s.step_ms)),
            )
            for s in found.steps
        ],
    )
    print_table(
        "Bytes per target",
        ("period s", "kept", "peak", "saved"),
        [
            (f"{m.period_s:g}", f"{m.kept:.0f}", f"{m.peak:.0f}", f"{m.saved:.0f}")
            for m in found.memory
        ],
    )


def _chosen(kind: str, names: list[str] | None, known: tuple[str, ...]) -> tuple[str, ...]:
    for name in names or ():
        if name not in known:
            raise PacelineError(
                "invalid_attribute",
                f"no {kind} '{name}': use one of {', '.join(known)}",
                field=kind,
            )
    return tuple(names) if names else known


@contextmanager
def _progress() -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error; without a terminal a line there at every policy and every half minute."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("pacing", total=1.0)
        told = ("", 0.0)

        def tell(share: float, name: str) -> None:
            nonlocal told
            bar.update(task, completed=share, description=name)
            now = bar.get_time()
            if not console.is_terminal and (name != told[0] or now - told[1] >= TELL_EVERY_S):
                told = (name, now)
                print(f"{100 * share:.0f} % {name}", file=sys.stderr, flush=True)

        yield tell


def _print(report: Report) -> None:
    columns = ("suite", "cell", "policy", "utilization", "U*", "ratio", "abandoned %")
    columns_more = ("bad days %", "worst 15 min %", "first hour %", "days")
    print_table("Pacing", columns + columns_more, map(_line, report.lines))
    if report.classes:
        names = ("suite", "policy", "agents", "cells", "utilization", "ratio", "worst", "in goal %")
        alone = ("rule alone: ratio", "in goal %", "ours ÷ rule, same abandonment", "worst")
        print_table("Classes by agents", names + alone, map(_class, report.classes))
    print(report.method)


def _line(line: Line) -> tuple[str, ...]:
    own = line.figures
    return (
        line.suite,
        own.name,
        own.policy,
        _spread(own.utilization, 1.0, 4),
        "" if line.bound is None else f"{line.bound:.4f}",
        "" if line.ratio is None else f"{line.ratio.value:.4f}",
        _spread(own.abandoned, 100.0, 2),
        f"{100 * own.bad_days:.1f}",
        f"{100 * own.worst_quarter:.1f}",
        f"{100 * own.first_hour_abandoned:.2f}",
        str(own.replications),
    )


def _spread(value: Estimate, factor: float, places: int) -> str:
    half = factor * (value.high - value.value)
    return f"{factor * value.value:.{places}f} ±{half:.{places}f}"


def _class(found: Class) -> tuple[str, ...]:
    ratios = ("" if value is None else f"{value:.4f}" for value in (found.ratio, found.worst_ratio))
    return (
        found.suite,
        found.policy,
        found.agents,
        str(found.cells),
        f"{found.utilization:.4f}",
        *ratios,
        f"{100 * found.within_goal:.0f}",
        *_alone(found.alone),
    )


def _alone(found: AloneClass | None) -> tuple[str, ...]:
    if found is None:
        return ("", "", "", "")
    return (
        "" if found.ratio is None else f"{found.ratio:.4f}",
        f"{100 * found.within_goal:.0f}",
        f"{found.relative:.4f}",
        f"{found.worst_relative:.4f}",
    )
