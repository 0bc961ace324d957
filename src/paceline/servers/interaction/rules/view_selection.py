"""A view of the configuration as what it selects: texts parsed, names bound, segments and scheduling.

Called by live/views.py for every view; the checks parse the same texts. Pure.
"""

from collections.abc import Callable

from paceline.errors.failure import PacelineError
from paceline.expressions.predicate import predicate
from paceline.expressions.properties import KnownProperties
from paceline.expressions.tree import Condition
from paceline.expressions.view_parse import (
    bind_names,
    parse_condition,
    parse_order,
    parse_segment,
)
from paceline.model.configuration import View
from paceline.model.interaction import Row
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.interaction.rules.row_access import reader
from paceline.servers.interaction.rules.selection import Selection, with_scheduling

OLDEST_SCHEDULED_FIRST = "ScheduledAt"
"""Order of scheduled interactions in a view that names only a condition for them."""


def selection_of(
    snapshot: ConfigurationSnapshot, tenant: int, view: View, known: KnownProperties
) -> Selection:
    """What a view selects.

    Raises
    ------
    PacelineError
        `invalid_attribute` with the field of the view that cannot be read, and why.
    """
    queue_id = _queue_id(snapshot, tenant, view)
    condition = bound_condition(snapshot, tenant, view.condition, known)
    segment = parse_segment(view.segment_by, known=known)
    if view.segment_limit and segment is None:
        message = "a segment_limit without segment_by limits nothing; name the property"
        raise PacelineError("invalid_attribute", message, field="segment_by")
    scheduling = view.scheduling_order
    if view.scheduling_condition or scheduling:
        scheduled = view.scheduling_condition or view.condition
        first = bound_condition(snapshot, tenant, scheduled, known, field="scheduling_condition")
        condition = with_scheduling(condition, first)
        scheduling = scheduling or OLDEST_SCHEDULED_FIRST
    return Selection(
        tenant_id=tenant,
        queue_id=queue_id,
        condition=condition,
        terms=parse_order(view.order, known=known),
        scheduling=parse_order(scheduling, field="scheduling_order", known=known),
        segment=segment,
    )


def _queue_id(snapshot: ConfigurationSnapshot, tenant: int, view: View) -> int:
    """The queue's id, or that of the workbin, which its private queue shares."""
    field, known = ("workbin", snapshot.workbins) if view.workbin else ("queue", snapshot.queues)
    name = view.workbin or view.queue
    found = known.get((tenant, name))
    if found is None:
        message = f"{field} '{name}' does not exist; create it or name another"
        raise PacelineError("invalid_attribute", message, field=field)
    return found


def bound_condition(
    snapshot: ConfigurationSnapshot,
    tenant: int,
    text: str,
    known: KnownProperties,
    *,
    field: str = "condition",
) -> Condition:
    """A condition with the ids of what it names; `invalid_attribute` names field and place."""
    condition = parse_condition(text, field=field, known=known)
    return bind_names(
        condition,
        lambda referred, name: snapshot.id_named(tenant, referred, name),
        field=field,
    )


def selects(selection: Selection) -> Callable[[Row, int], bool | None]:
    """The test of a row at an instant."""
    return predicate(selection.condition, reader)
