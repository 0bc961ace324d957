"""Delivery to agents: deliver, accept, reject, revoke, and the end of an unanswered offer.

Answers to a transfer, conference or intrusion come here too: a ticket tells them apart.
"""

import asyncio
import heapq
from collections.abc import Callable

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.agent import Agent
from paceline.model.instant import to_text
from paceline.model.interaction import Row
from paceline.model.party import INTRUDE, Party
from paceline.servers.interaction.live import parties
from paceline.servers.interaction.live.agent_transitions import (
    agent_asked,
    check_reachable,
    check_reservation,
    end_reservation,
    not_ready_unanswered,
)
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.invites import invite_of
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import (
    HANDLING,
    ROUTING,
    end_ringing,
    hand_over,
    leave_virtual_queue,
    place_in_queue,
    replace,
    tell_agent,
    tell_router,
)
from paceline.servers.interaction.requests.lane import (
    NodeLane,
    actor_of,
    check_ownership,
    handlers_of,
    session_of,
)
from paceline.servers.interaction.requests.once import submit_once
from paceline.servers.interaction.rules.wire_form import state_answer
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.interaction import (
    Accept,
    Deliver,
    Delivered,
    DeliveryOutcome,
    DeliveryResult,
    Reject,
    Revoke,
    StateAnswer,
)

TIMED_OUT = "no answer within delivering-timeout"


class Offers:
    """Outstanding invitations by the business instant of their end; read by tasks/timers."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, str]] = []
        self.on_earlier: Callable[[], None] = lambda: None

    def add(self, until: int, ticket: int, key: tuple[int, str]) -> None:
        """An offer that ends unanswered at `until`."""
        is_first = not self._heap or until < self._heap[0][0]
        heapq.heappush(self._heap, (until, ticket, *key))
        if is_first:
            self.on_earlier()

    def next_end(self) -> int | None:
        """When the earliest one ends."""
        return self._heap[0][0] if self._heap else None

    def ended(self, now: int) -> list[tuple[tuple[int, str], int]]:
        """Keys and tickets of all that have ended; they are forgotten here."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            _, ticket, tenant, interaction_id = heapq.heappop(self._heap)
            found.append(((tenant, interaction_id), ticket))
        return found


class DeliveryRequests:
    """Handlers of deliver, accept, reject, revoke."""

    def __init__(self, lane: NodeLane, offers: Offers) -> None:
        self._lane = lane
        self._offers = offers

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "interaction.deliver": self.deliver,
            "interaction.accept": self.accept,
            "interaction.reject": self.reject,
            "interaction.revoke": self.revoke,
        }

    def deliver(self, call: Call, request: Deliver) -> "asyncio.Future[Delivered]":
        """Offers an interaction to an agent, or to who is at a place; the invitation follows the commit."""
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)
        session = session_of(call)

        def apply(node: NodeState) -> Delivered:
            row = node.row(key)
            _check_held(row, session)
            name = agent_asked(
                node, row.tenant_id, request.agent, request.place, fields=("agent", "place")
            )
            agent = _free_agent(node, row, name)
            check_reservation(node, agent, call.client)
            timeout = self._lane.settings.current.seconds("settings", "delivering-timeout")
            ticket = node.next_ticket()
            until = node.now + int(timeout * 1000)
            new = replace(
                row,
                agent_id=agent.agent_id,
                place_id=agent.place_id,
                ticket=ticket,
                ticket_until=until,
                delivered_at=row.delivered_at or node.now,
                version=row.version + 1,
            )
            node.put(row, new)
            agent.ringing[row.media_type] = row.interaction_id
            end_reservation(node, agent)
            place = node.names.get(agent.place_id or 0)
            number = node.names.get(row.virtual_queue_id or 0)
            node.event(
                events.AGENT_INVITED,
                actor,
                row=new,
                agent=agent.name,
                place=place,
                data={"ticket": ticket, "virtual_queue": number},
            )
            node.event(events.PARTY_REMOVED, actor, row=new, data={"party": "strategy"})
            tell_agent(node, new, "interaction.invite", invite_of(node, new, agent.name))
            node.after_commit(lambda: self._offers.add(until, ticket, key))
            return Delivered(
                interaction_id=new.interaction_id,
                state="routing",
                ticket=ticket,
                expires_at=to_text(until),
            )

        work = Work(apply, keys=(key,), reads_data=True)
        return submit_once(self._lane, call, "interaction.deliver", request, work, Delivered)

    def accept(self, call: Call, request: Accept) -> "asyncio.Future[StateAnswer]":
        """The invited agent takes it; the agent who has it already gets the same answer.

        After an error nothing has changed, or with an unknown outcome it may be taken: repeat it.
        """
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            party = _party_with(node, row, request.ticket)
            if party is not None:
                return state_answer(_accept_party(node, row, party, request.agent, actor))
            if _has(node, row, request.agent):
                return state_answer(row)
            agent = _invited(node, row, request.agent, request.ticket)
            if row.ticket_until is not None and node.now > row.ticket_until:
                raise PacelineError(
                    "ticket_expired",
                    f"the invitation ended at {to_text(row.ticket_until)}",
                    field="ticket",
                )
            new = replace(
                row,
                state=HANDLING,
                assigned_at=node.now,
                ticket=0,
                ticket_until=None,
                router_session=None,
                version=row.version + 1,
            )
            agent.ringing.pop(row.media_type, None)
            agent.handling.add(row.interaction_id)
            place = node.names.get(agent.place_id or 0)
            node.event(
                events.PARTY_ADDED,
                actor,
                row=new,
                agent=agent.name,
                place=place,
                data={"party": "agent"},
            )
            new = leave_virtual_queue(
                node, new, actor, events.VIRTUAL_QUEUE_DISTRIBUTED, agent=agent.name
            )
            node.put(row, new)
            tell_router(node, row.router_session, _result(node, row, "accepted", agent.name))
            return state_answer(new)

        return self._lane.submit(call, Work(apply, keys=(key,), reads_data=True))

    def reject(self, call: Call, request: Reject) -> "asyncio.Future[StateAnswer]":
        """The invited agent does not take it: back to its router, or to its queue when that is gone."""
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            party = _party_with(node, row, request.ticket)
            if party is not None:
                _check_answerer(node, row, party, request.agent)
                reason = request.reason or "rejected"
                parties.end_request(node, row, party, actor, reason, event=events.REJECTED)
                return state_answer(row)
            agent = _invited(node, row, request.agent, request.ticket)
            agent.ringing.pop(row.media_type, None)
            node.event(
                events.REJECTED,
                actor,
                row=row,
                agent=agent.name,
                place=node.names.get(agent.place_id or 0),
                reason=request.reason,
                data={
                    "ticket": row.ticket,
                    "virtual_queue": node.names.get(row.virtual_queue_id or 0),
                },
            )
            new = replace(
                row,
                agent_id=None,
                place_id=None,
                ticket=0,
                ticket_until=None,
                version=row.version + 1,
            )
            if row.router_session in node.routers:
                node.put(row, new)
                node.event(events.PARTY_ADDED, actor, row=new, data={"party": "strategy"})
                tell_router(
                    node,
                    row.router_session,
                    _result(node, row, "rejected", agent.name, request.reason),
                )
            else:
                node.put(row, new)
                new = place_in_queue(
                    node, new, new.queue_id, actor, reason="rejected", as_new=False
                )
            return state_answer(new)

        work = Work(apply, keys=(key,))
        return submit_once(self._lane, call, "interaction.reject", request, work, StateAnswer)

    def revoke(self, call: Call, request: Revoke) -> "asyncio.Future[StateAnswer]":
        """Takes an unanswered offer back."""
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            party = parties.asked(node, row)
            if party is not None:
                check_ownership(node, row, call, None)
                parties.end_request(node, row, party, actor, request.reason or "revoked")
                return state_answer(row)
            if not row.ticket:
                raise PacelineError(
                    "not_waiting", f"interaction '{key[1]}' is not offered to anybody"
                )
            return state_answer(_revoke(node, row, actor, request.reason or "revoked"))

        work = Work(apply, keys=(key,))
        return submit_once(self._lane, call, "interaction.revoke", request, work, StateAnswer)

    def end_offer(self, key: tuple[int, str], ticket: int) -> None:
        """The time of an offer is over; one that was answered meanwhile is no matter."""

        def apply(node: NodeState) -> None:
            if node.finished(key) is not None:
                return
            row = node.row(key)
            party = _party_with(node, row, ticket)
            sets_not_ready = self._lane.settings.current.flag(
                "settings", "not-ready-on-invitation-timeout"
            )
            if party is not None:
                if sets_not_ready and party.role != INTRUDE:
                    not_ready_unanswered(node, replace(row, agent_id=party.agent_id))
                parties.end_request(node, row, party, "server", TIMED_OUT)
            elif row.ticket == ticket:
                if sets_not_ready:
                    not_ready_unanswered(node, row)
                _revoke(node, row, "server", TIMED_OUT)

        self._lane.submit_own(Work(apply, keys=(key,)))


def _revoke(node: NodeState, row: Row, actor: str, reason: str) -> Row:
    end_ringing(node, row, actor, reason)
    agent = node.names.get(row.agent_id or 0)
    tell_router(node, row.router_session, _result(node, row, "revoked", agent, reason))
    return place_in_queue(node, row, row.queue_id, actor, reason=reason, as_new=False)


def _result(
    node: NodeState,
    row: Row,
    outcome: DeliveryOutcome,
    agent: str | None,
    reason: str | None = None,
) -> DeliveryResult:
    return DeliveryResult(
        interaction_id=row.interaction_id,
        outcome=outcome,
        agent=agent,
        reason=reason,
        reason_code=node.code_of(reason),
    )


def _check_held(row: Row, session: str | None) -> None:
    if row.state != ROUTING:
        raise PacelineError(
            "not_waiting", f"interaction '{row.interaction_id}' is not in routing; pull it first"
        )
    if row.router_session is not None and row.router_session != session:
        raise PacelineError(
            "not_owner", f"interaction '{row.interaction_id}' is held by another session"
        )
    if row.ticket:
        raise PacelineError("not_waiting", f"interaction '{row.interaction_id}' is offered already")


def _free_agent(node: NodeState, row: Row, name: str) -> Agent:
    agent = node.agents.get((row.tenant_id, node.agent_id(row.tenant_id, name)))
    media = agent.media.get(row.media_type) if agent is not None else None
    if agent is None or media is None or not media.ready or agent.do_not_disturb:
        raise PacelineError(
            "invalid_target", f"agent '{name}' is not ready for {row.media_type}", field="agent"
        )
    check_reachable(node, agent)
    check_not_ringing(agent, row.media_type)
    return agent


def check_not_ringing(agent: Agent, media_type: str, *, field: str = "agent") -> None:
    """Refuses a second outstanding invitation of an agent in one media type with `agent_busy`."""
    if media_type in agent.ringing:
        raise PacelineError(
            "agent_busy",
            f"agent '{agent.name}' has an outstanding invitation for {media_type}",
            field=field,
        )


def _has(node: NodeState, row: Row, name: str) -> bool:
    """Whether the agent handles it: the answer to an earlier accept may have been lost."""
    agent_id = node.logged_in(row.tenant_id, name).agent_id
    return row.state == HANDLING and agent_id in handlers_of(node, row)


def _party_with(node: NodeState, row: Row, ticket: int) -> Party | None:
    party = parties.asked(node, row) if row.key in node.parties else None
    return party if party is not None and party.ticket == ticket else None


def _check_answerer(node: NodeState, row: Row, party: Party, name: str) -> None:
    who = parties.answerer_id(row, party)
    if node.logged_in(row.tenant_id, name).agent_id != who:
        raise PacelineError("not_owner", f"agent '{name}' is not the one asked", field="agent")


def _accept_party(node: NodeState, row: Row, party: Party, name: str, actor: str) -> Row:
    _check_answerer(node, row, party, name)
    if party.ticket_until is not None and node.now > party.ticket_until:
        raise PacelineError(
            "ticket_expired",
            f"the invitation ended at {to_text(party.ticket_until)}",
            field="ticket",
        )
    if (row.tenant_id, party.agent_id) not in node.agents:
        parties.end_request(node, row, party, actor, "logged out meanwhile")
        return row
    new = parties.join(node, row, party, actor)
    parties.tell_requester(node, party, "accepted")
    return hand_over(node, row, new, actor, "transfer") if party.role == "transfer" else row


def _invited(node: NodeState, row: Row, name: str, ticket: int) -> Agent:
    agent = node.logged_in(row.tenant_id, name)
    if row.state == HANDLING and row.agent_id != agent.agent_id:
        raise PacelineError("already_accepted", "another agent has accepted the interaction")
    if row.ticket != ticket or row.ticket == 0:
        raise PacelineError(
            "ticket_expired", "the invitation of this ticket is over", field="ticket"
        )
    if row.agent_id != agent.agent_id:
        raise PacelineError("not_owner", f"agent '{name}' is not the invited one", field="agent")
    return agent
