"""Messages that raise and clear alarms: to the log, and to the Message Server when there is one.

Called by the cycle. Messages keep their order and are repeated until the Message Server has them;
without one the server itself keeps the active alarms (`rules/alarms.py`) and shows them.
"""

from paceline.errors.failure import PacelineError
from paceline.runtime.log import get_log
from paceline.runtime.queues import BoundedQueue
from paceline.runtime.times import Times
from paceline.sdk import MessageServerClient
from paceline.servers.pacing.rules.alarms import Transition

MAX_WAITING = 10_000
"""Messages kept while the Message Server is away (chosen: one for each target of a full node)."""
PAUSE_S = 1.0
"""Before a message is repeated (chosen; the connection itself has waited by then)."""

_log = get_log("pacing")


class MessageLink:
    """Reports alarms of one application."""

    def __init__(
        self, client: MessageServerClient | None, times: Times, *, application: str, tenant: int
    ) -> None:
        self._client = client
        self._machine = times.machine
        self._application = application
        self._tenant = tenant
        self._waiting: BoundedQueue[Transition] = BoundedQueue("alarm messages", MAX_WAITING)
        if client is None:
            _log.warning(
                "no Message Server is connected: alarms are kept and shown by this server alone"
            )

    def report(self, transition: Transition) -> None:
        """Log it now, send it soon."""
        _log.alarm_message(transition.text, transition.number, subject=transition.subject)
        if self._client is None:
            return
        try:
            self._waiting.offer(transition)
        except PacelineError as full:
            _log.warning("an alarm message is lost", number=transition.number, why=full.message)

    async def run(self) -> None:
        """Send what is reported; belongs in the server's task group."""
        while self._client is not None:
            transition = await self._waiting.take()
            while not await self._send(self._client, transition):
                await self._machine.sleep(PAUSE_S)

    async def _send(self, client: MessageServerClient, transition: Transition) -> bool:
        try:
            await client.message.log(
                application=self._application,
                number=transition.number,
                level="alarm",
                text=transition.text,
                subject=transition.subject,
                tenant=self._tenant,
            )
        except PacelineError as error:
            _log.debug("alarm message not delivered yet", why=error.message)
            return error.name in ("invalid_attribute", "not_allowed")  # repeating would not help
        return True
