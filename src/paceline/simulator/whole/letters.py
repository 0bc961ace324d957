"""Clients of the queues that only rehearsals have: properties that views choose by, times, snapshots.

Part of traffic.py; over a connection of the kind media server. Everything is tried once, and
whatever is refused does not matter.
"""

from collections.abc import Awaitable
from typing import Any, Final

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.runtime.chance import Chance
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient
from paceline.simulator.whole.configuration import (
    DRAFTS,
    DRAWER,
    LETTERS,
    PARCELS,
    REGION,
    WEIGHT,
)

MEDIUM: Final = "email"
REGIONS: Final = ("north", "south", "west", None)
OPEN_IDS: Final = 60
CUSTOM_EVENT: Final = 1001


class Letters:
    """See the module. `owners` have workbins."""

    def __init__(
        self,
        client: InteractionServerClient,
        owners: list[str],
        *,
        times: Times,
        chance: Chance,
        tasks: TaskGroup,
    ) -> None:
        self._client = client
        self._owners = owners
        self._times = times
        self._dice = chance.stream("letters")
        self._tasks = tasks
        self._ids: list[str] = []

    def submit(self) -> None:
        """One more letter, parcel or paper for the drawer."""
        self._begin("letter", self._submit())

    def change(self) -> None:
        """A weight, a region, a priority, a hold, or a client's own event."""
        if self._ids:
            turns = [self._weigh, self._weigh, self._raise, self._hold, self._report]
            self._begin("letter changes", self._dice.choice(turns)(self._dice.choice(self._ids)))

    def tidy(self) -> None:
        """A snapshot of the drawer, with or without locks, and what becomes of it."""
        self._begin("drawer", self._tidy())

    def erase(self, interaction_id: str) -> None:
        """Somebody asks for the erasure of what is known of an interaction."""
        self._begin("erasure", self._client.privacy.erase(interaction_ids=(interaction_id,)))

    def _begin(self, name: str, request: Awaitable[object]) -> None:
        self._tasks.start(name, _tried(request))

    def _data(self) -> dict[str, object]:
        found = {WEIGHT: self._dice.choice((None, 1, 3, 5, 9)), REGION: self._dice.choice(REGIONS)}
        return {key: value for key, value in found.items() if value is not None}

    async def _submit(self) -> None:
        queue = self._dice.choice((LETTERS, LETTERS, PARCELS, PARCELS, PARCELS, DRAWER))
        more: dict[str, Any] = {}
        drawn = self._dice.random()
        if drawn < 0.25:
            later_ms = int(1000 * self._dice.uniform(1.0, 20.0))
            more["scheduled_at"] = to_text(self._times.business.now() + later_ms)
        elif drawn < 0.35:
            more |= {"workbin": DRAFTS, "owner": self._dice.choice(self._owners)}
        submitted = await self._client.interaction.submit(
            media_type=MEDIUM, queue=queue, priority=self._dice.choice((0, 0, 2)),
            user_data=msgspec.Raw(msgspec.json.encode(self._data())), **more,
        )  # fmt: skip
        self._ids.append(submitted.interaction_id)
        del self._ids[:-OPEN_IDS]

    async def _weigh(self, interaction_id: str) -> None:
        encoded = {key: msgspec.Raw(msgspec.json.encode(v)) for key, v in self._data().items()}
        gone = tuple({WEIGHT, REGION} - encoded.keys())
        await self._client.interaction.change(
            interaction_id=interaction_id, changed=encoded, deleted=tuple(sorted(gone))
        )

    async def _raise(self, interaction_id: str) -> None:
        await self._client.interaction.change(
            interaction_id=interaction_id, priority=self._dice.choice((0, 2, 7))
        )

    async def _hold(self, interaction_id: str) -> None:
        await self._client.interaction.hold(interaction_id=interaction_id, reason="wait")
        await self._times.machine.sleep(self._dice.exponential(5.0))
        await self._client.interaction.resume(interaction_id=interaction_id)

    async def _report(self, interaction_id: str) -> None:
        await self._client.event.distribute(
            event=CUSTOM_EVENT, interaction_id=interaction_id, agent=self._dice.choice(self._owners)
        )

    async def _tidy(self) -> None:
        taken = await self._client.snapshot.take(
            view="Drawer view", lock=self._dice.random() < 0.7, max_interactions=5
        )
        key = taken.snapshot_id
        await self._times.machine.sleep(self._dice.exponential(2.0))
        page = await self._client.snapshot.page(snapshot_id=key, count=2)
        move, drawn = self._client.snapshot.move, self._dice.random()
        if drawn < 0.5:
            await move(snapshot_id=key, queue=self._dice.choice((LETTERS, PARCELS)))
        elif drawn < 0.6:
            await move(snapshot_id=key, workbin=DRAFTS, owner=self._dice.choice(self._owners))
        elif drawn < 0.7:
            named = tuple(one.interaction_id for one in page.interactions)
            await move(snapshot_id=key, stop=True, interaction_ids=named)
        elif drawn < 0.8:
            return  # forgotten: it is released when nobody asks for it, or with the session
        await self._client.snapshot.release(snapshot_id=key)


async def _tried(request: Awaitable[object]) -> None:
    try:
        await request
    except PacelineError:
        return
