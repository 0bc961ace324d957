"""Fence and record of batches: who may write, and whether a batch whose answer got lost is in.

Called by lane.py in every batch. The fence is one row that holds the epoch of the only writer;
each batch changes that row first, so that batches of two connections can never overlap.
Never guesses: it reads.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from paceline.errors.failure import PacelineError
from paceline.storage.database import Database, Transaction
from paceline.units.ids import Epoch
from paceline.units.quantities import Millis


@dataclass(frozen=True, slots=True)
class Fence:
    """The row that a writer must still own: `<schema>.node`, and the table `<schema>.batch`.

    The schema has `node(node_code, epoch, …)` and `batch(batch_id text PRIMARY KEY, epoch bigint,
    committed_at bigint)`. `columns` are further columns of the node row that every batch sets.
    """

    schema: str
    node_code: int
    epoch: Epoch
    columns: Sequence[str] = ()
    _update: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        changes = [f"{column} = ${place}" for place, column in enumerate(self.columns, 3)]
        assigned = ", ".join(changes) or "epoch = epoch"
        update = f"UPDATE {self.schema}.node SET {assigned} WHERE node_code = $1 AND epoch = $2"
        object.__setattr__(self, "_update", update)

    async def take(self, database: Database) -> None:
        """Become the writer: raise the stored epoch to ours; earlier writers' batches now fail.

        Raises
        ------
        PacelineError
            `stale_epoch` when the row holds this epoch or a higher one, or does not exist.
        """
        rows = await database.execute(
            f"UPDATE {self.schema}.node SET epoch = $2 WHERE node_code = $1 AND epoch < $2",
            self.node_code,
            self.epoch,
        )
        if rows != 1:
            raise self._stale()

    async def check(
        self, transaction: Transaction, values: Sequence[object], batch_id: str, at: Millis
    ) -> None:
        """Prove in the batch's own transaction that the epoch is still ours, and note the batch.

        Raises
        ------
        PacelineError
            `stale_epoch` when another process has taken the node.
        """
        await transaction.require(
            self._update, self.node_code, self.epoch, *values, otherwise=self._stale()
        )
        await transaction.insert_rows(
            f"{self.schema}.batch",
            ("batch_id", "epoch", "committed_at"),
            [(batch_id, self.epoch, at)],
        )

    async def was_committed(self, database: Database, batch_id: str) -> bool:
        """Whether a batch whose commit was not answered is in the database; final once said.

        The lost transaction may still be running on the server. It holds the node row, so that
        changing this row first waits until it has ended either way.
        """

        async def read(transaction: Transaction) -> bool:
            await transaction.execute(
                f"UPDATE {self.schema}.node SET epoch = epoch WHERE node_code = $1", self.node_code
            )
            found = await transaction.fetch(
                f"SELECT 1 FROM {self.schema}.batch WHERE batch_id = $1", batch_id
            )
            return bool(found)

        return await database.transaction(read)

    async def forget_before(self, database: Database, at: Millis) -> int:
        """Delete the record of batches committed before an instant; nobody asks for them."""
        return await database.execute(
            f"DELETE FROM {self.schema}.batch WHERE committed_at < $1", at
        )

    def _stale(self) -> PacelineError:
        return PacelineError(
            "stale_epoch",
            f"node {self.node_code} is written by another process: epoch {self.epoch} is over; "
            "ask the new holder",
        )
