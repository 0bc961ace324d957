"""Idempotency keys beside submissions: a change or an own event is made once however often it is sent."""

import asyncio

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.interaction.tasks.clean_up import CLEAN_UP_S
from paceline.storage.lane import ATTEMPTS
from paceline.units.quantities import Millis
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import running_node

START = Millis(1_000_000_000_000)
ONE = {"a": msgspec.Raw(b"1")}


def test_a_repeated_change_is_made_once() -> None:
    """Beside each other and later: one event, one version, equal answers; another body is refused."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            media = await node.client("chat")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id

            async def change(**added: msgspec.Raw) -> object:
                return await media.interaction.change(
                    interaction_id=key, added=added, idempotency_key="k"
                )

            answers = await asyncio.gather(*(change(**ONE) for _ in range(5)))
            assert answers == [await change(**ONE)] * 5
            assert (await media.interaction.get(interaction_id=key)).properties_version == 2
            page = await media.event.read(event_filter_by_id="EventPropertiesChanged")
            assert len(page.items) == 1
            with pytest.raises(PacelineError, match="idempotency_key_reused"):
                await change(b=msgspec.Raw(b"2"))

    run_virtual(scenario())


def test_an_own_event_is_written_once_also_when_the_first_attempt_failed() -> None:
    """What was not stored is done by the repeat; what was, is not done again."""

    async def scenario() -> None:
        database = FailingDatabase()
        async with running_node(virtual_times(START), database=database) as node:
            client = await node.client("report", "operator")

            async def distribute() -> None:
                await client.event.distribute(event=7, idempotency_key="k")

            database.refusals = ATTEMPTS
            with pytest.raises(PacelineError, match="database_unavailable"):
                await distribute()
            await distribute()
            await distribute()
            page = await client.event.read(event_filter_by_id="EventCustomReporting")
            assert len(page.items) == 1
        await database.close()

    run_virtual(scenario())


def test_a_key_ends_with_its_retention_in_machine_time() -> None:
    """After the hour of the machine, whatever the speed of business, it stands for something new."""

    async def scenario() -> None:
        times = virtual_times(START, speed=60.0)
        async with running_node(times) as node:
            client = await node.client("report", "operator")
            for wait_s in (0, 1800, 1800 + 2 * CLEAN_UP_S):
                await times.machine.sleep(wait_s)
                await client.event.distribute(event=7, idempotency_key="k")
            page = await client.event.read(event_filter_by_id="EventCustomReporting")
            assert len(page.items) == 2

    run_virtual(scenario())
