"""The agents' desk against a node that offers whatever the test says."""

from collections.abc import Callable, Coroutine
from typing import Any

from paceline.errors.failure import PacelineError
from paceline.model.configuration import CapacityRule, Person
from paceline.model.instant import to_text
from paceline.runtime.chance import Chance
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import InteractionServerClient
from paceline.simulator.agents import AgentDesk
from paceline.simulator.attempts import Attempts
from paceline.simulator.bank_day import bank_day
from paceline.simulator.fates import Fates, user_data_of
from paceline.simulator.site import Site
from paceline.simulator.timers import Timers
from paceline.units.quantities import Millis
from paceline.wire.call import Call, Peer
from paceline.wire.operations.agent import AgentSession, Login
from paceline.wire.operations.interaction import (
    Accept,
    Interaction,
    Invite,
    Ref,
    Reject,
    Revoked,
    StateAnswer,
    Stop,
)
from tests.fakes.configuration import FixedConfiguration, SnapshotBuilder
from tests.fakes.served import Served

OPENING = Millis(1_769_846_400_000)


class Offering:
    """An interaction node that offers chats and notes what the desk does."""

    def __init__(self, times: Times) -> None:
        self.times = times
        self.peer: Peer | None = None
        self.logged_in: dict[str, tuple[str, ...]] = {}
        self.accepted: list[str] = []
        self.rejected: list[str] = []
        self.stopped: dict[str, Millis] = {}
        self.failures = 0
        self.served = Served(
            "interaction",
            {
                "agent.login": self._login,
                "interaction.accept": self._accept,
                "interaction.reject": self._reject,
                "interaction.stop": self._stop,
                "interaction.get": self._get,
            },
            times,
        )

    def offer(self, number: int) -> None:
        """Invites the only agent."""
        assert self.peer is not None
        invite = Invite(interaction=self.chat(number), ticket=number, agent="ann", expires_at="")
        self.peer.notify("interaction.invite", invite)

    def revoke(self, number: int) -> None:
        """Takes an offer back."""
        assert self.peer is not None
        self.peer.notify(
            "interaction.revoked",
            Revoked(interaction_id=f"chat {number}", agent="ann", ticket=number, reason="gone"),
        )

    def chat(self, number: int, state: str = "routing") -> Interaction:
        """A chat that came at the opening."""
        return Interaction(
            interaction_id=f"chat {number}", tenant=1, state=state, media_type="chat",
            interaction_type="Inbound", interaction_subtype="InboundNew", agent="ann",
            received_at=to_text(OPENING), submitted_at=to_text(OPENING),
            assigned_at=to_text(OPENING), user_data=user_data_of("PS"),
        )  # fmt: skip

    async def _login(self, call: Call, request: Login) -> AgentSession:
        self.peer = call.peer
        assert request.ready
        self.logged_in[request.agent] = request.media
        return AgentSession(agent=request.agent, tenant=1, session_id="s", login_at="")

    async def _accept(self, call: Call, request: Accept) -> StateAnswer:
        self.accepted.append(request.interaction_id)
        return StateAnswer(interaction_id=request.interaction_id, state="handling")

    async def _reject(self, call: Call, request: Reject) -> StateAnswer:
        self.rejected.append(request.interaction_id)
        return StateAnswer(interaction_id=request.interaction_id, state="routing")

    async def _stop(self, call: Call, request: Stop) -> StateAnswer:
        if self.failures:
            self.failures -= 1
            raise PacelineError("database_unavailable", "for a while")
        self.stopped[request.interaction_id] = self.times.business.now()
        return StateAnswer(interaction_id=request.interaction_id, state="stopped")

    async def _get(self, call: Call, request: Ref) -> Interaction:
        return self.chat(int(request.interaction_id.split()[1]), "handling")


def with_desk(
    check: Callable[[AgentDesk, Offering, Fates], Coroutine[Any, Any, None]], *, seed: int = 1
) -> None:
    """Runs a check with a desk of one agent, who takes one chat at a time."""

    async def run() -> None:
        times = virtual_times(OPENING)
        site = SnapshotBuilder()
        site.add("scripts", "One chat", CapacityRule(media={"chat": 1, "email": 0}))
        site.add("persons", "ann", Person(is_agent=True, capacity_rule="One chat"))
        site.add("persons", "head", Person())
        node = Offering(times)
        failures: list[str] = []
        tasks = TaskGroup("test", failures.append)
        chance = Chance(seed)
        fates = Fates(chance, bank_day())
        desk = AgentDesk(
            InteractionServerClient(await node.served.connect("desk", "agent")),
            site=Site(FixedConfiguration(site.build())),
            times=times,
            chance=chance,
            timers=Timers(times, tasks),
            attempts=Attempts(times, chance),
            fates=fates,
        )
        await desk.log_in()
        await check(desk, node, fates)
        await tasks.aclose()
        await node.served.close()
        assert not failures

    run_virtual(run())


def test_agents_log_in_with_the_media_they_may_take() -> None:
    """Only agents, ready in the media of their capacity rule."""

    async def check(desk: AgentDesk, node: Offering, fates: Fates) -> None:
        assert node.logged_in == {"ann": ("chat",)}

    with_desk(check)


def test_no_more_than_the_capacity_is_taken() -> None:
    """Three offers at once to an agent who may have one: one is taken, two are refused at once."""

    async def check(desk: AgentDesk, node: Offering, fates: Fates) -> None:
        for number in (1, 2, 3):
            node.offer(number)
        await node.times.business.sleep(5)
        assert node.accepted == ["chat 1"]
        assert node.rejected == ["chat 2", "chat 3"]
        assert desk.load("ann", "chat") == 1

    with_desk(check)


def test_work_takes_the_time_that_is_fixed_by_seed_and_interaction() -> None:
    """The agent stops after the reaction and the fate's time, also when the server was away."""

    async def check(desk: AgentDesk, node: Offering, fates: Fates) -> None:
        node.failures = 3
        node.offer(1)
        await node.times.business.sleep(3600)
        work_s = fates.handling_s("chat 1", user_data_of("PS"))
        passed_s = (node.stopped["chat 1"] - OPENING) / 1000
        assert work_s + 1 <= passed_s <= work_s + 5
        assert desk.load("ann", "chat") == 0

    with_desk(check)


def test_a_revoked_offer_is_not_taken() -> None:
    """An offer that is taken back within the reaction frees the agent."""

    async def check(desk: AgentDesk, node: Offering, fates: Fates) -> None:
        node.offer(1)
        await node.times.business.sleep(0.5)
        node.revoke(1)
        await node.times.business.sleep(5)
        assert node.accepted == []
        assert desk.load("ann", "chat") == 0

    with_desk(check)


def test_work_in_hand_is_taken_up_with_what_is_left_of_it() -> None:
    """After a restart the agent stops when the whole time since the acceptance has passed."""

    async def check(desk: AgentDesk, node: Offering, fates: Fates) -> None:
        session = AgentSession(
            agent="ann", tenant=1, session_id="s", login_at="", handling=("chat 7",)
        )
        await node.times.business.sleep(20)
        await desk.take_up(session)
        await desk.take_up(session)
        assert desk.load("ann", "chat") == 1
        assert desk.is_taken("chat 7")
        await node.times.business.sleep(3600)
        work_s = fates.handling_s("chat 7", user_data_of("PS"))
        passed_s = (node.stopped["chat 7"] - OPENING) / 1000
        assert abs(passed_s - max(20.0, work_s)) < 0.1

    with_desk(check)
