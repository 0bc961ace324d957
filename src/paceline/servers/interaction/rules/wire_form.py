"""What an interaction looks like to a client: names for ids, texts for instants."""

from collections.abc import Mapping

import msgspec

from paceline.model.instant import optional_text, to_text
from paceline.model.interaction import InteractionState, Row
from paceline.servers.interaction.rules.destinations import unpacked
from paceline.wire.operations.interaction import Interaction, StateAnswer

PRIVATE_QUEUE = "/PrivateQueue"
"""Documented: the queue of a workbin is named `<workbin>/PrivateQueue`; it has the workbin's id."""

_NO_QUEUES: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
_STATES = tuple(state.text for state in InteractionState)


def wire_form(
    row: Row,
    names: Mapping[int, str],
    user_data: str,
    *,
    stopped_at: int | None = None,
    stop_reason: str | None = None,
    parties: tuple[str, ...] = (),
) -> Interaction:
    """All properties of an interaction; `parties` are the agents beside its owner."""
    in_queues, out_queues = _NO_QUEUES
    if row.destinations is not None:
        in_queues, out_queues = unpacked(row.destinations).names(names)
    return Interaction(
        interaction_id=row.interaction_id,
        tenant=row.tenant_id,
        state=_STATES[row.state],
        media_type=row.media_type,
        interaction_type=row.interaction_type,
        interaction_subtype=row.interaction_subtype,
        queue=names.get(row.queue_id),
        priority=row.priority,
        submit_seq=row.submit_seq,
        queue_seq=row.queue_seq,
        received_at=to_text(row.received_at),
        submitted_at=to_text(row.submitted_at),
        queued_at=to_text(row.queued_at),
        assigned_at=optional_text(row.assigned_at),
        delivered_at=optional_text(row.delivered_at),
        abandoned_at=optional_text(row.abandoned_at),
        scheduled_at=optional_text(row.scheduled_at),
        stopped_at=optional_text(stopped_at),
        stop_reason=stop_reason,
        is_online=row.is_online,
        is_locked=row.is_locked,
        is_held=row.is_held,
        agent=names.get(row.agent_id) if row.agent_id else None,
        place=names.get(row.place_id) if row.place_id else None,
        virtual_queue=names.get(row.virtual_queue_id) if row.virtual_queue_id else None,
        virtual_queue_at=optional_text(row.virtual_queue_at),
        external_id=row.external_id,
        parent_id=row.parent_id,
        submitted_by=row.submitted_by,
        properties_version=row.properties_version,
        workbin=workbin_name(names, row.workbin_id) if row.workbin_id else None,
        owner=names.get(row.workbin_owner_id) if row.workbin_owner_id else None,
        parties=parties,
        in_queues=in_queues,
        out_queues=out_queues,
        user_data=msgspec.Raw(user_data.encode()),
    )


def workbin_name(names: Mapping[int, str], workbin_id: int) -> str | None:
    """A workbin's own name; by its id the names hold that of its private queue."""
    queue = names.get(workbin_id)
    return None if queue is None else queue.removesuffix(PRIVATE_QUEUE)


def state_answer(row: Row) -> StateAnswer:
    """Id and state after an operation."""
    return StateAnswer(interaction_id=row.interaction_id, state=_STATES[row.state])
