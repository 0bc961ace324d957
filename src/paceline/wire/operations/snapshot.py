"""Operations of the Interaction Server on snapshots: frozen lists of interactions, locked or not."""

from paceline.wire.operation import (
    Answer,
    Done,
    HttpRoute,
    Operation,
    ReasonCode,
    Request,
    Verb,
    collect,
)
from paceline.wire.operations.interaction import WORKING_KINDS, Interaction


class TakeSnapshot(Request, frozen=True, kw_only=True):
    """Freezes the list of what a view or a condition selects, in an order.

    With `lock` nobody else can pull or see what is in it. `check_state`: only what waits. At most
    `max_interactions`, and never more than max-interactions-per-snapshot. A `snapshot_id` of the
    client's own makes it repeatable.
    """

    view: str | None = None
    condition: str = ""
    order: str = ""
    lock: bool = False
    check_state: bool = True
    max_interactions: int | None = None
    snapshot_id: str | None = None
    tenant: int | None = None


class Skipped(Answer, frozen=True, kw_only=True):
    """One that was selected and left out, and why."""

    interaction_id: str
    reason: str


class SnapshotTaken(Answer, frozen=True, kw_only=True):
    """The frozen list. It is released when its client ends, or when nobody asks for it for long."""

    snapshot_id: str
    size: int
    taken_at: str
    is_locking: bool = False
    view: str | None = None
    condition: str = ""
    order: str = ""
    skipped: tuple[Skipped, ...] = ()


class SnapshotPage(Request, frozen=True, kw_only=True):
    """`count` interactions of a snapshot from place `start` on, counted from 0."""

    snapshot_id: str
    start: int = 0
    count: int = 100
    tenant: int | None = None


class SnapshotInteractions(Answer, frozen=True, kw_only=True):
    """Interactions as they are now, in the frozen order; `size` counts the whole snapshot."""

    snapshot_id: str
    start: int
    size: int
    interactions: tuple[Interaction, ...]
    missing: tuple[str, ...] = ()


class MoveSnapshot(Request, frozen=True, kw_only=True):
    """Moves interactions of a snapshot into a queue or an owner's workbin, or stops them.

    All that still wait as they did when it was taken, or those named.
    """

    snapshot_id: str
    queue: str | None = None
    workbin: str | None = None
    owner: str | None = None
    stop: bool = False
    interaction_ids: tuple[str, ...] = ()
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class SnapshotMoved(Answer, frozen=True, kw_only=True):
    """EventInteractionMoved: how many were moved, and which were not, with the reason."""

    snapshot_id: str
    moved: int
    skipped: tuple[Skipped, ...] = ()


class SnapshotRef(Request, frozen=True, kw_only=True):
    """Names a snapshot."""

    snapshot_id: str
    tenant: int | None = None


_EXECUTE: tuple[str, Verb] = ("interaction", "execute")
_S = "/v1/snapshots/{snapshot_id}"

OPERATIONS = collect(
    (
        Operation(name="snapshot.take", request=TakeSnapshot, answer=SnapshotTaken, right=_EXECUTE, client_kinds=WORKING_KINDS, since="1.1", idempotency="key", http=HttpRoute("POST", "/v1/snapshots", 201), summary="Freezes the list of what a view or a condition selects."),
        Operation(name="snapshot.page", request=SnapshotPage, answer=SnapshotInteractions, right=("interaction", "read"), client_kinds=WORKING_KINDS, since="1.1", idempotency="by_nature", http=HttpRoute("GET", _S + "/interactions"), summary="Interactions of a snapshot, page by page."),
        Operation(name="snapshot.move", request=MoveSnapshot, answer=SnapshotMoved, right=_EXECUTE, client_kinds=WORKING_KINDS, since="1.1", idempotency="key", http=HttpRoute("POST", _S + "/move"), summary="Moves or stops what is in a snapshot."),
        Operation(name="snapshot.release", request=SnapshotRef, answer=Done, right=_EXECUTE, client_kinds=WORKING_KINDS, since="1.1", idempotency="key", http=HttpRoute("DELETE", _S), summary="Forgets a snapshot and unlocks what it locked."),
    )
)  # fmt: skip
