"""Operations of the Stat Server: open a statistic, peek at many at one position, follow changes.

Definitions use the documented words (pacing-service §3): category, subject, masks, filter, profile.
"""

from typing import Literal

from paceline.wire.operation import Answer, Done, HttpRoute, Operation, Request, collect
from paceline.wire.operations.everywhere import Nothing

ObjectKind = Literal["Agent", "GroupAgents", "Queue", "Workbin"]
Category = Literal["TotalNumber", "CurrentNumber", "CurrentTargetState"]


class Definition(Request, frozen=True, kw_only=True):
    """What to count. `once_per_interaction` counts an interaction at its last matching action only.

    `main_mask` is a comma list of actions; `media_type` narrows to one medium; `filter` is a filter
    expression or the name of one in the Stat Server's `[Filters]`; `profile` "Ever" = growing
    without reset.
    """

    category: Category
    subject: Literal["DNAction", "AgentStatus"] = "DNAction"
    main_mask: str = "*"
    media_type: str | None = None
    filter: str | None = None
    profile: Literal["Default", "Ever"] = "Default"
    once_per_interaction: bool = False


class OpenStatistic(Request, frozen=True, kw_only=True):
    r"""Opens a statistic on an object: by the name of a stat type, or by an inline definition.

    `object` is the agent's name, the virtual queue's number, or the agent group's name. Several
    groups, with a comma between them (one inside a name is written `\,`), are united: an agent who
    is in two of them counts once.
    """

    object_kind: ObjectKind
    object: str
    stat_type: str | None = None
    definition: Definition | None = None
    filter: str | None = None
    profile: Literal["Default", "Ever"] | None = None
    notification: Literal["NoNotification", "ChangesBased"] = "NoNotification"
    tenant: int | None = None


class OpenStatistics(Request, frozen=True, kw_only=True):
    """Opens several at once; each result stands at its request's place."""

    items: tuple[OpenStatistic, ...]


class Opened(Answer, frozen=True, kw_only=True):
    """The statistic's id, or why it cannot be opened (the object and the fix)."""

    id: int | None = None
    error: str | None = None


class OpenedMany(Answer, frozen=True, kw_only=True):
    """Results in the order of the request."""

    items: tuple[Opened, ...]


class StatisticRef(Request, frozen=True, kw_only=True):
    """Names an open statistic."""

    id: int


class Peek(Request, frozen=True, kw_only=True):
    """Values of many statistics at one position of the event stream."""

    ids: tuple[int, ...]


class MediaCapacity(Answer, frozen=True, kw_only=True):
    """An agent in one medium: interactions now (ringing, handled, wrap-up), the maximum, and readiness.

    `routable`: ready, not disturbed and below the capacity rule. `ready`: set ready by the agent.
    `ready_since`: since when routable without a break; absent while not.
    """

    current: int
    maximum: int
    ready: bool
    routable: bool
    ready_since: str | None = None


class AgentTargetState(Answer, frozen=True, kw_only=True):
    """CurrentTargetState of one logged-in agent. `ready_since`: the earliest of its media."""

    agent: str
    place: str | None = None
    ready_since: str | None = None
    media: dict[str, MediaCapacity]


class TargetState(Answer, frozen=True, kw_only=True):
    """CurrentTargetState of an agent or group: all logged-in members."""

    agents: tuple[AgentTargetState, ...]


class StatisticValue(Answer, frozen=True, kw_only=True):
    """A number, or the target state; `since` is the beginning of a total's counting."""

    id: int
    value: float | None = None
    state: TargetState | None = None
    since: str | None = None


class Peeked(Answer, frozen=True, kw_only=True):
    """Values in the order of the ids, all at one position; `at` is business time there."""

    items: tuple[StatisticValue, ...]
    position: str
    at: str
    is_live: bool = True


class StatisticChanges(Answer, frozen=True, kw_only=True):
    """Notice of ChangesBased statistics: `changed` members replace, `removed` members leave."""

    id: int
    changed: tuple[AgentTargetState, ...] = ()
    removed: tuple[str, ...] = ()
    value: float | None = None
    position: str


class StreamStatistics(Request, frozen=True, kw_only=True):
    """Subscribes to the ChangesBased statistics among the ids: first a full notice each, then changes."""

    ids: tuple[int, ...]


class StatisticsSubscribed(Answer, frozen=True, kw_only=True):
    """The subscription's number."""

    subscription: int
    position: str


class NodePosition(Answer, frozen=True, kw_only=True):
    """How far one interaction node's events are taken, and how many of them were counted ever."""

    node: int
    last_event_id: int
    events: int


class StreamPosition(Answer, frozen=True, kw_only=True):
    """What the Stat Server has taken from the reporting streams; `is_live` false while it catches up."""

    nodes: tuple[NodePosition, ...]
    events: int
    position: str
    is_live: bool


OPERATIONS = collect(
    (
        Operation(name="statistic.open", request=OpenStatistics, answer=OpenedMany, right=("statistic", "read"), idempotency="by_nature", size_class="large", http=HttpRoute("POST", "/v1/statistics"), summary="Opens statistics; the same definition gives the same id."),
        Operation(name="statistic.get", request=StatisticRef, answer=StatisticValue, right=("statistic", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/statistics/{id}"), summary="The value of one statistic."),
        Operation(name="statistic.peek", request=Peek, answer=Peeked, right=("statistic", "read"), idempotency="by_nature", size_class="large", http=HttpRoute("POST", "/v1/statistics/peek"), summary="Values of many statistics at one position."),
        Operation(name="statistic.close", request=StatisticRef, answer=Done, right=("statistic", "read"), idempotency="by_nature", http=HttpRoute("DELETE", "/v1/statistics/{id}"), summary="Closes a statistic."),
        Operation(name="statistic.stream", request=StreamStatistics, answer=StatisticsSubscribed, right=("statistic", "read"), stream=True, size_class="large", http=HttpRoute("WS", "/v1/statistics/stream"), summary="Changes of ChangesBased statistics."),
        Operation(name="stat.position", request=Nothing, answer=StreamPosition, right=("statistic", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/position"), summary="How far the reporting streams are taken, and how many events were counted."),
    )
)  # fmt: skip
NOTICES: dict[str, type[Answer]] = {"statistic.stream": StatisticChanges}
