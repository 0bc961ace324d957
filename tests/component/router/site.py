"""A router with its neighbours, joined over memory links on the virtual clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from paceline.model.configuration import (
    AgentGroup,
    Dn,
    InteractionQueue,
    Options,
    Person,
    Strategy,
    View,
)
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times, virtual_times
from paceline.sdk.interaction import InteractionServerClient
from paceline.sdk.stat import StatServerClient
from paceline.servers.router.options import OPTIONS
from paceline.servers.router.server import Router
from paceline.units.quantities import Millis
from paceline.wire.call import Call, Principal
from paceline.wire.operations.router import ListRequest, StrategyPage, VirtualQueuePage
from tests.component.router.neighbours import Interactions, Statistics
from tests.fakes.configuration import FixedConfiguration, SnapshotBuilder
from tests.fakes.served import Served

START = Millis(1_769_846_400_000)


def chat_site() -> SnapshotBuilder:
    """A strategy over one view, two virtual queues for chat and one for e-mail, a group each."""
    builder = SnapshotBuilder()
    builder.add("scripts", "chats", InteractionQueue(business_process="p"))
    builder.add("scripts", "all chats", View(business_process="p", queue="chats"))
    builder.add(
        "scripts",
        "route chats",
        Strategy(business_process="p", views=("all chats",), virtual_queue="Chat"),
    )
    for number, medium in (("Chat", "chat"), ("Proactive", "chat"), ("Mail", "email")):
        options: Options = {"pacing": {"media": medium}}
        builder.add("dns", number, Dn(switch="main", number=number, options=options))
        group = AgentGroup(agents=("ana", "bob"), origination_dns=(number,))
        builder.add("agent-groups", f"{number} agents", group)
    for name in ("ana", "bob"):
        builder.add("persons", name, Person(is_agent=True))
    return builder


class Site:
    """What a test holds in its hands."""

    def __init__(self, builder: SnapshotBuilder, options: dict[str, Any]) -> None:
        self.builder = builder
        self.times: Times = virtual_times(START)
        self.interactions = Interactions()
        self.statistics = Statistics()
        self.configuration = FixedConfiguration(builder.build())
        self.settings = LiveSettings(OPTIONS, {"router": options})
        self.interaction_server = Served("interaction", self.interactions.handlers(), self.times)
        self.stat_server = Served("stat", self.statistics.handlers(), self.times)
        self.router: Router

    async def pass_s(self, seconds: float = 0.01) -> None:
        """Lets time pass."""
        await self.times.machine.sleep(seconds)

    def reconfigure(self) -> None:
        """The builder's state becomes the configuration."""
        self.configuration.change(self.builder.build())

    async def break_interaction_link(self) -> None:
        """The router's link to the Interaction Server ends; the router connects again."""
        await self.interaction_server.links[-1].close()

    async def break_stat_link(self) -> None:
        """The router's link to the Stat Server ends; the router connects again."""
        await self.stat_server.links[-1].close()

    async def strategies(self, **request: Any) -> StrategyPage:
        """The answer of strategy.list."""
        page: StrategyPage = await self._list("strategy.list", request)
        return page

    async def virtual_queues(self, **request: Any) -> VirtualQueuePage:
        """The answer of virtual_queue.list."""
        page: VirtualQueuePage = await self._list("virtual_queue.list", request)
        return page

    async def _list(self, operation: str, request: dict[str, Any]) -> Any:
        call = Call(
            principal=Principal(name="tester", kind="person"),
            tenant=1,
            client="test",
            client_kind="operator",
            request_id="r",
            deadline=0.0,
        )
        return await self.router.handlers[operation](call, ListRequest(**request))


@asynccontextmanager
async def running_site(
    builder: SnapshotBuilder | None = None, **options: Any
) -> AsyncIterator[Site]:
    """A started router; everything is closed at the end."""
    site = Site(builder or chat_site(), {key.replace("_", "-"): v for key, v in options.items()})
    to_interactions = await site.interaction_server.connect("router", "router")
    to_statistics = await site.stat_server.connect("router", "reporting")
    site.router = Router(
        name="router",
        settings=site.settings,
        times=site.times,
        configuration=site.configuration,
        interactions=InteractionServerClient(to_interactions),
        statistics=StatServerClient(to_statistics),
        metrics=Metrics("router"),
    )
    try:
        async with site.router:
            await site.pass_s()
            yield site
    finally:
        await site.interaction_server.close()
        await site.stat_server.close()
