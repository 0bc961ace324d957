"""Clears alarms whose clearance timeout is over.

Run by the server's task group.
"""

from paceline.errors.failure import PacelineError
from paceline.runtime.times import BusinessTime
from paceline.servers.message.live.writer import MessageWriter

LONGEST_SLEEP_S = 60.0
"""Business seconds between two looks when nothing is due (chosen: new alarms have long timeouts)."""


async def expire_alarms(writer: MessageWriter, business: BusinessTime) -> None:
    """Until cancelled; while the database is away alarms stand longer."""
    while True:
        now = business.now()
        due_s = min((alarm.expires_at - now for alarm in writer.active), default=60_000) / 1000
        await business.sleep(min(LONGEST_SLEEP_S, max(1.0, due_s)))
        if any(alarm.expires_at <= business.now() for alarm in writer.active):
            try:
                await writer.expire()
            except PacelineError:
                continue
