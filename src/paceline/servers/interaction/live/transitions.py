"""Transitions of an interaction that several requests and timers share, each with its events and notices.

Every function changes the node's state of the batch in work; the caller has checked that it may.
"""

import msgspec

from paceline.model import events
from paceline.model.interaction import InteractionState, Row
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.rules.filter_keys import filter_values_in
from paceline.wire.operation import Answer
from paceline.wire.operations.interaction import DeliveryResult, Revoked

replace = msgspec.structs.replace

QUEUED = int(InteractionState.QUEUED)
ROUTING = int(InteractionState.ROUTING)
HANDLING = int(InteractionState.HANDLING)


def tell_router(node: NodeState, session_id: str | None, notice: DeliveryResult) -> None:
    """A notice to the router that holds or offered an interaction, after the commit."""
    peer = node.routers.get(session_id or "")
    if peer is not None:
        node.after_commit(lambda: peer.notify("interaction.delivery_result", notice))


def tell_agent(node: NodeState, row: Row, name: str, notice: Answer) -> None:
    """A notice to every session of the agent that an interaction rings at or is handled by."""
    for peer in node.links.peers((row.tenant_id, row.agent_id or 0)):
        node.after_commit(lambda peer=peer: peer.notify(name, notice))  # type: ignore[misc]  # bound now


def place_in_queue(
    node: NodeState, row: Row, queue_id: int, actor: str, *, reason: str | None, as_new: bool
) -> Row:
    """Puts it into a queue; `as_new` at the end of the order, else at its old place."""
    if as_new:
        node.submit_seq += 1
    new = replace(
        row,
        state=QUEUED,
        queue_id=queue_id,
        queue_seq=node.submit_seq if as_new else row.queue_seq,
        queued_at=node.now,
        assigned_at=None,
        agent_id=None,
        place_id=None,
        router_session=None,
        ticket=0,
        ticket_until=None,
        version=row.version + 1,
    )
    node.put(row, new)
    node.event(events.PLACED_IN_QUEUE, actor, row=new, with_queue=True, reason=reason)
    return new


def remove_party(node: NodeState, row: Row, actor: str, reason: str | None) -> None:
    """The router or agent that has it has it no longer; an offer that rings is over."""
    if row.ticket:
        end_ringing(node, row, actor, reason or "revoked")
    elif row.state == HANDLING:
        agent = node.agents.get((row.tenant_id, row.agent_id or 0))
        if agent is not None:
            agent.handling.discard(row.interaction_id)
        node.event(
            events.PARTY_REMOVED,
            actor,
            row=row,
            agent=node.names.get(row.agent_id or 0),
            place=node.names.get(row.place_id or 0),
            reason=reason,
            data={"party": "agent"},
        )
    elif row.state == ROUTING:
        node.event(events.PARTY_REMOVED, actor, row=row, reason=reason, data={"party": "strategy"})


def end_ringing(node: NodeState, row: Row, actor: str, reason: str) -> None:
    """An offer ends without an answer: the agent is free for the next one and is told."""
    agent = node.agents.get((row.tenant_id, row.agent_id or 0))
    if agent is not None and agent.ringing.get(row.media_type) == row.interaction_id:
        del agent.ringing[row.media_type]
    name = node.names.get(row.agent_id or 0, "")
    node.event(
        events.REVOKED,
        actor,
        row=row,
        agent=name,
        place=node.names.get(row.place_id or 0),
        reason=reason,
        data={"ticket": row.ticket},
    )
    notice = Revoked(
        interaction_id=row.interaction_id, agent=name, ticket=row.ticket, reason=reason
    )
    tell_agent(node, row, "interaction.revoked", notice)


def leave_virtual_queue(node: NodeState, row: Row, actor: str, event: str, **data: object) -> Row:
    """Ends its time in the virtual queue with one of the four ways out; nothing when it is in none."""
    if row.virtual_queue_id is None:
        return row
    reason = data.pop("reason", None)
    fields = {
        "virtual_queue": node.names.get(row.virtual_queue_id),
        "waited_ms": node.now - (row.virtual_queue_at or node.now),
        "keys": filter_values_in(node.user_data(row.key)),
        **data,
    }
    agent = fields.pop("agent", None)
    node.event(
        event,
        actor,
        row=row,
        agent=str(agent) if agent else None,
        reason=str(reason) if reason else None,
        data=fields,
    )
    return replace(row, virtual_queue_id=None, virtual_queue_at=None)


def return_to_queue(node: NodeState, row: Row, actor: str, reason: str) -> Row:
    """Back to the queue it came from, at its old place; it stays in its virtual queue meanwhile."""
    remove_party(node, row, actor, reason)
    return place_in_queue(node, row, row.queue_id, actor, reason=reason, as_new=False)


def stop(node: NodeState, row: Row, actor: str, reason: str | None) -> None:
    """Ends it, out of whatever state it is in."""
    remove_party(node, row, actor, reason)
    row = leave_virtual_queue(
        node, row, actor, events.VIRTUAL_QUEUE_CLEARED, reason=reason or "stopped"
    )
    node.event(events.PROCESSING_STOPPED, actor, row=row, reason=reason, with_queue=True)
    if row.state != HANDLING:
        tell_router(
            node,
            row.router_session,
            DeliveryResult(interaction_id=row.interaction_id, outcome="stopped", reason=reason),
        )
    node.finish(node.row(row.key), reason)
