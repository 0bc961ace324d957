"""The simulated network keeps TCP's promises, and breaks them only as networks do."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.metrics import Metrics
from paceline.simulator.whole.link import BUFFER_BYTES, SimulatedLink
from paceline.simulator.whole.loop import run_simulated
from paceline.simulator.whole.network import SERVER_PING_S, SimulatedNetwork
from paceline.simulator.whole.process import SimulatedProcess
from paceline.units.quantities import Millis
from paceline.wire.client.websocket import OPEN_TIMEOUT_S, PING_S
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.server.surface import Surface

START = Millis(1_700_000_000_000)


class Pair:
    """Two processes and a link between them; the server's end is `far`."""

    def __init__(self, network: SimulatedNetwork, one: SimulatedProcess, other: SimulatedProcess):
        self.network = network
        self.client, self.server = one, other
        client, server = network._connect(one, other)
        self.near: SimulatedLink = client.link
        self.far: SimulatedLink = server.link


def _run(test: Callable[[Pair], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        chance = Chance(5)
        network = SimulatedNetwork(chance)
        processes = [SimulatedProcess(name, 1, chance=chance, start=START) for name in ("a", "b")]
        for process in processes:
            network.join(process)
        await test(Pair(network, *processes))

    run_simulated(run())


async def _received(link: SimulatedLink) -> list[bytes]:
    frames: list[bytes] = []
    while (frame := await link.receive()) is not None:
        frames.append(frame)
    return frames


def test_frames_keep_their_order_and_take_time() -> None:
    """However long each one takes, none overtakes another; the end comes last."""

    async def test(pair: Pair) -> None:
        pair.network.slow_down("a", "b", 0.5)
        sent = [b"%d" % n for n in range(100)]
        for frame in sent:
            await pair.near.send(frame)
        await pair.near.close()
        assert await _received(pair.far) == sent
        assert asyncio.get_running_loop().time() > 0.5
        with pytest.raises(ConnectionError):
            await pair.far.send(b"too late")

    _run(test)


def test_a_sender_waits_for_a_slow_reader() -> None:
    """A full buffer holds the sender until the reader takes something."""

    async def test(pair: Pair) -> None:
        await pair.near.send(bytes(BUFFER_BYTES))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await pair.near.send(b"more")
        assert await pair.far.receive() == bytes(BUFFER_BYTES)
        await pair.near.send(b"more")
        assert await pair.far.receive() == b"more"

    _run(test)


def test_a_short_cut_delays_and_loses_nothing() -> None:
    """Frames sent during a cut arrive after it, in order."""

    async def test(pair: Pair) -> None:
        for way in (("a", "b"), ("b", "a")):
            pair.network.block(*way)
        await pair.near.send(b"one")
        await pair.near.send(b"two")
        await asyncio.sleep(5)
        for way in (("a", "b"), ("b", "a")):
            pair.network.unblock(*way)
        assert [await pair.far.receive(), await pair.far.receive()] == [b"one", b"two"]
        assert 5 < asyncio.get_running_loop().time() < 5.1

    _run(test)


def test_what_was_sent_as_a_cut_heals_does_not_overtake_what_waited() -> None:
    """Frames still on their way when the cut ends arrive after those that had come to it."""

    async def test(pair: Pair) -> None:
        pair.network.block("a", "b")
        await pair.near.send(b"early")
        await asyncio.sleep(1.0)
        await pair.near.send(b"late")
        pair.network.unblock("a", "b")
        assert [await pair.far.receive(), await pair.far.receive()] == [b"early", b"late"]

    _run(test)


def test_pings_notice_a_half_open_link_at_both_ends() -> None:
    """When one way is silent each end drops the link within twice its ping period."""

    async def test(pair: Pair) -> None:
        pair.network.block("a", "b")
        assert await pair.near.receive() is None
        assert PING_S < asyncio.get_running_loop().time() < 2 * PING_S
        assert await pair.far.receive() is None
        assert SERVER_PING_S < asyncio.get_running_loop().time() < 2 * SERVER_PING_S

    _run(test)


def test_a_killed_process_ends_its_links_after_what_it_sent() -> None:
    """The peer gets what was on its way, then the end, at once."""

    async def test(pair: Pair) -> None:
        await pair.far.send(b"last words")
        pair.server.kill()
        assert await _received(pair.near) == [b"last words"]
        assert asyncio.get_running_loop().time() < 0.1

    _run(test)


def test_a_paused_process_keeps_its_links_for_a_while() -> None:
    """A short pause costs nothing; after a long one the peer's ping has given up."""

    async def test(pair: Pair) -> None:
        await pair.near.send(b"hello")
        pair.server.pause()
        await asyncio.sleep(PING_S / 2)
        pair.server.resume()
        assert await pair.far.receive() == b"hello"
        pair.server.pause()
        began_at = asyncio.get_running_loop().time()
        assert await pair.near.receive() is None
        assert asyncio.get_running_loop().time() - began_at > PING_S

    _run(test)


def test_a_reset_loses_what_is_on_its_way() -> None:
    """Both ends learn of it, and frames under way are gone."""

    async def test(pair: Pair) -> None:
        await pair.near.send(b"lost")
        assert pair.network.reset("b", "a") == 1
        assert await _received(pair.far) == []
        assert await _received(pair.near) == []

    _run(test)


async def _opening_problem(network: SimulatedNetwork, process: SimulatedProcess, url: str) -> str:
    with suppress(TimeoutError):
        try:
            await network.open_link(process, url)
        except PacelineError as error:
            return error.name
    return ""


def test_opening_tells_nobody_there_from_a_silent_machine() -> None:
    """Without a listener it is refused at once, over a cut way or by a paused server after a timeout."""

    async def test(pair: Pair) -> None:
        network, client = pair.network, pair.client
        loop = asyncio.get_running_loop()
        address = network.bind(pair.server, 0)
        assert await _opening_problem(network, client, address.url) == "owner_unavailable"
        assert loop.time() < 0.1
        await address.serve(
            Surface(
                kind="message",
                name="test",
                handlers=dict.fromkeys(OPERATIONS_OF["message"], _unused),
                verify=pytest.fail,
                times=pair.server.times,
                metrics=Metrics("test"),
            )
        )
        assert await _opening_problem(network, client, address.url) == ""
        pair.server.pause()
        assert await _opening_problem(network, client, address.url) == "owner_unavailable"
        assert loop.time() > OPEN_TIMEOUT_S
        pair.server.resume()
        network.block("b", "a")
        assert await _opening_problem(network, client, address.url) == "owner_unavailable"
        assert loop.time() > 2 * OPEN_TIMEOUT_S
        network.unblock("b", "a")
        pair.server.kill()
        began_at = loop.time()
        assert await _opening_problem(network, client, address.url) == "owner_unavailable"
        assert loop.time() - began_at < 0.1

    _run(test)


async def _unused(call: object, request: object) -> object:
    raise AssertionError("nobody asks")


def test_a_port_in_use_is_refused() -> None:
    """As the real listen does, with the port named."""

    async def test(pair: Pair) -> None:
        pair.network.bind(pair.server, 7000)
        with pytest.raises(PacelineError, match="7000") as refused:
            pair.network.bind(pair.server, 7000)
        assert refused.value.name == "start_refused"

    _run(test)
