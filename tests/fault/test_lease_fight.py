"""Two processes and one interaction node: one writes; a paused holder that wakes is refused."""

import signal
import subprocess
import sys
import time

import pytest

from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from tests.databases import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

SLOWEST_S = 60.0


def _fighter(url: str, name: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.fault.lease_holder", url, name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _rest(process: "subprocess.Popen[str]") -> list[str]:
    out, _ = process.communicate(timeout=60)
    return out.split("\n")[:-1]


async def _stored(url: str) -> set[str]:
    store = open_database(from_url(url), times=real_times())
    rows = await store.fetch("SELECT interaction_id FROM interaction.interactions")
    await store.close()
    return {row[0] for row in rows}


@pytest.mark.integration
def test_a_paused_holder_is_refused_and_nothing_acknowledged_is_lost(postgres_url: str) -> None:
    """SIGSTOP past the lease, takeover when it has ended, SIGCONT: the old holder's next commit is stale.

    How soon after the lease's end is measured by `paceline bench failover`, on a machine that does nothing else.
    """
    import asyncio

    first = _fighter(postgres_url, "first")
    assert _line(first).startswith("leads")
    acknowledged = [_line(first) for _ in range(20)]
    second = _fighter(postgres_url, "second")
    acknowledged += [_line(first) for _ in range(100)]
    first.send_signal(signal.SIGSTOP)
    paused_at = time.monotonic()
    leads = _line(second)
    takeover_s = time.monotonic() - paused_at
    assert leads.startswith("leads")
    assert 1.0 < takeover_s < SLOWEST_S, f"takeover took {takeover_s:.1f} s"
    acknowledged += [_line(second) for _ in range(50)]
    first.send_signal(signal.SIGCONT)
    words = _rest(first)
    refused = [word for word in words if word.startswith("refused")]
    assert refused == ["refused stale_epoch"], words
    before_pause = [word for word in words if " " not in word]
    acknowledged += before_pause
    acknowledged += [_line(second) for _ in range(50)]
    second.send_signal(signal.SIGKILL)
    acknowledged += [word for word in _rest(second)[:-1] if " " not in word]
    assert set(acknowledged) <= asyncio.run(_stored(postgres_url))
    assert len(acknowledged) == len(set(acknowledged))
