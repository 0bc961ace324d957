"""A snapshot of interactions: a frozen list that a client works through, and what it was taken by."""

import msgspec


class InteractionSnapshot(msgspec.Struct, frozen=True, gc=False):
    """The head of a snapshot; its list is in the database. `sequence` is the order as written."""

    tenant_id: int
    snapshot_id: str
    owner: str
    view: str | None
    condition: str
    sequence: str
    is_locking: bool
    taken_at: int
    size: int

    @property
    def key(self) -> tuple[int, str]:
        """Tenant and snapshot id."""
        return self.tenant_id, self.snapshot_id


SNAPSHOT_COLUMNS: tuple[str, ...] = tuple(
    field.name for field in msgspec.structs.fields(InteractionSnapshot)
)
