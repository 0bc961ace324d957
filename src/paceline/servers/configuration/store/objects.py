"""Objects and their history in the database: load all, write one transaction, read changes.

Called by live/configuration.py and live/change_feed.py. Bodies are JSON with secrets encrypted.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Body, ConfigurationObject, OptionValue, decode_body
from paceline.servers.configuration.rules.names import key_text
from paceline.servers.configuration.rules.plan import Planned
from paceline.servers.configuration.rules.secret_fields import SecretNames, map_secrets
from paceline.servers.configuration.store.cipher import Cipher
from paceline.storage.database import ConstraintViolated, Database, Row, Transaction
from paceline.units.quantities import Millis

REVOCATION = "revocations"
"""Type of the change records that tell servers of revoked tokens; their name is the token's id."""

_OBJECT_COLUMNS = (
    "tenant_id", "type", "object_id", "name", "key_text", "body", "version", "changed_seq",
)  # fmt: skip
_CHANGE_COLUMNS = (
    "seq", "ordinal", "tenant_id", "type", "object_id", "action", "name", "version",
    "name_before", "body_before", "body_after",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """Head of one transaction in the history."""

    seq: int
    at: Millis
    principal: str
    last_id: int


@dataclass(frozen=True, slots=True)
class StoredChange:
    """One change of the history; `item` is the object after it, None when deleted or a revocation."""

    seq: int
    at: Millis
    principal: str
    action: str
    type: str
    id: int
    tenant: int
    name: str
    item: ConfigurationObject | None


@dataclass(frozen=True, slots=True)
class Loaded:
    """Everything a start needs."""

    objects: tuple[ConfigurationObject, ...]
    seq: int
    last_id: int
    hashes: dict[int, str]


class ObjectStore:
    """Tables `objects`, `history`, `changes`, `credentials` and `revocations`.

    Parameters
    ----------
    secrets
        Options that are encrypted beside those whose key says so.
    """

    def __init__(self, database: Database, cipher: Cipher, secrets: SecretNames) -> None:
        self._database = database
        self._cipher = cipher
        self._secrets = secrets

    async def load(self) -> Loaded:
        """All objects and the history's end, from one transaction."""
        return await self._database.transaction(self._load)

    async def _load(self, transaction: Transaction) -> Loaded:
        head = await transaction.fetch(
            "SELECT seq, last_object_id FROM configuration.history ORDER BY seq DESC LIMIT 1"
        )
        rows = await transaction.fetch(
            "SELECT type, object_id, tenant_id, name, version, body FROM configuration.objects "
            "ORDER BY object_id"
        )
        hashes = await transaction.fetch("SELECT object_id, hash FROM configuration.credentials")
        objects = tuple(self._object(*row) for row in rows)
        seq, last_id = head[0] if head else (0, 0)
        return Loaded(objects, seq, last_id, {row[0]: row[1] for row in hashes})

    async def write(self, entry: Entry, items: Sequence[Planned], hashes: dict[int, str]) -> None:
        """One transaction of changes with its history and new credentials.

        Raises
        ------
        PacelineError
            `stale_sequence` when the database already has this sequence number.
        """

        async def work(transaction: Transaction) -> None:
            await self._head(transaction, entry)
            gone = [item.before for item in items if item.after is None and item.before]
            new = [item.after for item in items if item.before is None and item.after]
            kept = [item.after for item in items if item.before and item.after]
            await self._delete(transaction, gone)
            await transaction.update_rows(
                "configuration.objects",
                _OBJECT_COLUMNS[:3],
                _OBJECT_COLUMNS[3:],
                [self._row(item, entry.seq) for item in kept],
            )
            await transaction.insert_rows(
                "configuration.objects",
                _OBJECT_COLUMNS,
                [self._row(item, entry.seq) for item in new],
            )
            rows = [self._change(entry.seq, n, item) for n, item in enumerate(items)]
            await transaction.insert_rows("configuration.changes", _CHANGE_COLUMNS, rows)
            await self._set_hashes(transaction, [*new, *kept], hashes)

        await self._in_order(entry, work)

    async def revoke(
        self, entry: Entry, tenant: int, token_id: str, *, now: Millis, until: Millis
    ) -> None:
        """One transaction that revokes a token; its change record tells the servers.

        Parameters
        ----------
        now, until
            Machine time, which tokens go by: revocations that no server needs any more go.
        """

        async def work(transaction: Transaction) -> None:
            await self._head(transaction, entry)
            await transaction.execute(
                "INSERT INTO configuration.revocations (token_id, until) VALUES ($1, $2)",
                token_id,
                until,
            )
            await transaction.execute("DELETE FROM configuration.revocations WHERE until < $1", now)
            row = (
                entry.seq, 0, tenant, REVOCATION, 0, "created", token_id, 1, None, None, None,
            )  # fmt: skip
            await transaction.insert_rows("configuration.changes", _CHANGE_COLUMNS, [row])

        await self._in_order(entry, work)

    async def revoked(self, now: Millis) -> tuple[str, ...]:
        """Ids of revoked tokens that some server might still take."""
        rows = await self._database.fetch(
            "SELECT token_id FROM configuration.revocations WHERE until >= $1 ORDER BY token_id",
            now,
        )
        return tuple(row[0] for row in rows)

    async def read_changes(self, after: int, limit: int) -> tuple[list[StoredChange], int]:
        """Whole transactions after a sequence number, and the last one's number.

        As many transactions as the first `limit` changes belong to; the number is `after` again
        when there are none.
        """
        last = await self._database.fetch(
            "SELECT max(seq) FROM (SELECT seq FROM configuration.changes WHERE seq > $1 "
            "ORDER BY seq, ordinal LIMIT $2) AS first_ones",
            after,
            limit,
        )
        upto = last[0][0]
        if upto is None:
            return [], after
        rows = await self._database.fetch(
            "SELECT h.seq, h.at, h.principal, c.action, c.type, c.object_id, c.tenant_id, c.name, "
            "c.version, c.body_after FROM configuration.changes AS c "
            "JOIN configuration.history AS h ON h.seq = c.seq "
            "WHERE c.seq > $1 AND c.seq <= $2 ORDER BY c.seq, c.ordinal",
            after,
            upto,
        )
        changes = [self._stored_change(row) for row in rows]
        return changes, upto

    def _stored_change(self, row: Row) -> StoredChange:
        seq, at, principal, action, type_, object_id, tenant, name, version, body = row
        return StoredChange(
            seq=seq,
            at=at,
            principal=principal,
            action=action,
            type=type_,
            id=object_id,
            tenant=tenant,
            name=name,
            item=None
            if body is None
            else self._object(type_, object_id, tenant, name, version, body),
        )

    # --- inside ---------------------------------------------------------------------------------

    async def _in_order(self, entry: Entry, work: Callable[[Transaction], Awaitable[None]]) -> None:
        try:
            await self._database.transaction(work)
        except ConstraintViolated as broken:
            raise PacelineError(
                "stale_sequence",
                f"change {entry.seq} was written by another Configuration Server on this database "
                f"({broken.constraint}); stop one of them and try again",
                retry_after_s=1.0,
            ) from broken

    async def _head(self, transaction: Transaction, entry: Entry) -> None:
        await transaction.execute(
            "INSERT INTO configuration.history (seq, at, principal, last_object_id) "
            "VALUES ($1, $2, $3, $4)",
            entry.seq,
            entry.at,
            entry.principal,
            entry.last_id,
        )

    async def _delete(self, transaction: Transaction, gone: Sequence[ConfigurationObject]) -> None:
        ids = [(item.tenant, item.id) for item in gone]
        await transaction.delete_rows(
            "configuration.objects",
            _OBJECT_COLUMNS[:3],
            [(item.tenant, item.type, item.id) for item in gone],
        )
        await transaction.delete_rows("configuration.credentials", ("tenant_id", "object_id"), ids)
        await transaction.delete_rows(
            "configuration.application_status", ("tenant_id", "application_id"), ids
        )

    async def _set_hashes(
        self,
        transaction: Transaction,
        items: Sequence[ConfigurationObject],
        hashes: dict[int, str],
    ) -> None:
        rows = [(item.tenant, item.id, hashes[item.id]) for item in items if item.id in hashes]
        key = ("tenant_id", "object_id")
        await transaction.delete_rows("configuration.credentials", key, [row[:2] for row in rows])
        await transaction.insert_rows("configuration.credentials", (*key, "hash"), rows)

    def _row(self, item: ConfigurationObject, seq: int) -> tuple[object, ...]:
        key = key_text(item.name, item.body)
        body = self._stored(item.body)
        return item.tenant, item.type, item.id, item.name, key, body, item.version, seq

    def _change(self, seq: int, ordinal: int, item: Planned) -> tuple[object, ...]:
        before, after = item.before, item.after
        known = after or before
        if known is None:
            raise ValueError("a planned change has an object before or after it")
        action = "created" if before is None else "deleted" if after is None else "changed"
        return (
            seq,
            ordinal,
            known.tenant,
            known.type,
            known.id,
            action,
            known.name,
            known.version,
            before.name if before else None,
            self._stored(before.body) if before else None,
            self._stored(after.body) if after else None,
        )

    def _stored(self, body: Body) -> str:
        def encrypt(_field: str, value: OptionValue) -> OptionValue:
            return self._cipher.encrypt(str(value))

        return msgspec.json.encode(map_secrets(body, self._secrets, encrypt)).decode()

    def _object(
        self, type_: str, object_id: int, tenant: int, name: str, version: int, body: str
    ) -> ConfigurationObject:
        def decrypt(_field: str, value: OptionValue) -> OptionValue:
            return self._cipher.decrypt(str(value))

        plain = map_secrets(decode_body(type_, body.encode()), self._secrets, decrypt)
        return ConfigurationObject(
            type=type_, id=object_id, tenant=tenant, name=name, version=version, body=plain
        )
