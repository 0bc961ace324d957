"""Customers who wait for an agent, until one has taken them or their patience is over.

Fed by the arrivals (reactive.py, visitors.py), the agents (agents.py) and, after a restart, by
adopt.py. Holds nothing that the Interaction Server would not know.
"""

import asyncio
from collections.abc import Callable

from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.simulator.attempts import Attempts
from paceline.simulator.fates import Fates
from paceline.simulator.timers import Timers
from paceline.units.quantities import Millis

LEFT = "the customer has left"


class WaitingCustomers:
    """See the module.

    Parameters
    ----------
    is_taken
        Whether an agent has the interaction already: such a customer does not wait.
    """

    def __init__(
        self,
        client: InteractionServerClient,
        *,
        times: Times,
        timers: Timers,
        attempts: Attempts,
        fates: Fates,
        is_taken: Callable[[str], bool],
    ) -> None:
        self._client = client
        self._times = times
        self._timers = timers
        self._attempts = attempts
        self._fates = fates
        self._is_taken = is_taken
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    def begin(self, interaction_id: str, since: Millis) -> None:
        """The customer waits since then; who waits already or is served is left alone."""
        if interaction_id in self._waiting or self._is_taken(interaction_id):
            return
        passed_s = (self._times.business.now() - since) / 1000
        left_s = self._fates.patience_s(interaction_id) - passed_s
        self._waiting[interaction_id] = self._timers.after(
            left_s, "leave", lambda: self._leave(interaction_id)
        )

    def end(self, interaction_id: str) -> None:
        """An agent has taken it."""
        timer = self._waiting.pop(interaction_id, None)
        if timer is not None:
            timer.cancel()

    async def _leave(self, interaction_id: str) -> None:
        """Stays among the waiting until the server knows, so that nobody begins it anew."""
        await self._attempts.insist(
            lambda: self._client.interaction.abandon(interaction_id=interaction_id, reason=LEFT)
        )
        self._waiting.pop(interaction_id, None)
