"""The one row per cluster that lets a new master start warm: `pacing.pacer_state`.

Called by the cycle. An older epoch never overwrites a newer one's state.
"""

import msgspec

from paceline.errors.failure import PacelineError
from paceline.storage.database import Database
from paceline.units.quantities import Millis

_LOAD = (
    "SELECT epoch, sequence, state, node, saved_at FROM pacing.pacer_state "
    "WHERE tenant_id = $1 AND cluster = $2"
)
_SAVE = """
INSERT INTO pacing.pacer_state AS kept
    (tenant_id, cluster, epoch, sequence, saved_at, state, node)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, cluster) DO UPDATE SET
    epoch = excluded.epoch, sequence = excluded.sequence,
    saved_at = excluded.saved_at, state = excluded.state, node = excluded.node
WHERE kept.epoch <= excluded.epoch
"""


class SavedState(msgspec.Struct, frozen=True, kw_only=True):
    """What the column `state` holds; later versions only add fields with defaults."""

    pacer: bytes = b""
    algorithm: str = ""
    min_sample: int = 0
    is_stopped: bool = False
    stopped: frozenset[str] = frozenset()
    alarms: dict[int, dict[str, str]] = {}


class StoredCycle(msgspec.Struct, frozen=True, kw_only=True):
    """Last epoch and sequence in use, the state then, and which node saved it when."""

    epoch: int = 0
    sequence: int = 0
    state: SavedState = SavedState()
    node: str = ""
    saved_at: int = 0


_decoder = msgspec.msgpack.Decoder(SavedState)


class PacerStateStore:
    """State of one cluster in one tenant, saved in the name of one node."""

    def __init__(self, database: Database, *, tenant: int, cluster: str, node: str) -> None:
        self._database = database
        self._key = (tenant, cluster)
        self._node = node

    async def load(self) -> StoredCycle:
        """What was saved last; an empty one when nothing was."""
        rows = await self._database.fetch(_LOAD, *self._key)
        if not rows:
            return StoredCycle()
        epoch, sequence, state, node, saved_at = rows[0]
        return StoredCycle(
            epoch=epoch,
            sequence=sequence,
            state=_decoder.decode(state),
            node=node or "",
            saved_at=saved_at,
        )

    async def save(self, stored: StoredCycle, at: Millis) -> None:
        """Replace what is saved.

        Raises
        ------
        PacelineError
            `stale_epoch` when a newer master has saved; `database_unavailable`.
        """
        state = msgspec.msgpack.encode(stored.state)
        changed = await self._database.execute(
            _SAVE, *self._key, stored.epoch, stored.sequence, at, state, self._node
        )
        if changed != 1:
            raise PacelineError(
                "stale_epoch", f"a newer master has taken cluster '{self._key[1]}' over"
            )
