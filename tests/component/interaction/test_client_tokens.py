"""Submissions repeated under their client tokens: nobody asks first, the table's key tells."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import InteractionQueue
from paceline.runtime.times import real_times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.servers.interaction.live.committer import IN_DOUBT_S
from paceline.storage.access_point import from_url
from paceline.storage.database import ConstraintViolated, Database, Transaction
from paceline.storage.lane import MAX_BATCH
from paceline.storage.sqlite import SqliteDatabase
from paceline.units.quantities import Millis
from paceline.wire.operations.interaction import Submitted
from tests.databases import database_url, postgres_server, postgres_url, run_on
from tests.fakes.site import running_node, small_site

__all__ = ["database_url", "postgres_server", "postgres_url"]

START = Millis(1_000_000_000_000)
T = TypeVar("T")


class CountingDatabase(SqliteDatabase):
    """SQLite in memory; `refused` counts the transactions that a key which exists made fail."""

    def __init__(self) -> None:
        super().__init__(from_url("sqlite://"), inline=True)
        self.refused = 0

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        try:
            return await super().transaction(work)
        except ConstraintViolated:
            self.refused += 1
            raise


async def _submit(
    client: InteractionServerClient, tokens: Sequence[str], priority: int = 0
) -> list[Submitted]:
    """All of them beside each other."""
    return await asyncio.gather(
        *(
            client.interaction.submit(
                media_type="chat", queue="Chats", priority=priority, client_token=token
            )
            for token in tokens
        )
    )


async def _depth(client: InteractionServerClient) -> int:
    return (await client.queue.list()).items[0].depth


@pytest.mark.integration
def test_repeats_among_new_ones_get_the_first_answer(database_url: str) -> None:
    """In a later batch, beside other work: the same answers, nothing stored twice, the others are served."""

    async def act(database: Database) -> None:
        async with running_node(real_times(), database=database) as node:
            media = await node.client("chat")
            first = await _submit(media, ["a", "b"])
            again = await _submit(media, ["new 1", "a", "new 2", "b", "a", "new 2"])
            assert [again[1], again[3], again[4]] == [*first, first[0]]
            assert again[2] == again[5]
            assert await _depth(media) == 4
            with pytest.raises(PacelineError, match="idempotency_key_reused"):
                await _submit(media, ["a", "new 3"], priority=1)
            assert await _depth(media) == 5

    run_on(database_url, act)


@pytest.mark.integration
def test_a_storm_of_repeats_after_a_takeover_is_answered(database_url: str) -> None:
    """Who takes the node over has none of the tokens in memory: all get the answers they had."""
    tokens = [f"token {number}" for number in range(2 * MAX_BATCH + 3)]

    async def act(database: Database) -> None:
        async with running_node(real_times(), database=database) as node:
            media = await node.client("chat")
            first = await _submit(media, tokens)
            async with running_node(real_times(), database=database, epoch=2) as heir:
                client = await heir.client("chat")
                assert await _submit(client, tokens) == first
                assert await _depth(client) == len(tokens)

    run_on(database_url, act)


def test_one_batch_in_a_minute_fails_for_repeats() -> None:
    """After the first, tokens are looked up; later they are taken for new again, until one is not."""

    async def scenario() -> None:
        times, database = virtual_times(START), CountingDatabase()
        async with running_node(times, database=database) as node:
            media = await node.client("chat")
            first = await _submit(media, ["a", "b"])
            for round_number, refused in enumerate((1, 1, 2)):
                new = [f"{round_number} {number}" for number in range(3)]
                assert (await _submit(media, [*new, "a", "b"]))[3:] == first
                assert database.refused == refused
                await times.machine.sleep(IN_DOUBT_S * 0.6)
            assert await _depth(media) == 11
        await database.close()

    run_virtual(scenario())


def test_a_repeat_alone_fails_no_batch() -> None:
    """The lane repeats nothing that failed alone, so its token is looked up."""

    async def scenario() -> None:
        database = CountingDatabase()
        async with running_node(virtual_times(START), database=database) as node:
            media = await node.client("chat")
            [first] = await _submit(media, ["a"])
            assert await _submit(media, ["a"]) == [first]
            assert database.refused == 0
        await database.close()

    run_virtual(scenario())


def test_a_repeat_is_answered_though_it_would_be_refused_now() -> None:
    """The id it brought is used and its queue is gone meanwhile: beside new ones it gets its answer."""

    async def scenario() -> None:
        site, database = small_site(), CountingDatabase()
        site.add("scripts", "Fleeting", InteractionQueue(business_process="Service"))
        async with running_node(virtual_times(START), database=database, site=site) as node:
            media = await node.client("chat")

            async def with_id() -> Submitted:
                return await media.interaction.submit(
                    media_type="chat", queue="Chats", interaction_id="mine", client_token="a"
                )

            async def fleeting(token: str) -> Submitted:
                return await media.interaction.submit(
                    media_type="chat", queue="Fleeting", client_token=token
                )

            first = [await with_id(), await fleeting("b")]
            old = node.configuration.snapshot
            [queue] = [i for i in old.objects.values() if i.name == "Fleeting"]
            node.configuration.change(old.with_changes((), ((queue.type, queue.id),), seq=2))
            *again, refusal = await asyncio.gather(
                with_id(), fleeting("b"), fleeting("c"), return_exceptions=True
            )
            assert again == first
            assert isinstance(refusal, PacelineError)
            assert refusal.name == "invalid_attribute"
            assert database.refused == 0
        await database.close()

    run_virtual(scenario())
