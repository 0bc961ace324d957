"""The measured server's own process: PostgreSQL, one interaction node, one line of JSON when ready.

Started by bench/interactions as `python -m paceline.bench.node_process FOLDER`; ends with its input.
"""

import gc
import sys
from pathlib import Path

import msgspec
import uvloop

from paceline.assembly.measured_node import MeasuredNode
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
    gc.freeze()
    print(msgspec.json.encode({"url": node.url, "token": node.token}).decode(), flush=True)
    with stop_signals() as stop:
        await stop.wait()
    await node.stop()
    await postgres.stop()


if __name__ == "__main__":
    uvloop.run(_serve(Path(sys.argv[1])))
