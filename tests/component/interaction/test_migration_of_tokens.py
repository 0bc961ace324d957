"""Client tokens over the change of their table: what was used stays used, also beside an older program."""

import shutil
from pathlib import Path

import pytest

from paceline.servers.interaction.store import node as store
from paceline.storage.database import ConstraintViolated, Database
from paceline.storage.migrate import SERVERS, stored_version, upgrade
from paceline.wire.once import KeptAnswer
from tests.databases import database_url, postgres_server, postgres_url, run_on

__all__ = ["database_url", "postgres_server", "postgres_url"]
pytestmark = pytest.mark.integration

KEYS: list[store.TokenKey] = [
    (1, "chat", "interaction.submit", "token"),
    (1, "chat", "interaction.submit", "token "),
    (1, "chati", "nteraction.submit", "token"),
    (2, "Grüße \u2028\U0001f600", "interaction.submit", "€ 'quoted' \"twice\" \\"),
]
COLUMNS = ("tenant_id", "caller", "operation", "token", "expires_at", "body_hash", "answer")


def _answer(number: int) -> KeptAnswer:
    return KeptAnswer(bytes(range(number, number + 16)), f'{{"submit_seq":{number}}}')


async def _old_program_keeps(database: Database, keys: list[store.TokenKey], expires: int) -> None:
    rows = [
        (*key, expires, _answer(number).body_hash, _answer(number).answer)
        for number, key in enumerate(keys)
    ]
    await database.transaction(
        lambda transaction: transaction.insert_rows("interaction.submit_tokens", COLUMNS, rows)
    )


async def _old_program_forgets(database: Database, key: store.TokenKey) -> None:
    await database.transaction(
        lambda transaction: transaction.delete_rows("interaction.submit_tokens", COLUMNS[:4], [key])
    )


def test_tokens_survive_the_upgrade(database_url: str, tmp_path: Path) -> None:
    """Each is found under its scope with its body and answer; what was not used is not."""
    old = tmp_path / "interaction" / "store" / "migrations"
    shutil.copytree(
        SERVERS / "interaction" / "store" / "migrations",
        old,
        ignore=lambda _, names: [name for name in names if name[:4] > "0007" and name[0] == "0"],
    )

    async def act(database: Database) -> None:
        await upgrade(database, ["interaction"], root=tmp_path)
        assert (await stored_version(database, "interaction")).version == 7
        await _old_program_keeps(database, KEYS, 99)
        await upgrade(database, ["interaction"])
        unused = (1, "chat", "interaction.submit", "another")
        found = await store.read_tokens(database, [*KEYS, unused])
        assert found == {key: _answer(number) for number, key in enumerate(KEYS)}
        await database.transaction(
            lambda transaction: store.delete_tokens(transaction, [KEYS[0], unused])
        )
        assert set(await store.read_tokens(database, KEYS)) == set(KEYS[1:])

    run_on(database_url, act)


def test_an_older_program_beside(postgres_url: str) -> None:
    """What it keeps and forgets is kept and forgotten here; what was used here it cannot use again."""

    async def act(database: Database) -> None:
        await upgrade(database, ["interaction"])
        await _old_program_keeps(database, KEYS, 99)
        found = await store.read_tokens(database, KEYS)
        assert found == {key: _answer(number) for number, key in enumerate(KEYS)}
        await _old_program_forgets(database, KEYS[1])
        assert set(await store.read_tokens(database, KEYS)) == {KEYS[0], KEYS[2], KEYS[3]}

        async def use(token: str, expires_at: int) -> None:
            key = (1, "chat", "interaction.submit", token)
            row = (*key, expires_at, b"0123456789abcdef", "{}")
            await database.transaction(lambda transaction: store.write_tokens(transaction, [row]))

        await use("ours", 99)
        with pytest.raises(ConstraintViolated):
            await _old_program_keeps(database, [(1, "chat", "interaction.submit", "ours")], 99)
        await database.transaction(lambda transaction: store.delete_tokens(transaction, [KEYS[0]]))
        await use("token", 200)  # anew, after it expired
        await _old_program_forgets(database, KEYS[0])
        assert set(await store.read_tokens(database, KEYS)) == {KEYS[0], KEYS[2], KEYS[3]}

    run_on(postgres_url, act)
