"""Requests nobody planned against a node on PostgreSQL, which takes less than SQLite does."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paceline.storage.embedded import EmbeddedPostgres
from paceline.wire.frames import encode
from tests.databases import postgres_server
from tests.integration.wire_fuzz.running import Running, running_server
from tests.property.wire.test_whole_server import (
    KINDS,
    REQUESTS,
    is_served,
    replies_of,
    seed,
    session_of,
)

__all__ = ("postgres_server",)
pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(postgres_server: EmbeddedPostgres) -> Iterator[Running]:
    """One node for all examples: what one leaves is what the next one meets."""
    asyncio.run(postgres_server.create_database("fuzz"))
    with running_server(postgres_server.url("fuzz")) as running:
        running.run(seed(running.node))
        yield running


@settings(suppress_health_check=list(HealthCheck))
@given(st.sampled_from(KINDS), st.lists(REQUESTS, min_size=1, max_size=12))
def test_no_request_is_a_fault_on_postgresql(
    server: Running, kind: str, requests: list[tuple[str, Any]]
) -> None:
    """Each is answered or refused by name, never with internal_error; the next client is served."""

    async def scenario() -> None:
        link = await session_of(server.node, kind)
        refs = set(range(10, 10 + len(requests)))
        for ref, (op, body) in zip(sorted(refs), requests, strict=True):
            await link.send(encode([{"ref": ref, "op": op, "body": body, "timeout_s": 0.05}]))
        for reply in await replies_of(link, refs):
            error = reply.get("error", {})
            assert error.get("name") != "internal_error", (error, requests)
        await link.close()
        assert await is_served(server.node)

    server.run(scenario())
