"""Operations that every server answers: health, status, ping, findings, and the session's hello."""

from paceline.wire.operation import Answer, HttpRoute, Operation, Request, collect


class Nothing(Request, frozen=True, kw_only=True):
    """A request without fields."""


class Ready(Answer, frozen=True, kw_only=True):
    """`ready` is false while the server starts, stops or misses something it needs; `reason` says what."""

    ready: bool
    reason: str = ""


class Status(Answer, frozen=True, kw_only=True):
    """What a server says of itself (pacing-service §6.2)."""

    application: str
    kind: str
    status: str
    mode: str
    reason: str = ""
    pid: int
    version: str
    started_at: str
    now: str


class Pong(Answer, frozen=True, kw_only=True):
    """Answer of a ping: the server's machine time and, where it has nodes behind it, their states."""

    now: str
    nodes: dict[str, str] = {}


class FindingRow(Answer, frozen=True, kw_only=True):
    """One configuration mistake or obstacle: the object, the field, what follows and what to do."""

    object: str
    field: str
    consequence: str
    fix: str


class Findings(Answer, frozen=True, kw_only=True):
    """Everything the server found wrong with what it was given."""

    items: tuple[FindingRow, ...]
    complete: bool = True


class Hello(Request, frozen=True, kw_only=True):
    """First message of a session; without it the connection closes after 10 s.

    `extension` is what the documented registration has under this name, such as
    `event_properties_changed`; keys that a server does not know are passed over.
    """

    protocol: str
    token: str = ""
    client: str = ""
    client_kind: str = "operator"
    capabilities: tuple[str, ...] = ()
    extension: dict[str, int | str] = {}
    resume: str | None = None


class Welcome(Answer, frozen=True, kw_only=True):
    """Answer of the hello: what the server speaks and its limits."""

    protocol: str
    node: str
    capabilities: tuple[str, ...] = ()
    max_frame_bytes: int
    max_in_flight: int
    heartbeat_s: float
    resume: str


OPERATIONS = collect(
    (
        Operation(name="server.live", request=Nothing, answer=Ready, right=None, http=HttpRoute("GET", "/health/live"), summary="Is the process alive?"),
        Operation(name="server.ready", request=Nothing, answer=Ready, right=None, http=HttpRoute("GET", "/health/ready"), summary="Can the server do its work? 503 while it cannot."),
        Operation(name="server.status", request=Nothing, answer=Status, right=("server", "read"), http=HttpRoute("GET", "/v1/status"), summary="Status and mode of this server."),
        Operation(name="server.ping", request=Nothing, answer=Pong, right=("server", "read"), http=HttpRoute("GET", "/v1/ping"), summary="Answered at once, with the state of each node behind the server."),
        Operation(name="server.findings", request=Nothing, answer=Findings, right=("server", "read"), http=HttpRoute("GET", "/v1/findings"), summary="Configuration mistakes and obstacles: object, field, consequence, fix."),
    )
)  # fmt: skip
