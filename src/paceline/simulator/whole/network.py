"""The network between simulated processes: delay, cuts, half-open links, and what a death does to them.

Addresses are bound and links opened here, by each process's surroundings. A link behaves as the
WebSocket over TCP it stands for: frames of one direction keep their order and are never lost alone,
buffers are bounded, a silent link is dropped by its ends' pings. Never looks into a frame.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import log
from typing import Final
from urllib.parse import urlsplit

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.simulator.whole.address import SimulatedAddress
from paceline.simulator.whole.link import Direction, SimulatedLink
from paceline.simulator.whole.loop import WORLD
from paceline.simulator.whole.process import SimulatedProcess
from paceline.wire.client.websocket import OPEN_TIMEOUT_S, PING_S

BASE_DELAY_S: Final = 0.0002
MEAN_JITTER_S: Final = 0.0003
"""One way between two machines: a good local network, base and mean of the rest (chosen)."""
SERVER_PING_S: Final = 20.0
"""How often the serving side pings, and how long it waits (uvicorn's defaults, which listen.py keeps)."""
FIRST_PORT: Final = 20_000

Way = tuple[str, str]
"""Names of two places: the way from the first to the second."""


@dataclass(eq=False, slots=True)
class _End:
    """One end of a connection and how long it has heard nothing."""

    process: SimulatedProcess
    peer: SimulatedProcess
    ping_s: float
    outward: Direction
    link: SimulatedLink = field(init=False)
    is_silent: bool = False
    silence_count: int = 0
    is_closed: bool = False


class SimulatedNetwork:
    """See the module. Places are processes' names: faults between places outlive restarts."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance.stream("network")
        self._addresses: dict[str, SimulatedAddress] = {}
        self._next_port = FIRST_PORT
        self._blocks: dict[Way, int] = {}
        self._slow: dict[Way, float] = {}
        self._connections: dict[tuple[_End, _End], None] = {}

    # --- processes -------------------------------------------------------------------------------

    def join(self, process: SimulatedProcess) -> None:
        """Feel the deaths and pauses of a process; once for each process."""
        process.watch(lambda what: self._process_changed(process, what))

    def bind(self, process: SimulatedProcess, port: int) -> SimulatedAddress:
        """An address of a process; port 0 takes a free one.

        Raises
        ------
        PacelineError
            `start_refused` when the port is in use.
        """
        if not port:
            port, self._next_port = self._next_port, self._next_port + 1
        url = f"http://{process.name}:{port}"
        if url in self._addresses:
            raise PacelineError("start_refused", f"cannot listen on {url}: Address in use")
        address = SimulatedAddress(url, process, lambda: self._forget(url, address))
        self._addresses[url] = address
        return address

    async def open_link(self, process: SimulatedProcess, url: str) -> SimulatedLink:
        """A link from a process to an address.

        Raises
        ------
        PacelineError
            `owner_unavailable` when nobody answers there, or not in time.
        """
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[SimulatedLink] = loop.create_future()
        delay = self.delay_s(process.name, place_of(url))
        loop.call_later(delay, self._knock, process, url, opened, context=WORLD)
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                return await opened
        except (TimeoutError, ConnectionError) as error:
            raise PacelineError(
                "owner_unavailable", f"nobody answers at {url}: {error}", retry_after_s=1.0
            ) from None

    def address_of(self, url: str) -> SimulatedAddress | None:
        """The address behind a URL while it is served."""
        address = self._addresses.get(url)
        return address if address is not None and address.is_served else None

    # --- faults ----------------------------------------------------------------------------------

    def delay_s(self, source: str, target: str) -> float:
        """Draw how long one way takes now."""
        mean = MEAN_JITTER_S + (self._slow.get((source, target), 0.0) if self._slow else 0.0)
        return BASE_DELAY_S - mean * log(1.0 - self._chance.random())

    def is_blocked(self, source: str, target: str) -> bool:
        """Whether nothing arrives on this way."""
        return (source, target) in self._blocks

    def block(self, source: str, target: str) -> None:
        """Let nothing arrive on this way; blocks add up and are taken back one by one."""
        self._blocks[source, target] = self._blocks.get((source, target), 0) + 1
        for direction in self._directions(source, target):
            direction.block()
        self._look_all()

    def unblock(self, source: str, target: str) -> None:
        """Take one block back; what waited arrives, where the ends have not given up."""
        left = self._blocks[source, target] - 1
        if left:
            self._blocks[source, target] = left
            return
        del self._blocks[source, target]
        for direction in self._directions(source, target):
            direction.unblock()
        self._look_all()

    def slow_down(self, source: str, target: str, mean_s: float) -> None:
        """Let this way take so much longer on average; 0 takes it back."""
        if mean_s:
            self._slow[source, target] = mean_s
        else:
            self._slow.pop((source, target), None)

    def ways(self) -> list[Way]:
        """Ways on which there are connections now, from client to server, each once."""
        return list(
            dict.fromkeys((end.process.name, end.peer.name) for end, _ in self._connections)
        )

    def reset(self, one: str, other: str) -> int:
        """Break all links between two places at once; how many there were."""
        count = 0
        for client, server in tuple(self._connections):
            if {client.process.name, server.process.name} == {one, other}:
                client.outward.reset()
                server.outward.reset()
                count += 1
        return count

    # --- opening ---------------------------------------------------------------------------------

    def _knock(
        self, process: SimulatedProcess, url: str, opened: "asyncio.Future[SimulatedLink]"
    ) -> None:
        place = place_of(url)
        if self.is_blocked(process.name, place) or self.is_blocked(place, process.name):
            return  # the opener's own timeout tells
        address = self.address_of(url)
        loop = asyncio.get_running_loop()
        if address is None:
            delay = self.delay_s(place, process.name)
            loop.call_later(delay, _refuse, opened, "connection refused", context=WORLD)
            return
        loop.call_soon(self._accept, address, process, opened, context=address.process.context())

    def _accept(
        self,
        address: SimulatedAddress,
        process: SimulatedProcess,
        opened: "asyncio.Future[SimulatedLink]",
    ) -> None:
        """In the server's process: so it waits while that is paused."""
        client, server = self._connect(process, address.process)
        loop = asyncio.get_running_loop()
        delay = self.delay_s(server.process.name, process.name)
        if address.accept(server.link):
            loop.call_later(delay, _give, opened, client, context=WORLD)
        else:
            server.link.drop()
            loop.call_later(delay, _refuse, opened, "closed at once", context=WORLD)

    def _connect(self, one: SimulatedProcess, other: SimulatedProcess) -> tuple[_End, _End]:
        def direction(source: str, target: str) -> Direction:
            blocked = self.is_blocked(source, target)
            return Direction(lambda: self.delay_s(source, target), is_blocked=blocked)

        there, back = direction(one.name, other.name), direction(other.name, one.name)
        client = _End(one, other, PING_S, there)
        server = _End(other, one, SERVER_PING_S, back)
        ends = client, server
        client.link = SimulatedLink(there, back, lambda: self._closed(ends, client))
        server.link = SimulatedLink(back, there, lambda: self._closed(ends, server))
        self._connections[ends] = None
        self._look(client)
        self._look(server)
        return ends

    def _closed(self, ends: tuple[_End, _End], end: _End) -> None:
        end.is_closed = True
        if all(one.is_closed for one in ends):
            self._connections.pop(ends, None)

    def _forget(self, url: str, address: SimulatedAddress) -> None:
        if self._addresses.get(url) is address:
            del self._addresses[url]

    # --- silence and death -----------------------------------------------------------------------

    def _process_changed(self, process: SimulatedProcess, what: str) -> None:
        if what == "killed":
            for url, address in tuple(self._addresses.items()):
                if address.process is process:
                    del self._addresses[url]
            for end in tuple(self._ends()):
                if end.process is process:
                    end.link.drop()  # the system closes what a dead process had open
            return
        for end in self._ends():
            if end.process is process:
                end.is_silent = False  # its own clocks stood still too: it waits anew
        self._look_all()

    def _ends(self) -> Iterator[_End]:
        for client, server in self._connections:
            yield client
            yield server

    def _directions(self, source: str, target: str) -> list[Direction]:
        return [
            end.outward
            for end in self._ends()
            if end.process.name == source and end.peer.name == target
        ]

    def _look_all(self) -> None:
        for end in tuple(self._ends()):
            self._look(end)

    def _look(self, end: _End) -> None:
        """Begin or stop to wait for a sign of life."""
        here, there = end.process.name, end.peer.name
        is_silent = (
            end.peer.is_paused or self.is_blocked(here, there) or self.is_blocked(there, here)
        )
        if is_silent == end.is_silent:
            return
        end.is_silent = is_silent
        end.silence_count += 1
        if is_silent:
            # The next ping goes out within a period, and its answer is waited for as long.
            wait_s = end.ping_s * (1.0 + self._chance.random())
            asyncio.get_running_loop().call_later(
                wait_s, self._give_up, end, end.silence_count, context=WORLD
            )

    def _give_up(self, end: _End, silence_count: int) -> None:
        if end.silence_count == silence_count and end.is_silent and end.process.runs:
            end.link.drop()


def place_of(url: str) -> str:
    """The place a URL leads to."""
    return urlsplit(url).hostname or ""


def _refuse(opened: "asyncio.Future[SimulatedLink]", why: str) -> None:
    if not opened.done():
        opened.set_exception(ConnectionRefusedError(why))


def _give(opened: "asyncio.Future[SimulatedLink]", end: _End) -> None:
    if opened.done() or end.process.is_dead:
        end.link.drop()
    else:
        opened.set_result(end.link)
