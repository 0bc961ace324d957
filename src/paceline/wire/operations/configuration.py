"""Operations of the Configuration Server: objects, apply, changes, login, tokens, status."""

from typing import Literal

import msgspec

from paceline.wire.operation import (
    Answer,
    Done,
    HttpRoute,
    Operation,
    Request,
    collect,
    empty_object,
)

Raw = msgspec.Raw


class ObjectRecord(Answer, frozen=True, kw_only=True):
    """One object. `body` is the JSON of its type's struct (model/configuration); secrets show `***`."""

    type: str
    id: int
    tenant: int
    name: str
    version: int
    body: Raw


class ListObjects(Request, frozen=True, kw_only=True):
    """A page of one type, optionally narrowed by exact name, number or switch."""

    type: str
    name: str | None = None
    number: str | None = None
    switch: str | None = None
    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class ObjectPage(Answer, frozen=True, kw_only=True):
    """Objects in the order of ids. `seq` is the history's last number when the page was read."""

    items: tuple[ObjectRecord, ...]
    continuation: str | None = None
    complete: bool = True
    seq: int = 0


class ObjectRef(Request, frozen=True, kw_only=True):
    """Names one object."""

    type: str
    id: int
    tenant: int | None = None


class CreateObject(Request, frozen=True, kw_only=True):
    """A new object."""

    type: str
    name: str = ""
    body: Raw
    tenant: int | None = None


class ReplaceObject(Request, frozen=True, kw_only=True):
    """A whole new name and body for an object."""

    type: str
    id: int
    name: str
    body: Raw
    tenant: int | None = None


class ChangeObject(Request, frozen=True, kw_only=True):
    """Fields to merge into an object's body (RFC 7386 merge patch); a new name when given."""

    type: str
    id: int
    name: str | None = None
    body: Raw = msgspec.field(default_factory=empty_object)
    tenant: int | None = None


class Change(Request, frozen=True, kw_only=True):
    """One change of an apply: `put` creates or replaces by name, `delete` removes when it exists."""

    action: Literal["put", "delete"] = "put"
    type: str
    name: str = ""
    body: Raw = msgspec.field(default_factory=empty_object)
    tenant: int = 1


class Apply(Request, frozen=True, kw_only=True):
    """Changes in one transaction; all or none. `expected_seq` guards against another's change between."""

    changes: tuple[Change, ...]
    dry_run: bool = False
    expected_seq: int | None = None


class AppliedRow(Answer, frozen=True, kw_only=True):
    """What became of one change; `unchanged` wrote nothing."""

    type: str
    name: str
    id: int
    action: Literal["created", "changed", "unchanged", "deleted", "absent"]


class Applied(Answer, frozen=True, kw_only=True):
    """Result of an apply with the findings about the configuration as it is then."""

    seq: int
    items: tuple[AppliedRow, ...]
    findings: tuple[dict[str, str], ...] = ()


class EffectiveRef(Request, frozen=True, kw_only=True):
    """Names an application by id."""

    id: int
    tenant: int | None = None


class Effective(Answer, frozen=True, kw_only=True):
    """Options and connections as they work: a node's own and those inherited from its cluster."""

    application: str
    options: dict[str, dict[str, str | int | float | bool]]
    connections: tuple[str, ...]


class ReadChanges(Request, frozen=True, kw_only=True):
    """Changes after a sequence number of the history."""

    after: int = 0
    limit: int = 100
    tenant: int | None = None


class ChangeRecord(Answer, frozen=True, kw_only=True):
    """One change of one object; `object` is its new state, absent when deleted."""

    seq: int
    at: str
    principal: str
    action: Literal["created", "changed", "deleted"]
    type: str
    id: int
    tenant: int
    name: str
    object: ObjectRecord | None = None


class ChangePage(Answer, frozen=True, kw_only=True):
    """Changes in order."""

    items: tuple[ChangeRecord, ...]
    seq: int
    complete: bool


class StreamChanges(Request, frozen=True, kw_only=True):
    """Subscribes to changes after a sequence number; without one the stream begins with the next."""

    after: int | None = None


class ChangesSubscribed(Answer, frozen=True, kw_only=True):
    """The subscription's number and the sequence after which the stream begins."""

    subscription: int
    seq: int


class ChangesNotice(Answer, frozen=True, kw_only=True):
    """Notice of the stream: whole transactions of changes, in order."""

    items: tuple[ChangeRecord, ...]
    seq: int


class Login(Request, frozen=True, kw_only=True):
    """A person's login."""

    user: str
    password: str


class Token(Answer, frozen=True, kw_only=True):
    """A signed token to send as `Authorization: Bearer`."""

    token: str
    expires_in_s: int


class TokenRequest(Request, frozen=True, kw_only=True):
    """Renewal of the caller's token, or a login of an application (`client_credentials`)."""

    grant_type: Literal["renewal", "client_credentials"] = "renewal"
    client_id: str | None = None
    client_secret: str | None = None


class Empty(Request, frozen=True, kw_only=True):
    """A request without fields."""


class Keys(Answer, frozen=True, kw_only=True):
    """Public keys as a JWKS: every server verifies tokens itself.

    `revoked` are ids of tokens that are refused though their time is not over.
    """

    keys: tuple[dict[str, str], ...]
    revoked: tuple[str, ...] = ()


class Me(Answer, frozen=True, kw_only=True):
    """Who the token says the caller is."""

    name: str
    kind: str
    tenants: tuple[int, ...]
    access_groups: tuple[str, ...]


class ReportStatus(Request, frozen=True, kw_only=True):
    """A server's report of itself: every 5 s and at each change. `urls` by port id."""

    application: str
    status: Literal["initializing", "started", "unavailable", "stopped"]
    mode: Literal["primary", "backup"] = "primary"
    reason: str = ""
    urls: dict[str, str] = {}
    pid: int = 0


class StatusList(Request, frozen=True, kw_only=True):
    """All applications of the caller's tenants."""

    limit: int = 1000
    continuation: str | None = None


class ApplicationStatus(Answer, frozen=True, kw_only=True):
    """Last report of an application; `unknown` = silent for 15 s, `stopped` = in order or never started."""

    application: str
    application_type: str
    status: str
    mode: str
    reason: str = ""
    urls: dict[str, str] = {}
    pid: int = 0
    reported_at: str | None = None


class StatusPage(Answer, frozen=True, kw_only=True):
    """Applications by name."""

    items: tuple[ApplicationStatus, ...]
    continuation: str | None = None
    complete: bool = True


class CheckExpression(Request, frozen=True, kw_only=True):
    """A text as a view, an agent group or a statistic would have it; nothing is stored."""

    kind: Literal["condition", "order", "segment", "skill", "filter"]
    text: str
    tenant: int | None = None


class CheckedExpression(Answer, frozen=True, kw_only=True):
    """Whether it can be read; if not, what is wrong and where. `names` are what it looks at."""

    is_valid: bool
    message: str | None = None
    line: int | None = None
    column: int | None = None
    names: tuple[str, ...] = ()
    depends_on_time: bool = False


_O = "/v1/objects/{type}"

OPERATIONS = collect(
    (
        Operation(name="object.list", request=ListObjects, answer=ObjectPage, right=("object", "read"), idempotency="by_nature", http=HttpRoute("GET", _O), summary="Objects of one type."),
        Operation(name="object.get", request=ObjectRef, answer=ObjectRecord, right=("object", "read"), idempotency="by_nature", http=HttpRoute("GET", _O + "/{id}"), summary="One object."),
        Operation(name="object.create", request=CreateObject, answer=ObjectRecord, right=("object", "create"), audited=True, http=HttpRoute("POST", _O, 201), summary="Creates an object."),
        Operation(name="object.replace", request=ReplaceObject, answer=ObjectRecord, right=("object", "change"), idempotency="by_nature", audited=True, http=HttpRoute("PUT", _O + "/{id}"), summary="Replaces an object."),
        Operation(name="object.change", request=ChangeObject, answer=ObjectRecord, right=("object", "change"), idempotency="by_nature", audited=True, http=HttpRoute("PATCH", _O + "/{id}"), summary="Changes fields or the name of an object; a rename ripples through all references."),
        Operation(name="object.delete", request=ObjectRef, answer=Done, right=("object", "delete"), idempotency="by_nature", audited=True, http=HttpRoute("DELETE", _O + "/{id}"), summary="Deletes an object that nothing refers to."),
        Operation(name="configuration.apply", request=Apply, answer=Applied, right=("object", "change"), idempotency="by_nature", audited=True, size_class="large", http=HttpRoute("POST", "/v1/apply"), summary="Applies many changes in one transaction."),
        Operation(name="configuration.effective", request=EffectiveRef, answer=Effective, right=("object", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/applications/{id}/effective"), summary="An application's options and connections as they work."),
        Operation(name="configuration.changes", request=ReadChanges, answer=ChangePage, right=("object", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/changes"), summary="History of changes after a sequence number."),
        Operation(name="configuration.stream", request=StreamChanges, answer=ChangesSubscribed, right=("object", "read"), stream=True, http=HttpRoute("WS", "/v1/changes/stream"), summary="Changes as they are committed."),
        Operation(name="expression.check", request=CheckExpression, answer=CheckedExpression, right=("object", "read"), since="1.1", idempotency="by_nature", http=HttpRoute("POST", "/v1/expressions/check"), summary="Whether a condition, an order, a skill expression or a filter can be read."),
        Operation(name="session.login", request=Login, answer=Token, right=None, http=HttpRoute("POST", "/v1/login"), summary="A person logs in."),
        Operation(name="session.logout", request=Empty, answer=Done, right=("session", "execute"), idempotency="by_nature", http=HttpRoute("POST", "/v1/logout"), summary="Revokes the caller's token."),
        Operation(name="token.issue", request=TokenRequest, answer=Token, right=None, http=HttpRoute("POST", "/v1/token"), summary="Renews the caller's token, or logs an application in."),
        Operation(name="token.keys", request=Empty, answer=Keys, right=None, idempotency="by_nature", http=HttpRoute("GET", "/v1/keys"), summary="Public keys that verify tokens."),
        Operation(name="me.get", request=Empty, answer=Me, right=("session", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/me"), summary="The caller."),
        Operation(name="application.report_status", request=ReportStatus, answer=Done, right=("application", "execute"), idempotency="by_nature", summary="A server reports its status and addresses."),
        Operation(name="application.status", request=StatusList, answer=StatusPage, right=("application", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/applications/status"), summary="Status, mode and addresses of all applications."),
    )
)  # fmt: skip
NOTICES: dict[str, type[Answer]] = {"configuration.stream": ChangesNotice}
