"""Transitions of an interaction that several requests and timers share, each with its events and notices.

Every function changes the node's state of the batch in work; the caller has checked that it may.
"""

import msgspec

from paceline.model import events
from paceline.model.agent import Agent
from paceline.model.interaction import InteractionState, Row
from paceline.model.party import MONITOR, Party
from paceline.servers.interaction.live import parties, workbins
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.rules.filter_keys import filter_values_in
from paceline.wire.operation import Answer
from paceline.wire.operations.interaction import DeliveryResult, PartyRemoved, Revoked

replace = msgspec.structs.replace

QUEUED = int(InteractionState.QUEUED)
ROUTING = int(InteractionState.ROUTING)
HANDLING = int(InteractionState.HANDLING)


def tell_router(node: NodeState, session_id: str | None, notice: DeliveryResult) -> None:
    """A notice to the router that holds or offered an interaction, after the commit."""
    peer = node.routers.get(session_id or "")
    if peer is not None:
        node.after_commit(lambda: peer.notify("interaction.delivery_result", notice))


def tell_taken(node: NodeState, row: Row, reason: str | None, *, by: str | None = None) -> None:
    """A router has it no longer, held or offered: it is told, unless its own session `by` asked for it."""
    if row.router_session != by:
        agent = node.names.get(row.agent_id or 0)
        notice = DeliveryResult(
            interaction_id=row.interaction_id,
            outcome="revoked",
            agent=agent,
            reason=reason,
            reason_code=node.code_of(reason),
        )
        tell_router(node, row.router_session, notice)


def tell_agent(node: NodeState, row: Row, name: str, notice: Answer) -> None:
    """A notice to every session of the agent that an interaction rings at or is handled by."""
    parties.tell(node, row.tenant_id, row.agent_id, name, notice)


def place_in_queue(
    node: NodeState,
    row: Row,
    queue_id: int,
    actor: str,
    *,
    reason: str | None,
    as_new: bool,
) -> Row:
    """Puts it into a queue; `as_new` at the end of the order, else at its old place.

    The queue of the workbin that it was pulled from is that workbin: it is put back there.
    """
    if as_new:
        node.submit_seq += 1
    is_in_workbin = queue_id == row.workbin_id
    if row.workbin_id is not None and not is_in_workbin:
        workbins.taken(node, row, actor, reason)
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
        workbin_id=row.workbin_id if is_in_workbin else None,
        workbin_owner_id=row.workbin_owner_id if is_in_workbin else None,
        version=row.version + 1,
    )
    node.put(row, new)
    if is_in_workbin:
        workbins.placed(node, new, actor, reason)
    data = {"queue_seq": new.queue_seq} if as_new else None
    node.event(events.PLACED_IN_QUEUE, actor, row=new, with_queue=True, reason=reason, data=data)
    return new


def place_in_workbin(
    node: NodeState, row: Row, workbin_id: int, owner_id: int, actor: str, reason: str | None
) -> Row:
    """Puts it into an owner's workbin, at the end of its private queue."""
    if (row.workbin_id, row.workbin_owner_id) != (workbin_id, owner_id):
        workbins.taken(node, row, actor, reason)
    inside = replace(row, workbin_id=workbin_id, workbin_owner_id=owner_id)
    node.put(row, inside)
    return place_in_queue(node, inside, workbin_id, actor, reason=reason, as_new=True)


def remove_party(node: NodeState, row: Row, actor: str, reason: str | None) -> None:
    """The router or agent that has it has it no longer; an offer that rings is over."""
    if row.ticket:
        end_ringing(node, row, actor, reason or "revoked")
    elif row.state == HANDLING:
        parties.end_all(node, row, actor, reason)
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
        interaction_id=row.interaction_id,
        agent=name,
        ticket=row.ticket,
        reason=reason,
        reason_code=node.code_of(reason),
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


def handled_by(node: NodeState, row: Row, agent: Agent) -> Row:
    """The row in the hands of an agent; not put into the node yet."""
    return replace(
        row,
        state=HANDLING,
        assigned_at=node.now,
        agent_id=agent.agent_id,
        place_id=agent.place_id,
        version=row.version + 1,
    )


def owner_added(node: NodeState, row: Row, agent: Agent, actor: str) -> None:
    """An agent handles it from now."""
    agent.handling.add(row.interaction_id)
    node.event(
        events.PARTY_ADDED,
        actor,
        row=row,
        agent=agent.name,
        place=node.names.get(agent.place_id or 0),
        data={"party": "agent"},
    )


def set_held(node: NodeState, row: Row, actor: str, reason: str | None, *, is_held: bool) -> Row:
    """Puts it on hold or resumes it; in the state asked for already changes nothing."""
    if row.is_held == is_held:
        return row
    new = replace(row, is_held=is_held, version=row.version + 1)
    node.put(row, new)
    node.event(events.HELD if is_held else events.RESUMED, actor, row=new, reason=reason)
    return new


def hand_over(node: NodeState, row: Row, party: Party, actor: str, reason: str | None) -> Row:
    """A party becomes the owner; the one who was it has the interaction no longer."""
    old_id = row.agent_id or 0
    old = node.agents.get((row.tenant_id, old_id))
    if old is not None:
        old.handling.discard(row.interaction_id)
    node.remove_party(party)
    node.running.handling.touch(row.key, node.now)
    new = replace(
        row,
        agent_id=party.agent_id,
        place_id=party.place_id,
        assigned_at=node.now,
        version=row.version + 1,
    )
    node.put(row, new)
    name = node.names.get(old_id, "")
    node.event(
        events.PARTY_REMOVED,
        actor,
        row=new,
        agent=name,
        place=node.names.get(row.place_id or 0),
        reason=reason,
        data={"party": "agent", "owner": node.names.get(party.agent_id)},
    )
    notice = PartyRemoved(
        interaction_id=row.interaction_id,
        agent=name,
        owner=node.names.get(party.agent_id),
        reason=reason,
        reason_code=node.code_of(reason),
    )
    parties.tell_parties(node, new, "interaction.party_removed", notice)
    parties.tell(node, row.tenant_id, old_id, "interaction.party_removed", notice)
    return new


def give_up(node: NodeState, row: Row, agent: Agent, actor: str, reason: str) -> Row:
    """An agent has it no longer, in whatever part: what rang stops, a party leaves, an owner gives it on.

    It goes back to its queue when nobody else who may work on it takes part.
    """
    party = node.parties.get(row.key, {}).get(agent.agent_id)
    if party is not None and not (row.ticket and row.agent_id == agent.agent_id):
        if party.is_joined:
            parties.leave(node, row, party, actor, reason)
        else:
            parties.end_request(node, row, party, actor, reason)
        return row
    if row.agent_id != agent.agent_id:
        return row
    heir = successor(node, row)
    if heir is None or row.ticket:
        tell_taken(node, row, reason)
        return return_to_queue(node, row, actor, reason)
    waiting = parties.asked(node, row)
    if waiting is not None:
        parties.end_request(node, row, waiting, actor, reason)
    return hand_over(node, row, heir, actor, reason)


def successor(node: NodeState, row: Row) -> Party | None:
    """Who has it when the owner leaves: the first who joined to work on it."""
    return next((p for p in parties.joined(node, row) if p.visibility != MONITOR), None)


def take_away(node: NodeState, row: Row, actor: str, reason: str) -> Row:
    """Whoever handles it has it no longer and is told; it goes back to its queue."""
    for party in parties.joined(node, row):
        _tell_taken(node, row, party.agent_id, reason)
    _tell_taken(node, row, row.agent_id or 0, reason)
    return return_to_queue(node, row, actor, reason)


def _tell_taken(node: NodeState, row: Row, agent_id: int, reason: str) -> None:
    notice = Revoked(
        interaction_id=row.interaction_id,
        agent=node.names.get(agent_id, ""),
        reason=reason,
        reason_code=node.code_of(reason),
    )
    parties.tell(node, row.tenant_id, agent_id, "interaction.revoked", notice)


def stop(node: NodeState, row: Row, actor: str, reason: str | None) -> None:
    """Ends it, out of whatever state it is in."""
    remove_party(node, row, actor, reason)
    if row.workbin_id is not None:
        workbins.taken(node, row, actor, reason)
    row = leave_virtual_queue(
        node, row, actor, events.VIRTUAL_QUEUE_CLEARED, reason=reason or "stopped"
    )
    node.event(events.PROCESSING_STOPPED, actor, row=row, reason=reason, with_queue=True)
    if row.state != HANDLING:
        tell_router(
            node,
            row.router_session,
            DeliveryResult(
                interaction_id=row.interaction_id,
                outcome="stopped",
                reason=reason,
                reason_code=node.code_of(reason),
            ),
        )
    node.finish(node.row(row.key), reason)
