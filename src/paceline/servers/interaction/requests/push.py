"""Pushing to routers: each attached session gets the best of its views while it has credit.

Through the same heads as a pull, so that the view's order and its segments are kept between both.
"""

import asyncio
import math
from collections.abc import Sequence

from paceline.errors.failure import PacelineError
from paceline.model.configuration import OptionValue
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.log import get_log
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.view_head import ViewHead
from paceline.servers.interaction.requests.lane import PAUSE_S, NodeLane, actor_of
from paceline.servers.interaction.requests.pull import pause_s, to_router
from paceline.servers.interaction.requests.sessions import RouterSessions
from paceline.servers.interaction.rules.submission_rate import Bucket, per_second
from paceline.storage.database import DatabaseError
from paceline.wire.call import Call, Handlers, Peer
from paceline.wire.operation import Done
from paceline.wire.operations.push import Attach, Attached, Detach, RouteRequest

BATCH = 100
"""Most interactions pushed in one turn of the lane, so that several views take turns (chosen)."""

ENDED = frozenset({"shutting_down", "stale_epoch"})

_log = get_log("interaction.push")


class PushRequests:
    """Handlers of router.attach and router.detach. `server` names the section of routers' options."""

    def __init__(self, lane: NodeLane, sessions: RouterSessions, server: str) -> None:
        self._lane = lane
        self._sessions = sessions
        self._server = server
        self._attached: dict[str, _Attachment] = {}

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {"router.attach": self.attach, "router.detach": self.detach}

    async def attach(self, call: Call, request: Attach) -> Attached:
        """Begins to push, or goes on with other views or another credit."""
        peer = call.needs_peer("router.attach")
        tenant = call.tenant_of(request.tenant)
        node = self._lane.node
        for view in request.views:
            node.views.named(tenant, view)
        self._sessions.of(call)
        found = self._attached.get(peer.session_id)
        if found is None:
            found = _Attachment(self._lane, peer, actor_of(call), self._server, call.client)
            self._attached[peer.session_id] = found
            peer.on_close(lambda: self._end(peer.session_id))
            node.on_freed[peer.session_id] = found.wake.set
            self._lane.start("push to a router", found.run())
        found.tenant, found.views, found.credit = tenant, request.views, request.credit
        found.wake.set()
        return Attached(views=request.views, credit=request.credit, held=found.held)

    async def detach(self, call: Call, request: Detach) -> Done:
        """Ends pushing; a session that is not attached is no matter."""
        self._end(call.needs_peer("router.detach").session_id)
        return Done()

    def options_changed(self) -> None:
        """Rates and limits are looked up anew."""
        for attachment in self._attached.values():
            attachment.wake.set()

    def _end(self, session: str) -> None:
        found = self._attached.pop(session, None)
        if found is not None:
            self._lane.node.on_freed.pop(session, None)
            found.is_open = False
            found.wake.set()


class _Attachment:
    """One session that is pushed to."""

    def __init__(self, lane: NodeLane, peer: Peer, actor: str, server: str, router: str) -> None:
        self.tenant = 1
        self.views: Sequence[str] = ()
        self.credit = 0
        self.is_open = True
        self.wake = asyncio.Event()
        self._lane = lane
        self._peer = peer
        self._actor = actor
        self._server = server
        self._router = router
        self._bucket = Bucket(lane.node.times.machine.monotonic())

    @property
    def held(self) -> int:
        """What the session holds now."""
        return len(self._lane.node.held.get(self._peer.session_id, ()))

    async def run(self) -> None:
        """Pushes until the session ends or is detached."""
        machine = self._lane.node.times.machine
        while self.is_open and not self._lane.is_closed:
            self.wake.clear()
            rate, most = self._limits()
            room = min(self.credit, most or self.credit) - self.held
            allowed = self._bucket.allowed(rate, room, machine.monotonic()) if room > 0 else 0
            if room <= 0:
                await self.wake.wait()
            elif allowed == 0:
                await self._sleep(self._bucket.wait_s(rate))
            else:
                await self._serve(allowed, rate)

    async def _serve(self, allowed: int, rate: float | None) -> None:
        """One round over the views; sleeps when they had nothing."""
        heads = self._heads()
        arrivals = [self._lane.node.views.arrival(head.view_id) for _, head in heads]
        pushed = 0
        try:
            for view, head in heads:
                if pushed < allowed and self.is_open:
                    pushed += await self._push(view, head, min(BATCH, allowed - pushed))
            self._bucket.spend(rate, pushed)
            if not pushed:
                waits = [pause_s(self._lane, head) for _, head in heads]
                await self._sleep(min(waits, default=math.inf), arrivals)
        except (PacelineError, DatabaseError) as error:
            if isinstance(error, PacelineError) and error.name in ENDED:
                self.is_open = False
                return
            _log.warning("pushing is tried again", router=self._router, why=str(error))
            await self._lane.node.times.machine.sleep(PAUSE_S)
        finally:
            for arrival in arrivals:
                arrival.cancel()
        self.views = (*self.views[1:], *self.views[:1])  # each view is first in its turn

    def _heads(self) -> list[tuple[str, ViewHead]]:
        """The views that can be read; one that is gone meanwhile is a finding of the server."""
        found = []
        for view in self.views:
            try:
                found.append((view, self._lane.node.views.named(self.tenant, view)))
            except PacelineError:
                continue
        return found

    async def _push(self, view: str, head: ViewHead, count: int) -> int:
        session = self._peer.session_id

        def apply(node: NodeState) -> int:
            if session not in node.routers or not self.is_open:
                return 0
            current = node.views.named(self.tenant, view)
            rows = [node.row((self.tenant, each)) for each in current.first(count)]
            current.take(len(rows))
            for row in rows:
                taken = to_router(node, row, session, self._actor, current.view_id)
                self._tell(node, RouteRequest(view=view, interaction=taken))
            return len(rows)

        pushed: int = await self._lane.attempt(Work(apply, pull=(head, count)))
        return pushed

    def _tell(self, node: NodeState, notice: RouteRequest) -> None:
        node.after_commit(lambda: self._peer.notify("router.route_request", notice))

    async def _sleep(self, seconds: float, arrivals: Sequence["asyncio.Future[None]"] = ()) -> None:
        """Until the session has room, something may have arrived, or the time is over."""
        for arrival in arrivals:
            arrival.add_done_callback(self._arrived)
        try:
            async with asyncio.timeout(None if seconds == math.inf else seconds):
                await self.wake.wait()
        except TimeoutError:
            return

    def _arrived(self, arrival: "asyncio.Future[None]") -> None:
        if not arrival.cancelled():  # given up after a round: no reason for the next one
            self.wake.set()

    def _limits(self) -> tuple[float | None, int]:
        """Rate per second, and the most at once (0 = no limit), of the router's object or by default."""
        settings = self._lane.settings.current
        snapshot = self._lane.node.snapshot
        rate = _option(snapshot, self._router, self._server, "max-submission-rate")
        most = _option(snapshot, self._router, self._server, "max-submitted-interactions")
        default = settings["settings", "default-max-submission-rate"]
        if most is None:
            most = settings.integer("settings", "default-max-submitted-per-router")
        return _rate(rate, default if isinstance(default, str) else None), _number(most)


def _option(
    snapshot: ConfigurationSnapshot, router: str, section: str, key: str
) -> OptionValue | None:
    try:
        return snapshot.application(router)[1].option(section, key)
    except PacelineError:
        return None


def _rate(value: OptionValue | None, default: str | None) -> float | None:
    for text in (value, default):
        if text is None:
            continue
        try:
            return per_second(str(text))
        except ValueError as mistake:
            _log.warning("a rate is ignored", why=str(mistake))
    return None


def _number(value: OptionValue) -> int:
    text = str(value).strip()
    return min(50_000, int(text)) if text.isdecimal() else 0
