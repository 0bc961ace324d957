"""What surrounds a DemoWorld in tests: a real interaction node, Stat Server and router, a fake engine.

The configuration is the shipped example. The engine permits so many unanswered invitations per
target; pacing and alarms only answer.
"""

from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import msgspec

from paceline.assembly.configuration_file import read_configuration
from paceline.errors.failure import PacelineError
from paceline.model.configuration import decode_body
from paceline.model.instant import to_text
from paceline.model.target import PacingTarget, comma_list, discover
from paceline.runtime.chance import Chance
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk import (
    Connection,
    EngagementEngineClient,
    InteractionServerClient,
    MessageServerClient,
    PacingServerClient,
    StatServerClient,
)
from paceline.servers.router.options import OPTIONS as ROUTER_OPTIONS
from paceline.servers.router.server import Router
from paceline.servers.stat.options import OPTIONS as STAT_OPTIONS
from paceline.servers.stat.server import StatServer
from paceline.simulator.summary import SiteClients
from paceline.simulator.whole_site import DemoWorld
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import ClientKind
from paceline.wire.operations.engagement import (
    AcceptInvitation,
    CreateInvitation,
    EngagementTarget,
    EngagementTargetPage,
    InvitationCreated,
    InvitationRef,
    InvitationState,
)
from paceline.wire.operations.message import AlarmPage
from paceline.wire.operations.pacing import Cluster, TargetsSubscribed
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.served import Served
from tests.fakes.site import Node, running_node

EXAMPLE = Path(__file__).parents[3] / "examples" / "contact-centre.yaml"
OPENING = Millis(1_769_846_400_000)
LIFE_S = 45.0


def example_site() -> SnapshotBuilder:
    """The shipped example."""
    site = SnapshotBuilder()
    for change in read_configuration(EXAMPLE.read_text(encoding="utf-8")):
        site.add(change.type, change.name, decode_body(change.type, change.body))
    return site


@dataclass
class Engine:
    """An engagement engine that permits `limit` unanswered invitations per target."""

    times: Times
    interactions: InteractionServerClient
    targets: dict[str, PacingTarget]
    limit: int = 6
    sent: Counter[str] = field(default_factory=Counter)
    accepted: dict[str, str] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    _open: dict[str, tuple[str, Millis]] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def handlers(self) -> Handlers:
        """What visitors ask for."""
        return {
            "invitation.create": self._create,
            "invitation.accept": self._accept,
            "invitation.reject": self._reject,
            "engagement_target.list": self._list,
        }

    async def _create(self, call: Call, request: CreateInvitation) -> InvitationCreated:
        now = self.times.business.now()
        pending = [t for t, until in self._open.values() if t == request.target and until > now]
        if len(pending) >= self.limit:
            raise PacelineError("no_permit", "none left")
        invitation_id = f"invitation-{now}-{next(self._numbers)}"
        until = Millis(now + int(LIFE_S * 1000))
        self._open[invitation_id] = (request.target, until)
        self.sent[request.target] += 1
        return InvitationCreated(invitation_id=invitation_id, expires_at=to_text(until))

    async def _accept(self, call: Call, request: AcceptInvitation) -> InvitationState:
        name, until = self._open.pop(request.invitation_id, ("", Millis(0)))
        if until <= self.times.business.now():
            raise PacelineError("invitation_closed", "too late")
        target = self.targets[name]
        keys = {
            "Proactive": "1",
            "PacingTarget": name,
            "PacingVirtualQueue": target.virtual_queue,
            "PacingAgentGroups": comma_list(target.agent_groups),
            "PacingMediaType": target.media_type,
            "PacingInvitationId": request.invitation_id,
        }
        own = msgspec.json.decode(request.user_data)
        queues = {"chat": "Invited chats", "email": "Invited e-mails", "voice": "Invited callbacks"}
        submitted = await self.interactions.interaction.submit(
            media_type=target.media_type,
            queue=queues[target.media_type],
            client_token=request.invitation_id,
            user_data=msgspec.Raw(msgspec.json.encode({**own, **keys})),
        )
        self.accepted[request.invitation_id] = submitted.interaction_id
        return InvitationState(
            invitation_id=request.invitation_id,
            state="accepted",
            interaction_id=submitted.interaction_id,
        )

    async def _reject(self, call: Call, request: InvitationRef) -> InvitationState:
        self._open.pop(request.invitation_id, None)
        self.rejected.add(request.invitation_id)
        return InvitationState(invitation_id=request.invitation_id, state="rejected")

    async def _list(self, call: Call, request: object) -> EngagementTargetPage:
        return EngagementTargetPage(
            items=tuple(
                EngagementTarget(
                    id=name, media_type=target.media_type, permits=0, unspent=0, pending=0,
                    sent=self.sent[name], resolved=0, accepted=0, reason="forecast",
                )
                for name, target in self.targets.items()
            )
        )  # fmt: skip


async def _subscribed(call: Call, request: object) -> TargetsSubscribed:
    peer = call.needs_peer("target.stream")
    return TargetsSubscribed(subscription=peer.open_subscription(lambda: None), sequence=0)


async def _cluster(call: Call, request: object) -> Cluster:
    return Cluster(cluster="pacing-cluster", epoch=1, sequence=0, is_stopped=False)


async def _alarms(call: Call, request: object) -> AlarmPage:
    return AlarmPage(items=())


@dataclass
class Stage:
    """All servers of a site on their databases, and worlds that come and go on them."""

    times: Times
    stack: AsyncExitStack
    node: Node
    engine: Engine
    faces: dict[str, Served]
    worlds: int = 0

    async def world(self, *, seed: int = 1, scale: float = 1.0) -> "Inhabited":
        """A started world with connections of its own."""
        self.worlds += 1
        site = f"world {self.worlds}"
        links = [
            await self._link("interaction", f"{site} media", "media_server"),
            await self._link("interaction", f"{site} desk", "agent"),
            await self._link("engagement", site, "operator"),
            await self._link("stat", site, "operator"),
            await self._link("pacing", site, "operator"),
            await self._link("message", site, "operator"),
        ]
        world = DemoWorld(
            clients=SiteClients(
                media=InteractionServerClient(links[0]),
                desk=InteractionServerClient(links[1]),
                engagement=EngagementEngineClient(links[2]),
                stat=StatServerClient(links[3]),
                pacing=PacingServerClient(links[4]),
                message=MessageServerClient(links[5]),
            ),
            configuration=self.node.configuration,
            times=self.times,
            chance=Chance(seed),
            opening=OPENING,
            scale=scale,
        )
        await world.start()
        return Inhabited(world, links)

    async def _link(self, face: str, client: str, kind: ClientKind) -> Connection:
        return await self.faces[face].connect(client, kind)


@dataclass
class Inhabited:
    """A world and its connections."""

    world: DemoWorld
    links: list[Connection]

    async def kill(self) -> None:
        """Gone from one moment to the next, as the process would be."""
        for link in self.links:
            await link.close()
        await self.world.stop()


async def build_stage(
    stack: AsyncExitStack,
    times: Times,
    *,
    interactions: Database | None = None,
    statistics: Database | None = None,
    epoch: int = 1,
    site: SnapshotBuilder | None = None,
) -> Stage:
    """Starts the servers, on the databases of an earlier stage where they are given."""
    node = await stack.enter_async_context(
        running_node(times, site=site or example_site(), database=interactions, epoch=epoch)
    )
    stat = await _stat(stack, times, node, statistics)
    router = Router(
        name="router",
        settings=LiveSettings(ROUTER_OPTIONS),
        times=times,
        configuration=node.configuration,
        interactions=await node.client("router", "router"),
        statistics=StatServerClient(await stat.connect("router")),
        metrics=Metrics("router"),
    )
    await stack.enter_async_context(router)
    targets = {target.name: target for target in discover(node.configuration.snapshot).targets}
    engine = Engine(times, await node.client("engine"), targets)
    faces = {"interaction": node.served, "stat": stat}
    answering: dict[str, Handlers] = {
        "engagement": engine.handlers,
        "pacing": {"target.stream": _subscribed, "cluster.get": _cluster},
        "message": {"alarm.list": _alarms},
    }
    for kind, handlers in answering.items():
        faces[kind] = Served(kind, handlers, times)
        stack.push_async_callback(faces[kind].close)
    return Stage(times, stack, node, engine, faces)


async def _stat(
    stack: AsyncExitStack, times: Times, node: Node, database: Database | None
) -> Served:
    store = database or await sqlite(stack, times)
    await upgrade(store, ["stat"])
    server = StatServer(
        name="stat-server",
        settings=LiveSettings(STAT_OPTIONS),
        times=times,
        configuration=node.configuration,
        database=store,
        interaction_servers={"interaction-server": await node.client("stat", "reporting")},
        metrics=Metrics("stat"),
    )
    await stack.enter_async_context(server)
    served = Served("stat", server.handlers, times)
    stack.push_async_callback(served.close)
    return served


async def sqlite(stack: AsyncExitStack, times: Times) -> Database:
    """A database in memory that lives as long as the stack."""
    database = open_database(from_url("sqlite://"), times=times, inline=True)
    stack.push_async_callback(database.close)
    return database
