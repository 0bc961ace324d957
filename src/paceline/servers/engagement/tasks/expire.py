"""Ends invitations that nobody answered in time, and forgets the record of old batches."""

import asyncio

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.times import Times
from paceline.servers.engagement.live.book import TIMED_OUT, Close, InvitationBook
from paceline.servers.engagement.live.writer import Writer
from paceline.servers.engagement.store.invitations import InvitationStore
from paceline.storage.batch_outcome import Fence
from paceline.storage.database import Database
from paceline.units.quantities import Millis

LOOK_EVERY_S = 0.5
"""Business seconds between looks (chosen: a tenth of the shortest common period)."""
SHORTEST_PAUSE_S = 0.02
"""Machine seconds between looks at high speeds (chosen)."""
FORGET_EVERY_S, KEEP_S = 600.0, 3600.0
"""Records of batches are kept for an hour (FIRST_PLAN, schema); pruned every ten minutes (chosen)."""

_log = get_log("engagement.expire")


async def end_unanswered(book: InvitationBook, writer: Writer, times: Times) -> None:
    """Run until cancelled: each invitation is closed as `timedout` soon after its time."""
    pause_s = max(SHORTEST_PAUSE_S, times.business.machine_seconds(LOOK_EVERY_S))
    while True:
        now = times.business.now()
        over = book.ended(now)
        await asyncio.gather(*(_end(book, writer, one, now) for one in over))
        await times.machine.sleep(pause_s)


async def _end(book: InvitationBook, writer: Writer, invitation_id: str, now: Millis) -> None:
    try:
        await writer.submit(Close(invitation_id, now, TIMED_OUT))
    except PacelineError as error:
        if error.name != "invitation_closed":  # answered in the last moment
            book.try_end_again(invitation_id)


async def forget_batches(
    fence: Fence, store: InvitationStore, database: Database, times: Times
) -> None:
    """Run until cancelled: delete records of batches and keys nobody asks for any more."""
    while True:
        try:
            await fence.forget_before(database, Millis(times.machine.now() - round(1000 * KEEP_S)))
            await store.forget_kept(times.machine.now())
        except PacelineError as error:
            _log.debug("old batches stay for now", why=error.message)
        await times.machine.sleep(FORGET_EVERY_S)
