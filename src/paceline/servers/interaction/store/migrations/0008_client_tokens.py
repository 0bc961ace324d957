"""Client tokens by a hash of their scope: 16 bytes as the key instead of four texts.

What is known of the last day is taken over. The old table stays for programs of schema 7 that run
beside: on PostgreSQL what they write and forget there is written and forgotten here too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
readable_from = 1

SCHEMA = "interaction"
_NEW, _OLD = f"{SCHEMA}.client_tokens", f"{SCHEMA}.submit_tokens"


def upgrade() -> None:
    """Creates the table, has it follow the old one, and copies what that has."""
    is_postgresql = op.get_context().dialect.name == "postgresql"
    bytes_16 = sa.Uuid().with_variant(sa.Text(), "sqlite")
    op.create_table(
        "client_tokens",
        sa.Column("key", bytes_16, primary_key=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("body_hash", bytes_16, nullable=False),
        sa.Column("answer", sa.JSON().with_variant(sa.Text(), "sqlite"), nullable=False),
        schema=SCHEMA,
    )
    hashed = _postgresql_key if is_postgresql else _sqlite_key
    body_hash = "encode({}body_hash, 'hex')::uuid" if is_postgresql else "lower(hex({}body_hash))"
    if is_postgresql:
        # Its lock comes first: nothing is written between the copy and the commit.
        _follow(hashed("NEW."), hashed("OLD."), body_hash.format("NEW."))
    op.execute(
        f"INSERT INTO {_NEW} SELECT {hashed()}, expires_at, {body_hash.format('')}, answer FROM {_OLD}"
    )
    op.create_index("client_tokens_expiry", "client_tokens", ["expires_at"], schema=SCHEMA)


def _text(of: str) -> str:
    """What is hashed, as store/node.py has it."""
    return (
        f"{of}tenant_id || ' ' || length({of}caller) || ' ' || length({of}operation) || ' ' || "
        f"{of}caller || {of}operation || {of}token"
    )


def _postgresql_key(of: str = "") -> str:
    hashed = f"sha256(convert_to({_text(of)}, 'UTF8'))"
    return f"encode(substr({hashed}, 1, 16), 'hex')::uuid"


def _sqlite_key(of: str = "") -> str:
    return f"lower(hex(substr(sha256({_text(of)}), 1, 16)))"


def _follow(new_key: str, old_key: str, body_hash: str) -> None:
    """What other programs insert into the old table and delete from it."""
    name = f"{SCHEMA}.follow_submit_tokens"
    for statement in (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF TG_OP = 'INSERT' THEN INSERT INTO {_NEW} "
        f"VALUES ({new_key}, NEW.expires_at, {body_hash}, NEW.answer); "
        # One that expired and was used anew since is another one.
        f"ELSE DELETE FROM {_NEW} WHERE key = {old_key} AND expires_at = OLD.expires_at; "
        "END IF; RETURN NULL; END $$",
        f"CREATE TRIGGER follow AFTER INSERT OR DELETE ON {_OLD} "
        f"FOR EACH ROW EXECUTE FUNCTION {name}()",
    ):
        op.execute(statement)
