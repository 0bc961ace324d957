"""Visitors of the site who may be invited: they come, ask for an invitation, accept, decline or ignore it.

Started by whole_site.py. Each visitor asks the engagement engine as the page's widget would; what
an accepted invitation becomes is the engine's matter, the visitor then only waits for an agent.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from math import inf
from types import MappingProxyType
from typing import Final

import msgspec

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.times import Times
from paceline.sdk import EngagementEngineClient
from paceline.simulator.attempts import Attempts
from paceline.simulator.bank_day import DAY_S, START_S, BankDay
from paceline.simulator.fates import Fates, user_data_of
from paceline.simulator.site import Site
from paceline.simulator.timers import Timers
from paceline.simulator.waiting import WaitingCustomers
from paceline.units.quantities import Millis

VISITORS_PER_CUSTOMER: Final = 20.0
"""Visitors for each reactive customer (issue 3)."""

SHARES: Final[Mapping[str, float]] = MappingProxyType({"chat": 0.5, "email": 0.3, "voice": 0.2})
"""Which medium a visitor's page would offer: about as the agents' free time divides (chosen)."""

ACCEPTANCE: Final = 0.3
"""Share of invitations that visitors accept (PACING.md, the worlds' middle case)."""

DECLINED_SHARE: Final = 0.4
"""Of those who do not accept, how many say so; the others leave it unanswered (PACING.md, world R)."""

RESPONSE_MEDIAN_S: Final = 11.74
RESPONSE_SIGMA: Final = 0.7
"""Time to answer, lognormal with mean 15 s (PACING.md, world R): the median is 15 exp(−0.7²/2)."""

REST_S: Final = 1.0
"""After `no_permit` a target's next visitors leave unasked for so long: permits come once a period."""

MOST_ASKING: Final = 64
"""Visitors of one target whose question is under way; beyond, the machine is behind (chosen)."""

LOOK_AGAIN_S: Final = 60.0
"""The rate is read anew at least this often (chosen)."""


@dataclass(slots=True)
class VisitorCounts:
    """came = unasked + refused + failed + invited + those whose question is under way."""

    came: int = 0
    unasked: int = 0
    refused: int = 0
    failed: int = 0
    invited: int = 0


@dataclass(slots=True)
class _Door:
    """A target as visitors meet it."""

    rests_until: int = 0
    asking: int = 0


class Visitors:
    """See the module.

    Parameters
    ----------
    acceptance
        Share of accepted invitations per medium; `ACCEPTANCE` for the others.
    """

    def __init__(
        self,
        client: EngagementEngineClient,
        *,
        site: Site,
        day: BankDay,
        opening: Millis,
        scale: float,
        times: Times,
        chance: Chance,
        timers: Timers,
        attempts: Attempts,
        fates: Fates,
        waiting: WaitingCustomers,
        acceptance: Mapping[str, float] | None = None,
    ) -> None:
        self._client = client
        self._site = site
        self._day = day
        self._midnight = opening - START_S * 1000
        self._scale = scale
        self._times = times
        self._timers = timers
        self._attempts = attempts
        self._fates = fates
        self._waiting = waiting
        self._acceptance = acceptance or {}
        # Named by its start: after a restart other people come than those who were there before.
        self._start = times.business.now()
        self._stream = chance.stream(f"visitors from {self._start}")
        self._numbers = count(1)
        self._doors: dict[str, _Door] = {}
        self.counts = VisitorCounts()

    async def run(self) -> None:
        """Lets visitors come until cancelled: a Poisson process with the day's rate."""
        business = self._times.business
        at = float(business.now())
        while True:
            rate = self.rate_per_s(Millis(int(at)))
            gap_s = self._stream.exponential(1.0 / rate) if rate > 0 else inf
            at += min(gap_s, LOOK_AGAIN_S) * 1000
            wait_s = (at - business.now()) / 1000
            if wait_s > 0:
                await business.sleep(wait_s)
            if gap_s <= LOOK_AGAIN_S:  # else nobody came: without memory, the draw begins anew
                self._come()

    def rate_per_s(self, instant: Millis) -> float:
        """Visitors per second at this time of the bank's day."""
        width_s = self._day.interval_s
        slot = (instant - self._midnight) // 1000 % DAY_S // width_s
        customers = sum(counts[slot] for counts in self._day.arrivals_mean.values())
        return VISITORS_PER_CUSTOMER * self._scale * customers / width_s

    def _come(self) -> None:
        media = [name for name in SHARES if name in self._site.targets]
        if not media:
            return
        self.counts.came += 1
        medium = self._stream.choices(media, [SHARES[name] for name in media])[0]
        target = self._stream.choice(self._site.targets[medium]).name
        door = self._doors.setdefault(target, _Door())
        if self._times.business.now() < door.rests_until or door.asking >= MOST_ASKING:
            self.counts.unasked += 1
            return
        door.asking += 1
        self._timers.now("ask", lambda: self._ask(target, medium, door))

    async def _ask(self, target: str, medium: str, door: _Door) -> None:
        visitor = f"visitor-{self._start}-{next(self._numbers)}"
        try:
            created = await self._client.invitation.create(target=target, visitor=visitor)
        except PacelineError as error:
            if error.name == "no_permit":
                self.counts.refused += 1
                rest_ms = int(REST_S * 1000)
                door.rests_until = self._times.business.now() + rest_ms
            else:
                self.counts.failed += 1
            return
        finally:
            door.asking -= 1
        self.counts.invited += 1
        self._decide(created.invitation_id, medium)

    def _decide(self, invitation_id: str, medium: str) -> None:
        accepts = self._stream.random() < self._acceptance.get(medium, ACCEPTANCE)
        delay_s = self._stream.lognormal(RESPONSE_MEDIAN_S, RESPONSE_SIGMA)
        if accepts:
            self._timers.after(delay_s, "accept", lambda: self._accept(invitation_id, medium))
        elif self._stream.random() < DECLINED_SHARE:
            self._timers.after(delay_s, "decline", lambda: self._decline(invitation_id))

    async def _accept(self, invitation_id: str, medium: str) -> None:
        """An acceptance that came too late is refused. What has no interaction yet, adopt.py finds."""
        kind = self._fates.draw_type(medium, self._stream)
        user_data = msgspec.Raw(b"{}") if kind is None else user_data_of(kind)
        since = self._times.business.now()
        accepted = await self._attempts.insist(
            lambda: self._client.invitation.accept(invitation_id=invitation_id, user_data=user_data)
        )
        if accepted is not None and accepted.interaction_id is not None:
            self._waiting.begin(accepted.interaction_id, since)

    async def _decline(self, invitation_id: str) -> None:
        await self._attempts.insist(
            lambda: self._client.invitation.reject(invitation_id=invitation_id)
        )
