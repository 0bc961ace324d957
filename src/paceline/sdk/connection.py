"""A lasting connection to one server: reconnects with jitter, renews its subscriptions, keeps calls honest.

Every typed client stands on one. A call that was not sent waits for the next session within its
timeout; a call whose answer is missing fails with `connection_lost` and may have happened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.log import get_log
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.wire.client.session import NOTHING, ClientSession
from paceline.wire.frames import encode
from paceline.wire.link import Link
from paceline.wire.operation import ClientKind, Operation
from paceline.wire.operations.catalogue import NOTICES
from paceline.wire.operations.event import ResyncRequired, StreamEvents
from paceline.wire.schema import lenient_decoder

N = TypeVar("N")
OpenLink = Callable[[], Awaitable[Link]]
GiveToken = Callable[[], Awaitable[str]]

DEFAULT_TIMEOUT_S = 10.0
"""INTERFACES (deadlines)."""

ANSWER_MARGIN_S = 2.0
"""How much longer than the server's deadline a caller waits for the answer (chosen)."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 2.0
"""Pauses between attempts to connect: doubled each time, half of it drawn at random (chosen)."""

TOKEN_CHECK_S = 30.0
"""How often the keeper is asked for the token of an open session; it answers at once unless it renews (chosen)."""

_log = get_log("sdk")
_resync = lenient_decoder(ResyncRequired)


async def no_token() -> str:
    """For open servers and memory links without login."""
    return ""


class Subscription(Generic[N]):
    """A stream that goes on over reconnects until closed."""

    def __init__(self, connection: "Connection", key: int) -> None:
        self._connection = connection
        self._key = key

    def close(self) -> None:
        """Takes no more notices; twice is fine."""
        self._connection._drop_subscription(self._key)


class _Stream(msgspec.Struct):
    operation: Operation
    make_request: Callable[[], Any]
    on_notice: Callable[[Any], None]
    on_open: Callable[[Any], None] | None
    number: int | None = None
    resume_from: str | None = None

    def request(self) -> Any:
        """The next opening's request: from where a stream that was too slow was told to go on, once."""
        made, position = self.make_request(), self.resume_from
        self.resume_from = None
        if position is None or not isinstance(made, StreamEvents):
            return made
        return msgspec.structs.replace(made, after=position, latest=False)


class Connection:
    """See the module. `start` begins connecting; `close` ends it for good.

    Parameters
    ----------
    extension
        What each session asks for in its hello, such as `{"event_properties_changed": 1}`.
    """

    def __init__(
        self,
        open_link: OpenLink,
        *,
        times: Times,
        client: str,
        client_kind: ClientKind,
        token: GiveToken = no_token,
        chance: Chance | None = None,
        extension: Mapping[str, int | str] = NOTHING,
    ) -> None:
        self._open_link = open_link
        self._extension = extension
        self._times = times
        self._client = client
        self._client_kind = client_kind
        self._token = token
        self._jitter = (chance or Chance(None)).stream(f"reconnect {client}")
        self._session: ClientSession | None = None
        self._arrived = asyncio.Event()
        self._streams: dict[int, _Stream] = {}
        self._by_number: dict[int, _Stream] = {}
        self._last_key = 0
        self._takers: dict[str, Callable[[Any], None]] = {}
        self._watchers: list[Callable[[bool], None]] = []
        self._tasks = TaskGroup(f"connection of {client}", self._fail)
        self._connecting: asyncio.Task[None] | None = None
        self.last_problem = ""

    @property
    def is_connected(self) -> bool:
        """Whether a session is open now."""
        return self._session is not None

    def start(self) -> None:
        """Begins to connect, and connects again whenever the link ends."""
        self._connecting = self._tasks.start("connect", self._stay_connected())

    async def wait_connected(self, timeout_s: float = DEFAULT_TIMEOUT_S) -> None:
        """Returns when a session is open.

        Raises
        ------
        PacelineError
            `owner_unavailable` with the last problem when none opens in time.
        """
        try:
            async with asyncio.timeout(timeout_s):
                await self._arrived.wait()
        except TimeoutError:
            raise PacelineError(
                "owner_unavailable",
                f"no connection in {timeout_s:g} s: {self.last_problem or 'nobody answered'}",
                retry_after_s=1.0,
            ) from None

    async def close(self) -> None:
        """Ends the connection; calls in flight fail with `connection_lost`."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()
        await self._tasks.aclose()

    def watch_connection(self, watcher: Callable[[bool], None]) -> None:
        """Calls `watcher` with True at each new session and False at each loss."""
        self._watchers.append(watcher)

    def on_notice(self, name: str, taker: Callable[[Any], None]) -> None:
        """Calls `taker` with the typed body of each notice of this name that is no subscription's."""
        self._takers[name] = taker

    def call(
        self,
        operation: Operation,
        request: Any,
        *,
        timeout_s: float | None = None,
        key: str | None = None,
    ) -> Awaitable[Any]:
        """Sends a request; the awaitable gives the answer.

        Raises
        ------
        PacelineError
            What the server refused; `owner_unavailable` (not done) when no session opened in time;
            `connection_lost` (unknown) when the link broke before the answer.
        """
        session = self._session
        if session is not None and timeout_s is None:
            return session.call_encoded(operation.name, encode(request), operation.answer, key=key)
        return self._call_slowly(operation, request, timeout_s, key)

    async def _call_slowly(
        self, operation: Operation, request: Any, timeout_s: float | None, key: str | None
    ) -> Any:
        limit = DEFAULT_TIMEOUT_S if timeout_s is None else timeout_s
        if self._session is None:
            await self.wait_connected(limit)
        session = self._session
        if session is None:
            raise PacelineError(
                "owner_unavailable", "the connection was lost again", retry_after_s=1.0
            )
        answer = session.call_encoded(
            operation.name, encode(request), operation.answer, timeout_s=timeout_s, key=key
        )
        try:
            async with asyncio.timeout(limit + ANSWER_MARGIN_S):
                return await answer
        except TimeoutError:
            raise PacelineError(
                "deadline_exceeded",
                f"{operation.name} was not answered in {limit:g} s",
                outcome="unknown",
            ) from None

    def subscribe(
        self,
        operation: Operation,
        make_request: Callable[[], Any],
        on_notice: Callable[[Any], None],
        on_open: Callable[[Any], None] | None = None,
    ) -> Subscription[Any]:
        """Opens a stream now and after each reconnect, each time with a new request.

        `on_open` gets the answer of each opening before the first notice after it.
        """
        self._last_key += 1
        stream = _Stream(operation, make_request, on_notice, on_open)
        self._streams[self._last_key] = stream
        if self._session is not None:
            self._tasks.start(f"open {operation.name}", self._open_stream(self._session, stream))
        return Subscription(self, self._last_key)

    def background(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """Runs work that belongs to this connection until it ends or the connection closes."""
        self._tasks.start(name, work)

    # --- inside ---------------------------------------------------------------------------------

    def _drop_subscription(self, key: int) -> None:
        stream = self._streams.pop(key, None)
        if stream is not None and stream.number is not None:
            self._by_number.pop(stream.number, None)

    def _fail(self, reason: str) -> None:
        """A task failed and has said so in the log: a notice's taker made a mistake.

        That costs the session, never the connection.
        """
        self.last_problem = reason
        if self._connecting is asyncio.current_task():
            self._connecting = self._tasks.start("connect again", self._connect_again())

    async def _connect_again(self) -> None:
        await self._times.machine.sleep(LONGEST_PAUSE_S)
        await self._stay_connected()

    async def _stay_connected(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                await self._live_once()
                pause = FIRST_PAUSE_S
            except (PacelineError, OSError, TimeoutError, msgspec.DecodeError) as error:
                self.last_problem = str(error) or type(error).__name__
                _log.debug("no session", client=self._client, problem=self.last_problem)
            await self._times.machine.sleep(pause * (0.5 + 0.5 * self._jitter.random()))
            pause = min(LONGEST_PAUSE_S, pause * 2)

    async def _live_once(self) -> None:
        link = await self._open_link()
        session = ClientSession(link, self._take_notice)
        try:
            token = await self._token()
            await session.hello(
                token=token,
                client=self._client,
                client_kind=self._client_kind,
                extension=self._extension,
            )
        except BaseException:
            await link.close()
            raise
        self._by_number.clear()
        writer = self._tasks.start("writer", session.run_writer())
        renewal = self._tasks.start("token", self._renew_token(session, token))
        self._session = session
        for stream in tuple(self._streams.values()):
            stream.number = None
            self._tasks.start(f"open {stream.operation.name}", self._open_stream(session, stream))
        self._arrived.set()
        self._tell(True)
        try:
            await session.run_reader()
        finally:
            self.last_problem = "the link ended"
            self._session = None
            self._arrived.clear()
            writer.cancel()
            renewal.cancel()
            await session.close()
            self._tell(False)

    async def _renew_token(self, session: ClientSession, token: str) -> None:
        """Brings each new token of the keeper into the open session, before the old one ends."""
        while token:
            await self._times.machine.sleep(TOKEN_CHECK_S)
            try:
                fresh = await self._token()
                if fresh != token:
                    await session.renew(
                        token=fresh, client=self._client, client_kind=self._client_kind
                    )
                    token = fresh
            except PacelineError as error:
                _log.warning("the token is not renewed yet", client=self._client, why=str(error))

    async def _open_stream(self, session: ClientSession, stream: _Stream) -> None:
        operation = stream.operation
        while session is self._session and stream in self._streams.values():
            try:
                await session.call_encoded(
                    operation.name,
                    encode(stream.request()),
                    operation.answer,
                    at_once=lambda opened: self._stream_opened(stream, opened),
                )
            except PacelineError as error:
                if error.name == "connection_lost":
                    return
                _log.warning("stream refused", operation=operation.name, problem=str(error))
                await self._times.machine.sleep(LONGEST_PAUSE_S)
                continue
            return

    def _stream_opened(self, stream: _Stream, opened: Any) -> None:
        stream.number = opened.subscription
        self._by_number[opened.subscription] = stream
        if stream.on_open is not None:
            stream.on_open(opened)

    def _take_notice(self, name: str, subscription: int | None, body: msgspec.Raw) -> None:
        if subscription is None:
            taker = self._takers.get(name)
            if taker is not None:
                taker(lenient_decoder(NOTICES[name]).decode(body))
            return
        stream = self._by_number.get(subscription)
        if stream is None:
            return
        if name == "resync_required":
            self._by_number.pop(subscription, None)
            stream.resume_from = _resync.decode(body).position
            if self._session is not None:
                self._tasks.start(
                    f"resume {stream.operation.name}", self._open_stream(self._session, stream)
                )
            return
        stream.on_notice(lenient_decoder(NOTICES[name]).decode(body))

    def _tell(self, is_connected: bool) -> None:
        for watcher in self._watchers:
            watcher(is_connected)
