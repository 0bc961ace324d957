"""Indexes for views with an order of their own, so that their heads are read without sorting a queue.

Called by tasks/custom_properties.py after each change of the configuration. PostgreSQL only: SQLite
serves tests and simulations, whose queues are short.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from paceline.expressions.properties import Kind
from paceline.expressions.tree import OrderTerm
from paceline.servers.interaction.store.node import INTERACTIONS
from paceline.storage.conditions import order_sql
from paceline.storage.database import Database

_PREFIX: Final = "order_"
_LONG_TEXTS: Final = frozenset(
    {"media_type", "interaction_type", "interaction_subtype", "submitted_by"}
)
"""Texts of any length, which no other index holds: one that is too long for an index must not be refused."""


async def keep_order_indexes(database: Database, orders: Iterable[tuple[OrderTerm, ...]]) -> None:
    """Makes the indexes that these orders need and drops those that none needs any more."""
    if database.engine != "postgresql":
        return
    texts = {order_sql(terms, "postgresql") for terms in orders if _fits(terms)}
    wanted = {_PREFIX + blake2b(t.encode(), digest_size=8).hexdigest(): t for t in texts}
    rows = await database.fetch(
        "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        f"WHERE i.indrelid = to_regclass($1) AND starts_with(c.relname, '{_PREFIX}')",
        INTERACTIONS,
    )
    valid = {name for name, is_valid in rows if is_valid}
    for name in sorted({row[0] for row in rows} - (valid & wanted.keys())):
        await database.change_schema(f"DROP INDEX CONCURRENTLY interaction.{name}")
    for name in sorted(wanted.keys() - valid):
        await database.change_schema(
            f"CREATE INDEX CONCURRENTLY {name} ON {INTERACTIONS} "
            f"(tenant_id, queue_id, {wanted[name]}, queue_seq) "
            "WHERE state = 0 AND NOT is_locked AND NOT is_held"
        )


def _fits(terms: tuple[OrderTerm, ...]) -> bool:
    """Whether an index takes any values: at most one text, and none without a bound."""
    texts = [term.property.column for term in terms if term.property.kind is Kind.TEXT]
    return bool(terms) and len(texts) <= 1 and not _LONG_TEXTS.intersection(texts)
