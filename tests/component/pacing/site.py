"""A small site for the pacing server: configuration, Stat Server, engine, lease, all in memory."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import zstandard

from paceline.model.configuration import AgentGroup, Dn, Options, Transaction
from paceline.runtime.chance import Chance
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import MessageServerClient, StatServerClient
from paceline.servers.pacing.live.reporter import Identity
from paceline.servers.pacing.options import OPTIONS
from paceline.servers.pacing.server import PacingServer
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.ids import Epoch
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.message import Logged, LogMessage
from paceline.wire.operations.statistic import (
    AgentTargetState,
    MediaCapacity,
    Opened,
    OpenedMany,
    OpenStatistic,
    OpenStatistics,
    Peek,
    Peeked,
    StatisticChanges,
    StatisticsSubscribed,
    StatisticValue,
    StreamStatistics,
)
from tests.fakes.configuration import FixedConfiguration, SnapshotBuilder
from tests.fakes.served import Served

TARGET = "Chat - chat"


class FakeStat:
    """Answers as the Stat Server does; values are by (object, stat type or mask)."""

    def __init__(self, times: Times) -> None:
        self.values: dict[tuple[str, str], float] = {}
        self.agents: dict[str, tuple[AgentTargetState, ...]] = {}
        self.missing: set[str] = set()
        self.is_live = True
        self._opened: list[OpenStatistic] = []
        self._tasks = TaskGroup("fake stat", lambda reason: None)
        self._times = times
        handlers: Handlers = {
            "statistic.open": self.open,
            "statistic.peek": self.peek,
            "statistic.stream": self.stream,
        }
        self.served = Served("stat", handlers, times)

    async def open(self, call: Call, request: OpenStatistics) -> OpenedMany:
        return OpenedMany(items=tuple(self._open(item) for item in request.items))

    async def peek(self, call: Call, request: Peek) -> Peeked:
        items = tuple(StatisticValue(id=i, value=self._value(self._opened[i])) for i in request.ids)
        return Peeked(items=items, position="p", at="", is_live=self.is_live)

    async def stream(self, call: Call, request: StreamStatistics) -> StatisticsSubscribed:
        peer = call.needs_peer("statistic.stream")
        number = peer.open_subscription(lambda: None)

        async def begin() -> None:
            await self._times.machine.sleep(0)
            for i in request.ids:
                agents = self.agents.get(self._opened[i].object, ())
                body = StatisticChanges(id=i, changed=agents, position="p")
                peer.notify("statistic.stream", body, subscription=number)

        self._tasks.start("begin", begin())
        return StatisticsSubscribed(subscription=number, position="p")

    def _open(self, item: OpenStatistic) -> Opened:
        if item.object in self.missing:
            return Opened(error=f"there is no object '{item.object}'")
        if item not in self._opened:
            self._opened.append(item)
        return Opened(id=self._opened.index(item))

    def _value(self, item: OpenStatistic) -> float:
        mask = item.definition.main_mask if item.definition else ""
        return self.values.get((item.object, item.stat_type or mask), 0.0)

    async def close(self) -> None:
        await self._tasks.aclose()
        await self.served.close()


class FakeEngine(httpx.AsyncBaseTransport):
    """The engine's two endpoints; `respond` may replace an answer to a report, None keeps the usual one."""

    def __init__(self, times: Times) -> None:
        self._times = times
        self.password = "right"
        self.tokens_given = 0
        self.token_life_s = 900
        self.good_token = ""
        self.reports: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.encodings: list[str] = []
        self.reads_compressed = True
        self.accepts = "gzip"
        self.at: list[float] = []
        self.pending: dict[str, int] = {}
        self.errors: dict[str, str] = {}
        self.respond: Callable[[dict[str, Any]], httpx.Response | None] = lambda report: None
        self.delay_s = 0.0
        self.under_way = 0
        self.most_under_way = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        if request.url.path == "/oauth/token":
            return self._token(request)
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        try:
            await self._times.machine.sleep(self.delay_s)
            return self._report(request, body)
        finally:
            self.under_way -= 1

    def _token(self, request: httpx.Request) -> httpx.Response:
        wanted = httpx.BasicAuth("pacing", self.password)
        probe = next(wanted.auth_flow(httpx.Request("POST", request.url)))
        if request.headers["authorization"] != probe.headers["authorization"]:
            return httpx.Response(401, json={"error": "invalid_client"})
        self.tokens_given += 1
        self.good_token = f"token-{self.tokens_given}"
        answer = {"access_token": self.good_token, "token_type": "Bearer",
                  "expires_in": self.token_life_s}  # fmt: skip
        return httpx.Response(200, json=answer)

    def _report(self, request: httpx.Request, body: bytes) -> httpx.Response:
        if request.headers["authorization"] != f"Bearer {self.good_token}":
            return httpx.Response(401)
        encoding = request.headers.get("content-encoding", "")
        self.encodings.append(encoding)
        if encoding and not self.reads_compressed:
            return httpx.Response(415)
        if encoding:
            body = gzip.decompress(body) if encoding == "gzip" else zstandard.decompress(body)
        report: dict[str, Any] = msgspec.json.decode(body)
        special = self.respond(report)
        if special is not None:
            return special
        self.reports.append(report)
        self.at.append(self._times.machine.monotonic())
        self.keys.append(request.headers["idempotency-key"])
        targets = [self._row(target["id"]) for target in report["targets"]]
        answer = {"sequence": report["sequence"], "targets": targets}
        return httpx.Response(200, json=answer, headers={"accept-encoding": self.accepts})

    def _row(self, name: str) -> dict[str, Any]:
        pending = self.pending.get(name, 0)
        row: dict[str, Any] = {"id": name, "pending": pending, "sent": pending, "resolved": 0,
                               "accepted": 0}  # fmt: skip
        if name in self.errors:
            row["error"] = {"code": "x", "message": self.errors[name]}
        return row

    def permits(self, name: str = TARGET) -> list[int]:
        """Permits of a target in every report."""
        return [row["permits"] for report in self.reports for row in report["targets"]
                if row["id"] == name]  # fmt: skip

    def reasons(self, name: str = TARGET) -> list[str]:
        """Reasons of a target in every report."""
        return [row["reason"] for report in self.reports for row in report["targets"]
                if row["id"] == name]  # fmt: skip


class Network(httpx.AsyncBaseTransport):
    """Leads to whichever engine there is now."""

    def __init__(self, target: httpx.AsyncBaseTransport) -> None:
        self.target = target

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self.target.handle_async_request(request)


class FakeLease:
    """A leadership that a test gives and takes."""

    def __init__(self, epoch: int = 100) -> None:
        self.epoch = Epoch(epoch)
        self.held = True
        self.trusted = True
        self.taken_by_another = False

    def grow(self, by: int = 1) -> None:
        """Another holder, or the same one anew."""
        self.epoch = Epoch(self.epoch + by)

    def is_held(self) -> bool:
        return self.held

    def is_trusted(self) -> bool:
        return self.held and self.trusted

    async def is_taken(self) -> bool:
        """By this node, or by another one that the test has in mind."""
        return self.held or self.taken_by_another


def agent(
    name: str, *, current: int = 0, maximum: int = 1, medium: str = "chat"
) -> AgentTargetState:
    """A ready agent with slots of one medium."""
    slots = MediaCapacity(current=current, maximum=maximum, ready=True, routable=current < maximum)
    return AgentTargetState(agent=name, media={medium: slots})


class Site:
    """Everything around one pacing server."""

    def __init__(self, times: Times) -> None:
        self.times = times
        self.builder = SnapshotBuilder()
        pacing: Options = {"pacing": {"media": "chat"}}
        self.queue = self.builder.add("dns", "Chat", Dn(switch="S", number="Chat", options=pacing))
        self.group = self.builder.add("agent-groups", "G", AgentGroup(origination_dns=("Chat",)))
        self.integration: Options = {
            "general": {"base_auth_url": "http://engine/oauth/token",
                        "base_service_url": "http://engine/api/"},
            "ewt": {"client_id": "pacing", "password": "right"},
        }  # fmt: skip
        self.transaction = self.builder.add(
            "transactions", "hybrid_integration", Transaction(options=self.integration)
        )
        self.configuration = FixedConfiguration(self.builder.build())
        self.settings = LiveSettings(OPTIONS, {"pacingEndpoint": {"targetEndpoint": "v2/pacing"}})
        self.stat = FakeStat(times)
        self.stat.agents["G"] = tuple(agent(f"agent {n}") for n in range(10))
        self.engine = FakeEngine(times)
        self.network = Network(self.engine)
        self.lease = FakeLease()
        self.messages: list[tuple[int, str]] = []
        self._started_at, self._cycles = 0, 0
        self.message_served = Served("message", {"message.log": self._log}, times)
        self.database: Database = open_database(from_url("sqlite://"), times=times, inline=True)

    async def _log(self, call: Call, request: LogMessage) -> Logged:
        self.messages.append((request.number, request.subject))
        return Logged(message_id=len(self.messages))

    def add_targets(self, count: int) -> None:
        """Further sound targets of the same group, published."""
        options: Options = {"pacing": {"media": "chat"}}
        names = [f"Q{number}" for number in range(count)]
        for name in names:
            self.builder.add("dns", name, Dn(switch="S", number=name, options=options))
        self.builder.replace(self.group, origination_dns=("Chat", *names))
        self.change()

    def change(self) -> None:
        """Publish what was done to the builder."""
        self.configuration.change(self.builder.build())

    @asynccontextmanager
    async def server(
        self, *, has_messages: bool = True, node: str = "node 1"
    ) -> AsyncIterator[PacingServer]:
        """A running pacing server; may be entered again after it ended, on the same database."""
        await upgrade(self.database, ["pacing"])
        stat = StatServerClient(await self.stat.served.connect("pacing"))
        message = await self.message_served.connect("pacing") if has_messages else None
        server = PacingServer(
            Identity(node=node, cluster="Pacing", tenant=1),
            settings=self.settings,
            times=self.times,
            configuration=self.configuration,
            database=self.database,
            statistics=stat,
            messages=MessageServerClient(message) if message else None,
            leadership=self.lease,
            metrics=Metrics("pacing"),
            transport=self.network,
            chance=Chance(1),
        )
        self._started_at, self._cycles = self.times.business.now(), 0
        async with server:
            yield server

    async def cycles(self, count: int) -> None:
        """Let so many cycles run; returns in the middle of the period after the last one."""
        self._cycles += count
        until = self._started_at + 5000 * self._cycles - 2500
        await self.times.business.sleep((until - self.times.business.now()) / 1000)

    async def close(self) -> None:
        await self.stat.close()
        await self.message_served.close()
        await self.database.close()


@asynccontextmanager
async def site(times: Times) -> AsyncIterator[Site]:
    """A site that is closed at the end."""
    made = Site(times)
    try:
        yield made
    finally:
        await made.close()
        await asyncio.sleep(0)
