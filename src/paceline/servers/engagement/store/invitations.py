"""SQL of the engagement engine: what the book writes in each batch and reads at its start.

Called by live/book.py inside the lane's transaction, and by requests for invitations that are over.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from paceline.servers.engagement.rules.user_data import Facts
from paceline.storage import kept_answers
from paceline.storage.batch_outcome import Fence
from paceline.storage.database import Database, Transaction
from paceline.units.ids import Epoch
from paceline.units.quantities import Millis
from paceline.wire.once import KeptAnswer, Once

NODE_CODE = 0
"""The one row of `engagement.node`: an engine has one writer."""

COLUMNS = (
    "tenant_id",
    "invitation_id",
    "target",
    "visitor",
    "state",
    "offered_at",
    "expires_at",
    "answered_at",
    "interaction_id",
    "facts",
)
_KEY = ("tenant_id", "invitation_id")


@dataclass(frozen=True, slots=True)
class Invitation:
    """One invitation; a change makes a new value."""

    id: str
    visitor: str
    state: str
    offered_at: Millis
    expires_at: Millis
    facts: Facts
    answered_at: Millis | None = None
    interaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Invitations of a target since ever."""

    sent: int = 0
    resolved: int = 0
    accepted: int = 0


@dataclass(slots=True)
class Rows:
    """What one batch writes."""

    created: list[Invitation] = field(default_factory=list)
    changed: dict[str, Invitation] = field(default_factory=dict)
    submissions: dict[str, bytes] = field(default_factory=dict)
    submitted: list[str] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=dict)
    epochs: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    kept: list[tuple[Once, KeptAnswer, Millis]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.created or self.changed or self.submitted or self.counts or self.epochs)


@dataclass(frozen=True, slots=True)
class Stored:
    """What an engine starts with. `submissions` are user data of accepted, unacknowledged ones."""

    open: Sequence[Invitation]
    counts: Mapping[str, Counts]
    epochs: Mapping[tuple[str, str], tuple[int, int]]
    submissions: Mapping[str, bytes]


class InvitationStore:
    """The tables of one tenant."""

    def __init__(self, database: Database, tenant: int) -> None:
        self._database = database
        self._tenant = tenant

    async def become_writer(self) -> Fence:
        """Take the writer's row; an engine that ran before on this database stops writing."""
        await self._database.execute(
            "INSERT INTO engagement.node (node_code, epoch) VALUES ($1, 0) "
            "ON CONFLICT (node_code) DO NOTHING",
            NODE_CODE,
        )
        [row] = await self._database.fetch(
            "SELECT epoch FROM engagement.node WHERE node_code = $1", NODE_CODE
        )
        fence = Fence("engagement", NODE_CODE, Epoch(row[0] + 1))
        await fence.take(self._database)
        return fence

    async def load(self) -> Stored:
        """Everything that is not over, and all counts and epochs."""
        fetch = self._database.fetch
        invitations = await fetch(
            f"SELECT {', '.join(COLUMNS)} FROM engagement.invitations "
            "WHERE tenant_id = $1 AND state IN ('offered', 'accepted')",
            self._tenant,
        )
        counts = await fetch(
            "SELECT target, sent, resolved, accepted FROM engagement.target_counts "
            "WHERE tenant_id = $1",
            self._tenant,
        )
        epochs = await fetch(
            "SELECT cluster, credential, epoch, sequence FROM engagement.pacing_epoch"
        )
        submissions = await fetch(
            "SELECT invitation_id, user_data FROM engagement.submissions WHERE tenant_id = $1",
            self._tenant,
        )
        return Stored(
            open=[_invitation(row) for row in invitations],
            counts={row[0]: Counts(*row[1:]) for row in counts},
            epochs={(row[0], row[1]): (row[2], row[3]) for row in epochs},
            submissions={row[0]: row[1].encode() for row in submissions},
        )

    async def find(self, invitation_id: str) -> Invitation | None:
        """One invitation, over or not."""
        rows = await self._database.fetch_keys(
            "engagement.invitations", COLUMNS, _KEY, [(self._tenant, invitation_id)]
        )
        return _invitation(rows[0]) if rows else None

    async def read_kept(self, once: Once) -> KeptAnswer | None:
        """The answer kept under an idempotency key."""
        return (await kept_answers.read(self._database, "engagement", [once])).get(once)

    async def forget_kept(self, now: Millis) -> None:
        """Delete answers kept until before an instant."""
        await kept_answers.forget_expired(self._database, "engagement", now)

    async def write(self, transaction: Transaction, rows: Rows) -> None:
        """Write a batch."""
        tenant = self._tenant
        for once, answer, until in rows.kept:
            await kept_answers.write(transaction, "engagement", {once: answer}, until)
        if rows.created:
            created = [self._row(invitation) for invitation in rows.created]
            await transaction.insert_rows("engagement.invitations", COLUMNS, created)
        if rows.changed:
            await transaction.update_rows(
                "engagement.invitations",
                _KEY,
                ("state", "answered_at", "interaction_id"),
                [
                    (tenant, one.id, one.state, one.answered_at, one.interaction_id)
                    for one in rows.changed.values()
                ],
            )
        if rows.submissions:
            await transaction.insert_rows(
                "engagement.submissions",
                (*_KEY, "user_data"),
                [(tenant, key, data.decode()) for key, data in rows.submissions.items()],
            )
        if rows.submitted:
            keys = [(tenant, key) for key in rows.submitted]
            await transaction.delete_rows("engagement.submissions", _KEY, keys)
        for target, counts in rows.counts.items():
            await transaction.execute(
                "INSERT INTO engagement.target_counts (tenant_id, target, sent, resolved, accepted) "
                "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant_id, target) DO UPDATE SET "
                "sent = excluded.sent, resolved = excluded.resolved, accepted = excluded.accepted",
                tenant,
                target,
                counts.sent,
                counts.resolved,
                counts.accepted,
            )
        for (cluster, credential), (epoch, sequence) in rows.epochs.items():
            await transaction.execute(
                "INSERT INTO engagement.pacing_epoch (cluster, credential, epoch, sequence) "
                "VALUES ($1, $2, $3, $4) ON CONFLICT (cluster, credential) DO UPDATE SET "
                "epoch = excluded.epoch, sequence = excluded.sequence",
                cluster,
                credential,
                epoch,
                sequence,
            )

    def _row(self, one: Invitation) -> tuple[object, ...]:
        return (
            self._tenant,
            one.id,
            one.facts.target,
            one.visitor,
            one.state,
            one.offered_at,
            one.expires_at,
            one.answered_at,
            one.interaction_id,
            msgspec.json.encode(one.facts).decode(),
        )


def _invitation(row: Sequence[object]) -> Invitation:
    _, key, _, visitor, state, offered_at, expires_at, answered_at, interaction_id, facts = row
    values = {
        "id": key,
        "visitor": visitor,
        "state": state,
        "offered_at": offered_at,
        "expires_at": expires_at,
        "answered_at": answered_at,
        "interaction_id": interaction_id,
        "facts": msgspec.json.decode(str(facts)),
    }
    return msgspec.convert(values, Invitation)
