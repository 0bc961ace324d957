"""Scenario files: which cells a simulation has, what each is like, what happens during its day.

Read by `paceline simulate` and `paceline bench pacing`; docs/how-to/simulate.md lists the keys.
A key that does not exist is refused with the nearest known one.
"""

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from paceline.errors.failure import PacelineError
from paceline.wire.schema import field_error

SHIPPED: Final = (
    "e-grid",
    "r-grid",
    "changes",
    "cold-start",
    "lead-shortage",
    "shared",
    "bank-day",
    "faults",
)


class Pool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Agents who serve the same targets; `reaches` numbers them from 1."""

    agents: int
    reaches: tuple[int, ...]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """New values from a minute of the day on; what is not named stays."""

    at_min: float
    agents_factor: float | None = None
    acceptance: float | None = None
    reactive_share: float | None = None
    patience_s: float | None = None
    visitors_per_s: float | None = None


FaultKind = Literal[
    "statistics_frozen", "counters_reset", "duplicate_cycle", "engine_lost", "master_switch"
]


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that breaks at a minute of the day."""

    kind: FaultKind
    at_min: float
    for_s: float = 30.0


class Cell(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One contact centre and its day; defaults are those of PACING.md, "Worlds".

    `sees`: the queues a target's statistics cover. "shared": those of all targets that share agents with it, as
    when shared agents are a group of their own; "own": its own, as when they are members of several groups.
    """

    name: str = ""
    world: Literal["E", "R", "bank"] = "E"
    agents: int = 20
    slots: int = 1
    acceptance: float = 0.3
    service_s: float = 200.0
    response_s: float = 15.0
    patience_s: float = 60.0
    reactive_share: float = 0.0
    reactive_scale: float = 1.0
    goal_percent: float = 3.0
    period_s: float = 5.0
    hours: float = 8.0
    warm_up_min: float = 30.0
    replications: int | None = None
    visitors_per_s: float | None = None
    visit_s: float = 120.0
    silent_share: float = 0.0
    silent_s: float = 30.0
    targets: int = 1
    pools: tuple[Pool, ...] = ()
    sees: Literal["shared", "own"] = "shared"
    change: tuple[Change, ...] = ()
    fault: tuple[Fault, ...] = ()

    @property
    def agent_pools(self) -> tuple[Pool, ...]:
        """Its pools; one of its own where none are named."""
        return self.pools or (Pool(self.agents, tuple(range(1, self.targets + 1))),)

    @property
    def agent_count(self) -> int:
        """Agents of all pools at the start of the day."""
        return sum(pool.agents for pool in self.agent_pools)

    @property
    def replication_count(self) -> int:
        """Replications where nobody says how many: PACING.md, "Worlds"."""
        if self.replications is not None:
            return self.replications
        sizes = ((10, 200), (50, 100), (250, 30))
        return next((count for most, count in sizes if self.agent_count <= most), 8)

    @property
    def is_shared(self) -> bool:
        """Whether targets and agents do not simply belong to each other."""
        return self.targets > 1 or len(self.agent_pools) > 1

    @property
    def is_steady(self) -> bool:
        """Whether the bound of World E holds for it: one target, one slot, nothing that changes."""
        is_plain = self.targets == 1 and not self.pools and self.slots == 1
        is_open = self.visitors_per_s is None and self.silent_share == 0.0
        return self.world == "E" and is_plain and is_open and not self.change and not self.fault


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file: cells, values common to all, and a grid whose every combination each cell takes on."""

    title: str
    defaults: dict[str, Any] = {}
    grid: dict[str, list[Any]] = {}
    cell: list[dict[str, Any]] = []

    def cells(self) -> tuple[Cell, ...]:
        """Every cell, named after what makes it differ."""
        return tuple(_cell(values) for values in self._combinations())

    def _combinations(self) -> Iterator[dict[str, Any]]:
        for own in self.cell or [{}]:
            for values in product(*self.grid.values()):
                place = dict(zip(self.grid, values, strict=True))
                words = [own["name"]] if "name" in own else []
                words += [f"{_LETTER.get(key, key)}={value}" for key, value in place.items()]
                yield self.defaults | own | place | {"name": " ".join(words) or self.title}


_LETTER: Final = {"agents": "N", "acceptance": "p", "period_s": "T", "reactive_share": "reactive"}


def load(name: str) -> Scenario:
    """A shipped scenario by its name, or the file at a path.

    Raises
    ------
    PacelineError
        `not_found` when there is neither; `invalid_attribute` naming the key at fault.
    """
    if name in SHIPPED:
        text = files("paceline.simulator.numeric").joinpath(f"scenarios/{name}.toml").read_text()
        return parse(text)
    try:
        return parse(Path(name).read_text(encoding="utf-8"))
    except OSError:
        raise PacelineError(
            "not_found",
            f"no scenario '{name}': give a TOML file or one of {', '.join(SHIPPED)}",
            field="scenario",
        ) from None


def parse(text: str) -> Scenario:
    """A scenario from the text of its file, every cell checked.

    Raises
    ------
    PacelineError
        `invalid_attribute` naming the key at fault.
    """
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as mistake:
        raise _refused("scenario", f"the scenario is not valid TOML: {mistake}") from None
    scenario: Scenario = _converted(data, Scenario)
    for cell in scenario.cells():
        _check(cell)
    return scenario


def _cell(values: dict[str, Any]) -> Cell:
    cell: Cell = _converted(values, Cell)
    return cell


def _converted(data: Any, kind: Any) -> Any:
    try:
        return msgspec.convert(data, type=kind)
    except msgspec.ValidationError as mistake:
        raise field_error(mistake, kind) from None


_ABOVE_ZERO: Final = ("service_s", "response_s", "patience_s", "period_s", "hours", "visit_s")
_SHARES: Final = ("acceptance", "reactive_share", "silent_share")
_NOT_NEGATIVE: Final = ("reactive_scale", "warm_up_min", "silent_s", "agents")


def _check(cell: Cell) -> None:
    for name in _ABOVE_ZERO:
        _require(name, getattr(cell, name) > 0, "must be above 0")
    for name in _SHARES:
        _require(name, 0.0 <= getattr(cell, name) <= 1.0, "is a share from 0 to 1")
    for name in _NOT_NEGATIVE:
        _require(name, getattr(cell, name) >= 0, "must not be below 0")
    _require("acceptance", cell.acceptance > 0.0, "must be above 0")
    _require("goal_percent", 0.0 <= cell.goal_percent <= 100.0, "is a percentage from 0 to 100")
    _require("slots", 1 <= cell.slots <= 4, "is 1 to 4")
    _require("targets", cell.targets >= 1, "must be 1 or more")
    _require("replications", cell.replication_count >= 1, "must be 1 or more")
    _require(
        "warm_up_min", cell.warm_up_min < 60 * cell.hours, "must end before the day of `hours` does"
    )
    for pool in cell.pools:
        is_known = all(1 <= number <= cell.targets for number in pool.reaches)
        _require("reaches", bool(pool.reaches) and is_known, "numbers targets from 1 to `targets`")


def _require(field: str, holds: bool, rule: str) -> None:
    if not holds:
        raise _refused(field, f"field '{field}' {rule}")


def _refused(field: str, message: str) -> PacelineError:
    return PacelineError("invalid_attribute", message, field=field)
