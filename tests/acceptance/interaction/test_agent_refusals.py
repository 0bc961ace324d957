"""Every documented refusal of agent work: its trigger, its number, and its documented log number."""

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.errors.table import ERRORS
from paceline.runtime.log import configure_log
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.units.quantities import Millis
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """The log, with all that concerns interactions."""
    path = tmp_path / "log.jsonl"
    configure_log(verbose="interaction", output=str(path))
    yield path
    configure_log(verbose="standard", output="stderr")


class _Stage:
    """agent1 at place1 and agent2, both ready for chat; a chat that rings at agent1, another in routing."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.desk: InteractionServerClient
        self.router: InteractionServerClient
        self.rings = self.routed = ""
        self.ticket = 0

    async def set(self) -> None:
        self.desk = await self.node.client("desk", "agent")
        await self.desk.agent.login(agent="agent1", place="place1", media=("chat",), ready=True)
        await self.desk.agent.login(agent="agent2", media=("chat",), ready=True)
        media = await self.node.client("chat")
        self.router = await self.node.client("router", "router")
        for _ in range(2):
            await media.interaction.submit(media_type="chat", queue="Chats")
        pulled = await self.router.view.pull(view="Chats view", count=2)
        self.rings, self.routed = (i.interaction_id for i in pulled.interactions)
        delivered = await self.router.interaction.deliver(interaction_id=self.rings, agent="agent1")
        self.ticket = delivered.ticket

    async def not_owner(self) -> None:
        await self.desk.interaction.accept(
            interaction_id=self.rings, ticket=self.ticket, agent="agent2"
        )

    async def media_not_logged_in(self) -> None:
        await self.desk.media.ready(agent="agent1", media="email")

    async def media_already_added(self) -> None:
        await self.desk.media.add(agent="agent1", media="chat")

    async def already_ready(self) -> None:
        await self.desk.media.ready(agent="agent1", media="chat")

    async def already_not_ready(self) -> None:
        await self.desk.media.not_ready(agent="agent1", media="chat")
        await self.desk.media.not_ready(agent="agent1", media="chat")

    async def place_occupied(self) -> None:
        await self.desk.agent.login(agent="agent3", place="place1")

    async def agent_elsewhere(self) -> None:
        await self.desk.agent.login(agent="agent1", place="place2")

    async def place_in_logout(self) -> None:
        lost = await self.node.client("lost", "agent")
        await lost.agent.login(agent="agent4", place="place4")
        await lost.connection.close()
        await self.node.served.times.machine.sleep(1)
        await self.desk.agent.login(agent="agent3", place="place4")

    async def invalid_target(self) -> None:
        await self.router.interaction.deliver(interaction_id=self.routed, agent="agent5")

    async def already_accepted(self) -> None:
        await self.desk.interaction.accept(
            interaction_id=self.rings, ticket=self.ticket, agent="agent1"
        )
        await self.desk.interaction.accept(
            interaction_id=self.rings, ticket=self.ticket, agent="agent2"
        )

    async def ticket_expired(self) -> None:
        await self.router.interaction.revoke(interaction_id=self.rings)
        await self.desk.interaction.accept(
            interaction_id=self.rings, ticket=self.ticket, agent="agent1"
        )

    async def agent_busy(self) -> None:
        await self.router.interaction.deliver(interaction_id=self.routed, agent="agent1")


TRIGGERS: dict[str, Callable[[_Stage], Awaitable[None]]] = {
    name: getattr(_Stage, name) for name, spec in ERRORS.items() if 2501 <= spec.number <= 2512
}


def test_there_is_a_trigger_for_each() -> None:
    """2501 to 2512, twelve of them."""
    assert len(TRIGGERS) == 12


@pytest.mark.parametrize("name", TRIGGERS)
def test_the_refusal_and_its_line_in_the_log(name: str, log_file: Path) -> None:
    """Name, number, not done; the documented number stands in the log with the request's id."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            stage = _Stage(node)
            await stage.set()
            with pytest.raises(PacelineError) as refusal:
                await TRIGGERS[name](stage)
            assert (refusal.value.name, refusal.value.outcome) == (name, "not_done")

    run_virtual(scenario())
    lines = [msgspec.json.decode(line) for line in log_file.read_text().splitlines()]
    numbered = [line for line in lines if line.get("error") == name]
    number = ERRORS[name].log_number
    assert [line["number"] for line in numbered] == ([number] if number is not None else [])
    assert all(line["request_id"] for line in numbered)


def test_force_logout_writes_its_documented_line(log_file: Path) -> None:
    """22017: closing connection, with the agent and the client that is closed."""

    async def scenario() -> None:
        options = {"settings": {"allow-multiple-agent-connections": "force-logout"}}
        async with running_node(virtual_times(START), options=options) as node:
            for name in ("one", "two"):
                desk = await node.client(name, "agent")
                await desk.agent.login(agent="agent1")

    run_virtual(scenario())
    lines = [msgspec.json.decode(line) for line in log_file.read_text().splitlines()]
    closed = [(line["agent"], line["client"]) for line in lines if line.get("number") == 22017]
    assert closed == [("agent1", "one")]
