"""A made-up site around a console: every server answers what a test tells it to, over memory links."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.configuration import AgentGroup, Person
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times, virtual_times
from paceline.sdk import (
    ConfigurationServerClient,
    EngagementEngineClient,
    InteractionServerClient,
    MessageServerClient,
    PacingServerClient,
    RouterClient,
    StatServerClient,
)
from paceline.servers.console.links.servers import Servers
from paceline.servers.console.options import OPTIONS
from paceline.servers.console.server import ConsoleServer
from paceline.units.quantities import Millis
from paceline.wire.call import Call, Handlers, Peer, Principal
from paceline.wire.open_route import OpenRequest, OpenResponse
from paceline.wire.operations import (
    configuration,
    engagement,
    event,
    everywhere,
    interaction,
    message,
    pacing,
    router,
    statistic,
)
from tests.fakes.configuration import FixedConfiguration, SnapshotBuilder
from tests.fakes.served import Served

OPENING = Millis(1_700_000_000_000)
PASSWORD = "correct horse"
PEOPLE = {"vera": "supervisor", "otto": "agent", "admin": "administrator"}

CLUSTER = pacing.Cluster(
    cluster="pacing-cluster",
    epoch=4,
    sequence=17,
    is_stopped=False,
    nodes=(pacing.PacingNode(name="pacing-1", is_master=True, epoch=4, sequence=17),),
)


def target(virtual_queue: str, **fields: Any) -> pacing.TargetRow:
    """A pacing target that does well, unless `fields` say else."""
    known: dict[str, Any] = {
        "name": f"{virtual_queue} - chat",
        "virtual_queue": virtual_queue,
        "media_type": "chat",
        "agent_groups": ("Chat agents",),
        "permits": 3,
        "reason": "forecast",
        "reason_text": "the forecast of free agents allows these",
        "goal_percent": 3.0,
    }
    return pacing.TargetRow(**{**known, **fields})


def media(current: int, *, ready: bool, maximum: int = 1) -> statistic.MediaCapacity:
    """An agent's load in one medium; routable when ready and below the maximum."""
    return statistic.MediaCapacity(
        current=current, maximum=maximum, ready=ready, routable=ready and current < maximum
    )


def happened(number: int, name: str, **fields: Any) -> event.Event:
    """A reporting event."""
    data = msgspec.Raw(msgspec.json.encode(fields.pop("data", {})))
    return event.Event(
        position=f"1:{number}",
        node=1,
        event_id=number,
        name=name,
        at="2023-11-14T22:13:20.000Z",
        tenant=1,
        actor="test",
        data=data,
        **fields,
    )


@dataclass
class FakeSite:
    """What the servers answer. `refused` names operations that fail now."""

    targets: list[pacing.TargetRow] = field(default_factory=lambda: [target("Proactive Chat")])
    engaged: list[engagement.EngagementTarget] = field(default_factory=list)
    queues: list[interaction.QueueRow] = field(default_factory=list)
    views: list[interaction.ViewRow] = field(default_factory=list)
    virtual_queues: list[router.VirtualQueueRow] = field(default_factory=list)
    states: dict[str, statistic.TargetState] = field(default_factory=dict)
    alarms: list[message.Alarm] = field(default_factory=list)
    statuses: list[configuration.ApplicationStatus] = field(default_factory=list)
    findings: dict[str, list[everywhere.FindingRow]] = field(default_factory=dict)
    cluster: pacing.Cluster = CLUSTER
    is_live: bool = True
    opened: int = 0
    refused: set[str] = field(default_factory=set)
    peers: list[tuple[Peer, int]] = field(default_factory=list)
    _statistics: dict[int, str] = field(default_factory=dict)

    def tell(self, *events: event.Event) -> None:
        """Sends events to whoever follows the stream."""
        notice = event.EventNotice(items=events, position=events[-1].position)
        for peer, number in self.peers:
            peer.notify("event.stream", notice, subscription=number)

    def forget_statistics(self) -> None:
        """As after a restart of the Stat Server: no id is known any more."""
        self._statistics.clear()

    def handlers(self, kind: str) -> Handlers:
        """The operations of one server that a console asks."""
        findings = everywhere.Findings
        answers: dict[str, dict[str, Any]] = {
            "configuration": {
                "application.status": lambda: configuration.StatusPage(items=tuple(self.statuses))
            },
            "message": {"alarm.list": None},
            "interaction": {
                "queue.list": lambda: interaction.QueuePage(items=tuple(self.queues)),
                "view.list": lambda: interaction.ViewPage(items=tuple(self.views)),
            },
            "stat": {},
            "router": {
                "virtual_queue.list": lambda: router.VirtualQueuePage(
                    items=tuple(self.virtual_queues)
                )
            },
            "pacing": {
                "target.list": lambda: pacing.TargetPage(items=tuple(self.targets)),
                "cluster.get": lambda: self.cluster,
            },
            "engagement": {
                "engagement_target.list": lambda: engagement.EngagementTargetPage(
                    items=tuple(self.engaged)
                )
            },
        }
        plain = answers[kind] | {
            "server.findings": lambda: findings(items=tuple(self.findings.get(kind, ())))
        }
        special: Handlers = {
            "alarm.list": self._alarms,
            "session.login": self._login,
            "event.stream": self._stream,
            "statistic.open": self._open,
            "statistic.peek": self._peek,
        }
        own = {
            "configuration": ("session.login",),
            "message": ("alarm.list",),
            "interaction": ("event.stream",),
            "stat": ("statistic.open", "statistic.peek"),
        }.get(kind, ())
        simple = {name: self._simple(name, make) for name, make in plain.items() if make}
        return simple | {name: special[name] for name in own}

    def _simple(self, name: str, make: Any) -> Any:
        async def handle(_call: Call, _request: Any) -> Any:
            self._may_refuse(name)
            return make()

        return handle

    def _may_refuse(self, name: str) -> None:
        if name in self.refused:
            raise PacelineError("internal_error", f"{name} is broken")

    async def _alarms(self, _call: Call, request: message.ListAlarms) -> message.AlarmPage:
        items = [alarm for alarm in self.alarms if request.all or alarm.cleared_at is None]
        return message.AlarmPage(items=tuple(items[: request.limit]))

    async def _login(self, _call: Call, request: configuration.Login) -> configuration.Token:
        if request.user not in PEOPLE or request.password != PASSWORD:
            raise PacelineError("unauthenticated", "user or password is wrong")
        return configuration.Token(token=f"token of {request.user}", expires_in_s=900)

    async def _stream(self, call: Call, _request: event.StreamEvents) -> event.Subscribed:
        peer = call.needs_peer("event.stream")
        number = peer.open_subscription(self.peers.clear)
        self.peers.append((peer, number))
        return event.Subscribed(subscription=number)

    async def _open(self, _call: Call, request: statistic.OpenStatistics) -> statistic.OpenedMany:
        self.opened += 1
        results = []
        for item in request.items:
            known = {name: number for number, name in self._statistics.items()}
            number = known.get(item.object, self.opened * 100 + len(self._statistics))
            self._statistics[number] = item.object
            results.append(statistic.Opened(id=number))
        return statistic.OpenedMany(items=tuple(results))

    async def _peek(self, _call: Call, request: statistic.Peek) -> statistic.Peeked:
        if any(number not in self._statistics for number in request.ids):
            raise PacelineError("not_found", "a statistic is not open; open it again", field="ids")
        items = tuple(
            statistic.StatisticValue(
                id=number,
                state=self.states.get(self._statistics[number], statistic.TargetState(agents=())),
            )
            for number in request.ids
        )
        return statistic.Peeked(
            items=items, position="1:1", at="2023-11-14T22:13:20.000Z", is_live=self.is_live
        )


def verify(token: str) -> Principal:
    """The principal of a fake login's token."""
    name = token.removeprefix("token of ")
    groups = (PEOPLE[name],)
    return Principal(name=name, kind="person", tenants=(1,), access_groups=groups)


def people() -> SnapshotBuilder:
    """The persons of PEOPLE and one agent group."""
    builder = SnapshotBuilder()
    for name, group in PEOPLE.items():
        builder.add("persons", name, Person(access_groups=(group,)))
    builder.add("agent-groups", "Chat agents", AgentGroup(origination_dns=("Proactive Chat",)))
    return builder


@dataclass
class Opened:
    """A started console with its site, and a browser that keeps its cookie."""

    site: FakeSite
    console: ConsoleServer
    configuration: FixedConfiguration
    settings: LiveSettings
    times: Times
    served: dict[str, Served]
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(
        self,
        method: str,
        address: str,
        *,
        form: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> OpenResponse:
        """A browser's request; the cookie it gets is sent with the next ones."""
        path, _, query = address.partition("?")
        route, values = self._route(method, path)
        request = OpenRequest(
            method=method,
            path=path,
            query=dict(pair.split("=", 1) for pair in query.split("&") if pair),
            headers={"host": "localhost:8080", **(headers or {})},
            cookies=dict(self.cookies),
            path_values=values,
            body=urlencode(form or {}).encode(),
        )
        answer: OpenResponse = await route(request)
        cookie = answer.headers.get("set-cookie")
        if cookie is not None:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    async def log_in(self, user: str = "vera", password: str = PASSWORD) -> OpenResponse:
        """The login form, sent."""
        return await self.ask("POST", "/login", form={"user": user, "password": password})

    async def picture(self) -> dict[str, Any]:
        """The live feed's picture."""
        answer = await self.ask("GET", "/live.json")
        assert answer.status == 200
        decoded: dict[str, Any] = msgspec.json.decode(answer.body)
        return decoded

    def _route(self, method: str, path: str) -> tuple[Any, dict[str, str]]:
        for item in self.console.open_routes:
            prefix, brace, name = item.path.partition("{")
            if item.method == method and (path == prefix or (brace and path.startswith(prefix))):
                return item.handler, {name.rstrip("}"): path.removeprefix(prefix)} if brace else {}
        raise AssertionError(f"no open route {method} {path}")


async def _clients(served: dict[str, Served], without: frozenset[str]) -> Servers:
    kinds: dict[str, tuple[str, Any]] = {
        "configuration": ("configuration", ConfigurationServerClient),
        "message": ("messages", MessageServerClient),
        "interaction": ("interactions", InteractionServerClient),
        "stat": ("statistics", StatServerClient),
        "router": ("router", RouterClient),
        "pacing": ("pacing", PacingServerClient),
        "engagement": ("engagement", EngagementEngineClient),
    }
    clients = {
        field_name: client(await served[kind].connect("console-1"))
        for kind, (field_name, client) in kinds.items()
        if kind not in without
    }
    return Servers(**clients)


@asynccontextmanager
async def opened(
    site: FakeSite | None = None,
    *,
    without: frozenset[str] = frozenset(),
    times: Times | None = None,
    options: dict[str, Any] | None = None,
) -> AsyncIterator[Opened]:
    """A console on a fake site, started; `without` names servers it has no connection to."""
    site = site or FakeSite()
    times = times or virtual_times(OPENING)
    kinds = ("configuration", "message", "interaction", "stat", "router", "pacing", "engagement")
    served = {kind: Served(kind, site.handlers(kind), times) for kind in kinds}
    source = FixedConfiguration(people().build())
    settings = LiveSettings(OPTIONS, {"console": options or {}})
    console = ConsoleServer(
        name="console-1",
        settings=settings,
        times=times,
        configuration=source,
        servers=await _clients(served, without),
        verify=verify,
        metrics=Metrics("console"),
    )
    try:
        async with console:
            yield Opened(site, console, source, settings, times, served)
    finally:
        for one in served.values():
            await one.close()
