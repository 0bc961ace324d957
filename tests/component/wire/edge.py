"""A server whose handlers do what the tests need, and a client that speaks raw frames."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.runtime.metrics import Metrics
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import virtual_times
from paceline.units.quantities import Millis
from paceline.wire.call import Call, Handlers, Peer, Principal
from paceline.wire.link import MemoryLink
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.event import EventNotice, StreamEvents, Subscribed
from paceline.wire.operations.everywhere import Nothing, Ready
from paceline.wire.operations.interaction import (
    PlaceInQueue,
    Pull,
    Pulled,
    StateAnswer,
    Stop,
    Submit,
    Submitted,
)
from paceline.wire.server.session import ServerSession
from paceline.wire.server.surface import Surface

Reply = dict[str, Any]

PRINCIPALS = {
    "admin": Principal(name="ada", kind="person", tenants=(), access_groups=("administrator",)),
    "agent": Principal(name="ana", kind="person", access_groups=("agent",)),
    "auditor": Principal(name="otto", kind="person", access_groups=("auditor",)),
    "router": Principal(name="router", kind="application", access_groups=("server",)),
    "nobody": Principal(name="nora", kind="person"),
}
"""Token to caller. Only the administrator may act for other tenants than 1."""


def verify(token: str) -> Principal:
    """The principal of a token of the table."""
    if token not in PRINCIPALS:
        raise PacelineError("unauthenticated", "the token is not valid; log in first")
    return PRINCIPALS[token]


class Edge:
    """The server. `stop` fails as its reason says, `pull` holds for ever, `place` waits for its gate."""

    def __init__(self) -> None:
        self.times = virtual_times(Millis(1_769_846_400_000))
        self.is_ready = True
        self.calls: list[Call] = []
        self.requests: list[Any] = []
        self.cancelled: list[str] = []
        self.gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.subscribers: list[tuple[Peer, int]] = []
        self.ended: list[int] = []
        handlers: Handlers = {
            "server.ready": self._ready,
            "interaction.submit": self._submit,
            "interaction.stop": self._stop,
            "interaction.place_in_queue": self._place,
            "view.pull": self._pull,
            "event.stream": self._stream,
        }
        self.surface = Surface(
            kind="interaction",
            name="edge",
            handlers=dict.fromkeys(OPERATIONS_OF["interaction"], self._other) | handlers,
            verify=verify,
            times=self.times,
            metrics=Metrics("interaction"),
        )
        self.tasks = TaskGroup("edge", self._fail)

    def connect(self) -> "RawClient":
        """A client at the other end of a session that has not said hello."""
        near, far = MemoryLink.pair()
        self.tasks.start("session", ServerSession(self.surface, far).run())
        return RawClient(near)

    async def welcome(self, token: str = "admin", kind: str = "operator") -> "RawClient":
        """A client whose hello was taken."""
        client = self.connect()
        await client.hello(token=token, client_kind=kind)
        return client

    async def _other(self, call: Call, request: Any) -> Any:
        raise AssertionError("this operation is not part of the test")

    async def _ready(self, call: Call, request: Nothing) -> Ready:
        return Ready(ready=self.is_ready, reason="" if self.is_ready else "no database")

    async def _submit(self, call: Call, request: Submit) -> Submitted:
        self.calls.append(call)
        self.requests.append(request)
        call.tenant_of(request.tenant)
        return Submitted(
            interaction_id=request.interaction_id or "new",
            state="queued",
            queue=request.queue,
            submit_seq=len(self.requests),
        )

    async def _stop(self, call: Call, request: Stop) -> StateAnswer:
        self.calls.append(call)
        self.requests.append(request)
        if request.reason == "fault":
            raise ZeroDivisionError("a fault of the server")
        if request.reason is not None:
            raise PacelineError(request.reason, "refused", field="reason", retry_after_s=2.5)
        return StateAnswer(interaction_id=request.interaction_id, state="stopped")

    async def _place(self, call: Call, request: PlaceInQueue) -> StateAnswer:
        await self.gates[request.interaction_id].wait()
        return StateAnswer(interaction_id=request.interaction_id, state="queued")

    async def _pull(self, call: Call, request: Pull) -> Pulled:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.append(request.view)
            raise
        return Pulled(interactions=())

    async def _stream(self, call: Call, request: StreamEvents) -> Subscribed:
        peer = call.needs_peer("event.stream")
        number = peer.open_subscription(lambda: self.ended.append(number))
        self.subscribers.append((peer, number))
        peer.notify("event.stream", EventNotice(items=(), position="early"), subscription=number)
        return Subscribed(subscription=number, position="0")

    def _fail(self, reason: str) -> None:
        raise AssertionError(reason)


class RawClient:
    """Sends frames as they are; `replies` gives what comes back, message by message."""

    def __init__(self, link: MemoryLink) -> None:
        self.link = link
        self._read: list[Reply] = []

    async def send(self, *messages: dict[str, Any]) -> None:
        """One frame with these messages."""
        await self.link.send(msgspec.json.encode(messages))

    async def hello(self, **changes: Any) -> Reply:
        """Says hello and gives the answer."""
        body = {"protocol": "1.0", "token": "admin", "client": "raw", "client_kind": "operator"}
        await self.send({"ref": 1, "op": "session.hello", "body": body | changes})
        answer = await self.next()
        assert answer is not None
        return answer

    async def ask(self, op: str, body: dict[str, Any] | None = None, ref: int = 2) -> Reply:
        """Sends one request and gives the next reply."""
        await self.send({"ref": ref, "op": op, "body": body or {}})
        answer = await self.next()
        assert answer is not None
        return answer

    async def next(self) -> Reply | None:
        """The next message; None when the session has ended."""
        while not self._read:
            frame = await self.link.receive()
            if frame is None:
                return None
            self._read = msgspec.json.decode(frame)
        return self._read.pop(0)


@asynccontextmanager
async def running_edge() -> AsyncIterator[Edge]:
    """The server, and the end of all its sessions."""
    edge = Edge()
    try:
        yield edge
    finally:
        await edge.tasks.aclose()
