"""Deletes what an interaction node no longer needs: expired tokens and keys, old records of batches.

Run by the server's task group; the end of interactions and events is retention.py. In steps, so that
no statement holds its locks for long however much has gathered.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.times import Times
from paceline.servers.interaction.requests.lane import NodeLane
from paceline.servers.interaction.store.expired import delete_batches, delete_tokens
from paceline.storage.database import Database, DatabaseError

CLEAN_UP_S = 60.0
"""Machine seconds between two rounds (chosen)."""

BATCH_RECORD_MS = 3_600_000
"""Batch records are kept for an hour: far longer than a lost commit may stay unanswered."""

STEP = 5000
"""Rows in one statement: some 50 ms of the database (chosen)."""

PAUSE_S = 0.05
"""Machine seconds between two steps, so that writers come in between (chosen)."""

_log = get_log("interaction.clean_up")


async def run_clean_up(lane: NodeLane, database: Database) -> None:
    """Deletes what has expired; runs until cancelled."""
    times = lane.node.times
    while True:
        await times.machine.sleep(CLEAN_UP_S)
        try:
            await _all(partial(delete_tokens, database, times.business.now(), STEP), times)
            before = times.machine.now() - BATCH_RECORD_MS
            await _all(partial(delete_batches, database, before, STEP), times)
        except (PacelineError, DatabaseError) as error:
            _log.warning("clean-up waits for the database", why=str(error))


async def _all(step: Callable[[], Awaitable[int]], times: Times) -> None:
    """Steps until one found little."""
    while await step() == STEP:
        await times.machine.sleep(PAUSE_S)
