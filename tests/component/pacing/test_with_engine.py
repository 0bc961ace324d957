"""The pacing server against the real reference engine, over its real HTTP application, without sockets."""

from collections.abc import Awaitable, Callable

import httpx

from paceline.errors.failure import PacelineError
from paceline.model.configuration import InteractionQueue
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import InteractionServerClient
from paceline.servers.engagement.options import OPTIONS
from paceline.servers.engagement.server import EngagementServer
from paceline.storage.migrate import upgrade
from paceline.units.quantities import Millis
from paceline.wire.call import Call, Principal
from paceline.wire.operation import Request
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.engagement import EngagementTargetList
from paceline.wire.operations.pacing import TargetList, TargetRef
from paceline.wire.server.application import build_application
from paceline.wire.server.surface import Surface
from tests.component.engagement.site import FakeInteractions
from tests.component.pacing.site import TARGET, Site, site

START = Millis(1_763_683_200_000)


async def nothing(call: Call, request: Request) -> None:
    """Stands for the shared operations, which are not part of these tests."""


def refuse(token: str) -> Principal:
    """No other token is known."""
    raise PacelineError("unauthenticated", "the token is not valid")


class Loop:
    """A site whose engine is the real one."""

    def __init__(self, made: Site) -> None:
        made.builder.add("scripts", "Chats", InteractionQueue(business_process="P"))
        made.change()
        self.made = made
        self.interactions = FakeInteractions(made.times)

    async def start(self) -> None:
        """Start the engine and lead the pacing server to it."""
        made = self.made
        await upgrade(made.database, ["engagement"])
        connection = await self.interactions.served.connect("engine")
        self.engine = EngagementServer(
            name="Engine",
            settings=LiveSettings(OPTIONS, {"queues": {"chat": "Chats"}}),
            times=made.times,
            configuration=made.configuration,
            database=made.database,
            interactions=InteractionServerClient(connection),
            metrics=Metrics("engagement"),
        )
        shared = dict.fromkeys(OPERATIONS_OF["engagement"], nothing)
        surface = Surface(
            kind="engagement",
            name="Engine",
            handlers={**shared, **self.engine.handlers},
            verify=self.engine.verifying(refuse),
            times=made.times,
            metrics=Metrics("wire"),
            open_routes=self.engine.open_routes,
        )
        self.transport = httpx.ASGITransport(app=build_application(surface))  # type: ignore[arg-type]  # another library's word for ASGI
        made.network.target = self.transport
        await self.engine.start()

    async def stop(self) -> None:
        """Stop the engine."""
        await self.engine.stop()
        await self.interactions.served.close()


def run(test: Callable[[Loop], Awaitable[None]]) -> None:
    """Run a test with both servers in virtual time."""

    async def main() -> None:
        async with site(virtual_times(START)) as made:
            loop = Loop(made)
            await loop.start()
            try:
                await test(loop)
            finally:
                await loop.stop()

    run_virtual(main(), limit_s=10_000.0)


def test_permits_become_invitations_and_their_counts_come_back() -> None:
    """Token, report, invitation by a visitor, acceptance, submission, pending in the next cycle."""

    async def test(loop: Loop) -> None:
        made = loop.made
        async with (
            made.server() as server,
            httpx.AsyncClient(transport=loop.transport, base_url="http://engine") as browser,
        ):
            await made.cycles(2)
            visitor = (await browser.post("/v1/visitor-token")).json()
            assert visitor["targets"] == [{"id": TARGET, "media_type": "chat"}]
            browser.headers["authorization"] = f"Bearer {visitor['token']}"
            body = {"target": TARGET, "visitor": visitor["visitor"]}
            offers = [(await browser.post("/v1/invitations", json=body)) for _ in range(3)]
            assert [offer.status_code for offer in offers] == [201] * 3
            first = offers[0].json()["invitation_id"]
            accepted = await browser.post(f"/v1/invitations/{first}/accept", json={})
            assert accepted.json()["interaction_id"] == "I1"
            assert (await browser.get("/v1/targets")).status_code == 403
            await made.cycles(2)
            [row] = (await server.handlers["target.list"](_call(made), TargetList())).items
            assert (row.pending, row.is_stopped) == (2.0, False)
            detail = await server.handlers["target.get"](_call(made), TargetRef(name=TARGET))
            assert (detail.inputs["sent"], detail.inputs["resolved"]) == (3.0, 1.0)
        assert made.messages == []
        assert loop.interactions.user_data()[0]["PacingAgentGroups"] == "G"

    run(test)


def test_a_restarted_engine_wants_a_new_token_and_the_loop_goes_on() -> None:
    """The engine's keys are gone with it: 401, one renewal, no alarm."""

    async def test(loop: Loop) -> None:
        made = loop.made
        async with made.server():
            await made.cycles(2)
            await loop.engine.stop()
            await loop.start()
            await made.cycles(2)
        assert made.messages == []

    run(test)


def test_a_report_of_many_targets_arrives() -> None:
    """A body large enough to be compressed is taken by the real engine."""

    async def test(loop: Loop) -> None:
        made = loop.made
        made.add_targets(200)
        async with made.server():
            await made.cycles(2)
        page = await loop.engine.handlers["engagement_target.list"](
            _call(made), EngagementTargetList()
        )
        assert len(page.items) == 201
        assert made.messages == []

    run(test)


def _call(made: Site) -> Call:
    principal = Principal(name="tester", kind="person")
    return Call(principal=principal, tenant=1, client="t", client_kind="operator", request_id="r",
                deadline=made.times.machine.monotonic() + 10.0)  # fmt: skip
