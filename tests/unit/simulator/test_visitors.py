"""Visitors against an engine that says what the test wants."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import AgentGroup, Dn, Switch
from paceline.model.instant import to_text
from paceline.runtime.chance import Chance
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import EngagementEngineClient, InteractionServerClient
from paceline.simulator.attempts import Attempts
from paceline.simulator.bank_day import bank_day
from paceline.simulator.fates import Fates, customer_type_of
from paceline.simulator.site import Site
from paceline.simulator.timers import Timers
from paceline.simulator.visitors import ACCEPTANCE, DECLINED_SHARE, REST_S, Visitors
from paceline.simulator.waiting import WaitingCustomers
from paceline.units.quantities import Millis
from paceline.wire.call import Call
from paceline.wire.operations.engagement import (
    AcceptInvitation,
    CreateInvitation,
    InvitationCreated,
    InvitationRef,
    InvitationState,
)
from paceline.wire.operations.interaction import Abandon, StateAnswer
from tests.fakes.configuration import FixedConfiguration, SnapshotBuilder
from tests.fakes.served import Served

OPENING = Millis(1_769_846_400_000)


class Engine:
    """Grants or refuses every wish, and notes answers with the time since the invitation."""

    def __init__(self, times: Times) -> None:
        self.times = times
        self.has_permits = True
        self.asked: list[Millis] = []
        self.invited: dict[str, Millis] = {}
        self.accepted_after: list[float] = []
        self.rejected = 0
        self.abandoned: dict[str, float] = {}

    async def create(self, call: Call, request: CreateInvitation) -> InvitationCreated:
        now = self.times.business.now()
        self.asked.append(now)
        assert request.target == "Proactive Chat - chat"
        if not self.has_permits:
            raise PacelineError("no_permit", "none left")
        invitation_id = f"i{len(self.asked)}"
        self.invited[invitation_id] = now
        return InvitationCreated(invitation_id=invitation_id, expires_at=to_text(now + 45_000))

    async def accept(self, call: Call, request: AcceptInvitation) -> InvitationState:
        self.accepted_after.append(self._age_s(request.invitation_id))
        assert customer_type_of(request.user_data) in ("PS", "PE", "IN")
        return InvitationState(
            invitation_id=request.invitation_id,
            state="accepted",
            interaction_id=f"chat of {request.invitation_id}",
        )

    async def reject(self, call: Call, request: InvitationRef) -> InvitationState:
        self.rejected += 1
        return InvitationState(invitation_id=request.invitation_id, state="rejected")

    async def abandon(self, call: Call, request: Abandon) -> StateAnswer:
        invitation_id = request.interaction_id.split()[-1]
        self.abandoned[request.interaction_id] = self._age_s(invitation_id)
        return StateAnswer(interaction_id=request.interaction_id, state="stopped")

    def _age_s(self, invitation_id: str) -> float:
        return (self.times.business.now() - self.invited[invitation_id]) / 1000


def with_visitors(
    check: Callable[[Visitors, Engine], Coroutine[Any, Any, None]], *, scale: float = 1.0
) -> None:
    """Runs a check while visitors come to a site with one target."""

    async def run() -> None:
        times = virtual_times(OPENING)
        site = SnapshotBuilder()
        site.add("switches", "Web", Switch())
        queue = Dn(switch="Web", number="Proactive Chat", options={"pacing": {"media": "chat"}})
        site.add("dns", "Proactive Chat", queue)
        site.add("agent-groups", "Chat", AgentGroup(origination_dns=("Proactive Chat",)))
        engine = Engine(times)
        served = Served(
            "engagement",
            {
                "invitation.create": engine.create,
                "invitation.accept": engine.accept,
                "invitation.reject": engine.reject,
            },
            times,
        )
        node = Served("interaction", {"interaction.abandon": engine.abandon}, times)
        failures: list[str] = []
        tasks = TaskGroup("test", failures.append)
        chance, timers = Chance(1), Timers(times, tasks)
        fates, attempts = Fates(chance, bank_day()), Attempts(times, chance)
        waiting = WaitingCustomers(
            InteractionServerClient(await node.connect("media", "media_server")),
            times=times,
            timers=timers,
            attempts=attempts,
            fates=fates,
            is_taken=lambda _: False,
        )
        visitors = Visitors(
            EngagementEngineClient(await served.connect("visitors")),
            site=Site(FixedConfiguration(site.build())),
            day=bank_day(),
            opening=OPENING,
            scale=scale,
            times=times,
            chance=chance,
            timers=timers,
            attempts=attempts,
            fates=fates,
            waiting=waiting,
        )
        tasks.start("visitors", visitors.run())
        await check(visitors, engine)
        timers.close()
        await tasks.aclose()
        await served.close()
        await node.close()
        assert not failures

    run_virtual(run())


def test_twenty_visitors_come_for_each_customer() -> None:
    """As many as twenty times the bank's mean, within three deviations of a Poisson count."""

    async def check(visitors: Visitors, engine: Engine) -> None:
        await engine.times.business.sleep(1200)
        slots = range(96, 100)
        customers = sum(c[slot] for c in bank_day().arrivals_mean.values() for slot in slots)
        mean = 20 * customers
        assert abs(visitors.counts.came - mean) < 3 * mean**0.5

    with_visitors(check)


def test_invited_visitors_answer_as_in_the_published_world() -> None:
    """Shares of accepted and declined invitations, and the mean time to answer."""

    async def check(visitors: Visitors, engine: Engine) -> None:
        await engine.times.business.sleep(1800)
        invited = len(engine.invited)
        assert invited == visitors.counts.invited == visitors.counts.came
        assert len(engine.accepted_after) / invited == pytest.approx(ACCEPTANCE, abs=0.06)
        declined = (1 - ACCEPTANCE) * DECLINED_SHARE
        assert engine.rejected / invited == pytest.approx(declined, abs=0.06)
        mean_s = sum(engine.accepted_after) / len(engine.accepted_after)
        assert mean_s == pytest.approx(15.0, abs=3.0)

    with_visitors(check)


def test_without_permits_visitors_leave_and_are_counted() -> None:
    """After a refusal nobody asks for a while; who came, asked or not, is counted once."""

    async def check(visitors: Visitors, engine: Engine) -> None:
        engine.has_permits = False
        await engine.times.business.sleep(1200)
        counts = visitors.counts
        assert counts.invited == 0
        assert counts.refused == len(engine.asked) > 0
        assert counts.unasked > 0
        assert counts.came == counts.refused + counts.unasked
        gaps = [(b - a) / 1000 for a, b in zip(engine.asked, engine.asked[1:], strict=False)]
        assert min(gaps) >= REST_S

    with_visitors(check)


def test_who_accepted_and_is_not_served_leaves() -> None:
    """Nobody waits without end: each one leaves when the patience that is theirs is over."""

    async def check(visitors: Visitors, engine: Engine) -> None:
        await engine.times.business.sleep(600)
        engine.has_permits = False
        accepted = len(engine.accepted_after)
        await engine.times.business.sleep(4 * 3600)
        assert accepted > 10
        assert len(engine.abandoned) >= accepted

    with_visitors(check, scale=0.3)
