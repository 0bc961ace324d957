"""Invitations: made from a permit, accepted, declined, asked for."""

import asyncio

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_text
from paceline.runtime.ids import batch_id
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk import ConfigurationSource
from paceline.servers.engagement.live.book import (
    ACCEPTED,
    ERRORED,
    OFFERED,
    REJECTED,
    STARTED,
    Accept,
    Close,
    Create,
    InvitationBook,
)
from paceline.servers.engagement.live.permits import Permits
from paceline.servers.engagement.live.submitter import Submitter, queue_of
from paceline.servers.engagement.live.writer import Writer
from paceline.servers.engagement.metrics import EngagementFigures
from paceline.servers.engagement.rules.user_data import proactive_user_data
from paceline.servers.engagement.store.invitations import Invitation, InvitationStore
from paceline.units.quantities import Millis
from paceline.wire.access import VISITOR
from paceline.wire.call import Call, Handlers
from paceline.wire.once import Once, again, kept, once_of
from paceline.wire.operations.engagement import (
    AcceptInvitation,
    CreateInvitation,
    InvitationCreated,
    InvitationRef,
    InvitationState,
)

LONGEST_NAME = 256
"""Characters of a visitor's name (chosen: any site's visitor id fits)."""


class InvitationRequests:
    """Handlers of everything a visitor does."""

    def __init__(
        self,
        *,
        writer: Writer,
        book: InvitationBook,
        permits: Permits,
        submitter: Submitter,
        store: InvitationStore,
        settings: LiveSettings,
        configuration: ConfigurationSource,
        times: Times,
        figures: EngagementFigures,
        tenant: int,
    ) -> None:
        self._writer = writer
        self._book = book
        self._permits = permits
        self._submitter = submitter
        self._store = store
        self._settings = settings
        self._configuration = configuration
        self._times = times
        self._figures = figures
        self._tenant = tenant
        self._in_work: set[Once] = set()

    @property
    def handlers(self) -> Handlers:
        """Operations of this module."""
        return {
            "invitation.create": self.create,
            "invitation.accept": self.accept,
            "invitation.reject": self.reject,
            "invitation.get": self.get,
        }

    async def create(self, call: Call, request: CreateInvitation) -> InvitationCreated:
        """Spend a permit; the invitation is stored when this returns.

        A permit whose invitation could not be stored stays spent: better one fewer than one more.
        A repeat with the same idempotency key spends none and gives the same invitation.
        """
        if not 0 < len(request.visitor) <= LONGEST_NAME:
            raise PacelineError(
                "invalid_attribute", f"visitor has 1 to {LONGEST_NAME} characters", field="visitor"
            )
        if _is_visitor(call) and request.visitor != call.principal.name:
            raise PacelineError(
                "not_allowed",
                f"this token is that of '{call.principal.name}'; name no other visitor",
                field="visitor",
            )
        once = once_of(call, "invitation.create")
        if once is None:
            return await self._create(call, request, None)
        if once in self._in_work:
            raise PacelineError(
                "operation_in_progress", "this key's first request is in work", retry_after_s=1.0
            )
        self._in_work.add(once)
        try:
            known = await self._store.read_kept(once)
            if known is not None:
                repeated: InvitationCreated = again(known, request, InvitationCreated)
                return repeated
            return await self._create(call, request, once)
        finally:
            self._in_work.discard(once)

    async def _create(
        self, call: Call, request: CreateInvitation, once: Once | None
    ) -> InvitationCreated:
        now = self._times.business.now()
        facts = self._permits.spend(request.target, now)
        if facts is None:
            self._figures.refused.inc()
            raise PacelineError(
                "no_permit",
                f"target '{request.target}' has no unspent, living permit; ask again later",
                field="target",
            )
        life_s = self._settings.current.seconds("invitation", "life")
        invitation = Invitation(
            id=batch_id(),
            visitor=request.visitor,
            state=OFFERED,
            offered_at=now,
            expires_at=Millis(now + round(1000 * life_s)),
            facts=facts,
        )
        answer = InvitationCreated(
            invitation_id=invitation.id,
            expires_at=to_text(invitation.expires_at),
            expires_in_s=self._times.business.machine_seconds(life_s),
        )
        work = Create(invitation)
        if once is not None:
            work = Create(invitation, (once, kept(request, answer), self._kept_until()))
        await self._writer.submit(work, call.deadline)
        return answer

    def _kept_until(self) -> Millis:
        life_s = self._settings.current.seconds("requests", "idempotency-key-retention")
        return Millis(self._times.machine.now() + int(life_s * 1000))

    async def accept(self, call: Call, request: AcceptInvitation) -> InvitationState:
        """Accept; returns with the interaction, or without it when that takes too long.

        The acceptance is stored first: from then on the interaction is submitted whatever happens.
        Repeating is safe and gives the same interaction.
        """
        found = self._open(call, request.invitation_id)
        if found is None:
            return await self._again(call, request.invitation_id)
        if found.state == OFFERED:
            found = await self._say_yes(call, found, request.user_data)
        under_way = self._submitter.under_way(found.id)
        if under_way is None:
            return _state(self._book.open_invitation(found.id) or found)
        left_s = call.deadline - self._times.machine.monotonic()
        await asyncio.wait({under_way}, timeout=max(0.0, left_s))
        if not under_way.done() or under_way.cancelled():
            return _state(found)
        return _state(under_way.result())

    async def reject(self, call: Call, request: InvitationRef) -> InvitationState:
        """Decline; declining again says the same."""
        invitation_id = request.invitation_id
        if self._open(call, invitation_id) is None:
            over = await self._find(call, invitation_id)
            if over.state == REJECTED:
                return _state(over)
        work = Close(invitation_id, self._times.business.now(), REJECTED)
        closed = await self._writer.submit(work, call.deadline)
        return InvitationState(
            invitation_id=invitation_id, state=closed.state if closed else REJECTED
        )

    async def get(self, call: Call, request: InvitationRef) -> InvitationState:
        """State of an invitation."""
        found = self._open(call, request.invitation_id)
        return _state(found or await self._find(call, request.invitation_id))

    async def _say_yes(self, call: Call, one: Invitation, visitors: msgspec.Raw) -> Invitation:
        """Commit the acceptance and begin its submission."""
        self._check_queue(one.facts.media_type)
        user_data = proactive_user_data(visitors, one.facts, one.id)
        work = Accept(one.id, self._times.business.now(), user_data)
        accepted = await self._writer.submit(work, call.deadline)
        if accepted is None:
            raise RuntimeError("an acceptance has an invitation as its outcome")
        self._submitter.begin(accepted, user_data)
        return accepted

    async def _again(self, call: Call, invitation_id: str) -> InvitationState:
        """Accepting what is over: the same answer when it was accepted, else it is closed."""
        over = await self._find(call, invitation_id)
        if over.state in (ACCEPTED, STARTED, ERRORED):
            return _state(over)
        raise PacelineError(
            "invitation_closed",
            f"invitation '{invitation_id}' is {over.state}",
            field="invitation_id",
        )

    def _open(self, call: Call, invitation_id: str) -> Invitation | None:
        found = self._book.open_invitation(invitation_id)
        return None if found is None else _seen_by(call, invitation_id, found)

    async def _find(self, call: Call, invitation_id: str) -> Invitation:
        return _seen_by(call, invitation_id, await self._store.find(invitation_id))

    def _check_queue(self, media_type: str) -> None:
        queue, option = queue_of(self._settings.current, media_type)
        if not queue:
            raise PacelineError(
                "configuration_mistake",
                f"option {option} of the engagement engine names no interaction queue for "
                f"{media_type}; set it",
                field=option,
            )
        if (self._tenant, queue) not in self._configuration.snapshot.queues:
            raise PacelineError(
                "configuration_mistake",
                f"option {option} names the interaction queue '{queue}', which does not exist",
                field=option,
            )


def _is_visitor(call: Call) -> bool:
    return VISITOR in call.principal.access_groups


def _seen_by(call: Call, invitation_id: str, found: Invitation | None) -> Invitation:
    """A visitor sees only the own invitations; those of others are not there."""
    if found is None or (_is_visitor(call) and found.visitor != call.principal.name):
        raise PacelineError(
            "not_found", f"there is no invitation '{invitation_id}'", field="invitation_id"
        )
    return found


def _state(one: Invitation) -> InvitationState:
    return InvitationState(invitation_id=one.id, state=one.state, interaction_id=one.interaction_id)
