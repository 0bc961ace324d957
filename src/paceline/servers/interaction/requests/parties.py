"""Several agents on one interaction: transfer, conference, intrusion, leaving.

The one who is asked answers with interaction.accept or interaction.reject (delivery.py).
"""

import asyncio

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.agent import Agent
from paceline.model.instant import to_text
from paceline.model.interaction import InteractionState, Row
from paceline.model.party import INTRUDE, Party, Role, Visibility
from paceline.servers.interaction.live import parties
from paceline.servers.interaction.live.agent_transitions import agent_asked, check_reachable
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.intrusions import Intrusion
from paceline.servers.interaction.live.invites import invite_of
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import HANDLING, hand_over, successor
from paceline.servers.interaction.requests.delivery import Offers, check_not_ringing
from paceline.servers.interaction.requests.lane import NodeLane, actor_of, coded, handlers_of
from paceline.servers.interaction.requests.once import keep_until, submit_once
from paceline.servers.interaction.rules.wire_form import state_answer
from paceline.wire.call import Call, Handlers
from paceline.wire.once import Once, again, kept, once_of
from paceline.wire.operations.interaction import (
    Conference,
    Delivered,
    Intrude,
    Leave,
    PartyRequestResult,
    StateAnswer,
    Transfer,
)

WITHDRAWN = "withdrawn"


class PartyRequests:
    """Handlers of transfer, conference, intrude and leave."""

    def __init__(self, lane: NodeLane, offers: Offers) -> None:
        self._lane = lane
        self._offers = offers
        self._intruding: set[Once] = set()

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "interaction.transfer": self.transfer,
            "interaction.conference": self.conference,
            "interaction.intrude": self.intrude,
            "interaction.leave": self.leave,
        }

    def transfer(self, call: Call, request: Transfer) -> "asyncio.Future[Delivered]":
        """Invites another agent, who becomes the owner with the acceptance; until then nothing changes."""
        return self._invite(call, request, "transfer", "conference")

    def conference(self, call: Call, request: Conference) -> "asyncio.Future[Delivered]":
        """Invites another agent to take part beside the owner."""
        return self._invite(call, request, "conference", request.visibility)

    def _invite(
        self, call: Call, request: Transfer | Conference, role: Role, visibility: Visibility
    ) -> "asyncio.Future[Delivered]":
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> Delivered:
            row = node.row(key)
            agent = _handling_agent(node, row, request.agent)
            if role == "transfer" and row.agent_id != agent.agent_id:
                raise PacelineError(
                    "not_owner",
                    f"agent '{agent.name}' takes part but does not own it",
                    field="agent",
                )
            _check_nobody_asked(node, row)
            asked = agent_asked(
                node,
                agent.tenant_id,
                request.to_agent,
                request.to_place,
                fields=("to_agent", "to_place"),
                but=agent.key,
            )
            target = _target(node, row, asked)
            party = self._ask(node, row, target, agent, role, visibility)
            target.ringing[row.media_type] = row.interaction_id
            self._tell(node, row, party, target, actor, request.reason)
            return Delivered(
                interaction_id=row.interaction_id,
                state=InteractionState(row.state).text,
                ticket=party.ticket,
                expires_at=to_text(party.ticket_until or 0),
            )

        work = Work(apply, keys=(key,), reads_data=True)
        return submit_once(self._lane, call, f"interaction.{role}", request, work, Delivered)

    async def intrude(self, call: Call, request: Intrude) -> StateAnswer:
        """Asks the owner; answered when the owner has answered, at the latest with timeout_s.

        Who waits shorter than delivering-timeout withdraws the question. The answer is kept under
        the request's key with the acceptance.
        """
        once = once_of(call, "interaction.intrude")
        if once is None:
            return await self._intrude(call, request, None)
        if once in self._intruding:
            raise PacelineError(
                "operation_in_progress", "this intrusion waits for its answer", retry_after_s=1.0
            )
        self._intruding.add(once)
        try:
            return await self._intrude(call, request, once)
        finally:
            self._intruding.discard(once)

    async def _intrude(self, call: Call, request: Intrude, once: Once | None) -> StateAnswer:
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)
        handled = StateAnswer(interaction_id=key[1], state=InteractionState.HANDLING.text)
        answered: asyncio.Future[PartyRequestResult] = asyncio.get_running_loop().create_future()

        def answer(result: PartyRequestResult) -> None:
            if not answered.done():
                answered.set_result(result)

        def keep() -> None:
            if once is not None:
                node = self._lane.node
                node.use_token(once, kept(request, handled), keep_until(self._lane, node))

        def apply(node: NodeState) -> int:
            if once is not None and (known := node.token(once)) is not None:
                again(known, request, StateAnswer)
                return 0
            row = node.row(key)
            owner = _owner(node, row)
            agent = node.logged_in(key[0], request.agent)
            if agent.agent_id in handlers_of(node, row):
                return 0
            _check_nobody_asked(node, row)
            party = self._ask(node, row, agent, agent, INTRUDE, request.visibility)
            intrusion = Intrusion(answer, keep)
            node.after_commit(lambda: node.intrusions.update({party.ticket: intrusion}))
            self._tell(node, row, party, owner, actor, request.reason)
            return party.ticket

        tokens = () if once is None else (once,)
        reason = coded(request)
        work = Work(apply, keys=(key,), reads_data=True, tokens=tokens, reason=reason)
        ticket = await self._lane.submit(call, work)
        if ticket:
            left = call.deadline - self._lane.node.times.machine.monotonic()
            try:
                await _accepted(answered, left)
            finally:
                self._lane.node.intrusions.pop(ticket, None)
                if answered.cancelled() or not answered.done():  # a wait that ends cancels it
                    self._withdraw(key, ticket, actor)
        return handled

    def leave(self, call: Call, request: Leave) -> "asyncio.Future[StateAnswer]":
        """A party leaves; the last one cannot: it places the interaction somewhere or stops it."""
        key = (call.tenant_of(request.tenant), request.interaction_id)
        actor = actor_of(call)

        def apply(node: NodeState) -> StateAnswer:
            row = node.row(key)
            agent = _handling_agent(node, row, request.agent)
            if row.agent_id != agent.agent_id:
                party = node.parties[key][agent.agent_id]
                parties.leave(node, row, party, actor, request.reason)
                return state_answer(row)
            heir = successor(node, row)
            if heir is None:
                raise PacelineError(
                    "not_allowed",
                    "nobody else works on it; put it into a queue or a workbin, or stop it",
                    field="agent",
                )
            waiting = parties.asked(node, row)
            if waiting is not None:
                parties.end_request(node, row, waiting, actor, request.reason or "owner left")
            return state_answer(hand_over(node, row, heir, actor, request.reason))

        return self._lane.submit(call, Work(apply, keys=(key,), reason=coded(request)))

    def _ask(
        self,
        node: NodeState,
        row: Row,
        agent: Agent,
        asked_by: Agent,
        role: Role,
        visibility: Visibility,
    ) -> Party:
        seconds = self._lane.settings.current.seconds("settings", "delivering-timeout")
        ticket = node.next_ticket()
        until = node.now + int(seconds * 1000)
        party = Party(
            tenant_id=row.tenant_id,
            interaction_id=row.interaction_id,
            agent_id=agent.agent_id,
            media_type=row.media_type,
            place_id=agent.place_id,
            role=role,
            visibility=visibility,
            ticket=ticket,
            ticket_until=until,
            asked_by=asked_by.agent_id,
            since=node.now,
        )
        node.change_party(party)
        node.after_commit(lambda: self._offers.add(until, ticket, row.key))
        return party

    def _tell(
        self,
        node: NodeState,
        row: Row,
        party: Party,
        answerer: Agent,
        actor: str,
        reason: str | None,
    ) -> None:
        parties.party_event(node, events.AGENT_INVITED, row, party, actor, reason)
        invite = invite_of(node, row, answerer.name, party, reason)
        parties.tell(node, row.tenant_id, answerer.agent_id, "interaction.invite", invite)

    def _withdraw(self, key: tuple[int, str], ticket: int, actor: str) -> None:
        """The intruder does not wait for the answer any more."""

        def apply(node: NodeState) -> None:
            if node.finished(key) is not None:
                return
            row = node.row(key)
            party = parties.asked(node, row)
            if party is not None and party.ticket == ticket:
                parties.end_request(node, row, party, actor, WITHDRAWN)

        if not self._lane.is_closed:
            self._lane.submit_own(Work(apply, keys=(key,)))


def _check_nobody_asked(node: NodeState, row: Row) -> None:
    if parties.asked(node, row) is not None:
        raise PacelineError(
            "operation_in_progress",
            f"somebody is asked about '{row.interaction_id}' already; wait for the answer",
            retry_after_s=1.0,
        )


async def _accepted(answered: "asyncio.Future[PartyRequestResult]", left_s: float) -> None:
    try:
        async with asyncio.timeout(left_s):
            result = await answered
    except TimeoutError:
        raise PacelineError(
            "deadline_exceeded", "the agent who has it has not answered within timeout_s"
        ) from None
    if result.outcome == "rejected":
        raise PacelineError("not_allowed", f"the agent who has it refused: {result.reason}")
    if result.outcome == "revoked":
        raise PacelineError("ticket_expired", f"nobody let the intruder in: {result.reason}")


def _owner(node: NodeState, row: Row) -> Agent:
    agent = node.agents.get((row.tenant_id, row.agent_id or 0))
    if row.state != HANDLING or agent is None:
        raise PacelineError(
            "not_waiting", f"interaction '{row.interaction_id}' is not handled by an agent"
        )
    return agent


def _handling_agent(node: NodeState, row: Row, name: str) -> Agent:
    agent = node.logged_in(row.tenant_id, name)
    if agent.agent_id not in handlers_of(node, row):
        raise PacelineError(
            "not_owner", f"agent '{name}' does not handle '{row.interaction_id}'", field="agent"
        )
    return agent


def _target(node: NodeState, row: Row, name: str) -> Agent:
    """An agent to be invited by another one: logged in with the medium, ready or not."""
    agent_id = node.agent_id(row.tenant_id, name)
    agent = node.agents.get((row.tenant_id, agent_id))
    if agent is None or row.media_type not in agent.media or agent.do_not_disturb:
        raise PacelineError(
            "invalid_target",
            f"agent '{name}' is not logged in with {row.media_type}",
            field="to_agent",
        )
    check_reachable(node, agent, field="to_agent")
    if agent_id in handlers_of(node, row):
        raise PacelineError(
            "invalid_attribute", f"agent '{name}' takes part already", field="to_agent"
        )
    check_not_ringing(agent, row.media_type, field="to_agent")
    return agent
