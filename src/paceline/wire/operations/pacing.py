"""Operations of the Pacing Server: targets with permits and reasons, stop and resume, cluster state."""

from paceline.wire.operation import Answer, Done, HttpRoute, Operation, Request, Verb, collect


class TargetList(Request, frozen=True, kw_only=True):
    """A page of a list."""

    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class TargetRow(Answer, frozen=True, kw_only=True):
    """A pacing target after the last cycle. `reason` is the enum's name in lower case; `reason_text` in words."""

    name: str
    virtual_queue: str
    media_type: str
    agent_groups: tuple[str, ...]
    permits: int
    reason: str
    reason_text: str
    goal_percent: float
    abandonment_percent: float | None = None
    ready: float | None = None
    busy: float | None = None
    waiting: float | None = None
    pending: float | None = None
    accepted: float | None = None
    abandoned: float | None = None
    utilization: float | None = None
    acceptance: float | None = None
    forecast_abandonment_percent: float | None = None
    is_stopped: bool = False


class TargetPage(Answer, frozen=True, kw_only=True):
    """Targets by name; `epoch` and `sequence` are the master's."""

    items: tuple[TargetRow, ...]
    continuation: str | None = None
    complete: bool = True
    epoch: int = 0
    sequence: int = 0


class TargetRef(Request, frozen=True, kw_only=True):
    """Names a target, such as `Proactive Chat - chat`."""

    name: str
    tenant: int | None = None


class TargetDetail(Answer, frozen=True, kw_only=True):
    """A target with the inputs of its last cycle and the pacer's diagnostics."""

    target: TargetRow
    inputs: dict[str, float | None]
    diagnostics: dict[str, float | None]
    epoch: int
    sequence: int


class HistoryRow(Answer, frozen=True, kw_only=True):
    """A past cycle of a target."""

    sequence: int
    at: str
    permits: int
    reason: str
    ready: float | None = None
    busy: float | None = None
    waiting: float | None = None
    pending: float | None = None


class History(Answer, frozen=True, kw_only=True):
    """The last cycles, oldest first."""

    items: tuple[HistoryRow, ...]
    complete: bool = True


class Everything(Request, frozen=True, kw_only=True):
    """All targets of the cluster."""

    tenant: int | None = None


class PacingNode(Answer, frozen=True, kw_only=True):
    """A node of the cluster; epoch and sequence of what it sent last, 0 where that is not known."""

    name: str
    is_master: bool
    epoch: int
    sequence: int


class Cluster(Answer, frozen=True, kw_only=True):
    """Who is master, and the state of the last cycle; the node that answers is the first.

    A node that is not the master tells what the master saved last, at most twelve cycles ago.
    """

    cluster: str
    epoch: int
    sequence: int
    is_stopped: bool
    last_cycle_at: str | None = None
    last_round_trip_ms: float | None = None
    nodes: tuple[PacingNode, ...] = ()


class StreamTargets(Request, frozen=True, kw_only=True):
    """Subscribes to a window of the targets: first the window, then what changes in it each cycle."""

    filter: str = ""
    sort: str = "name"
    first: int = 0
    count: int = 100
    fields: tuple[str, ...] = ()


class TargetsSubscribed(Answer, frozen=True, kw_only=True):
    """The subscription's number."""

    subscription: int
    sequence: int


class TargetsNotice(Answer, frozen=True, kw_only=True):
    """Notice of the stream: rows of the window that changed, and how many targets match in all."""

    items: tuple[TargetRow, ...]
    removed: tuple[str, ...] = ()
    total: int
    epoch: int
    sequence: int


_T = "/v1/targets/{name}"
_EXECUTE: tuple[str, Verb] = ("pacing", "execute")

OPERATIONS = collect(
    (
        Operation(name="target.list", request=TargetList, answer=TargetPage, right=("pacing", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/targets"), summary="All targets with permits and reasons."),
        Operation(name="target.get", request=TargetRef, answer=TargetDetail, right=("pacing", "read"), idempotency="by_nature", http=HttpRoute("GET", _T), summary="One target: inputs, permits, reason, forecast."),
        Operation(name="target.history", request=TargetRef, answer=History, right=("pacing", "read"), idempotency="by_nature", http=HttpRoute("GET", _T + "/history"), summary="The target's last cycles."),
        Operation(name="target.stop", request=TargetRef, answer=Done, right=_EXECUTE, idempotency="by_nature", audited=True, http=HttpRoute("POST", _T + "/stop"), summary="No permits for this target until it is resumed."),
        Operation(name="target.resume", request=TargetRef, answer=Done, right=_EXECUTE, idempotency="by_nature", audited=True, http=HttpRoute("POST", _T + "/resume"), summary="Permits for this target again."),
        Operation(name="pacing.stop", request=Everything, answer=Done, right=_EXECUTE, idempotency="by_nature", audited=True, http=HttpRoute("POST", "/v1/stop"), summary="No permits for any target until resumed."),
        Operation(name="pacing.resume", request=Everything, answer=Done, right=_EXECUTE, idempotency="by_nature", audited=True, http=HttpRoute("POST", "/v1/resume"), summary="Permits again."),
        Operation(name="cluster.get", request=Everything, answer=Cluster, right=("pacing", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/cluster"), summary="Master, epoch, sequence."),
        Operation(name="target.stream", request=StreamTargets, answer=TargetsSubscribed, right=("pacing", "read"), stream=True, http=HttpRoute("WS", "/v1/targets/stream"), summary="A window of targets, then its changes."),
    )
)  # fmt: skip
NOTICES: dict[str, type[Answer]] = {"target.stream": TargetsNotice}
