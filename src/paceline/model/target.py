"""Discovery of pacing targets in a configuration: virtual queue + media type + agent groups.

Called by the pacing server at each configuration change. What makes a virtual queue no target is
said in a few words here; checks/virtual_queues.py names object, field and fix.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import isfinite

from paceline.model.configuration import AgentGroup, ConfigurationObject, Dn, OptionValue
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.units.quantities import DEFAULT_TENANT

DEFAULT_GOAL_PERCENT = 3.0
"""Documented default of `optimizationGoal` (pacing-service.md §1.4)."""

_LIST_MARKS = ",;|"


@dataclass(frozen=True, slots=True)
class PacingTarget:
    """A virtual queue with the agent groups that list it; `mistake` says why it gets no permits.

    `queues` are the numbers of all virtual queues of the medium that one of the groups lists, its
    own among them (§3.8: Q): what waits there competes for the same agents.
    """

    name: str
    virtual_queue: str
    media_type: str
    agent_groups: tuple[str, ...]
    goal_percent: float = DEFAULT_GOAL_PERCENT
    queues: tuple[str, ...] = ()
    mistake: str = ""


@dataclass(frozen=True, slots=True)
class Discovery:
    """All targets of a tenant, by name.

    `goals` holds the last good goal by the virtual queue's object id, for the next discovery;
    `without_medium` the queues whose traffic is left out because nothing tells their medium.
    """

    targets: tuple[PacingTarget, ...]
    misconfigured: tuple[PacingTarget, ...]
    goals: Mapping[int, float]
    without_medium: tuple[str, ...]


def discover(
    snapshot: ConfigurationSnapshot,
    *,
    tenant: int = DEFAULT_TENANT,
    default_goal: float = DEFAULT_GOAL_PERCENT,
    last_goals: Mapping[int, float] | None = None,
) -> Discovery:
    """Targets of every switch; a virtual queue without a `pacing` section is none of them.

    `default_goal` is the cluster's goal, percent 0-100; a queue's own goal goes before it, and a
    wrong one of its own leaves the last good one.
    """
    queues = [
        (item, dn)
        for item, dn in snapshot.all_of(Dn, tenant)
        if dn.dn_type == "virtual_queue" and dn.state == "enabled"
    ]
    listed_by = _groups_by_entry(snapshot, tenant)
    listed = _queues_by_group(queues, listed_by)
    goals: dict[int, float] = {}
    sound: dict[str, PacingTarget] = {}
    misconfigured: list[PacingTarget] = []
    for item, dn in queues:
        if "pacing" not in dn.options:
            continue
        goal = _goal(dn.option("pacing", "optimizationGoal"), (last_goals or {}).get(item.id))
        if goal is not None:
            goals[item.id] = goal
        groups = _groups_of(dn, listed_by)
        media = _medium(dn.option("pacing", "media"))
        name = f"{dn.number} - {media or '(no media)'}"
        mistake = _mistake(item, dn, media, groups, name in sound)
        if mistake and name in sound:
            name += f" ({dn.switch})"
        target = PacingTarget(
            name=name,
            virtual_queue=dn.number,
            media_type=media,
            agent_groups=groups,
            goal_percent=default_goal if goal is None else goal,
            queues=_competing(dn.number, media, groups, listed),
            mistake=mistake,
        )
        if mistake:
            misconfigured.append(target)
        else:
            sound[name] = target
    return Discovery(
        targets=tuple(sound[name] for name in sorted(sound)),
        misconfigured=_unique(misconfigured),
        goals=goals,
        without_medium=tuple(
            sorted(dn.number for _, dn in queues if _groups_of(dn, listed_by) and not media_of(dn))
        ),
    )


def comma_list(names: Iterable[str]) -> str:
    """Names as one text: a comma inside a name is written with a backslash before it (§4.1)."""
    return ",".join(name.replace(",", "\\,") for name in names)


def media_of(dn: Dn) -> str:
    """The media type of a virtual queue's traffic, empty when nothing tells it (§3.8)."""
    return _medium(dn.option("pacing", "media")) or _medium(dn.option("statserver", "media-type"))


def _medium(written: OptionValue | None) -> str:
    return "" if written is None else str(written).strip()


def _groups_by_entry(snapshot: ConfigurationSnapshot, tenant: int) -> dict[str, list[str]]:
    """Names of enabled agent groups by each entry of their origination DNs."""
    found: dict[str, list[str]] = {}
    for item, group in snapshot.all_of(AgentGroup, tenant):
        if group.state == "enabled":
            for entry in group.origination_dns:
                found.setdefault(entry, []).append(item.name)
    return found


def _groups_of(dn: Dn, listed_by: Mapping[str, list[str]]) -> tuple[str, ...]:
    names = {
        *listed_by.get(dn.number, ()),
        *listed_by.get(f"{dn.number}@{dn.switch}", ()),
    }
    return tuple(sorted(names))


def _queues_by_group(
    queues: list[tuple[ConfigurationObject, Dn]], listed_by: Mapping[str, list[str]]
) -> dict[tuple[str, str], list[str]]:
    """Numbers of the virtual queues that a group lists, by group and medium."""
    found: dict[tuple[str, str], list[str]] = {}
    for _, dn in queues:
        for group in _groups_of(dn, listed_by):
            found.setdefault((group, media_of(dn)), []).append(dn.number)
    return found


def _competing(
    number: str,
    media: str,
    groups: tuple[str, ...],
    listed: Mapping[tuple[str, str], list[str]],
) -> tuple[str, ...]:
    others = {queue for group in groups for queue in listed.get((group, media), ())}
    return tuple(sorted({number, *others}))


def _mistake(
    item: ConfigurationObject, dn: Dn, media: str, groups: tuple[str, ...], is_taken: bool
) -> str:
    if not media:
        return "the option pacing.media is missing"
    if any(mark in media for mark in _LIST_MARKS):
        return f"pacing.media is a list ('{media}'); one media type is wanted"
    if item.name != dn.number:
        return f"the alias '{item.name}' is not the number '{dn.number}'"
    if not groups:
        return "no agent group lists the virtual queue among its Origination DNs"
    if is_taken:
        return f"a virtual queue '{dn.number}' of another switch has the same medium"
    return ""


def _goal(written: OptionValue | None, last_good: float | None) -> float | None:
    """The queue's own goal; the last good one when what is written is no percentage."""
    if written is None:
        return None
    try:
        goal = float("nan") if isinstance(written, bool) else float(written)
    except ValueError:
        goal = float("nan")
    return goal if isfinite(goal) and 0.0 <= goal <= 100.0 else last_good


def _unique(misconfigured: list[PacingTarget]) -> tuple[PacingTarget, ...]:
    """One row per name, by name: a name says which queue to mend, the findings say all."""
    by_name = {target.name: target for target in reversed(misconfigured)}
    return tuple(by_name[name] for name in sorted(by_name))
