"""A small site for the engagement engine: configuration, Interaction Server, pacing service's token."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.configuration import AgentGroup, Dn, InteractionQueue, Options, Transaction
from paceline.model.instant import to_text
from paceline.runtime.chance import Chance
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.servers.engagement.options import OPTIONS
from paceline.servers.engagement.server import EngagementServer
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.wire.call import Call, Principal
from paceline.wire.open_route import OpenRequest, OpenResponse
from paceline.wire.operations.engagement import Permit, Report
from paceline.wire.operations.interaction import Submit, Submitted
from tests.fakes.configuration import FixedConfiguration, SnapshotBuilder
from tests.fakes.served import Served

TARGET = "Chat - chat"
PACING = Principal(name="pacing", kind="application", access_groups=("engagement_client",))


class FakeInteractions:
    """Takes submissions; the same client token gives the same interaction."""

    def __init__(self, times: Times) -> None:
        self.by_token: dict[str, Submit] = {}
        self.calls = 0
        self.failures: list[str] = []
        self.loses_answers = 0
        self.served = Served("interaction", {"interaction.submit": self.submit}, times)

    async def submit(self, call: Call, request: Submit) -> Submitted:
        self.calls += 1
        if self.failures:
            raise PacelineError(self.failures.pop(0), "not now")
        token = request.client_token or ""
        self.by_token.setdefault(token, request)
        if self.loses_answers:
            self.loses_answers -= 1
            raise PacelineError("connection_lost", "the answer is lost")
        number = list(self.by_token).index(token) + 1
        return Submitted(
            interaction_id=f"I{number}", state="queued", queue=request.queue, submit_seq=number
        )

    def user_data(self) -> list[dict[str, Any]]:
        """Decoded user data of every interaction."""
        return [msgspec.json.decode(request.user_data) for request in self.by_token.values()]


class Site:
    """Everything around one engine."""

    def __init__(self, times: Times, url: str = "sqlite://") -> None:
        self.times = times
        builder = self.builder = SnapshotBuilder()
        pacing: Options = {"pacing": {"media": "chat"}}
        builder.add("dns", "Chat", Dn(switch="S", number="Chat", options=pacing))
        builder.add("agent-groups", "G", AgentGroup(origination_dns=("Chat",)))
        builder.add("scripts", "Chats", InteractionQueue(business_process="P"))
        integration: Options = {"ewt": {"client_id": "pacing", "password": "right"}}
        self.transaction = builder.add(
            "transactions", "hybrid_integration", Transaction(options=integration)
        )
        self.configuration = FixedConfiguration(builder.build())
        self.settings = LiveSettings(OPTIONS, {"queues": {"chat": "Chats"}})
        self.interactions = FakeInteractions(times)
        self.database: Database = open_database(from_url(url), times=times, inline=True)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[EngagementServer]:
        """A running engine; may be entered again after it ended, on the same database."""
        await upgrade(self.database, ["engagement"])
        client = InteractionServerClient(await self.interactions.served.connect("engine"))
        server = EngagementServer(
            name="Engine",
            settings=self.settings,
            times=self.times,
            configuration=self.configuration,
            database=self.database,
            interactions=client,
            metrics=Metrics("engagement"),
            chance=Chance(1),
        )
        async with server:
            yield server

    def call(self, principal: Principal = PACING, timeout_s: float = 10.0) -> Call:
        """A call's context."""
        return Call(
            principal=principal,
            tenant=1,
            client=principal.name,
            client_kind="operator",
            request_id="r",
            deadline=self.times.machine.monotonic() + timeout_s,
        )

    async def do(
        self, server: EngagementServer, operation: str, request: object, **context: Any
    ) -> Any:
        """One operation by its handler."""
        return await server.handlers[operation](self.call(**context), request)

    def report(self, *counts: int, epoch: int = 1, sequence: int = 1, **changes: Any) -> Report:
        """A report of permits for `Chat - chat`, then `T1 - chat`, `T2 - chat` …"""
        names = [TARGET, *(f"T{n} - chat" for n in range(1, len(counts)))]
        permits = tuple(
            Permit(id=name, virtual_queue=name.partition(" - ")[0], media_type="chat",
                   agent_groups=("G",), permits=count, reason="forecast")
            for name, count in zip(names, counts, strict=True)
        )  # fmt: skip
        sound = Report(
            cluster="C", node="n", epoch=epoch, sequence=sequence, period_s=5.0,
            sent_at=to_text(self.times.business.now()), valid_for_s=10.0, targets=permits,
        )  # fmt: skip
        return msgspec.structs.replace(sound, **changes)

    async def close(self) -> None:
        await self.interactions.served.close()
        await self.database.close()


@asynccontextmanager
async def site(times: Times, folder: Path | None = None) -> AsyncIterator[Site]:
    """A site that is closed at the end; in memory without a folder."""
    made = Site(times, "sqlite://" if folder is None else f"sqlite:///{folder / 'site.db'}")
    try:
        yield made
    finally:
        await made.close()


async def ask_token(
    server: EngagementServer,
    *,
    user: str = "pacing",
    password: str = "right",
    body: str = "grant_type=client_credentials",
    kind: str = "application/x-www-form-urlencoded",
) -> OpenResponse:
    """The token endpoint's answer."""
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    [route] = [route for route in server.open_routes if route.path == "/oauth/token"]
    request = OpenRequest(
        method="POST", path="/oauth/token", query={}, cookies={}, path_values={},
        headers={"authorization": f"Basic {basic}", "content-type": kind}, body=body.encode(),
    )  # fmt: skip
    return await route.handler(request)
