"""A whole server that is stopped past its lease and wakes with requests in its buffers writes nothing."""

import asyncio
import signal

import pytest

from paceline.bench.failover_site import QUEUE, FailoverSite
from paceline.errors.failure import PacelineError
from paceline.runtime.times import real_times
from paceline.sdk import InteractionServerClient

LATE, REQUESTS = "late", 20


async def _submit(client: InteractionServerClient, name: str) -> str:
    """How a submission ended: `done`, or the error's name."""
    try:
        await client.interaction.submit(
            media_type="chat", queue=QUEUE, external_id=name, timeout_s=20
        )
    except PacelineError as refusal:
        return refusal.name
    return "done"


async def _scenario() -> None:
    async with FailoverSite.running(real_times()) as site:
        await site.begin_node("first")
        url = await site.line("first")
        connection, keeping = site.connect("keeping to the first", "media_server", url=url)
        await connection.wait_connected()
        assert await _submit(keeping, "before") == "done"
        await site.begin_standby("second")
        site.send("first", signal.SIGSTOP)
        late = [
            asyncio.ensure_future(_submit(keeping, f"{LATE} {number}"))
            for number in range(REQUESTS)
        ]
        second_url = await site.line("second")
        _, client = site.connect("anybody", "media_server")
        assert await _submit(client, "meanwhile") == "done"
        site.send("first", signal.SIGCONT)
        while site.processes["first"].returncode is None:
            assert await site.node_url() == second_url, "the old one sends callers to itself"
        assert {await ended for ended in late} <= {"stale_epoch", "connection_lost"}
        assert await site.processes["first"].wait() == 1
        assert "another process" in site.last_words("first")
        assert await _submit(client, "after") == "done"
        found = await client.interaction.find(limit=100, include_finished=True)
        assert sorted(item.external_id or "" for item in found.interactions) == [
            "after",
            "before",
            "meanwhile",
        ]


@pytest.mark.fault
def test_a_paused_primary_writes_nothing() -> None:
    """Its lease is over when it wakes: all it is asked is refused, it ends, and the other works on."""
    asyncio.run(_scenario())
