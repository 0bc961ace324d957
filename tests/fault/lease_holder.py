"""A process that fights for an interaction node: takes the lease, then submits without end.

`python -m tests.fault.lease_holder URL NAME` prints one word a line: `leads EPOCH`, then the id of each
acknowledged submission, and `refused NAME` when the node refuses one, with which it ends.
"""

import asyncio
import sys

from paceline.cluster.database_lease import DatabaseLeases
from paceline.cluster.lease import Lease
from paceline.errors.failure import PacelineError
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from tests.fakes.site import running_node


def _say(*words: object) -> None:
    print(*words, flush=True)


async def _fight(url: str, name: str) -> None:
    times = real_times()
    leases_database = open_database(from_url(url), times=times, pool_size=1)
    leases = DatabaseLeases(leases_database, times)
    await leases.prepare()
    lease = Lease(
        leases, "interaction/1", holder=name, times=times, on_lost=lambda why: _say("lost", why)
    )
    tasks = TaskGroup("lease", lambda why: _say("failed", why))
    epoch = await lease.wait()
    tasks.start("keep", lease.keep())
    store = open_database(from_url(url), times=times)
    async with running_node(times, database=store, epoch=epoch) as node:
        client = await node.client(name)
        _say("leads", epoch)
        while True:
            try:
                answer = await client.interaction.submit(media_type="chat", queue="Chats")
            except PacelineError as error:
                _say("refused", error.name)
                break
            _say(answer.interaction_id)
            await times.machine.sleep(0.01)
    await tasks.aclose()
    await store.close()
    await leases_database.close()


if __name__ == "__main__":
    asyncio.run(_fight(sys.argv[1], sys.argv[2]))
