"""Operations of the Router: what it routes and where interactions wait for agents."""

from paceline.wire.operation import Answer, HttpRoute, Operation, Request, collect


class ListRequest(Request, frozen=True, kw_only=True):
    """A page of a list."""

    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class StrategyRow(Answer, frozen=True, kw_only=True):
    """A loaded strategy: its views, and how many interactions it has routed since the start."""

    name: str
    views: tuple[str, ...]
    virtual_queue: str | None = None
    routed: int = 0
    problem: str | None = None


class StrategyPage(Answer, frozen=True, kw_only=True):
    """Strategies by name."""

    items: tuple[StrategyRow, ...]
    continuation: str | None = None
    complete: bool = True


class VirtualQueueRow(Answer, frozen=True, kw_only=True):
    """A virtual queue as the router sees it: waiting and ringing interactions, groups that serve it."""

    number: str
    media_type: str | None = None
    waiting: int
    ringing: int
    oldest_at: str | None = None
    agent_groups: tuple[str, ...] = ()


class VirtualQueuePage(Answer, frozen=True, kw_only=True):
    """Virtual queues by number."""

    items: tuple[VirtualQueueRow, ...]
    continuation: str | None = None
    complete: bool = True


OPERATIONS = collect(
    (
        Operation(name="strategy.list", request=ListRequest, answer=StrategyPage, right=("router", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/strategies"), summary="Loaded strategies."),
        Operation(name="virtual_queue.list", request=ListRequest, answer=VirtualQueuePage, right=("router", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/virtual-queues"), summary="Virtual queues with what waits in them."),
    )
)  # fmt: skip
