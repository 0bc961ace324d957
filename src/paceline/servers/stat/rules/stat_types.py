"""Stat types and filters by name: the shipped ones, and those of the Stat Server's options.

Read by definitions.py when a statistic is opened. A section with `Category` is a stat type; keys
are the documented ones (pacing-service 3.2). A mistake spoils its own stat type alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from paceline.model.options import Finding
from paceline.servers.stat.options import FILTERS, is_site_section
from paceline.wire.operations.statistic import Definition

PROACTIVE: Final = "PACS_Proactive_Interaction"


@dataclass(frozen=True, slots=True)
class StatType:
    """A named definition and the kinds of object it is for."""

    objects: frozenset[str]
    definition: Definition


def _on_queue(category: Any, mask: str) -> StatType:
    return StatType(frozenset({"Queue"}), Definition(category=category, main_mask=mask))


SHIPPED_TYPES: Final = {
    "PACS_VQ_Abandoned": _on_queue("TotalNumber", "CallAbandoned,CallAbandonedFromRinging"),
    "PACS_VQ_Accepted": _on_queue("TotalNumber", "CallAnswered"),
    "PACS_VQ_Current": _on_queue("CurrentNumber", "CallWait,CallRinging"),
}
"""The pacing statistics (pacing-service 3.1); sections of the same name replace them."""

SHIPPED_FILTERS: Final = {PROACTIVE: 'PairExists("Proactive","1")'}

_FIELDS: Final = {
    "Category": "category",
    "Subject": "subject",
    "MainMask": "main_mask",
    "MediaType": "media_type",
}
_KNOWN: Final = frozenset({*_FIELDS, "Objects", "Description"})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything that can be named when a statistic is opened, and what is wrong with the rest."""

    types: Mapping[str, StatType] = field(default_factory=lambda: dict(SHIPPED_TYPES))
    filters: Mapping[str, str] = field(default_factory=lambda: dict(SHIPPED_FILTERS))
    findings: tuple[Finding, ...] = ()


def catalogue(subject: str, options: Mapping[str, Mapping[str, object]]) -> Catalogue:
    """The catalogue of a Stat Server application's options."""
    types = dict(SHIPPED_TYPES)
    findings: list[Finding] = []
    for section, keys in options.items():
        if section == FILTERS or not is_site_section(section, keys):
            continue
        for key in keys.keys() - _KNOWN:
            consequence = "this version does not know the key, it has no effect"
            findings.append(Finding(subject, f"{section}.{key}", consequence, "remove it"))
        try:
            types[section] = _stat_type(keys)
        except (msgspec.ValidationError, ValueError) as mistake:
            types.pop(section, None)
            findings.append(
                Finding(subject, section, f"the stat type cannot be opened: {mistake}", "mend it")
            )
    named = {name: str(text) for name, text in options.get(FILTERS, {}).items()}
    return Catalogue(types, SHIPPED_FILTERS | named, tuple(findings))


def _stat_type(keys: Mapping[str, object]) -> StatType:
    objects = frozenset(part.strip() for part in str(keys.get("Objects", "")).split(","))
    if objects == {""}:
        raise ValueError("Objects is missing; give a comma list such as Queue or GroupAgents")
    fields = {name: keys[key] for key, name in _FIELDS.items() if key in keys}
    return StatType(objects, msgspec.convert(fields, Definition))
