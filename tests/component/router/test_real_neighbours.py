"""The router between a real Interaction Server and a real Stat Server: nothing of the loop is faked."""

from collections import Counter
from contextlib import AsyncExitStack

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.runtime.chance import Chance
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.sdk.stat import StatServerClient
from paceline.servers.router.options import OPTIONS as ROUTER_OPTIONS
from paceline.servers.router.server import Router
from paceline.servers.stat.options import OPTIONS as STAT_OPTIONS
from paceline.servers.stat.server import StatServer
from paceline.storage.access_point import from_url
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.event import Event
from paceline.wire.operations.interaction import Invite
from tests.fakes.served import Served
from tests.fakes.site import Node, running_node, small_site

AGENTS = tuple(f"agent{n}" for n in range(1, 6))
PROACTIVE = msgspec.Raw(
    b'{"Proactive":"1","PacingVirtualQueue":"Proactive Chat","PacingAgentGroups":"Chat agents"}'
)
WORK = 60


class Desks:
    """Agents at their desks: they let ring, refuse or take, and finish after a while."""

    def __init__(self, times: Times, client: InteractionServerClient, tasks: TaskGroup) -> None:
        self._times = times
        self._client = client
        self._tasks = tasks
        self._chance = Chance(7).stream("desks")
        self.done: Counter[str] = Counter()
        self.at_once: Counter[str] = Counter()
        self.most = 0
        client.connection.on_notice("interaction.invite", self._ring)

    def _ring(self, invite: Invite) -> None:
        self._tasks.start("answer", self._answer(invite))

    async def _answer(self, invite: Invite) -> None:
        key, agent, ticket = invite.interaction.interaction_id, invite.agent, invite.ticket
        await self._times.business.sleep(self._chance.uniform(0.0, 3.0))
        drawn = self._chance.random()
        if drawn < 0.1:
            return
        try:
            if drawn < 0.25:
                await self._client.interaction.reject(
                    interaction_id=key, ticket=ticket, agent=agent
                )
                return
            await self._client.interaction.accept(interaction_id=key, ticket=ticket, agent=agent)
        except PacelineError as refused:
            assert refused.name == "ticket_expired"
            return
        self.at_once[agent] += 1
        self.most = max(self.most, self.at_once[agent])
        await self._times.business.sleep(self._chance.exponential(20.0))
        self.at_once[agent] -= 1
        await self._client.interaction.stop(interaction_id=key, agent=agent)
        self.done[key] += 1


async def stat_server(stack: AsyncExitStack, times: Times, node: Node) -> Served:
    """A Stat Server that follows the node, and its face."""
    database = open_database(from_url("sqlite://"), times=times, inline=True)
    stack.push_async_callback(database.close)
    await upgrade(database, ["stat"])
    server = StatServer(
        name="stat",
        settings=LiveSettings(STAT_OPTIONS),
        times=times,
        configuration=node.configuration,
        database=database,
        interaction_servers={"node": await node.client("stat", "reporting")},
        metrics=Metrics("stat"),
    )
    await stack.enter_async_context(server)
    served = Served("stat", server.handlers, times)
    stack.push_async_callback(served.close)
    return served


def test_the_loop_of_routing_is_closed() -> None:
    """All work is handled once, no agent above the capacity, both virtual queues are used."""

    async def run() -> None:
        times = virtual_times(Millis(1_769_846_400_000))
        async with AsyncExitStack() as stack:
            site = small_site()
            site.add("applications", "stat", Application(application_type="stat_server"))
            node = await stack.enter_async_context(running_node(times, site=site))
            served = await stat_server(stack, times, node)
            failures: list[str] = []
            tasks = TaskGroup("desks", failures.append)
            stack.push_async_callback(tasks.aclose)
            desk = await node.client("desks", "agent")
            desks = Desks(times, desk, tasks)
            router = Router(
                name="router",
                settings=LiveSettings(ROUTER_OPTIONS),
                times=times,
                configuration=node.configuration,
                interactions=await node.client("router", "router"),
                statistics=StatServerClient(await served.connect("router")),
                metrics=Metrics("router"),
            )
            await stack.enter_async_context(router)
            for number, agent in enumerate(AGENTS, start=1):
                await desk.agent.login(
                    agent=agent, place=f"place{number}", media=("chat",), ready=True
                )
            media = await node.client("chat")
            for number in range(WORK):
                await media.interaction.submit(
                    media_type="chat",
                    queue="Chats",
                    user_data=PROACTIVE if number % 3 == 0 else msgspec.Raw(b"{}"),
                )
            await times.business.sleep(1800)
            assert failures == []
            assert desks.done.total() == len(desks.done) == WORK
            assert desks.most == 2
            assert router.findings() == ()
            events: list[Event] = []
            position = None
            while True:
                page = await media.event.read(after=position, limit=1000)
                events += page.items
                position = page.position
                if page.complete:
                    break
            distributed = Counter(
                msgspec.json.decode(event.data)["virtual_queue"]
                for event in events
                if event.name == "EventVirtualQueueDistributed"
            )
            assert distributed == {"Proactive Chat": WORK / 3, "Chat": WORK * 2 / 3}
            entered = sum(event.name == "EventVirtualQueueEntered" for event in events)
            assert entered == WORK

    run_virtual(run())
