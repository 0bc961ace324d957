"""What ends a session by itself: silence, a lost connection; and the shield against many logouts at once."""

import asyncio

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.servers.interaction.options import OPTIONS
from paceline.units.quantities import Millis
from paceline.wire.call import ANYONE, Call
from paceline.wire.operations.agent import Login
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.site import Node, running_node, small_site

START = Millis(1_000_000_000_000)
MINUTE = 60


def _times(speed: float = 1.0) -> Times:
    return virtual_times(START, speed)


def _many_agents(count: int) -> SnapshotBuilder:
    site = small_site()
    person = next(o.body for o in site.build().objects.values() if o.name == "agent1")
    for number in range(6, count + 1):
        site.add("persons", f"agent{number}", person)
    return site


async def _logouts(client: InteractionServerClient) -> list[tuple[str | None, str | None]]:
    return [
        (event.agent, event.reason)
        for event in (await client.event.read(limit=1000)).items
        if event.name == "EventAgentLogout"
    ]


async def _signals(client: InteractionServerClient) -> list[dict[str, object]]:
    return [
        msgspec.json.decode(event.data)
        for event in (await client.event.read(limit=1000)).items
        if event.name == "EventPanicSignal"
    ]


async def _gateway(node: Node, name: str, agents: range) -> InteractionServerClient:
    gateway = await node.client(name, "proxy")
    await asyncio.gather(*(gateway.agent.login(agent=f"agent{count}") for count in agents))
    return gateway


# --- login-session-timeout ---------------------------------------------------------------------


def test_the_limit_is_a_day_unless_set() -> None:
    """login-session-timeout is 1440 minutes, from 1 to 43,200."""
    option = OPTIONS.by_name()["settings", "login-session-timeout"]
    assert (option.default, option.low, option.high, option.unit) == (1440, 1, 43_200, "min")
    assert LiveSettings(OPTIONS).current.seconds("settings", "login-session-timeout") == 86_400


@pytest.mark.parametrize("speed", [1.0, 60.0])
def test_a_session_without_any_request_ends_at_the_limit(speed: float) -> None:
    """Business time: still there a minute before it, then one logout with the reason."""

    async def scenario() -> None:
        times = _times(speed)
        options = {"settings": {"login-session-timeout": 120}}
        async with running_node(times, options=options) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            await desk.agent.login(agent="agent1")
            await times.business.sleep(119 * MINUTE)
            assert len((await media.agent.list()).items) == 1
            await times.business.sleep(2 * MINUTE)
            assert await _logouts(media) == [("agent1", "login-session-timeout")]

    run_virtual(scenario())


def test_any_request_of_the_agent_puts_the_end_off() -> None:
    """Also one that only reads, on the agent's own connection, and one over HTTP that names the agent."""

    async def scenario() -> None:
        times = _times()
        options = {"settings": {"login-session-timeout": 60}}
        async with running_node(times, options=options) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            await desk.agent.login(agent="agent1")
            for _ in range(3):
                await times.business.sleep(50 * MINUTE)
                await desk.queue.list()
            await times.business.sleep(50 * MINUTE)
            await media.agent.change_reason(agent="agent1", reason="training")
            await times.business.sleep(50 * MINUTE)
            assert await _logouts(media) == []
            await times.business.sleep(11 * MINUTE)
            assert await _logouts(media) == [("agent1", "login-session-timeout")]

    run_virtual(scenario())


def test_requests_for_others_on_a_gateway_put_nothing_off() -> None:
    """Two agents on one link: the one who asks for nothing is logged out, the other stays."""

    async def scenario() -> None:
        times = _times()
        options = {"settings": {"login-session-timeout": 60}}
        async with running_node(times, options=options) as node:
            gateway = await _gateway(node, "gateway", range(1, 3))
            for count in range(5):
                await times.business.sleep(20 * MINUTE)
                await gateway.agent.change_reason(agent="agent2", reason=f"task {count}")
            assert await _logouts(gateway) == [("agent1", "login-session-timeout")]

    run_virtual(scenario())


def test_the_limit_is_taken_live() -> None:
    """Lowered from a day to a minute, the next check uses it."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            await desk.agent.login(agent="agent1")
            await times.business.sleep(10 * MINUTE)
            node.settings.update({"settings": {"login-session-timeout": 1}})
            await times.business.sleep(31)
            assert await _logouts(media) == [("agent1", "login-session-timeout")]

    run_virtual(scenario())


# --- grace and shield --------------------------------------------------------------------------


def test_who_comes_back_within_the_grace_leaves_no_record() -> None:
    """Cut and back: no logout event, the same session; cut for good: exactly one."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            first = await desk.agent.login(agent="agent1")
            await desk.connection.close()
            await times.machine.sleep(29)
            desk = await node.client("desk", "agent")
            assert (await desk.agent.login(agent="agent1")).session_id == first.session_id
            await times.machine.sleep(60)
            assert await _logouts(media) == []
            await desk.connection.close()
            await times.machine.sleep(60)
            assert await _logouts(media) == [("agent1", "agent connection lost")]

    run_virtual(scenario())


def test_who_comes_back_over_http_is_in_no_grace_any_more() -> None:
    """A login without a session of its own keeps the agent logged in; silence alone ends it then."""

    async def scenario() -> None:
        times = _times()
        options = {"settings": {"login-session-timeout": 60}}
        async with running_node(times, options=options) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            first = await desk.agent.login(agent="agent1")
            await desk.connection.close()
            await times.machine.sleep(1)
            http = Call(
                principal=ANYONE,
                tenant=1,
                client="agent1",
                client_kind="operator",
                request_id="r",
                deadline=times.machine.monotonic() + 10,
            )
            back = await node.server.handlers["agent.login"](http, Login(agent="agent1"))
            assert back.session_id == first.session_id
            await times.machine.sleep(60)
            assert await _logouts(media) == []
            await times.business.sleep(61 * MINUTE)
            assert await _logouts(media) == [("agent1", "login-session-timeout")]

    run_virtual(scenario())


def test_the_grace_is_taken_live() -> None:
    """Set to nothing, a lost agent is logged out at once."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            desk, media = await node.client("desk", "agent"), await node.client("chat")
            await desk.agent.login(agent="agent1")
            node.settings.update({"settings": {"mass-logout-grace": 0}})
            await desk.connection.close()
            await times.machine.sleep(0.1)
            assert len(await _logouts(media)) == 1

    run_virtual(scenario())


def test_a_lost_gateway_gives_one_signal() -> None:
    """60 agents on one link: one EventPanicSignal with path and sessions; 20 come back, 40 logouts."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times, site=_many_agents(60)) as node:
            media = await node.client("chat")
            gateway = await _gateway(node, "gateway", range(1, 61))
            await gateway.connection.close()
            await times.machine.sleep(1)
            assert await _signals(media) == [{"path": "gateway", "sessions": 60}]
            assert await _logouts(media) == []
            await _gateway(node, "gateway", range(1, 21))
            await times.machine.sleep(60)
            lost = await _logouts(media)
            assert sorted(str(a) for a, _ in lost) == sorted(f"agent{n}" for n in range(21, 61))
            assert len(await _signals(media)) == 1

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("threshold", "agents", "signals"), [(50, 49, 0), (50, 50, 1), (49, 49, 1), (0, 60, 0)]
)
def test_the_threshold_of_the_signal(threshold: int, agents: int, signals: int) -> None:
    """One below gives none; changed live it counts at once; 0 turns it off."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times, site=_many_agents(agents)) as node:
            media = await node.client("chat")
            gateway = await _gateway(node, "gateway", range(1, agents + 1))
            node.settings.update({"settings": {"mass-logout-threshold": threshold}})
            await gateway.connection.close()
            await times.machine.sleep(1)
            assert len(await _signals(media)) == signals

    run_virtual(scenario())


def test_links_of_one_gateway_count_together_within_the_window() -> None:
    """Two links of 30 agents each: lost within 5 s one signal, lost further apart none."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times, site=_many_agents(60)) as node:
            media = await node.client("chat")
            for pause_s, signals in ((6, 0), (4, 1)):
                links = [
                    await _gateway(node, "gateway", range(1, 31)),
                    await _gateway(node, "gateway", range(31, 61)),
                ]
                await links[0].connection.close()
                await times.machine.sleep(pause_s)
                await links[1].connection.close()
                await times.machine.sleep(40)
                assert len(await _signals(media)) == signals

    run_virtual(scenario())


def test_an_agent_who_was_logged_out_may_not_ask_for_more() -> None:
    """After the grace the session is gone: the next request is refused, a login begins a new one."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            desk = await node.client("desk", "agent")
            before = await desk.agent.login(agent="agent1", media=("chat",))
            await desk.connection.close()
            await times.machine.sleep(31)
            desk = await node.client("desk", "agent")
            with pytest.raises(PacelineError, match="media_not_logged_in"):
                await desk.media.ready(agent="agent1", media="chat")
            assert (await desk.agent.login(agent="agent1")).session_id != before.session_id

    run_virtual(scenario())
