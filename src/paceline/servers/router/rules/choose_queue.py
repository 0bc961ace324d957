"""Which virtual queue an interaction enters and which agent groups it may be offered to.

Called by tasks/dispatch for each pulled interaction, and again when the configuration changes.
The user data keys are those of pacing-service.md 4.1; only they are read. Never fails.
"""

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from paceline.model.configuration import Dn
from paceline.model.snapshot import ConfigurationSnapshot

LIST_SEPARATORS = (",", ";", "|")
"""Marks of a media list, which is no medium: such a virtual queue takes any (checks name it)."""

_NAME = re.compile(r"(?:[^,\\]|\\.)+")
_ESCAPED = re.compile(r"\\(.)")


class PacingKeys(msgspec.Struct, frozen=True):
    """The keys that decide about routing; anything but a text counts as absent."""

    virtual_queue: Any = msgspec.field(default=None, name="PacingVirtualQueue")
    agent_groups: Any = msgspec.field(default=None, name="PacingAgentGroups")


@dataclass(frozen=True, slots=True)
class Choice:
    """Where an interaction goes. No virtual queue: it cannot be routed, `problem` says why."""

    virtual_queue: str | None
    groups: frozenset[str] = frozenset()
    field: str = ""
    problem: str = ""


_decoder = msgspec.json.Decoder(PacingKeys)


def read_keys(user_data: bytes | msgspec.Raw) -> PacingKeys:
    """The routing keys of a user data; one that is no object has none."""
    try:
        keys = _decoder.decode(user_data)
    except msgspec.DecodeError:
        return PacingKeys()
    return PacingKeys(
        keys.virtual_queue if isinstance(keys.virtual_queue, str) else None,
        keys.agent_groups if isinstance(keys.agent_groups, str) else None,
    )


def group_names(text: str) -> tuple[str, ...]:
    r"""Names of a comma list in which a comma inside a name is written `\,`."""
    names = (_ESCAPED.sub(r"\1", part).strip() for part in _NAME.findall(text))
    return tuple(name for name in names if name)


def medium_of(queue: Dn) -> str | None:
    """The one medium of a virtual queue: `pacing.media`, else `statserver.media-type`."""
    given = queue.option("pacing", "media") or queue.option("statserver", "media-type")
    medium = str(given or "").strip()
    if not medium or any(mark in medium for mark in LIST_SEPARATORS):
        return None
    return medium


def serving_groups(snapshot: ConfigurationSnapshot, tenant: int, number: str) -> frozenset[str]:
    """Enabled agent groups that list the virtual queue among their origination DNs."""
    found = snapshot.virtual_queues.get((tenant, number))
    if found is None:
        return frozenset()
    listed = {number, f"{number}@{found[1].switch}"}
    return frozenset(
        name
        for (of, name), (_, group) in snapshot.agent_groups.items()
        if of == tenant
        and group.state == "enabled"
        and not listed.isdisjoint(group.origination_dns)
    )


def choose(
    snapshot: ConfigurationSnapshot,
    *,
    tenant: int,
    media_type: str,
    strategy_queue: str | None,
    keys: PacingKeys,
) -> Choice:
    """The interaction's own virtual queue when its key names a fitting one, else the strategy's.

    A choice may have both a queue and a problem: it is routed, and somebody should look at it.
    """
    problem = ""
    if keys.virtual_queue is not None:
        problem = _unfit(snapshot, tenant, keys.virtual_queue, media_type)
        if not problem:
            return _with_groups(snapshot, tenant, keys)
    if strategy_queue is None:
        why = problem or f"the strategy has no virtual queue for {media_type} without the key"
        return Choice(None, field=_field_of(problem, "virtual_queue"), problem=why)
    unfit = _unfit(snapshot, tenant, strategy_queue, media_type)
    if unfit:
        return Choice(None, field="virtual_queue", problem=unfit)
    groups = serving_groups(snapshot, tenant, strategy_queue)
    return Choice(strategy_queue, groups, _field_of(problem, ""), problem)


def _field_of(problem: str, otherwise: str) -> str:
    return "PacingVirtualQueue" if problem else otherwise


def _unfit(snapshot: ConfigurationSnapshot, tenant: int, number: str, media_type: str) -> str:
    found = snapshot.virtual_queues.get((tenant, number))
    if found is None:
        return f"there is no virtual queue '{number}'"
    if found[1].state != "enabled":
        return f"the virtual queue '{number}' is disabled"
    medium = medium_of(found[1])
    if medium is not None and medium != media_type:
        return f"the virtual queue '{number}' is for {medium}, the interaction is {media_type}"
    return ""


def _with_groups(snapshot: ConfigurationSnapshot, tenant: int, keys: PacingKeys) -> Choice:
    number: str = keys.virtual_queue
    serving = serving_groups(snapshot, tenant, number)
    if keys.agent_groups is None:
        return Choice(number, serving)
    named = group_names(keys.agent_groups)
    groups = serving.intersection(named)
    if groups:
        return Choice(number, groups)
    shown = ", ".join(named) or "nothing"
    return Choice(
        number,
        serving,
        "PacingAgentGroups",
        f"the key names {shown}, of which none serves the virtual queue '{number}'; "
        "it is offered to the groups that do",
    )
