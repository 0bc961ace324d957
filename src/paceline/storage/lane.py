"""The write lane: ordered group commit, one batch at a time, for one owner of a database.

A server's committer submits work; whatever arrives while a batch commits forms the next batch (no
timer). Every answer is given after its commit. Never starts a task: `run` goes into the owner's
task group. Never knows what the work is: rules and rows are the owner's.
"""

from asyncio import Future, get_running_loop
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from math import inf
from typing import Any, Final, Generic, Protocol, TypeVar

from paceline.errors.failure import PacelineError
from paceline.runtime.ids import batch_id
from paceline.runtime.times import Times
from paceline.storage.batch_outcome import Fence
from paceline.storage.database import Database, Transaction

W = TypeVar("W")
R = TypeVar("R")
W_contra = TypeVar("W_contra", contravariant=True)

MAX_BATCH = 128
"""Half of the gate's requests in flight (issue 3): one half is answered while the other commits (11 % more
cycles than with all in one commit, measured)."""
MAX_QUEUED = 20_000
"""About one second of work at the gate's rate (15,000/s); beyond it callers are refused at once."""
ATTEMPTS = 2
"""A batch that lost its connection is written once more on the new one (chosen)."""
ASK_AGAIN_S = 0.2
"""Pause between questions for an unknown outcome while the database is away (chosen)."""
PUT_OFF: Final[Any] = object()
"""Outcome of work that needs to read what earlier work of its batch made it need: it opens the next batch."""


class LaneOwner(Protocol[W_contra, R]):
    """What the lane asks of its owner, in this order, for every attempt at a batch.

    `prepare` → `apply` → if `has_changes`: `fence_values`, `write` → commit → `committed` →
    answers (`undelivered` where the caller has gone). When an attempt fails before its commit:
    `discard`; the same work may then come again, alone or with other work, and `prepare` and
    `apply` start anew from what `committed` last made true.
    """

    async def prepare(self, transaction: Transaction, batch: Sequence[W_contra]) -> None:
        """Read what the rules need (`fetch_keys`); may do nothing."""
        ...

    def apply(self, batch: Sequence[W_contra]) -> Sequence[R | Exception]:
        """Decide on every piece in order, on an overlay; one outcome per piece.

        An exception as outcome refuses that piece alone. `PUT_OFF` has changed nothing and comes
        again at the head of the next batch; the first piece of a batch is always decided. Raising
        fails the whole attempt: the batch is then retried piece by piece.
        """
        ...

    def has_changes(self) -> bool:
        """Whether the attempt writes anything; if not, it is answered without fence and record."""
        ...

    def fence_values(self) -> Sequence[object]:
        """New values of the node row's columns that the fence was made with."""
        ...

    async def write(self, transaction: Transaction) -> None:
        """Write the rows that `apply` produced."""
        ...

    def committed(self, batch: Sequence[W_contra], outcomes: Sequence[R | Exception]) -> None:
        """Make the overlay true and hand notices out; answers follow. Must not fail."""
        ...

    def undelivered(self, work: W_contra, outcome: R | Exception) -> None:
        """Committed, but its caller cancelled meanwhile: what was pulled may go back."""
        ...

    def discard(self) -> None:
        """Forget the overlay: nothing of the attempt is in the database."""
        ...


class Lane(Generic[W, R]):
    """The one way to change a node's database; see the module.

    Parameters
    ----------
    on_stale
        Called once when the fence says that another process writes; the lane has closed itself.
    """

    def __init__(
        self,
        database: Database,
        owner: LaneOwner[W, R],
        fence: Fence,
        times: Times,
        *,
        on_stale: Callable[[PacelineError], None],
        max_batch: int = MAX_BATCH,
        max_queued: int = MAX_QUEUED,
    ) -> None:
        self._database = database
        self._owner = owner
        self._fence = fence
        self._times = times
        self._on_stale = on_stale
        self._max_batch = max_batch
        self._max_queued = max_queued
        # Work, the future of its answer, and the monotonic time after which nobody waits.
        self._queue: deque[tuple[W, Future[R], float]] = deque()
        self._in_flight: list[tuple[W, Future[R], float]] = []
        self._wakeup: Future[None] | None = None
        self._closed: PacelineError | None = None

    @property
    def is_closed(self) -> bool:
        """Whether it refuses new work: it stops, or another process writes."""
        return self._closed is not None

    @property
    def depth(self) -> int:
        """Pieces of work that wait for the next batch."""
        return len(self._queue)

    def submit(self, work: W, deadline: float = inf) -> "Future[R]":
        """Add work to the forming batch; the future gives its outcome after the commit.

        Cancel the future when its caller goes: work that no batch has taken is then dropped.

        Parameters
        ----------
        deadline
            Machine's monotonic time after which the work is dropped with `deadline_exceeded`.

        Raises
        ------
        PacelineError
            `overloaded` when the queue is full; `stale_epoch` or `shutting_down` when closed.
        """
        if self._closed is not None:
            raise _again(self._closed)
        if len(self._queue) >= self._max_queued:
            message = f"{self._max_queued} requests wait for the database already"
            raise PacelineError("overloaded", message, retry_after_s=1.0)
        answer: Future[R] = get_running_loop().create_future()
        self._queue.append((work, answer, deadline))
        if self._wakeup is not None:
            self._wake()
        return answer

    def close(self) -> None:
        """Refuse new work; `run` commits what waits and returns. Twice is fine."""
        self._close(PacelineError("shutting_down", "the server is stopping; ask another"))

    async def run(self) -> None:
        """Commit batches until closed or stale; belongs in the owner's task group, started once.

        When it is cancelled in a commit, the callers of that batch get `outcome_unknown`.
        """
        try:
            while await self._has_work():
                # The next batch goes on its way before the answers of this one are sent.
                self._in_flight = self._take()
                await self._settle(self._in_flight)
        finally:
            self.close()
            message = "the server stopped while this was written"
            _refuse(self._in_flight, PacelineError("outcome_unknown", message))
            if self._closed is not None:
                _refuse(self._queue, self._closed)
            self._queue.clear()

    def _close(self, reason: PacelineError) -> None:
        self._closed = self._closed or reason
        self._wake()

    def _wake(self) -> None:
        if self._wakeup is not None and not self._wakeup.done():
            self._wakeup.set_result(None)

    async def _has_work(self) -> bool:
        if not self._queue and self._closed is None:
            self._wakeup = get_running_loop().create_future()
            await self._wakeup
            self._wakeup = None
        return bool(self._queue)

    def _take(self) -> list[tuple[W, Future[R], float]]:
        pop = self._queue.popleft
        return [pop() for _ in range(min(self._max_batch, len(self._queue)))]

    def _still_wanted(
        self, batch: list[tuple[W, Future[R], float]]
    ) -> list[tuple[W, Future[R], float]]:
        now = self._times.machine.monotonic()
        late = [entry for entry in batch if entry[2] < now]
        _refuse(late, PacelineError("deadline_exceeded", "it waited longer than its timeout_s"))
        return [entry for entry in batch if not entry[1].done()]

    async def _settle(self, batch: list[tuple[W, Future[R], float]]) -> None:
        """Bring a batch to an end: answered, refused, or taken apart to find the culprit."""
        failure: Exception | None = self._closed if _is(self._closed, "stale_epoch") else None
        attempts = 0
        while failure is None or (_is(failure, "database_unavailable") and attempts < ATTEMPTS):
            batch = self._still_wanted(batch)
            failure = await self._attempt(batch) if batch else None
            if failure is None:
                return
            attempts += 1
        if isinstance(failure, PacelineError) and _is(failure, "stale_epoch"):
            self._stop_stale(failure)
        if len(batch) == 1 or _is(failure, "stale_epoch") or _is(failure, "database_unavailable"):
            _refuse(batch, failure)
        else:
            for entry in batch:
                await self._settle([entry])

    def _stop_stale(self, failure: PacelineError) -> None:
        if not _is(self._closed, "stale_epoch"):
            self._closed = failure
            self._on_stale(failure)

    async def _attempt(self, batch: list[tuple[W, Future[R], float]]) -> Exception | None:
        """Write and answer a batch, or discard it and tell why."""
        works = [entry[0] for entry in batch]
        try:
            outcomes = await self._write(works)
        except Exception as failure:  # noqa: BLE001 - whatever one piece breaks is its own answer
            self._owner.discard()
            return failure
        self._owner.committed(works, outcomes)
        put_off = [
            entry for entry, outcome in zip(batch, outcomes, strict=True) if outcome is PUT_OFF
        ]
        self._queue.extendleft(reversed(put_off))
        for (work, answer, _), outcome in zip(batch, outcomes, strict=True):
            if outcome is PUT_OFF:
                continue
            if answer.done():
                self._owner.undelivered(work, outcome)
            elif isinstance(outcome, Exception):
                answer.set_exception(outcome)
            else:
                answer.set_result(outcome)
        return None

    async def _write(self, works: list[W]) -> Sequence[R | Exception]:
        identity = batch_id()
        decided: list[Sequence[R | Exception]] = []

        async def attempt(transaction: Transaction) -> None:
            owner = self._owner
            await owner.prepare(transaction, works)
            decided.append(owner.apply(works))
            if owner.has_changes():
                at = self._times.machine.now()
                await self._fence.check(transaction, owner.fence_values(), identity, at)
                await owner.write(transaction)

        try:
            await self._database.transaction(attempt)
        except PacelineError as lost:
            if lost.name != "outcome_unknown":
                raise
            if not await self._was_committed(identity):
                raise PacelineError("database_unavailable", lost.message) from lost
        return decided[0]

    async def _was_committed(self, identity: str) -> bool:
        """Ask until the database answers: a guess could lose or repeat a whole batch."""
        while True:
            try:
                return await self._fence.was_committed(self._database, identity)
            except PacelineError:
                await self._times.machine.sleep(ASK_AGAIN_S)


def _is(failure: Exception | None, name: str) -> bool:
    return isinstance(failure, PacelineError) and failure.name == name


def _again(error: PacelineError) -> PacelineError:
    """A fresh exception for each caller: a shared one would gather everybody's traceback."""
    return PacelineError(
        error.name,
        error.message,
        field=error.field,
        retry_after_s=error.retry_after_s,
        outcome=error.outcome,
    )


def _refuse(batch: Iterable[tuple[Any, "Future[Any]", float]], failure: Exception) -> None:
    for _, answer, _ in batch:
        if not answer.done():
            answer.set_exception(_again(failure) if isinstance(failure, PacelineError) else failure)
