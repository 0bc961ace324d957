"""HTTP: one form of errors with the right status, and requests put together from path, query and body."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import msgspec
import pytest
import zstandard
from litestar import Litestar
from structlog.contextvars import get_contextvars

from paceline.errors.table import ERRORS
from paceline.runtime.virtual_loop import run_virtual
from paceline.wire.operation import SIZE_LIMITS, Done
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.server.application import build_application
from paceline.wire.server.dispatch import Entry
from paceline.wire.server.openapi import describe
from tests.component.wire.edge import Edge

SUBMIT = {"media_type": "chat", "queue": "q"}
WHOLE = b'{"media_type":"c","queue":"q"}'
Scenario = Callable[[Edge, httpx.AsyncClient], Awaitable[None]]


@asynccontextmanager
async def http_client(
    application: Litestar, token: str = "admin", address: str = "10.0.0.9"
) -> AsyncIterator[httpx.AsyncClient]:
    """A client at this address with this token."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    transport = httpx.ASGITransport(application, client=(address, 4000))  # type: ignore[arg-type]  # Litestar's own ASGI types
    async with httpx.AsyncClient(
        transport=transport, base_url="http://edge", headers=headers
    ) as client:
        yield client


def run_http(scenario: Scenario, token: str = "admin") -> None:
    """Runs a scenario against a fresh edge."""

    async def run() -> None:
        edge = Edge()
        async with http_client(build_application(edge.surface), token) as client:
            await scenario(edge, client)

    run_virtual(run())


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error object of an answer."""
    error: dict[str, Any] = answer.json()["error"]
    assert error["request_id"] == answer.headers["x-request-id"]
    return error


# --- requests ---------------------------------------------------------------------------------------


def test_path_query_and_body_make_one_request() -> None:
    """Values of the path and the query are read as their field's type."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        answer = await client.post(
            "/v1/interactions/A%20b/stop?tenant=3", json={"agent": "ana"}, timeout=5
        )
        assert (answer.status_code, answer.json()["state"]) == (200, "stopped")
        request = edge.requests[0]
        assert (request.interaction_id, request.tenant, request.agent) == ("A b", 3, "ana")
        assert answer.headers["paceline-protocol"] == "1.0"
        await client.post("/v1/interactions/plain/stop")
        assert edge.requests[1].interaction_id == "plain"

    run_http(scenario)


def test_a_creation_answers_201_and_user_data_arrive_as_sent() -> None:
    """Byte for byte, spaces and all, also when the query adds a field."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        body = b'{"media_type":"chat","queue":"q","user_data":{"a" : 1.50}}'
        for address in ("/v1/interactions", "/v1/interactions?priority=7"):
            answer = await client.post(address, content=body)
            assert answer.status_code == 201
            assert bytes(edge.requests[-1].user_data) == b'{"a" : 1.50}'
        assert edge.requests[-1].priority == 7

    run_http(scenario)


def test_key_and_deadline_reach_the_handler() -> None:
    """Idempotency-Key and timeout_s, the latter within its limits."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        headers = {"Idempotency-Key": "k1", "X-Request-Id": "mine"}
        answer = await client.post("/v1/interactions?timeout_s=3", json=SUBMIT, headers=headers)
        assert answer.headers["x-request-id"] == "mine"
        call = edge.calls[0]
        assert call.idempotency_key == "k1"
        assert call.deadline == pytest.approx(edge.times.machine.monotonic() + 3)
        await client.post("/v1/interactions?timeout_s=9999", json=SUBMIT)
        assert edge.calls[1].deadline == pytest.approx(edge.times.machine.monotonic() + 600)

    run_http(scenario)


def test_work_that_does_not_end_in_time_is_given_up() -> None:
    """503, outcome unknown; the handler is cancelled."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/views/v/pull?timeout_s=2", timeout=None)
        error = error_of(answer)
        assert answer.status_code == 503
        assert (error["name"], error["outcome"]) == ("deadline_exceeded", "unknown")
        assert edge.cancelled == ["v"]
        assert edge.times.machine.monotonic() == pytest.approx(3.0)

    run_http(scenario)


# --- errors -----------------------------------------------------------------------------------------


def test_every_error_has_its_status_and_body() -> None:
    """Name, number, outcome, field, hint and Retry-After as the table says."""

    async def scenario(_: Edge, client: httpx.AsyncClient) -> None:
        for name, spec in ERRORS.items():
            answer = await client.post("/v1/interactions/a/stop", json={"reason": name})
            error = error_of(answer)
            del error["message"], error["request_id"]
            assert answer.status_code == spec.http_status
            assert answer.headers["retry-after"] == "2"
            assert error == {
                "name": name,
                "number": spec.number,
                "outcome": spec.outcome,
                "field": "reason",
                "retry_after_s": 2.5,
            }

    run_http(scenario)


@pytest.mark.parametrize(
    ("method", "address", "body", "status", "name", "field"),
    [
        ("POST", "/v1/interactions", b'{"media_type":"c","queeu":"q"}', 400, "invalid_attribute", "queeu"),
        ("POST", "/v1/interactions?prioritty=1", WHOLE, 400, "invalid_attribute", "prioritty"),
        ("POST", "/v1/interactions?priority=x", WHOLE, 400, "invalid_attribute", "priority"),
        ("POST", "/v1/interactions?queue=a", WHOLE, 400, "invalid_attribute", "queue"),
        ("POST", "/v1/interactions?timeout_s=x", b"{}", 400, "invalid_attribute", "timeout_s"),
        ("POST", "/v1/interactions", b"[1]", 400, "invalid_attribute", "body"),
        ("POST", "/v1/interactions", b"{", 400, "invalid_attribute", "body"),
        ("POST", "/v1/interactions", b'{"media_type":"c","queue":"\xff"}', 400, "invalid_attribute", "body"),
        ("POST", "/v1/interactions", WHOLE[:-1] + b',"user_data":{"a":"\xff"}}', 400, "invalid_attribute", "body"),
        ("POST", "/v1/interactions", b"[" * 100_000, 400, "invalid_attribute", "body"),
        ("POST", "/v1/interactions", b"", 400, "invalid_attribute", "media_type"),
        ("POST", "/v1/interactions", b'"' + b"x" * SIZE_LIMITS["small"] + b'"', 413, "frame_too_large", None),
        ("GET", "/v1/nothing", b"", 404, "unsupported_operation", None),
        ("PUT", "/v1/interactions", b"{}", 404, "unsupported_operation", None),
        ("GET", "/v1/queues?limit=many", b"", 400, "invalid_attribute", "limit"),
        ("GET", "/v1/queues?limits=1", b"", 400, "invalid_attribute", "limits"),
        ("GET", "/v1/queues?continuation=a%00", b"", 400, "invalid_attribute", "continuation"),
        ("POST", "/v1/interactions", b'{"priority":2147483648}', 400, "invalid_attribute", "priority"),
        ("POST", "/v1/interactions/A%00/stop", b'{"reason":"r"}', 400, "invalid_attribute", "interaction_id"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_field(
    method: str, address: str, body: bytes, status: int, name: str, field: str | None
) -> None:
    """The status, the error's name and the field at fault; no handler is reached."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        answer = await client.request(method, address, content=body)
        error = error_of(answer)
        assert (answer.status_code, error["name"], error.get("field")) == (status, name, field)
        assert edge.requests == []

    run_http(scenario)


def test_the_request_id_is_in_the_context_of_the_log() -> None:
    """What a handler logs carries the id of its request, over HTTP and in a session."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        seen = []

        async def handler(_call: object, _request: object) -> Done:
            seen.append(get_contextvars().get("request_id"))
            return Done()

        entries = edge.surface.dispatch.entries
        entries["agent.logout"] = Entry(entries["agent.logout"].operation, handler)
        answer = await client.post("/v1/agents/ana/logout", headers={"x-request-id": "r1"})
        assert answer.status_code == 200
        session = await edge.welcome()
        await session.ask("agent.logout", {"agent": "ana"})
        assert seen[0] == "r1"
        assert seen[1] not in (None, "r1")

    run_http(scenario)


def test_a_fault_is_told_without_its_inside() -> None:
    """500, outcome unknown, the id under which the log has it."""

    async def scenario(_: Edge, client: httpx.AsyncClient) -> None:
        answer = await client.post("/v1/interactions/a/stop", json={"reason": "fault"})
        assert answer.status_code == 500
        assert error_of(answer)["outcome"] == "unknown"
        assert "ZeroDivision" not in answer.text

    run_http(scenario)


# --- who may ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("token", "kind", "status", "name", "field"),
    [
        ("", "operator", 401, "unauthenticated", None),
        ("forged", "operator", 401, "unauthenticated", None),
        ("auditor", "operator", 403, "not_allowed", None),
        ("nobody", "operator", 403, "not_allowed", None),
        ("agent", "router", 403, "not_allowed", "client_kind"),
        ("agent", "printer", 400, "invalid_attribute", "client_kind"),
    ],
)
def test_who_may_not_is_refused(
    token: str, kind: str, status: int, name: str, field: str | None
) -> None:
    """Without a right, a valid token, or the standing for the client kind it claims."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        headers = {"Paceline-Client-Kind": kind}
        answer = await client.post("/v1/interactions", json=SUBMIT, headers=headers)
        error = error_of(answer)
        assert (answer.status_code, error["name"], error.get("field")) == (status, name, field)
        assert edge.requests == []

    run_http(scenario, token)


def test_only_a_router_delivers() -> None:
    """An operator is told the kind it needs; an agent cannot make itself a router by a header."""

    async def scenario(_: Edge, client: httpx.AsyncClient) -> None:
        address = "/v1/interactions/a/deliver"
        answer = await client.post(address, json={"agent": "ana"})
        assert answer.status_code == 403
        assert "router" in error_of(answer)["message"]
        as_agent = {"authorization": "Bearer agent", "paceline-client-kind": "router"}
        answer = await client.post(address, json={"agent": "ana"}, headers=as_agent)
        assert error_of(answer)["field"] == "client_kind"

    run_http(scenario)


def test_another_tenant_needs_the_right() -> None:
    """403 naming the field for a caller of tenant 1 only."""

    async def scenario(_: Edge, client: httpx.AsyncClient) -> None:
        for token, status in (("agent", 403), ("admin", 201)):
            headers = {"authorization": f"Bearer {token}"}
            answer = await client.post("/v1/interactions?tenant=2", json=SUBMIT, headers=headers)
            assert answer.status_code == status

    run_http(scenario)


def test_open_routes_need_no_token_and_readiness_shows_in_the_status() -> None:
    """Health is open, also with a token that is no longer valid."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        for headers in ({}, {"authorization": "Bearer forged"}):
            assert (await client.get("/health/ready", headers=headers)).status_code == 200
        edge.is_ready = False
        answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["reason"]) == (503, "no database")

    run_http(scenario, token="")


def test_metrics_and_schema_by_token_or_from_the_machine_itself() -> None:
    """A stranger without a token reads neither."""

    async def run() -> None:
        application = build_application(Edge().surface)
        for token, address, status in (
            ("", "127.0.0.1", 200),
            ("", "10.0.0.9", 401),
            ("auditor", "10.0.0.9", 200),
        ):
            async with http_client(application, token, address) as client:
                for path in ("/metrics", "/schema/openapi.json"):
                    assert (await client.get(path)).status_code == status

    run_virtual(run())


def test_a_websocket_address_says_so_to_plain_http() -> None:
    """426 with the common error body."""

    async def scenario(_: Edge, client: httpx.AsyncClient) -> None:
        for path in ("/v1/session", "/v1/events/stream"):
            answer = await client.get(path)
            assert answer.status_code == 426
            assert "WebSocket" in answer.json()["error"]["message"]

    run_http(scenario)


# --- description ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(OPERATIONS_OF))
def test_the_description_has_every_operation(kind: str) -> None:
    """Each routed operation once, its path values as parameters, every reference resolved."""
    operations = OPERATIONS_OF[kind].values()
    document = describe(kind, operations)
    described = {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    routed = [o for o in operations if o.http is not None and o.http.method != "WS"]
    assert len(described) == len(routed)
    for operation in routed:
        assert operation.http is not None
        shown = described[operation.http.method, operation.http.path]
        assert shown["operationId"] == operation.name
        in_path = {p["name"] for p in shown["parameters"] if p["in"] == "path"}
        assert all(f"{{{name}}}" in operation.http.path for name in in_path)
        assert operation.http.path.count("{") == len(in_path)
        assert str(operation.http.status) in shown["responses"]
    text = msgspec.json.encode(document).decode()
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]


def test_the_description_is_served() -> None:
    """As JSON, with the server's name."""

    async def scenario(_: Edge, client: httpx.AsyncClient) -> None:
        document = (await client.get("/schema/openapi.json")).json()
        assert document["info"]["title"] == "Paceline edge"
        assert "/v1/interactions" in document["paths"]

    run_http(scenario)


def test_slow_requests_do_not_hold_up_others() -> None:
    """One waits for its gate while another is answered."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        async with asyncio.TaskGroup() as group:
            slow = group.create_task(
                client.post("/v1/interactions/a/place-in-queue", json={"queue": "q"})
            )
            await edge.times.machine.sleep(0.01)
            assert (await client.post("/v1/interactions", json=SUBMIT)).status_code == 201
            assert not slow.done()
            edge.gates["a"].set()
        assert slow.result().status_code == 200

    run_http(scenario)


# --- compressed bodies ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("gzip", gzip.compress(WHOLE), 201),
        ("zstd", zstandard.compress(WHOLE), 201),
        ("identity", WHOLE, 201),
        ("br", WHOLE, 400),
        ("gzip", b"no gzip at all", 400),
        ("zstd", b"no zstd at all", 400),
        ("gzip", gzip.compress(b" " * (max(SIZE_LIMITS.values()) + 1)), 413),
    ],
    # Named here: gzip writes the time into its header, and each of pytest's processes must name a test alike.
    ids=["gzip", "zstd", "identity", "unknown", "broken gzip", "broken zstd", "bomb"],
)
def test_a_compressed_body_is_unpacked_within_the_limit(
    coding: str, body: bytes, status: int
) -> None:
    """gzip and zstd are read, anything else is refused by name, a bomb is not unpacked."""

    async def scenario(edge: Edge, client: httpx.AsyncClient) -> None:
        answer = await client.post(
            "/v1/interactions", content=body, headers={"content-encoding": coding}
        )
        assert answer.status_code == status
        assert answer.headers["accept-encoding"] == "gzip, zstd"

    run_http(scenario)
