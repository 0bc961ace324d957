"""The server's end of a session: hello, requests out of order, notices in order, bounded both ways.

Works over any link. Requests whose handler gives a future cost no task. A reader too slow for its
notices loses the subscription with `resync_required`, never a part of it silently.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from paceline.errors.failure import PacelineError
from paceline.runtime.ids import request_id
from paceline.runtime.log import get_log, log_context
from paceline.runtime.tasks import TaskGroup
from paceline.wire.access import is_bound_agent, may_as, require_own_agent
from paceline.wire.call import ANYONE, Call, Principal
from paceline.wire.frames import (
    HEARTBEAT_S,
    MAX_FRAME_BYTES,
    MAX_IN_FLIGHT,
    PROTOCOL,
    Message,
    decode_messages,
    encode,
    error_bytes,
    notice_bytes,
    result_bytes,
)
from paceline.wire.link import Link
from paceline.wire.once import checked_key
from paceline.wire.operation import ALL_CLIENT_KINDS, Answer, ClientKind
from paceline.wire.operations.event import ResyncRequired
from paceline.wire.operations.everywhere import Hello, Welcome
from paceline.wire.schema import decode_request
from paceline.wire.server.dispatch import Entry, decode_body
from paceline.wire.server.in_time import in_time
from paceline.wire.server.surface import Surface

HELLO_TIMEOUT_S = 10.0
"""INTERFACES (session): without a hello the connection closes after 10 s."""

DEFAULT_TIMEOUT_S = 10.0
"""INTERFACES (deadlines)."""

TOKEN_CHECK_S = 30.0
"""How often a session's token is looked at again: how long a revoked one may go on (chosen)."""

MAX_UNSENT_BYTES = 16 * 1024 * 1024
"""Notices that wait for a slow reader; four of the largest frames (chosen)."""

ROOM_BYTES = 4 * 1024 * 1024
"""Below this a stream that can wait goes on: a slow reader costs no more; one of the largest frames."""

_log = get_log("session")


class ServerSession:
    """One client's session, from hello to the link's end; see `wire.call.Peer`."""

    def __init__(self, surface: Surface, link: Link) -> None:
        self.session_id: str = request_id()
        self.client = ""
        self.client_kind: ClientKind = "operator"
        self.principal: Principal = ANYONE
        self.tenant = 1
        self.extension: Mapping[str, int | str] = {}
        self.last_request_at = surface.times.machine.monotonic()
        self._surface = surface
        self._link = link
        self._allowed: dict[str, Entry] = {}
        self._is_bound_agent = False
        self._token = ""
        self._in_flight: dict[int, asyncio.Future[Any]] = {}
        self._out: list[bytes] = []
        self._unsent_bytes = 0
        self._has_output = asyncio.Event()
        self._may_read = asyncio.Event()
        self._may_read.set()
        self._room = asyncio.Event()
        self._room.set()
        self._subscriptions: dict[int, Callable[[], None]] = {}
        self._unanswered: dict[int, list[bytes]] = {}
        self._last_subscription = 0
        self._on_close: list[Callable[[], None]] = []
        self._tasks = TaskGroup(f"session {self.session_id}", self._fail)
        self._is_closed = False

    async def run(self) -> None:
        """Serves the session until its link ends; never raises."""
        self._tasks.start("writer", self._write())
        try:
            if await self._greet():
                self._tasks.start("token", self._watch_token())
                await self._read()
        except ConnectionError:
            pass
        finally:
            await self._end()

    # --- hello ----------------------------------------------------------------------------------

    async def _greet(self) -> bool:
        try:
            async with asyncio.timeout(HELLO_TIMEOUT_S):
                frame = await self._link.receive()
        except TimeoutError:
            return False
        if frame is None:
            return False
        self.last_request_at = self._surface.times.machine.monotonic()
        ref = 0
        try:
            messages = decode_messages(frame)
            if not messages or messages[0].op != "session.hello":
                raise PacelineError(
                    "invalid_attribute",
                    "the first message of a session is session.hello",
                    field="op",
                )
            ref = messages[0].ref
            hello: Hello = decode_request(Hello, messages[0].body, strict=False)
            self._welcome(ref, hello)
        except PacelineError as error:
            self._put(error_bytes(ref, error, request_id()))
            await self._flush_last()
            return False
        self.extension = hello.extension
        self._surface.on_session(self)
        for message in messages[1:]:
            self._request(message)
        return True

    async def _watch_token(self) -> None:
        """Ends the session when its token has expired or was revoked and no new one came."""
        while True:
            await self._surface.times.machine.sleep(TOKEN_CHECK_S)
            try:
                self._surface.principal(self._token)
            except PacelineError as error:
                _log.standard("session ended", client=self.client, why=error.message)
                await self._link.close()
                return

    def _renew(self, message: Message) -> None:
        """A second hello brings a new token for the same principal; everything else stays."""
        hello: Hello = decode_request(Hello, message.body, strict=False)
        principal = self._surface.principal(hello.token)
        if principal.name != self.principal.name or hello.client_kind != self.client_kind:
            raise PacelineError(
                "not_allowed", "a session belongs to who began it; open another one", field="token"
            )
        self._welcome(message.ref, hello)

    def _welcome(self, ref: int, hello: Hello) -> None:
        major = hello.protocol.partition(".")[0]
        if major != PROTOCOL.partition(".")[0]:
            raise PacelineError(
                "unsupported_operation", f"this server speaks protocol {PROTOCOL}", field="protocol"
            )
        if hello.client_kind not in ALL_CLIENT_KINDS:
            raise PacelineError(
                "invalid_attribute",
                f"client_kind is one of {', '.join(sorted(ALL_CLIENT_KINDS))}",
                field="client_kind",
            )
        principal = self._surface.principal(hello.token)
        kind: ClientKind = hello.client_kind
        if not may_as(kind, principal):
            raise PacelineError(
                "not_allowed", f"'{principal.name}' may not connect as {kind}", field="client_kind"
            )
        self.principal, self.client_kind = principal, kind
        self.client = hello.client or principal.name
        self.tenant = principal.tenants[0] if principal.tenants else 1
        self._allowed = self._surface.dispatch.allowed(principal, kind)
        self._is_bound_agent = is_bound_agent(principal)
        self._token = hello.token
        welcome = Welcome(
            protocol=PROTOCOL,
            node=self._surface.name,
            max_frame_bytes=MAX_FRAME_BYTES,
            max_in_flight=MAX_IN_FLIGHT,
            heartbeat_s=HEARTBEAT_S,
            resume=self.session_id,
        )
        self._put(result_bytes(ref, encode(welcome)))
        self._surface.sessions.add(self)

    # --- requests -------------------------------------------------------------------------------

    async def _read(self) -> None:
        while (frame := await self._link.receive()) is not None:
            try:
                messages = decode_messages(frame)
            except PacelineError as error:
                self._put(error_bytes(0, error, request_id()))
                await self._flush_last()
                return
            self.last_request_at = self._surface.times.machine.monotonic()
            for message in messages:
                self._request(message)
            await self._may_read.wait()

    def _request(self, message: Message) -> None:
        ref = message.ref
        if message.cancel:
            if (held := self._in_flight.get(ref)) is not None:
                held.cancel()
            return
        rid = request_id()
        try:
            if message.op == "session.hello":
                self._renew(message)
                return
            call, answer = self._begin(message, rid)
        except PacelineError as error:
            self._surface.refused(message.op, rid, error)
            self._put(error_bytes(ref, error, rid))
            return
        except Exception as error:  # noqa: BLE001 - the request's edge: told to the caller, logged once
            self._put(error_bytes(ref, self._surface.internal_error(message.op, rid, error), rid))
            return
        future = (
            answer if isinstance(answer, asyncio.Future) else self._task(call, message.op, answer)
        )
        self._in_flight[ref] = future
        future.add_done_callback(lambda done: self._answered(ref, message.op, rid, done))

    def _task(self, call: Call, op: str, answer: Awaitable[Any]) -> "asyncio.Future[Any]":
        with log_context(request_id=call.request_id):  # the task keeps it
            task = self._tasks.answering(op, in_time(call, op, answer))
        if isinstance(
            answer, Coroutine
        ):  # cancelled before its first step it would never be awaited
            task.add_done_callback(lambda _: answer.close())
        return task

    def _begin(self, message: Message, rid: str) -> tuple[Call, Awaitable[Any]]:
        entry = self._allowed.get(message.op)
        if entry is None:
            raise self._surface.dispatch.refusal(message.op, self.principal, self.client_kind)
        if message.ref in self._in_flight:
            raise PacelineError(
                "invalid_attribute", f"ref {message.ref} is still in work", field="ref"
            )
        self._surface.admission.enter(len(self._in_flight))
        body = decode_body(entry, message.body)
        if self._is_bound_agent:
            require_own_agent(self.principal, body)
        timeout = DEFAULT_TIMEOUT_S if message.timeout_s is None else message.timeout_s
        call = Call(
            principal=self.principal,
            tenant=self.tenant,
            client=self.client,
            client_kind=self.client_kind,
            request_id=rid,
            deadline=self.last_request_at + timeout,
            peer=self,
            idempotency_key=checked_key(message.idempotency_key),
        )
        return call, entry.handler(call, body)

    def _answered(self, ref: int, op: str, rid: str, done: "asyncio.Future[Any]") -> None:
        self._in_flight.pop(ref, None)
        if self._is_closed:
            if not done.cancelled():
                done.exception()
            return
        if done.cancelled():
            error = PacelineError("deadline_exceeded", f"{op} was cancelled")
            self._put(error_bytes(ref, error, rid))
            return
        failure = done.exception()
        if failure is None:
            self._put(result_bytes(ref, encode(done.result())))
            if self._unanswered:
                self._release_notices(done.result())
        elif isinstance(failure, PacelineError):
            self._surface.refused(op, rid, failure)
            self._put(error_bytes(ref, failure, rid))
        else:
            self._put(error_bytes(ref, self._surface.internal_error(op, rid, failure), rid))

    # --- notices --------------------------------------------------------------------------------

    def notify(self, name: str, body: Answer, *, subscription: int | None = None) -> None:
        """Queues a notice; see `wire.call.Peer`."""
        self.notify_encoded(name, encode(body), subscription=subscription)

    def notify_encoded(self, name: str, body: bytes, *, subscription: int | None = None) -> bool:
        """Queues a notice whose body is JSON already; False when the reader was too slow for it.

        Notices of a subscription whose opening is not answered yet follow that answer: before it
        the client does not know their number and would drop them.
        """
        if self._is_closed:
            return False
        if subscription is not None and self._unsent_bytes > MAX_UNSENT_BYTES:
            self.resync(subscription, None)
            return False
        notice = notice_bytes(name, body, subscription)
        if self._unanswered and (early := self._unanswered.get(subscription or 0)) is not None:
            early.append(notice)
        else:
            self._put(notice)
        return True

    @property
    def has_room(self) -> bool:
        """See `wire.call.Peer`."""
        return self._unsent_bytes < ROOM_BYTES

    async def wait_for_room(self) -> None:
        """See `wire.call.Peer`."""
        while not self.has_room and not self._is_closed:
            self._room.clear()
            await self._room.wait()

    def resync(self, subscription: int, position: str | None) -> None:
        """Ends a subscription whose reader is too slow; see `wire.call.Peer`."""
        self.close_subscription(subscription)
        told = encode(ResyncRequired(subscription=subscription, position=position))
        self._put(notice_bytes("resync_required", told, subscription))

    def _release_notices(self, answer: Any) -> None:
        for notice in self._unanswered.pop(getattr(answer, "subscription", 0), ()):
            self._put(notice)

    def open_subscription(self, on_close: Callable[[], None]) -> int:
        """A new subscription's number; `on_close` runs once when it or the session ends."""
        self._last_subscription += 1
        self._subscriptions[self._last_subscription] = on_close
        self._unanswered[self._last_subscription] = []
        return self._last_subscription

    def close_subscription(self, subscription: int) -> None:
        """Ends a subscription; twice is fine."""
        self._unanswered.pop(subscription, None)
        if (on_close := self._subscriptions.pop(subscription, None)) is not None:
            on_close()

    def on_close(self, callback: Callable[[], None]) -> None:
        """Runs `callback` once when the session ends; at once when it has ended."""
        if self._is_closed:
            callback()
        else:
            self._on_close.append(callback)

    # --- output ---------------------------------------------------------------------------------

    def _put(self, message: bytes) -> None:
        self._out.append(message)
        self._unsent_bytes += len(message)
        if self._unsent_bytes > MAX_UNSENT_BYTES:
            self._may_read.clear()
        self._has_output.set()

    async def _write(self) -> None:
        while True:
            await self._has_output.wait()
            await self._flush()

    async def _flush(self) -> None:
        self._has_output.clear()
        out, self._out = self._out, []
        for frame in _frames_of(out):
            try:
                await self._link.send(frame)
            except ConnectionError:
                await self._link.close()
                return
            self._unsent_bytes -= len(frame)
            self._room.set()
        self._unsent_bytes = sum(map(len, self._out))
        self._may_read.set()

    async def _flush_last(self) -> None:
        while self._out:
            await self._flush()

    # --- end ------------------------------------------------------------------------------------

    def _fail(self, reason: str) -> None:
        self._tasks.start("close", self._link.close())

    async def _end(self) -> None:
        self._is_closed = True
        self._room.set()
        self._surface.sessions.discard(self)
        for subscription in tuple(self._subscriptions):
            self.close_subscription(subscription)
        for future in tuple(self._in_flight.values()):
            future.cancel()
        for callback in self._on_close:
            callback()
        await self._tasks.aclose()
        await self._link.close()


def _frames_of(messages: list[bytes]) -> list[bytes]:
    """Messages as arrays, none above the frame limit unless a single message is."""
    frames: list[bytes] = []
    part: list[bytes] = []
    size = 2
    for message in messages:
        if part and size + len(message) > MAX_FRAME_BYTES:
            frames.append(b"[" + b",".join(part) + b"]")
            part, size = [], 2
        part.append(message)
        size += len(message) + 1
    if part:
        frames.append(b"[" + b",".join(part) + b"]")
    return frames
