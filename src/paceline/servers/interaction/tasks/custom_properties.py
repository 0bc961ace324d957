"""Brings columns and indexes of the node to what the configuration says, while the node works.

Each new custom property gets its column and index, is written from then on, and is filled for all
interactions in steps; then views may use it. Each order of a view's own gets its index. Started by
the server; repeats what a fault of the database broke.
"""

import asyncio

from paceline.errors.failure import PacelineError
from paceline.model.custom_properties import CustomProperty
from paceline.runtime.log import get_log
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane
from paceline.servers.interaction.rules.custom_values import configured
from paceline.servers.interaction.store.custom_properties import (
    add_column,
    page_of_tenant,
    read_states,
)
from paceline.servers.interaction.store.node import Key
from paceline.servers.interaction.store.order_indexes import keep_order_indexes
from paceline.storage.database import Database, DatabaseError

STEP = 200
"""Interactions filled with one piece of work: less than the lane takes in a batch (chosen)."""

PAUSE_S = 5.0
"""Machine seconds until what failed is tried again (chosen)."""

_log = get_log("interaction.custom_properties")


class CustomPropertyColumns:
    """The task; `changed` wakes it after a change of the configuration."""

    def __init__(self, lane: NodeLane, database: Database) -> None:
        self._lane = lane
        self._database = database
        self._wake = asyncio.Event()
        self._wake.set()

    def changed(self) -> None:
        """The configuration has changed."""
        self._wake.set()

    async def run(self) -> None:
        """Works off changes; runs until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._bring_up()
                await keep_order_indexes(self._database, self._lane.node.views.own_orders())
            except (PacelineError, DatabaseError) as error:
                _log.warning("columns and indexes are tried again", why=str(error))
                await self._lane.node.times.machine.sleep(PAUSE_S)
                self._wake.set()

    async def _bring_up(self) -> None:
        states = dict(await read_states(self._database))
        wanted = configured(self._lane.node.snapshot)
        by_place = {(t, p.column): p for t, properties in wanted.items() for p in properties}
        changes: dict[Key, tuple[str, bool] | None] = {
            place: None for place in states if place not in by_place
        }
        for place, found in by_place.items():
            if place not in states or states[place][0] != found.key:
                await add_column(self._database, found)
                changes[place] = (found.key, False)
        await self._tell(changes)
        states |= {place: state for place, state in changes.items() if state is not None}
        for tenant, properties in wanted.items():
            empty = [p for p in properties if not states[tenant, p.column][1]]
            if empty:
                await self._fill(tenant, empty)

    async def _fill(self, tenant: int, properties: list[CustomProperty]) -> None:
        after = ""
        while keys := await page_of_tenant(self._database, tenant, after, STEP):
            await self._lane.carry_out(_filling(tuple(keys)))
            after = keys[-1][1]
        await self._tell({(tenant, p.column): (p.key, True) for p in properties})
        for found in properties:
            _log.standard("custom property can be used", tenant=tenant, key=found.key)

    async def _tell(self, changes: dict[Key, tuple[str, bool] | None]) -> None:
        """Stores what became of columns; the node goes by it at once."""
        if not changes:
            return

        def apply(node: NodeState) -> None:
            node.change_property_states(changes)

        await self._lane.carry_out(Work(apply))


def _filling(keys: tuple[Key, ...]) -> Work:
    def apply(node: NodeState) -> None:
        for key in keys:
            node.fill_custom(key)

    return Work(apply, keys=keys, reads_data=True)
