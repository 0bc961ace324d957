"""The measured server's own process: PostgreSQL, one interaction node, one line of JSON when ready.

Started by bench/interactions as `python -m paceline.bench.node_process FOLDER`; ends with its input.
"""

import sys
from pathlib import Path

import msgspec
import uvloop

from paceline.assembly.measured_node import MeasuredNode
from paceline.runtime.collector import settle_collector
from paceline.runtime.signals import stop_signals
from paceline.runtime.times import real_times
from paceline.storage.embedded import EmbeddedPostgres


async def _serve(folder: Path) -> None:
    times = real_times()
    postgres = EmbeddedPostgres(folder, times)
    await postgres.start()
    await postgres.create_database("measured")
    node = MeasuredNode(postgres.url("measured"), times)
    await node.start()
    settle_collector()
    ready = {"url": node.url, "token": node.token, "database": postgres.url("measured")}
    print(msgspec.json.encode(ready).decode(), flush=True)
    with stop_signals() as stop:
        await stop.wait()
    await node.stop()
    await postgres.stop()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1])))
