"""Reactive customers: they come as the bank's did, are submitted once each, and wait for an agent.

Started by whole_site.py. A submission carries a token made of seed and arrival, so that a customer
who came while the demo was killed is submitted after the restart without being doubled.
"""

from itertools import groupby

from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.simulator.attempts import Attempts
from paceline.simulator.bank_day import Arrival, BankTraffic
from paceline.simulator.fates import user_data_of
from paceline.simulator.site import Site
from paceline.simulator.timers import Timers
from paceline.simulator.waiting import WaitingCustomers
from paceline.units.quantities import Millis

STEP_MS = 60_000
"""How far ahead arrivals are drawn (chosen)."""

REPLAY_MS = 300_000
"""Arrivals before a start that are submitted again: what may have been on its way at a kill.

Five seconds of the machine at speed 60 (chosen); tokens keep them from being doubled.
"""

OFFLINE_MEDIA = frozenset({"email"})
"""Media whose customers are not connected while they wait."""


class ReactiveCustomers:
    """See the module."""

    def __init__(
        self,
        client: InteractionServerClient,
        traffic: BankTraffic,
        *,
        seed: int,
        opening: Millis,
        site: Site,
        times: Times,
        timers: Timers,
        attempts: Attempts,
        waiting: WaitingCustomers,
    ) -> None:
        self._client = client
        self._traffic = traffic
        self._seed = seed
        self._opening = opening
        self._site = site
        self._times = times
        self._timers = timers
        self._attempts = attempts
        self._waiting = waiting
        self._started_at = times.business.now()
        self.submitted_count = 0

    async def run(self) -> None:
        """Lets customers come until cancelled."""
        self._started_at = self._times.business.now()
        first = Millis(max(self._opening, self._started_at - REPLAY_MS))
        while True:
            last = Millis(first + STEP_MS)
            arrivals = self._traffic.arrivals(first, last)
            for at, together in groupby(arrivals, key=lambda arrival: arrival.at):
                await self._wait_until(at)
                for place, arrival in enumerate(together):
                    self._come(arrival, place)
            await self._wait_until(last)
            first = last

    async def _wait_until(self, instant: Millis) -> None:
        wait_s = (instant - self._times.business.now()) / 1000
        if wait_s > 0:
            await self._times.business.sleep(wait_s)

    def _come(self, arrival: Arrival, place: int) -> None:
        queue = self._site.reactive_queues.get(arrival.media_type)
        if queue is not None:
            self._timers.now("submit", lambda: self._submit(arrival, place, queue))

    async def _submit(self, arrival: Arrival, place: int, queue: str) -> None:
        token = f"reactive:{self._seed}:{arrival.at}:{place}"
        submitted = await self._attempts.insist(
            lambda: self._client.interaction.submit(
                media_type=arrival.media_type,
                queue=queue,
                client_token=token,
                is_online=arrival.media_type not in OFFLINE_MEDIA,
                user_data=user_data_of(arrival.customer_type),
            )
        )
        if submitted is None:
            return
        self.submitted_count += 1
        # What came before the start may be served or gone since: adopt.py asks how it stands.
        if arrival.at >= self._started_at:
            self._waiting.begin(submitted.interaction_id, self._times.business.now())
