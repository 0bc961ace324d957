"""The book of invitations: decides every change in the order of the commits, remembers what is open.

Owner of the write lane (storage/lane.py): requests and tasks submit work, whatever arrives while a
batch commits forms the next one, an answer follows its commit. Counts never fall.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from paceline.errors.failure import PacelineError
from paceline.servers.engagement.live.permits import Permits
from paceline.servers.engagement.metrics import EngagementFigures
from paceline.servers.engagement.store.invitations import (
    Counts,
    Invitation,
    InvitationStore,
    Rows,
    Stored,
)
from paceline.storage.database import Transaction
from paceline.units.quantities import Millis
from paceline.wire.once import KeptAnswer, Once
from paceline.wire.operations.engagement import Report

OFFERED: Final = "offered"
ACCEPTED: Final = "accepted"
STARTED: Final = "started"
REJECTED: Final = "rejected"
TIMED_OUT: Final = "timedout"
ERRORED: Final = "errored"
"""States in the public vocabulary (pacing-service.md §2.5)."""


@dataclass(frozen=True, slots=True)
class Create:
    """A permit was spent on it; `kept` is the answer that its idempotency key gives from now."""

    invitation: Invitation
    kept: tuple[Once, KeptAnswer, Millis] | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """The visitor says yes; `user_data` is what will be submitted."""

    invitation_id: str
    at: Millis
    user_data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The visitor says no, or nothing in time."""

    invitation_id: str
    at: Millis
    state: Literal["rejected", "timedout"]


@dataclass(frozen=True, slots=True)
class Settle:
    """The Interaction Server took the accepted interaction, or will never take it."""

    invitation_id: str
    state: Literal["started", "errored"]
    interaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Take:
    """A page of a pacing report."""

    report: Report
    credential: str
    received_at: Millis


Work = Create | Accept | Close | Settle | Take


class InvitationBook:
    """See the module; `LaneOwner` of the engine's lane."""

    def __init__(
        self, store: InvitationStore, permits: Permits, figures: EngagementFigures
    ) -> None:
        self._store = store
        self._permits = permits
        self._figures = figures
        self._open: dict[str, Invitation] = {}
        self._counts: dict[str, Counts] = {}
        self._epochs: dict[tuple[str, str], tuple[int, int]] = {}
        self._before: Mapping[tuple[str, str], tuple[int, int]] = {}
        self._ends: list[tuple[Millis, str]] = []
        self._rows = Rows()

    def restore(self, stored: Stored) -> None:
        """Begin with what the database holds."""
        self._open = {one.id: one for one in stored.open}
        self._counts = dict(stored.counts)
        self._epochs = dict(stored.epochs)
        self._before = stored.epochs
        self._ends = [(one.expires_at, one.id) for one in stored.open if one.state == OFFERED]
        heapq.heapify(self._ends)

    # --- what is known now ----------------------------------------------------------------------

    def counts(self, target: str) -> Counts:
        """Committed counts of a target."""
        return self._counts.get(target, Counts())

    @property
    def targets(self) -> Mapping[str, Counts]:
        """Counts of every target that ever sent one."""
        return self._counts

    def open_invitation(self, invitation_id: str) -> Invitation | None:
        """An invitation that is offered, or accepted and not yet acknowledged."""
        return self._open.get(invitation_id)

    def ended(self, now: Millis) -> list[str]:
        """Offered invitations whose time is over; each is given once."""
        over = []
        while self._ends and self._ends[0][0] <= now:
            _, invitation_id = heapq.heappop(self._ends)
            one = self._open.get(invitation_id)
            if one is not None and one.state == OFFERED:
                over.append(invitation_id)
        return over

    def try_end_again(self, invitation_id: str) -> None:
        """It could not be closed now; `ended` gives it again."""
        one = self._open.get(invitation_id)
        if one is not None:
            heapq.heappush(self._ends, (one.expires_at, one.id))

    # --- the lane's owner -----------------------------------------------------------------------

    async def prepare(self, transaction: Transaction, batch: Sequence[Work]) -> None:
        """Nothing to read: everything open is in memory."""

    def apply(self, batch: Sequence[Work]) -> Sequence[Invitation | Exception | None]:
        """Decide each piece on what the pieces before it have made."""
        self._rows = Rows()
        return [self._decide(work) for work in batch]

    def has_changes(self) -> bool:
        """Whether the batch writes anything."""
        return bool(self._rows)

    def fence_values(self) -> Sequence[object]:
        """The writer's row has no further columns."""
        return ()

    async def write(self, transaction: Transaction) -> None:
        """Write the batch."""
        await self._store.write(transaction, self._rows)

    def committed(
        self, batch: Sequence[Work], outcomes: Sequence[Invitation | Exception | None]
    ) -> None:
        """What the batch made is true now; permits of a report may be spent from here on."""
        rows = self._rows
        for one in rows.created:
            self._open[one.id] = rows.changed.get(one.id, one)
            heapq.heappush(self._ends, (one.expires_at, one.id))
            self._figures.invitations.labels(OFFERED).inc()
        for one in rows.changed.values():
            self._figures.invitations.labels(one.state).inc()
            if one.state == ACCEPTED:
                self._open[one.id] = one
            else:
                self._open.pop(one.id, None)
        self._counts.update(rows.counts)
        self._epochs.update(rows.epochs)
        self._figures.pending.set(sum(c.sent - c.resolved for c in self._counts.values()))
        for work, outcome in zip(batch, outcomes, strict=True):
            if isinstance(work, Take) and not isinstance(outcome, Exception):
                self._permit(work)
        self._rows = Rows()

    def undelivered(self, work: Work, outcome: Invitation | Exception | None) -> None:
        """Its caller is gone: an invitation nobody saw expires by itself."""

    def discard(self) -> None:
        """Nothing of the batch is in the database."""
        self._rows = Rows()

    # --- rules ----------------------------------------------------------------------------------

    def _decide(self, work: Work) -> Invitation | Exception | None:
        match work:
            case Create(invitation, kept):
                self._rows.created.append(invitation)
                if kept is not None:
                    self._rows.kept.append(kept)
                self._add(invitation.facts.target, sent=1)
                return invitation
            case Accept():
                return self._accept(work)
            case Close():
                return self._close(work)
            case Settle():
                return self._settle(work)
            case Take():
                return self._take(work)

    def _accept(self, work: Accept) -> Invitation | Exception:
        one = self._now(work.invitation_id)
        if one is not None and one.state == ACCEPTED:
            return one
        if one is None or one.state != OFFERED or one.expires_at <= work.at:
            return _closed(work.invitation_id)
        accepted = replace(one, state=ACCEPTED, answered_at=work.at)
        self._rows.changed[one.id] = accepted
        self._rows.submissions[one.id] = work.user_data
        self._add(one.facts.target, resolved=1, accepted=1)
        return accepted

    def _close(self, work: Close) -> Invitation | Exception:
        one = self._now(work.invitation_id)
        if one is None or one.state != OFFERED:
            return _closed(work.invitation_id)
        closed = replace(one, state=work.state, answered_at=work.at)
        self._rows.changed[one.id] = closed
        self._add(one.facts.target, resolved=1)
        return closed

    def _settle(self, work: Settle) -> Invitation | Exception:
        one = self._now(work.invitation_id)
        if one is None or one.state != ACCEPTED:
            return _closed(work.invitation_id)
        settled = replace(one, state=work.state, interaction_id=work.interaction_id)
        self._rows.changed[one.id] = settled
        self._rows.submitted.append(one.id)
        return settled

    def _take(self, work: Take) -> Exception | None:
        reporter = (work.report.cluster, work.credential)
        known = self._rows.epochs.get(reporter, self._epochs.get(reporter, (-1, -1)))
        if work.report.epoch < known[0]:
            return PacelineError(
                "stale_epoch",
                f"cluster '{work.report.cluster}' reports under epoch {known[0]} by now, "
                f"not {work.report.epoch}",
                field="epoch",
                details={"current_epoch": known[0]},
            )
        new = (work.report.epoch, work.report.sequence)
        if new > known:
            self._rows.epochs[reporter] = new
        return None

    def _permit(self, work: Take) -> None:
        """Apply a page, unless a newer one is known or it may have been spent before a restart."""
        reporter = (work.report.cluster, work.credential)
        this = (work.report.epoch, work.report.sequence)
        if self._epochs.get(reporter) == this != self._before.get(reporter):
            self._permits.apply(reporter, work.report, work.received_at)

    def _now(self, invitation_id: str) -> Invitation | None:
        """The invitation as the pieces before have left it."""
        changed = self._rows.changed.get(invitation_id)
        return changed if changed is not None else self._open.get(invitation_id)

    def _add(self, target: str, *, sent: int = 0, resolved: int = 0, accepted: int = 0) -> None:
        before = self._rows.counts.get(target, self.counts(target))
        self._rows.counts[target] = Counts(
            before.sent + sent, before.resolved + resolved, before.accepted + accepted
        )


def _closed(invitation_id: str) -> PacelineError:
    return PacelineError(
        "invitation_closed",
        f"invitation '{invitation_id}' was answered or has expired",
        field="invitation_id",
    )
