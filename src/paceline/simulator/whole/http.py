"""HTTP between simulated processes: the pacing reports, through the engine's real web application.

The transport of a pacing node's httpx client. A request or its answer can be delayed or lost; taps
see everything that crosses. Every request has a connection of its own.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import httpx

from paceline.runtime.chance import Chance
from paceline.simulator.whole.loop import WORLD
from paceline.simulator.whole.network import SimulatedNetwork, place_of
from paceline.simulator.whole.process import SimulatedProcess

RETRANSMIT_S = 0.5
"""How soon a request on a cut way sets out again (chosen: TCP doubles from 0.2 s)."""

Moment = Literal["sent", "arrived", "answered", "received", "lost"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpFact:
    """Something that happened to a request; `body` is the answer's from `answered` on."""

    moment: Moment
    number: int
    client: str
    server: str
    path: str
    status: int
    body: bytes


Tap = Callable[[HttpFact], None]


@dataclass(eq=False, slots=True, kw_only=True)
class _Exchange:
    number: int
    client: SimulatedProcess
    request: httpx.Request
    url: str
    answer: "asyncio.Future[httpx.Response]"
    server: SimulatedProcess | None = None


class SimulatedHttp:
    """All HTTP of a site. `lost_share` of the exchanges break, half of them after their effect."""

    def __init__(self, network: SimulatedNetwork, chance: Chance) -> None:
        self.lost_share = 0.0
        self.taps: list[Tap] = []
        self._network = network
        self._chance = chance.stream("http")
        self._count = 0
        self._under_way: dict[_Exchange, None] = {}

    def join(self, process: SimulatedProcess) -> None:
        """Feel the death of a process; once for each."""
        process.watch(lambda what: self._died(process) if what == "killed" else None)

    def transport(self, process: SimulatedProcess) -> httpx.AsyncBaseTransport:
        """What the HTTP client of a process sends through."""
        return _Transport(self, process)

    async def exchange(self, process: SimulatedProcess, request: httpx.Request) -> httpx.Response:
        """Send a request and wait for its answer; the client's own limits end a hopeless wait."""
        self._count += 1
        url = f"{request.url.scheme}://{request.url.netloc.decode()}"
        copy = httpx.Request(
            request.method, request.url, headers=request.headers, content=await request.aread()
        )
        one = _Exchange(
            number=self._count,
            client=process,
            request=copy,
            url=url,
            answer=asyncio.get_running_loop().create_future(),
        )
        self._tell("sent", one, 0, copy.content)
        self._under_way[one] = None
        self._later(process.name, place_of(url), self._arrive, one)
        try:
            return await one.answer
        finally:
            self._under_way.pop(one, None)

    def _arrive(self, one: _Exchange) -> None:
        if self._is_over(one):
            return
        here, there = one.client.name, place_of(one.url)
        if self._network.is_blocked(here, there):
            self._again(self._arrive, one)
            return
        fate = self._chance.random()
        if fate < self.lost_share / 2:
            self._break(one, "the connection was reset")
            return
        address = self._network.address_of(one.url)
        if address is None:
            self._later(there, here, self._fail, one, httpx.ConnectError("connection refused"))
            return
        one.server = address.process
        loop = asyncio.get_running_loop()
        is_lost = fate < self.lost_share

        def begin() -> None:  # in the server's process: waits while that is paused
            self._tell("arrived", one, 0, one.request.content)
            work = address.answer(one.request)
            work.add_done_callback(lambda done: self._answered(one, done, is_lost), context=WORLD)

        loop.call_soon(begin, context=address.process.context())

    def _answered(
        self, one: _Exchange, done: "asyncio.Task[httpx.Response]", is_lost: bool
    ) -> None:
        if done.cancelled() or done.exception() is not None:
            self._break(one, "the server has closed the connection")
            return
        response = done.result()
        self._tell("answered", one, response.status_code, response.content)
        if is_lost:
            self._break(one, "the connection was reset before the answer")
        else:
            self._later(place_of(one.url), one.client.name, self._receive, one, response)

    def _receive(self, one: _Exchange, response: httpx.Response) -> None:
        if self._is_over(one):
            self._tell("lost", one, response.status_code, response.content)
        elif self._network.is_blocked(place_of(one.url), one.client.name):
            self._again(self._receive, one, response)
        else:
            self._tell("received", one, response.status_code, response.content)
            one.answer.set_result(response)

    def _break(self, one: _Exchange, why: str) -> None:
        self._tell("lost", one, 0, b"")
        self._fail(one, httpx.ReadError(why))

    def _fail(self, one: _Exchange, error: httpx.TransportError) -> None:
        if not one.answer.done():
            one.answer.set_exception(error)

    def _is_over(self, one: _Exchange) -> bool:
        return one.answer.done() or one.client.is_dead

    def _died(self, process: SimulatedProcess) -> None:
        for one in tuple(self._under_way):
            if one.server is process:
                self._break(one, "the server has closed the connection")
            if one.client is process:
                self._under_way.pop(one, None)

    def _tell(self, moment: Moment, one: _Exchange, status: int, body: bytes) -> None:
        if not self.taps:
            return
        fact = HttpFact(
            moment=moment,
            number=one.number,
            client=one.client.name,
            server=place_of(one.url),
            path=one.request.url.path,
            status=status,
            body=body,
        )
        for tap in self.taps:
            tap(fact)

    def _later(self, here: str, there: str, act: Callable[..., None], *args: object) -> None:
        delay = self._network.delay_s(here, there)
        asyncio.get_running_loop().call_later(delay, act, *args, context=WORLD)

    def _again(self, act: Callable[..., None], *args: object) -> None:
        asyncio.get_running_loop().call_later(RETRANSMIT_S, act, *args, context=WORLD)


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, http: SimulatedHttp, process: SimulatedProcess) -> None:
        self._http = http
        self._process = process

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._http.exchange(self._process, request)
