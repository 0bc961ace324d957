"""Operation of the Interaction Server on its clients' sessions: who is connected to this node."""

from paceline.wire.operation import Answer, HttpRoute, Operation, Request, collect


class SessionList(Request, frozen=True, kw_only=True):
    """A page of a list."""

    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class SessionAgent(Answer, frozen=True, kw_only=True):
    """An agent for whom a session speaks, and the place."""

    agent: str
    place: str | None = None


class SessionRow(Answer, frozen=True, kw_only=True):
    """A client's session. `since` is machine time; `application` or `user` is whose token it showed.

    A session may speak for many agents, as a desktop server's does.
    """

    session_id: str
    client: str
    client_kind: str
    application: str | None = None
    user: str | None = None
    tenant: int
    since: str
    idle_s: float
    agents: tuple[SessionAgent, ...] = ()


class SessionPage(Answer, frozen=True, kw_only=True):
    """Sessions, the longest connected first."""

    items: tuple[SessionRow, ...]
    continuation: str | None = None
    complete: bool = True


OPERATIONS = collect(
    (
        Operation(name="session.list", request=SessionList, answer=SessionPage, right=("client_session", "read"), idempotency="by_nature", since="1.1", http=HttpRoute("GET", "/v1/sessions"), summary="Client sessions connected to this node, with the agents each speaks for."),
    )
)  # fmt: skip
