"""A small contact centre's configuration, and an interaction node that serves it over memory links."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from paceline.model.configuration import (
    AgentGroup,
    BusinessProcess,
    CapacityRule,
    Dn,
    InteractionQueue,
    Person,
    Place,
    Strategy,
    Switch,
    View,
)
from paceline.model.options import RawOptions
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk.interaction import InteractionServerClient
from paceline.servers.interaction.options import OPTIONS
from paceline.servers.interaction.server import InteractionServer
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.ids import Epoch
from tests.fakes.configuration import FixedConfiguration, SnapshotBuilder
from tests.fakes.served import Served


def small_site() -> SnapshotBuilder:
    """Chat and e-mail: a reactive and a proactive virtual queue for chat, five agents, one group a medium."""
    site = SnapshotBuilder()
    site.add("switches", "Web", Switch())
    for number, media in (("Chat", "chat"), ("Proactive Chat", "chat"), ("E-mail", "email")):
        site.add(
            "dns", number, Dn(switch="Web", number=number, options={"pacing": {"media": media}})
        )
    site.add("scripts", "Two chats", CapacityRule(media={"chat": 2, "email": 1}))
    for count in range(1, 6):
        site.add("persons", f"agent{count}", Person(is_agent=True, capacity_rule="Two chats"))
        site.add("places", f"place{count}", Place())
    agents = tuple(f"agent{count}" for count in range(1, 6))
    site.add(
        "agent-groups",
        "Chat agents",
        AgentGroup(agents=agents, origination_dns=("Chat", "Proactive Chat")),
    )
    site.add(
        "agent-groups", "E-mail agents", AgentGroup(agents=agents, origination_dns=("E-mail",))
    )
    site.add("business-processes", "Service", BusinessProcess())
    for queue in ("Chats", "E-mails"):
        site.add("scripts", queue, InteractionQueue(business_process="Service"))
        site.add("scripts", f"{queue} view", View(business_process="Service", queue=queue))
    site.add(
        "scripts",
        "Route chats",
        Strategy(business_process="Service", views=("Chats view",), virtual_queue="Chat"),
    )
    return site


class Node:
    """An interaction node under test with the face that clients connect to."""

    def __init__(
        self,
        server: InteractionServer,
        served: Served,
        configuration: FixedConfiguration,
        settings: LiveSettings,
    ) -> None:
        self.server = server
        self.served = served
        self.configuration = configuration
        self.settings = settings

    async def client(self, name: str, kind: str = "media_server") -> InteractionServerClient:
        """A connected client of a kind."""
        return InteractionServerClient(await self.served.connect(name, kind))  # type: ignore[arg-type]


@asynccontextmanager
async def running_node(
    times: Times,
    *,
    database: Database | None = None,
    site: SnapshotBuilder | None = None,
    epoch: int = 1,
    options: RawOptions | None = None,
) -> AsyncIterator[Node]:
    """An interaction node on a database (its own in memory without one), stopped at the end."""
    owned = database is None
    store = database or open_database(from_url("sqlite://"), times=times, inline=True)
    await upgrade(store, ["interaction"])
    configuration = FixedConfiguration((site or small_site()).build())
    settings = LiveSettings(OPTIONS, options or {})
    server = InteractionServer(
        name="node",
        settings=settings,
        times=times,
        configuration=configuration,
        database=store,
        epoch=Epoch(epoch),
        metrics=Metrics("interaction"),
    )
    await server.start()
    served = Served("interaction", server.handlers, times, on_session=server.session_began)
    try:
        yield Node(server, served, configuration, settings)
    finally:
        await served.close()
        await server.stop()
        if owned:
            await store.close()
