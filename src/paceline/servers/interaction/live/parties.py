"""Parties of an interaction beside its owner: joining, leaving, being asked, each with events and notices.

The owner stands in the row (transitions.py). Every function changes the node's state of the batch in
work; the caller has checked that it may.
"""

from functools import partial

import msgspec

from paceline.model import events
from paceline.model.agent import Agent
from paceline.model.interaction import Row
from paceline.model.party import INTRUDE, Party
from paceline.servers.interaction.live.node import NodeState
from paceline.wire.call import Peer
from paceline.wire.operation import Answer
from paceline.wire.operations.interaction import (
    PartyAdded,
    PartyOutcome,
    PartyRemoved,
    PartyRequestResult,
    Revoked,
)


def joined(node: NodeState, row: Row) -> list[Party]:
    """Those who take part beside the owner, first come first."""
    found = [p for p in node.parties.get(row.key, {}).values() if p.is_joined]
    return sorted(found, key=lambda party: party.since)


def names_of(node: NodeState, row: Row) -> tuple[str, ...]:
    """The names of those who take part beside the owner."""
    if row.key not in node.parties:
        return ()
    return tuple(node.names.get(party.agent_id, "") for party in joined(node, row))


def asked(node: NodeState, row: Row) -> Party | None:
    """The one whose joining is asked for; there is one at a time."""
    return next((p for p in node.parties.get(row.key, {}).values() if not p.is_joined), None)


def answerer_id(row: Row, party: Party) -> int | None:
    """Who answers whether the party joins: the invited agent, or the owner about an intruder."""
    return row.agent_id if party.role == INTRUDE else party.agent_id


def tell(
    node: NodeState,
    tenant: int,
    agent_id: int | None,
    name: str,
    notice: Answer,
    *,
    but: Peer | None = None,
) -> None:
    """A notice to every session of an agent, after the commit; `but` to the one that asked for it."""
    for peer in node.links.peers((tenant, agent_id or 0)):
        if peer is but:
            continue
        node.after_commit(partial(peer.notify, name, notice))


def tell_parties(node: NodeState, row: Row, name: str, notice: Answer) -> None:
    """A notice to the owner and everybody who takes part."""
    agents = [row.agent_id, *(party.agent_id for party in joined(node, row))]
    for agent_id in agents:
        if agent_id is not None:
            tell(node, row.tenant_id, agent_id, name, notice)


def join(node: NodeState, row: Row, party: Party, actor: str) -> Party:
    """The one who was asked for takes part from now; everybody who takes part is told.

    Nobody's `since` is that of another: who joins in the same millisecond comes after.
    """
    agent = node.agents.get((party.tenant_id, party.agent_id))
    if agent is not None:
        if agent.ringing.get(row.media_type) == row.interaction_id:
            del agent.ringing[row.media_type]
        agent.handling.add(row.interaction_id)
    since = max([node.now, *(other.since + 1 for other in joined(node, row))])
    new = msgspec.structs.replace(party, ticket=0, ticket_until=None, since=since)
    node.change_party(new)
    party_event(node, events.PARTY_ADDED, row, new, actor)
    name = node.names.get(party.agent_id, "")
    notice = PartyAdded(
        interaction_id=row.interaction_id, agent=name, role=party.role, visibility=party.visibility
    )
    tell_parties(node, row, "interaction.party_added", notice)
    return new


def leave(node: NodeState, row: Row, party: Party, actor: str, reason: str | None) -> None:
    """One who takes part does so no longer; everybody who did is told."""
    notice = PartyRemoved(
        interaction_id=row.interaction_id,
        agent=node.names.get(party.agent_id, ""),
        reason=reason,
        reason_code=node.code_of(reason),
    )
    tell_parties(node, row, "interaction.party_removed", notice)
    _release(node, party)
    node.remove_party(party)
    party_event(node, events.PARTY_REMOVED, row, party, actor, reason)


def end_request(
    node: NodeState, row: Row, party: Party, actor: str, reason: str, *, event: str = events.REVOKED
) -> None:
    """A request for a party ends without its joining: refused, withdrawn, too late, or overtaken."""
    _release(node, party)
    node.remove_party(party)
    party_event(node, event, row, party, actor, reason)
    if event == events.REVOKED:
        who = answerer_id(row, party)
        notice = Revoked(
            interaction_id=row.interaction_id,
            agent=node.names.get(who or 0, ""),
            ticket=party.ticket,
            reason=reason,
            reason_code=node.code_of(reason),
        )
        tell(node, row.tenant_id, who, "interaction.revoked", notice)
    outcome: PartyOutcome = "rejected" if event == events.REJECTED else "revoked"
    tell_requester(node, party, outcome, reason)


def tell_requester(
    node: NodeState, party: Party, outcome: PartyOutcome, reason: str | None = None
) -> None:
    """What became of a transfer, conference or intrusion, to the agent who asked for it."""
    notice = PartyRequestResult(
        interaction_id=party.interaction_id,
        agent=node.names.get(party.agent_id, ""),
        role=party.role,
        outcome=outcome,
        reason=reason,
        reason_code=node.code_of(reason),
    )
    tell(node, party.tenant_id, party.asked_by, "interaction.party_request_result", notice)
    if party.role == INTRUDE:
        intrusion = node.intrusions.get(party.ticket)
        if intrusion is not None:
            if outcome == "accepted":
                intrusion.keep()
            node.after_commit(lambda: intrusion.answer(notice))


def end_all(node: NodeState, row: Row, actor: str, reason: str | None) -> None:
    """Nobody takes part any more, nobody is asked for: the interaction goes elsewhere."""
    if row.key not in node.parties:
        return
    waiting = asked(node, row)
    if waiting is not None:
        end_request(node, row, waiting, actor, reason or "revoked")
    for party in joined(node, row):
        leave(node, row, party, actor, reason)


def party_event(
    node: NodeState, name: str, row: Row, party: Party, actor: str, reason: str | None = None
) -> None:
    """A reporting event about a party beside the owner."""
    data: dict[str, object] = {"party": "agent", "role": party.role, "visibility": party.visibility}
    if party.ticket:
        data["ticket"] = party.ticket
        data["asked_by"] = node.names.get(party.asked_by)
    node.event(
        name,
        actor,
        row=row,
        agent=node.names.get(party.agent_id),
        place=node.names.get(party.place_id or 0),
        reason=reason,
        data=data,
    )


def _release(node: NodeState, party: Party) -> None:
    agent: Agent | None = node.agents.get((party.tenant_id, party.agent_id))
    if agent is None:
        return
    if party.is_joined:
        agent.handling.discard(party.interaction_id)
    elif agent.ringing.get(party.media_type) == party.interaction_id:
        del agent.ringing[party.media_type]
