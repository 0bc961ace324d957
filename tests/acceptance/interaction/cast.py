"""The clients of an acceptance test: a media server, a router, two agents at their desks, and the log.

What the server tells each of them is kept in order, so that a test compares whole sets of messages.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from paceline.runtime.times import Times, virtual_times
from paceline.sdk.interaction import InteractionServerClient
from paceline.units.quantities import Millis
from paceline.wire.operations.catalogue import NOTICES
from paceline.wire.operations.event import Event
from tests.fakes.site import Node, running_node, small_site

START = Millis(1_000_000_000_000)
VIEW = "Chats view"
TOLD = (
    "interaction.invite",
    "interaction.revoked",
    "interaction.delivery_result",
    "interaction.party_added",
    "interaction.party_removed",
    "interaction.party_request_result",
    "interaction.properties_changed",
)


class Heard:
    """Notices that one client got, by name and body, in order."""

    def __init__(self, client: InteractionServerClient) -> None:
        self.all: list[tuple[str, Any]] = []
        for name in TOLD:
            client.connection.on_notice(name, lambda body, name=name: self.all.append((name, body)))

    def names(self) -> list[str]:
        """Names without `interaction.`, and forgets."""
        found = [name.partition(".")[2] for name, _ in self.all]
        self.all.clear()
        return found

    def last(self, name: str) -> Any:
        """The body of the last notice of a name."""
        return next(body for told, body in reversed(self.all) if told == f"interaction.{name}")


class Cast:
    """Clients around one node. `desk1` and `desk2` speak for agent1 and agent2, both ready for chat."""

    media: InteractionServerClient
    router: InteractionServerClient
    desk1: InteractionServerClient
    desk2: InteractionServerClient

    def __init__(self, node: Node, times: Times) -> None:
        self.node = node
        self.times = times
        self._position: str | None = None

    async def enter(self) -> None:
        """Connects everybody."""
        self.media = await self.node.client("chat")
        self.router = await self.node.client("router", "router")
        self.desk1, self.desk2 = await self.desk("agent1", "place1"), await self.desk("agent2")
        self.heard1, self.heard2 = Heard(self.desk1), Heard(self.desk2)
        self.heard_router = Heard(self.router)
        await self.events()

    async def desk(self, agent: str, place: str | None = None) -> InteractionServerClient:
        """A desk that speaks for an agent who is ready for chat."""
        client = await self.node.client(f"desk of {agent}", "agent")
        await client.agent.login(agent=agent, place=place, media=("chat",), ready=True)
        return client

    async def submitted(self, **fields: Any) -> str:
        """The id of a new interaction in the queue Chats."""
        answer = await self.media.interaction.submit(media_type="chat", queue="Chats", **fields)
        return answer.interaction_id

    async def handled(self, **fields: Any) -> str:
        """The id of a new interaction that agent1 has pulled."""
        key = await self.submitted(**fields)
        await self.desk1.view.pull(view=VIEW, agent="agent1")
        return key

    async def state(self, key: str) -> str:
        """The state of an interaction."""
        return (await self.media.interaction.get(interaction_id=key)).state

    async def settle(self, seconds: float = 0.1) -> None:
        """Lets notices arrive, or timers pass."""
        await self.times.machine.sleep(seconds)

    async def logged(self) -> list[Event]:
        """Reporting events since the last look, in order; the notices have arrived too."""
        await self.settle()
        page = await self.media.event.read(after=self._position, limit=1000)
        self._position = page.position
        return list(page.items)

    async def events(self) -> list[str]:
        """Names of the reporting events since the last look; notices heard so far stay."""
        return [event.name for event in await self.logged()]

    async def mark(self) -> None:
        """Forgets what was logged and told so far."""
        await self.logged()
        for heard in (self.heard1, self.heard2, self.heard_router):
            heard.all.clear()


def data_of(event: Event) -> dict[str, Any]:
    """An event's own fields."""
    found: dict[str, Any] = msgspec.json.decode(event.data)
    return found


@asynccontextmanager
async def cast(*, site: Any = None, options: Any = None) -> AsyncIterator[Cast]:
    """A node on a store of its own with everybody connected."""
    times = virtual_times(START)
    async with running_node(times, site=site or small_site(), options=options) as node:
        found = Cast(node, times)
        await found.enter()
        yield found


assert set(TOLD) <= set(NOTICES)
