"""Deletes messages, cleared alarms and idempotency keys past their retention, a few thousand at a time.

Run by the server's task group.
"""

from paceline.errors.failure import PacelineError
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.servers.message.store.messages import MessageStore
from paceline.units.quantities import Millis

EVERY_S = 3600.0
"""Business seconds between two rounds (chosen)."""

PAUSE_S = 0.1
"""Machine seconds between two batches, so that writers come in between (chosen)."""


async def forget_old_messages(store: MessageStore, settings: LiveSettings, times: Times) -> None:
    """Until cancelled; what cannot be deleted now is deleted an hour later."""
    while True:
        try:
            await _round(store, settings, times)
        except PacelineError:
            pass
        await times.business.sleep(EVERY_S)


async def _round(store: MessageStore, settings: LiveSettings, times: Times) -> None:
    kept_s = settings.current.seconds("messages", "retention")
    await store.forget_kept(times.machine.now())
    before = Millis(times.business.now() - int(kept_s * 1000))
    while await store.forget_before(before):
        await times.machine.sleep(PAUSE_S)
