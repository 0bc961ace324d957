"""From a request to open a statistic to the one canonical definition that is counted.

Called by requests/statistics. The same definition gives the same key and the same id, whoever
asks, on both servers of a pair and after every restart.
"""

import re
from hashlib import blake2b
from typing import Final, Literal, NoReturn

import msgspec

from paceline.errors.failure import PacelineError
from paceline.expressions.connectives import leaves
from paceline.expressions.filter_parse import AttributeIs, filter_keys, parse_filter, parse_mask
from paceline.model.events import FILTER_KEYS
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.stat.rules.actions import (
    AGENT_COUNTED,
    QUEUE_COUNTED,
    QUEUE_DURABLE,
    last_only,
)
from paceline.servers.stat.rules.stat_types import Catalogue
from paceline.wire.operations.statistic import Category, Definition, ObjectKind, OpenStatistic

ATTRIBUTES: Final = ("MediaType", "ThisQueue")
"""Attributes that filters may read: the interaction's medium, its virtual queue's number."""

_ID_BYTES: Final = 6
"""Ids of 48 bits stay exact as JSON numbers everywhere; 100,000 of them meet with chance 2e-5."""

_LIST_COMMA: Final = re.compile(r"(?<!\\),")


class StatisticKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a statistic counts, with every name resolved; `actions` are in the order of the alphabet."""

    tenant: int
    object_kind: ObjectKind
    objects: tuple[str, ...]
    category: Category
    actions: tuple[str, ...] = ()
    media_type: str | None = None
    filter: str = ""
    profile: Literal["Default", "Ever"] | None = None

    @property
    def text(self) -> str:
        """The definition as it is stored; `key_of` reads it."""
        return msgspec.json.encode(self).decode()

    @property
    def id(self) -> int:
        """A number that follows from the definition."""
        return int.from_bytes(blake2b(self.text.encode(), digest_size=_ID_BYTES).digest(), "big")


def key_of(text: str) -> StatisticKey:
    """The key of a stored definition."""
    return msgspec.json.decode(text, type=StatisticKey)


def resolve(
    request: OpenStatistic, tenant: int, catalogue: Catalogue, snapshot: ConfigurationSnapshot
) -> StatisticKey:
    """The canonical definition of a request.

    Raises
    ------
    PacelineError
        `statistic_not_available` or `invalid_attribute` naming the object, the field and the fix.
    """
    definition = _definition(request, catalogue)
    objects = _objects(request, tenant, snapshot)
    if definition.category == "CurrentTargetState":
        _check_target_state(request, definition)
        return StatisticKey(
            tenant=tenant,
            object_kind=request.object_kind,
            objects=objects,
            category=definition.category,
            media_type=definition.media_type,
        )
    is_total = definition.category == "TotalNumber"
    return StatisticKey(
        tenant=tenant,
        object_kind=request.object_kind,
        objects=objects,
        category=definition.category,
        actions=tuple(sorted(_actions(request, definition))),
        media_type=definition.media_type,
        filter=_filter(request.filter or definition.filter or "", catalogue),
        profile=(request.profile or definition.profile) if is_total else None,
    )


def _definition(request: OpenStatistic, catalogue: Catalogue) -> Definition:
    if (request.stat_type is None) == (request.definition is None):
        _refuse("give either stat_type or definition", "stat_type")
    if request.definition is not None:
        return request.definition
    found = catalogue.types.get(request.stat_type or "")
    if found is None:
        known = ", ".join(sorted(catalogue.types))
        _refuse(f"there is no stat type '{request.stat_type}'; known are {known}", "stat_type")
    if request.object_kind not in found.objects:
        kinds = ", ".join(sorted(found.objects))
        _refuse(
            f"stat type '{request.stat_type}' is for {kinds}, not {request.object_kind}",
            "object_kind",
        )
    return found.definition


def _objects(
    request: OpenStatistic, tenant: int, snapshot: ConfigurationSnapshot
) -> tuple[str, ...]:
    name = request.object
    if request.object_kind == "GroupAgents":
        return _groups(name, tenant, snapshot)
    if request.object_kind == "Workbin":
        _refuse("workbins have no statistics; use Agent, GroupAgents or Queue", "object_kind")
    if request.object_kind == "Queue" and (tenant, name) not in snapshot.virtual_queues:
        _refuse(_no_queue(name, tenant, snapshot))
    if request.object_kind == "Agent" and (tenant, name) not in snapshot.agents:
        _refuse(f"there is no agent '{name}'; name an enabled person that is an agent")
    return (name,)


def _no_queue(name: str, tenant: int, snapshot: ConfigurationSnapshot) -> str:
    for (of, number), (object_id, _) in snapshot.virtual_queues.items():
        if of == tenant and snapshot.names.get(object_id) == name:
            return f"virtual queue '{name}' is named by its number; open '{number}'"
    return f"there is no virtual queue with number '{name}'; create it or name another"


def _groups(text: str, tenant: int, snapshot: ConfigurationSnapshot) -> tuple[str, ...]:
    if (tenant, text) in snapshot.agent_groups:
        return (text,)
    names = {part.strip().replace("\\,", ",") for part in _LIST_COMMA.split(text)}
    for name in sorted(names):
        if (tenant, name) not in snapshot.agent_groups:
            _refuse(f"there is no agent group '{name}'; create it or name another")
    return tuple(sorted(names))


def _check_target_state(request: OpenStatistic, definition: Definition) -> None:
    if request.object_kind == "Queue":
        _refuse("CurrentTargetState is for Agent and GroupAgents, not Queue", "object_kind")
    if request.filter or definition.filter:
        _refuse("CurrentTargetState has no interactions to filter; leave filter out", "filter")


def _actions(request: OpenStatistic, definition: Definition) -> frozenset[str]:
    if definition.subject != "DNAction":
        _refuse(f"{definition.category} counts actions; set subject to DNAction", "subject")
    is_queue = request.object_kind == "Queue"
    if definition.category == "CurrentNumber":
        if not is_queue:
            _refuse("CurrentNumber is for Queue; for agents open CurrentTargetState", "category")
        known, other = QUEUE_DURABLE, QUEUE_COUNTED
    else:
        known, other = (QUEUE_COUNTED, QUEUE_DURABLE) if is_queue else (AGENT_COUNTED, frozenset())
    if misplaced := sorted({part.strip(" ~") for part in definition.main_mask.split(",")} & other):
        _refuse(
            f"{definition.category} does not count {misplaced[0]}; it counts "
            f"{', '.join(sorted(known))}",
            "main_mask",
        )
    actions = parse_mask(definition.main_mask, known, field="main_mask")
    if not actions:
        _refuse("main_mask leaves no action; name at least one", "main_mask")
    if definition.once_per_interaction:
        if is_queue:
            _refuse("once_per_interaction is for Agent and GroupAgents", "once_per_interaction")
        return last_only(actions)
    return actions


def _filter(text: str, catalogue: Catalogue) -> str:
    """The expression, with a name (or `~` and a name) replaced by what it stands for."""
    bare = text.strip()
    name = bare.lstrip("~ ")
    if name in catalogue.filters:
        sign = "~" * (bare.count("~") % 2)
        expression = catalogue.filters[name].strip()
        bare = f"{sign}({expression})" if sign else expression
    parsed = parse_filter(bare)
    if unknown := sorted(filter_keys(parsed) - set(FILTER_KEYS)):
        _refuse(
            f"events do not carry the user data key '{unknown[0]}'; filters may read "
            f"{', '.join(FILTER_KEYS)}",
            "filter",
        )
    for leaf in leaves(parsed):
        if isinstance(leaf, AttributeIs) and leaf.attribute not in ATTRIBUTES:
            known = ", ".join(ATTRIBUTES)
            _refuse(f"filters cannot read '{leaf.attribute}'; they may read {known}", "filter")
    return bare


def _refuse(message: str, field: str = "object") -> NoReturn:
    raise PacelineError("statistic_not_available", message, field=field)
