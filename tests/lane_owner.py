"""A small owner of a lane for tests: adds words to a table, refuses some, fails on others."""

from collections.abc import Sequence

from paceline.storage.batch_outcome import Fence
from paceline.storage.database import Database, Transaction
from paceline.storage.lane import PUT_OFF
from paceline.units.ids import Epoch

FENCE = Fence("interaction", 1, Epoch(5), ("last_event_id",))


async def make_tables(database: Database) -> None:
    """The node row with epoch 5, the record of batches and the table of words."""
    if database.engine == "postgresql":
        await database.execute("CREATE SCHEMA interaction")
    for table in (
        "node (node_code integer PRIMARY KEY, epoch bigint, last_event_id bigint)",
        "batch (batch_id text PRIMARY KEY, epoch bigint, committed_at bigint)",
        "word (word text PRIMARY KEY, place bigint)",
    ):
        await database.execute(f"CREATE TABLE interaction.{table}")
    await database.execute("INSERT INTO interaction.node VALUES (1, 5, 0)")


async def stored_words(database: Database) -> list[str]:
    """The words in the order in which they were decided."""
    return [
        row[0] for row in await database.fetch("SELECT word FROM interaction.word ORDER BY place")
    ]


class Words:
    """Gives each new word the next place; the answer is that place.

    `?…` is refused by the rules, `!…` breaks the database's rules, `#…` breaks ours, `=…` changes
    nothing, `>…` is decided as the first of a batch only.
    """

    def __init__(self) -> None:
        self.place = 0
        self.batches: list[list[str]] = []
        self.attempts: list[list[str]] = []
        self.undelivered_words: list[str] = []
        self._rows: list[tuple[str | None, int]] = []

    async def prepare(self, transaction: Transaction, batch: Sequence[str]) -> None:
        self.attempts.append(list(batch))
        keys = [(word,) for word in dict.fromkeys(batch)]
        await transaction.fetch_keys("interaction.word", ("place",), ("word",), keys)

    def apply(self, batch: Sequence[str]) -> list[int | Exception]:
        return [
            PUT_OFF if place and word.startswith(">") else self._decide(word)
            for place, word in enumerate(batch)
        ]

    def _decide(self, word: str) -> int | Exception:
        if word.startswith("#"):
            raise ArithmeticError(word)
        if word.startswith("?"):
            return LookupError(word)
        place = self.place + len(self._rows) + 1
        if not word.startswith("="):
            self._rows.append((None if word.startswith("!") else word, place))
        return place

    def has_changes(self) -> bool:
        return bool(self._rows)

    def fence_values(self) -> Sequence[object]:
        return (self.place + len(self._rows),)

    async def write(self, transaction: Transaction) -> None:
        if any(word is None for word, _ in self._rows):
            await transaction.execute("INSERT INTO interaction.nothing VALUES (1)")
        await transaction.insert_rows("interaction.word", ("word", "place"), self._rows)

    def committed(self, batch: Sequence[str], outcomes: Sequence[int | Exception]) -> None:
        self.batches.append(list(batch))
        self.place += len(self._rows)
        self._rows = []

    def undelivered(self, work: str, outcome: int | Exception) -> None:
        self.undelivered_words.append(work)

    def discard(self) -> None:
        self._rows = []
