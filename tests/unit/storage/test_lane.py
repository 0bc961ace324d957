"""The laws of the write lane, on SQLite in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.storage.access_point import from_url
from paceline.storage.database import Database, Transaction
from paceline.storage.lane import Lane
from paceline.storage.sqlite import SqliteDatabase
from paceline.units.quantities import Millis
from tests.lane_owner import FENCE, Words, make_tables, stored_words

T = TypeVar("T")
TIMES = virtual_times(Millis(1_763_683_200_000))


class Unreliable(SqliteDatabase):
    """Loses the connection as told: before the commit, in it and done, in it and not done, or away."""

    def __init__(self) -> None:
        super().__init__(from_url("sqlite://"), inline=True)
        self.faults: list[str] = []
        self.away = 0
        self.commit_s = 0.0

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        if self.away:
            self.away -= 1
            raise PacelineError("database_unavailable", "away")
        fault = self.faults.pop(0) if self.faults else ""

        async def broken(transaction: Transaction) -> T:
            answer = await work(transaction)
            if self.commit_s:
                await TIMES.machine.sleep(self.commit_s)
            if fault == "before":
                raise PacelineError("database_unavailable", "broke before the commit")
            if fault == "in, undone":
                raise PacelineError("outcome_unknown", "broke in the commit")
            return answer

        answer = await super().transaction(broken)
        if fault == "in, done, away":
            self.away = 1
        if fault.startswith("in, done"):
            raise PacelineError("outcome_unknown", "broke in the commit")
        return answer


class Bench:
    """A running lane with its database and owner."""

    def __init__(self, **limits: int) -> None:
        self.database = Unreliable()
        self.owner = Words()
        self.stale: list[PacelineError] = []
        self.lane: Lane[str, int] = Lane(
            self.database, self.owner, FENCE, TIMES, on_stale=self.stale.append, **limits
        )

    async def answers(self, *words: str) -> list[int | str]:
        """Submit all at once; places, and names of errors."""
        futures = [self.lane.submit(word) for word in words]
        found = await asyncio.gather(*futures, return_exceptions=True)
        return [
            one if isinstance(one, int) else getattr(one, "name", type(one).__name__)
            for one in found
        ]


def on_lane(act: Callable[[Bench], Awaitable[None]], **limits: int) -> Bench:
    """Run `act` beside a running lane and close it."""

    async def main() -> Bench:
        bench = Bench(**limits)
        await make_tables(bench.database)
        running = asyncio.create_task(bench.lane.run())
        try:
            await act(bench)
            bench.lane.close()
            await running
        finally:
            running.cancel()
            await bench.database.close()
        return bench

    return run_virtual(main())


def test_what_arrives_meanwhile_forms_the_next_batch() -> None:
    """Work submitted together commits together, in order; later work forms the next batch."""

    async def act(bench: Bench) -> None:
        assert await bench.answers("a", "b", "c") == [1, 2, 3]
        assert await bench.answers("d") == [4]
        assert await stored_words(bench.database) == ["a", "b", "c", "d"]
        assert await bench.database.fetch("SELECT last_event_id FROM interaction.node") == [(4,)]
        assert len(await bench.database.fetch("SELECT * FROM interaction.batch")) == 2

    assert on_lane(act).owner.batches == [["a", "b", "c"], ["d"]]


def test_a_batch_is_bounded() -> None:
    """No batch is larger than the limit; order is kept over batches."""

    async def act(bench: Bench) -> None:
        assert await bench.answers(*"abcde") == [1, 2, 3, 4, 5]

    assert on_lane(act, max_batch=2).owner.batches == [["a", "b"], ["c", "d"], ["e"]]


def test_a_full_queue_refuses_at_once() -> None:
    """Beyond the bound of the queue a caller is told `overloaded`; the others are served."""

    async def act(bench: Bench) -> None:
        first = [bench.lane.submit(word) for word in "ab"]
        assert bench.lane.depth == 2
        with pytest.raises(PacelineError) as caught:
            bench.lane.submit("c")
        assert caught.value.name == "overloaded"
        assert await asyncio.gather(*first) == [1, 2]

    on_lane(act, max_queued=2)


def test_a_refusal_by_the_rules_is_one_callers() -> None:
    """An exception as outcome goes to its caller; the rest of the batch commits in one go."""

    async def act(bench: Bench) -> None:
        assert await bench.answers("a", "?", "b") == [1, "LookupError", 2]

    assert len(on_lane(act).owner.attempts) == 1


def test_what_is_put_off_opens_the_next_batch() -> None:
    """It comes before all that waits, and is answered once; also by a lane that closes."""

    async def act(bench: Bench) -> None:
        futures = [bench.lane.submit(word) for word in ("a", ">b", ">c", "d", "e")]
        bench.lane.close()
        assert await asyncio.gather(*futures) == [1, 3, 5, 2, 4]

    attempts = on_lane(act, max_batch=4).owner.attempts
    assert attempts == [["a", ">b", ">c", "d"], [">b", ">c", "e"], [">c"]]


@pytest.mark.parametrize(("culprit", "name"), [("!", "DatabaseError"), ("#", "ArithmeticError")])
def test_a_culprit_is_found_and_alone_fails(culprit: str, name: str) -> None:
    """When a batch fails, each piece is retried alone: all but the culprit are done, in order."""

    async def act(bench: Bench) -> None:
        assert await bench.answers("a", culprit, "b", "c") == [1, name, 2, 3]
        assert await stored_words(bench.database) == ["a", "b", "c"]

    on_lane(act)


def test_nothing_to_write_is_answered_without_a_record() -> None:
    """A batch that changes nothing leaves neither fence nor record of a batch."""

    async def act(bench: Bench) -> None:
        assert await bench.answers("=") == [1]
        assert await bench.database.fetch("SELECT * FROM interaction.batch") == []

    on_lane(act)


def test_a_stale_epoch_stops_the_lane() -> None:
    """When another took the node, the batch, what waits and what comes get `stale_epoch`."""

    async def act(bench: Bench) -> None:
        await bench.database.execute("UPDATE interaction.node SET epoch = 6")
        assert await bench.answers("a", "b", "c") == ["stale_epoch"] * 3
        with pytest.raises(PacelineError, match="stale_epoch"):
            bench.lane.submit("d")
        assert await stored_words(bench.database) == []

    bench = on_lane(act, max_batch=2)
    assert [error.name for error in bench.stale] == ["stale_epoch"]


def test_the_fence_is_taken_with_a_higher_epoch_only() -> None:
    """An epoch above the stored one is written; the same or a lower one is `stale_epoch`."""

    async def act(bench: Bench) -> None:
        with pytest.raises(PacelineError, match="stale_epoch"):
            await FENCE.take(bench.database)
        await bench.database.execute("UPDATE interaction.node SET epoch = 4")
        await FENCE.take(bench.database)
        assert await bench.answers("a") == [1]

    on_lane(act)


@pytest.mark.parametrize("fault", ["before", "in, undone", "in, done"])
def test_a_lost_connection_loses_and_repeats_nothing(fault: str) -> None:
    """Lost before, in an undone or in a done commit: every word is stored once and answered."""

    async def act(bench: Bench) -> None:
        bench.database.faults = [fault]
        assert await bench.answers("a", "b") == [1, 2]
        assert await stored_words(bench.database) == ["a", "b"]

    bench = on_lane(act)
    assert len(bench.owner.attempts) == (1 if fault == "in, done" else 2)
    assert bench.owner.batches == [["a", "b"]]


def test_an_unknown_outcome_is_asked_until_known() -> None:
    """While the database is away after a lost commit, nobody is answered by a guess."""

    async def act(bench: Bench) -> None:
        bench.database.faults = ["in, done, away"]
        assert await bench.answers("a") == [1]
        assert bench.database.away == 0

    on_lane(act)


def test_a_database_that_stays_away_is_said_to_all() -> None:
    """After the attempts are used up, each caller gets `database_unavailable`, not done."""

    async def act(bench: Bench) -> None:
        bench.database.away = 2
        assert await bench.answers("a", "b") == ["database_unavailable"] * 2
        assert await bench.answers("c") == [1]

    on_lane(act)


def test_who_has_gone_enters_no_batch() -> None:
    """Cancelled work and work past its deadline are dropped before the batch; the rest is done."""

    async def act(bench: Bench) -> None:
        gone, late = bench.lane.submit("gone"), bench.lane.submit("late", deadline=-1.0)
        gone.cancel()
        assert await bench.answers("here") == [1]
        with pytest.raises(PacelineError, match="deadline_exceeded"):
            await late

    assert on_lane(act).owner.attempts == [["here"]]


def test_who_goes_during_the_commit_is_told_to_the_owner() -> None:
    """Work whose caller cancels while it commits is done, and the owner hears of it."""

    async def act(bench: Bench) -> None:
        answer = bench.lane.submit("a")
        original = bench.owner.prepare

        async def prepare(transaction: Transaction, batch: list[str]) -> None:
            await original(transaction, batch)
            answer.cancel()

        bench.owner.prepare = prepare  # type: ignore[method-assign, assignment]  # a hook of this test
        assert await bench.answers("b") == [2]

    assert on_lane(act).owner.undelivered_words == ["a"]


FAULTS = ["", "", "before", "in, undone", "in, done", "in, done, away"]


@given(
    words=st.lists(st.sampled_from(["", "?", "!", "#", "="]), min_size=1, max_size=30),
    pauses=st.lists(st.sampled_from([0.0, 0.01, 0.3, 0.7]), min_size=30, max_size=30),
    faults=st.lists(st.sampled_from(FAULTS), max_size=10),
)
def test_what_was_answered_is_what_is_stored(
    words: list[str], pauses: list[float], faults: list[str]
) -> None:
    """Whatever arrives when and whatever breaks: each answered place is stored once, in order."""

    async def act(bench: Bench) -> None:
        bench.database.commit_s = 0.5
        bench.database.faults = list(faults)
        futures: list[asyncio.Future[list[int | str]]] = []
        named = [f"{kind}{number}" for number, kind in enumerate(words)]
        for word, pause in zip(named, pauses, strict=False):
            futures.append(asyncio.ensure_future(bench.answers(word)))
            if pause:
                await TIMES.machine.sleep(pause)
        found = dict(zip(named, await asyncio.gather(*futures), strict=True))
        rows = await bench.database.fetch("SELECT word, place FROM interaction.word ORDER BY place")
        stored = {row[0]: row[1] for row in rows}
        for word, (answer,) in found.items():
            if isinstance(answer, int) and not word.startswith("="):
                assert stored[word] == answer
        assert list(stored.values()) == list(range(1, len(stored) + 1))
        told = {word for word, (answer,) in found.items() if isinstance(answer, int)}
        assert stored.keys() <= told
        assert [each for each in named if each in stored] == list(stored)

    on_lane(act)


def test_closing_commits_what_waits() -> None:
    """After `close` new work is refused with `shutting_down`, and what waits is still committed."""

    async def act(bench: Bench) -> None:
        answer = bench.lane.submit("a")
        bench.lane.close()
        with pytest.raises(PacelineError, match="shutting_down"):
            bench.lane.submit("b")
        assert await answer == 1

    on_lane(act)


def test_a_cancelled_lane_says_unknown() -> None:
    """Cancelled in a batch, its callers get `outcome_unknown` and those who wait `shutting_down`."""

    async def main() -> None:
        bench = Bench(max_batch=1)
        hangs = asyncio.Event()

        async def hang(work: Callable[[Transaction], Awaitable[T]]) -> T:
            hangs.set()
            return await asyncio.Future()

        bench.database.transaction = hang  # type: ignore[method-assign]  # never answers
        running = asyncio.create_task(bench.lane.run())
        answers = asyncio.create_task(bench.answers("a", "b"))
        await hangs.wait()
        running.cancel()
        assert await answers == ["outcome_unknown", "shutting_down"]
        await bench.database.close()

    asyncio.run(main())


def test_old_records_of_batches_are_forgotten() -> None:
    """Records before an instant are deleted, later ones are kept."""

    async def act(bench: Bench) -> None:
        await bench.answers("a")
        database: Database = bench.database
        await database.execute("INSERT INTO interaction.batch VALUES ('old', 5, 1)")
        assert await FENCE.forget_before(database, TIMES.machine.now()) in (1, 2)
        assert await FENCE.was_committed(database, "old") is False

    on_lane(act)
