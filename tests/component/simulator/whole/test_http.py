"""HTTP between simulated processes: through the real web application, lost only as networks lose it."""

from collections.abc import Callable, Coroutine
from typing import Any

import httpx
import pytest

from paceline.runtime.chance import Chance
from paceline.runtime.metrics import Metrics
from paceline.simulator.whole.http import HttpFact, SimulatedHttp
from paceline.simulator.whole.loop import run_simulated
from paceline.simulator.whole.network import SimulatedNetwork
from paceline.simulator.whole.process import SimulatedProcess
from paceline.units.quantities import Millis
from paceline.wire.open_route import OpenRequest, OpenResponse, OpenRoute
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.server.surface import Surface


class Pair:
    """A client's process and a serving one, which counts the requests it gets."""

    def __init__(self) -> None:
        chance = Chance(2)
        self.network = SimulatedNetwork(chance)
        self.http = SimulatedHttp(self.network, chance)
        self.facts: list[HttpFact] = []
        self.http.taps.append(self.facts.append)
        self.client, self.server = (
            SimulatedProcess(name, 1, chance=chance, start=Millis(0)) for name in ("a", "b")
        )
        for process in (self.client, self.server):
            self.network.join(process)
            self.http.join(process)
        self.count = 0
        self.url = ""

    async def serve(self) -> None:
        address = self.network.bind(self.server, 0)
        self.url = address.url
        await address.serve(
            Surface(
                kind="message",
                name="test",
                handlers=dict.fromkeys(OPERATIONS_OF["message"], self._unused),
                verify=pytest.fail,
                times=self.server.times,
                metrics=Metrics("test"),
                open_routes=[OpenRoute(method="POST", path="/count", handler=self._answer)],
            )
        )

    async def post(self, timeout_s: float = 60.0) -> int:
        async with httpx.AsyncClient(transport=self.http.transport(self.client)) as client:
            answer = await client.post(f"{self.url}/count", content=b"one", timeout=timeout_s)
        return answer.status_code

    @property
    def moments(self) -> list[str]:
        return [fact.moment for fact in self.facts]

    async def _answer(self, request: OpenRequest) -> OpenResponse:
        assert request.body == b"one"
        self.count += 1
        return OpenResponse(body=b"{}")

    async def _unused(self, call: object, request: object) -> object:
        raise AssertionError("nobody asks")


def _run(test: Callable[[Pair], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        pair = Pair()
        await pair.serve()
        await test(pair)

    run_simulated(run())


def test_a_request_crosses_and_taps_see_each_moment() -> None:
    """The real application answers; a tap is told when it was sent, arrived, answered, received."""

    async def test(pair: Pair) -> None:
        assert await pair.post() == 200
        assert pair.moments == ["sent", "arrived", "answered", "received"]

    _run(test)


def test_lost_exchanges_fail_with_and_without_effect() -> None:
    """Of broken exchanges some had their effect and some had not; the caller cannot tell."""

    async def test(pair: Pair) -> None:
        pair.http.lost_share = 1.0
        for _ in range(20):
            with pytest.raises(httpx.ReadError):
                await pair.post()
        assert 0 < pair.count < 20

    _run(test)


def test_a_dead_or_absent_server_is_told_at_once() -> None:
    """A server killed with a request under way breaks it; later ones are refused."""

    async def test(pair: Pair) -> None:
        pair.server.pause()
        task = pair.client.run(pair.post())
        await pair.client.times.machine.sleep(1)
        pair.server.kill()
        with pytest.raises(httpx.ReadError):
            await task
        with pytest.raises(httpx.ConnectError):
            await pair.post()
        assert pair.count == 0

    _run(test)


def test_a_cut_delays_requests_and_answers() -> None:
    """What is under way during a cut arrives after it."""

    async def test(pair: Pair) -> None:
        pair.network.block("b", "a")
        task = pair.client.run(pair.post())
        await pair.client.times.machine.sleep(3)
        assert pair.count == 1 and not task.done()
        pair.network.unblock("b", "a")
        assert await task == 200

    _run(test)
