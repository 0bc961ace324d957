"""EventInvite: what an agent is told of an offer, when it is made and when the agent comes back."""

from paceline.model.agent import Agent
from paceline.model.instant import to_text
from paceline.model.interaction import Row
from paceline.model.party import Party
from paceline.servers.interaction.live import parties
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.rules.wire_form import wire_form
from paceline.wire.operations.interaction import Invite


def invite_of(
    node: NodeState, row: Row, agent: str, party: Party | None = None, reason: str | None = None
) -> Invite:
    """The invitation to an agent; with a party it is that agent's, or asks this one about it."""
    asked = row if party is None else party
    return Invite(
        interaction=wire_form(
            row, node.names, node.user_data(row.key), parties=parties.names_of(node, row)
        ),
        ticket=asked.ticket,
        agent=agent,
        expires_at=to_text(asked.ticket_until or 0),
        role=None if party is None else party.role,
        visibility=None if party is None else party.visibility,
        asked_by=None if party is None else node.names.get(party.asked_by),
        reason=reason,
        reason_code=node.code_of(reason),
    )


def outstanding(node: NodeState, agent: Agent, loaded: frozenset[tuple[int, str]]) -> list[Invite]:
    """What rings at the agent, as far as it was loaded; for a connection that begins to speak for it."""
    found = []
    for interaction_id in agent.ringing.values():
        key = (agent.tenant_id, interaction_id)
        if key not in loaded:
            continue  # it began to ring just now, and is told as that
        row = node.row(key)
        party = parties.asked(node, row)
        if row.ticket and row.agent_id == agent.agent_id:
            found.append(invite_of(node, row, agent.name))
        elif party is not None and party.agent_id == agent.agent_id:
            found.append(invite_of(node, row, agent.name, party))
    return found
