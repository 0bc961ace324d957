"""Operations of the reference engagement engine: tokens, pacing reports, invitations.

The pacing report and its answer are the contract that we publish to any engagement engine.
"""

import msgspec

from paceline.wire.operation import (
    Answer,
    HttpRoute,
    Operation,
    Request,
    Verb,
    collect,
    empty_object,
)


class OAuthToken(Answer, frozen=True, kw_only=True):
    """An access token by the client credentials grant (RFC 6749 §4.4)."""

    access_token: str
    token_type: str
    expires_in: int


class Permit(Request, frozen=True, kw_only=True, omit_defaults=False):
    """Permits of one pacing target."""

    id: str
    virtual_queue: str
    media_type: str
    agent_groups: tuple[str, ...]
    permits: int
    reason: str
    ready: float | None = None
    goal_percent: float | None = None
    abandonment_percent: float | None = None


class Report(Request, frozen=True, kw_only=True, omit_defaults=False):
    """Permits of a cluster. Each sequence replaces all unspent permits; a permit lives `valid_for_s`."""

    cluster: str
    node: str
    epoch: int
    sequence: int
    page: int = 1
    pages: int = 1
    period_s: float
    sent_at: str
    valid_for_s: float
    base_sequence: int | None = None
    targets: tuple[Permit, ...]


class TargetCounts(Answer, frozen=True, kw_only=True):
    """Counts of one target: `pending` now; `sent`, `resolved`, `accepted` cumulative."""

    id: str
    pending: int
    sent: int | None = None
    resolved: int | None = None
    accepted: int | None = None
    error: dict[str, str] | None = None


class ReportAnswer(Answer, frozen=True, kw_only=True, omit_defaults=False):
    """Answer to a page of a report."""

    sequence: int
    targets: tuple[TargetCounts, ...]


class CreateInvitation(Request, frozen=True, kw_only=True):
    """Spends one permit of the target on an invitation to a visitor."""

    target: str
    visitor: str


class InvitationCreated(Answer, frozen=True, kw_only=True):
    """The invitation; it expires unanswered at `expires_at` (business time), in `expires_in_s` of the clock."""

    invitation_id: str
    expires_at: str
    expires_in_s: float | None = None


class AcceptInvitation(Request, frozen=True, kw_only=True):
    """The visitor says yes. The interaction's user data are attached by the engine, never by the browser."""

    invitation_id: str
    user_data: msgspec.Raw = msgspec.field(default_factory=empty_object)


class InvitationRef(Request, frozen=True, kw_only=True):
    """Names an invitation."""

    invitation_id: str


class InvitationState(Answer, frozen=True, kw_only=True):
    """State of an invitation and the interaction it became."""

    invitation_id: str
    state: str
    interaction_id: str | None = None


class EngagementTargetList(Request, frozen=True, kw_only=True):
    """All targets the engine knows."""

    limit: int = 1000
    continuation: str | None = None


class EngagementTarget(Answer, frozen=True, kw_only=True):
    """A target at the engine: living permits left, and counts."""

    id: str
    media_type: str
    permits: int
    unspent: int
    expires_at: str | None = None
    pending: int
    sent: int
    resolved: int
    accepted: int
    reason: str


class EngagementTargetPage(Answer, frozen=True, kw_only=True):
    """Targets by id."""

    items: tuple[EngagementTarget, ...]
    continuation: str | None = None
    complete: bool = True


_INV = "/v1/invitations/{invitation_id}"
_VISITOR: tuple[str, Verb] = ("invitation", "create")

OPERATIONS = collect(
    (
        Operation(name="pacing.report", request=Report, answer=ReportAnswer, right=("pacing_report", "create"), idempotency="by_nature", size_class="large", http=HttpRoute("POST", "/api/v2/pacing"), summary="Permits from the pacing service; the answer carries pending invitations."),
        Operation(name="invitation.create", request=CreateInvitation, answer=InvitationCreated, right=_VISITOR, idempotency="key", http=HttpRoute("POST", "/v1/invitations", 201), summary="Offers an invitation to a visitor; 409 no_permit when the target has none."),
        Operation(name="invitation.accept", request=AcceptInvitation, answer=InvitationState, right=_VISITOR, idempotency="by_nature", http=HttpRoute("POST", _INV + "/accept"), summary="The visitor accepts; the engine submits the interaction once."),
        Operation(name="invitation.reject", request=InvitationRef, answer=InvitationState, right=_VISITOR, idempotency="by_nature", http=HttpRoute("POST", _INV + "/reject"), summary="The visitor declines."),
        Operation(name="invitation.get", request=InvitationRef, answer=InvitationState, right=_VISITOR, idempotency="by_nature", http=HttpRoute("GET", _INV), summary="State of an invitation."),
        Operation(name="engagement_target.list", request=EngagementTargetList, answer=EngagementTargetPage, right=("pacing_report", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/targets"), summary="Targets with living permits and counts."),
    )
)  # fmt: skip
