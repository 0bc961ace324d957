"""Releases snapshots that nobody has asked for within snapshot-timeout."""

import asyncio

from paceline.servers.interaction.requests.lane import NodeLane
from paceline.servers.interaction.requests.snapshot import SnapshotRequests

SHORTEST_WAIT_S = 0.1


async def run_snapshot_ends(lane: NodeLane, requests: SnapshotRequests) -> None:
    """Runs until cancelled; sleeps while there is no snapshot."""
    machine, snapshots = lane.node.times.machine, lane.node.snapshots
    first = asyncio.Event()
    snapshots.on_first = first.set
    lane.settings.watch(lambda _old, _new: first.set())
    while True:
        first.clear()
        timeout_ms = int(lane.settings.current.seconds("settings", "snapshot-timeout") * 1000)
        asked = snapshots.last_asked()
        limit = machine.now() - timeout_ms
        for asked_at, key in asked:
            if asked_at <= limit:
                requests.let_go(key)
        waiting = [asked_at for asked_at, _ in asked if asked_at > limit]
        if not waiting:
            await first.wait()
            continue
        wait_s = (waiting[0] - limit) / 1000
        try:
            async with asyncio.timeout(max(SHORTEST_WAIT_S, wait_s)):
                await first.wait()
        except TimeoutError:
            continue
