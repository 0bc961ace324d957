"""The client's end of a session: calls in flight, notices to their takers, frames of many messages.

Works over any link. One session lives as long as its link; the SDK's connection opens the next one.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.wire.frames import (
    MAX_FRAME_BYTES,
    PROTOCOL,
    Reply,
    decode_replies,
    encode,
    error_from,
    request_bytes,
)
from paceline.wire.link import Link
from paceline.wire.operation import ClientKind
from paceline.wire.operations.everywhere import Welcome
from paceline.wire.schema import lenient_decoder

NoticeTaker = Callable[[str, int | None, msgspec.Raw], None]
"""Gets a notice's name, subscription and body; must not fail and not wait."""

NOTHING: Mapping[str, int | str] = {}


class ClientSession:
    """One session over one link, from hello to the link's end."""

    def __init__(self, link: Link, on_notice: NoticeTaker) -> None:
        self._link = link
        self._on_notice = on_notice
        self._last_ref = 0
        self._waiting: dict[int, tuple[asyncio.Future[Any], Any, Callable[[Any], None] | None]] = {}
        self._out: list[bytes] = []
        self._has_output = asyncio.Event()
        self._is_closed = False

    async def hello(
        self,
        *,
        token: str,
        client: str,
        client_kind: ClientKind,
        extension: Mapping[str, int | str] = NOTHING,
        timeout_s: float = 10.0,
    ) -> Welcome:
        """Introduces the client; must be the first thing sent.

        Raises
        ------
        PacelineError
            What the server refused, or `connection_lost`.
        """
        answer = self._say_hello(token, client, client_kind, extension)
        await self._flush()
        async with asyncio.timeout(timeout_s):
            while not answer.done():
                if not await self._take_frame():
                    break
        if not answer.done():
            raise PacelineError(
                "connection_lost", "the server closed the connection during the hello"
            )
        welcome: Welcome = answer.result()
        return welcome

    async def renew(self, *, token: str, client: str, client_kind: ClientKind) -> None:
        """Gives the open session a new token of the same principal.

        Raises
        ------
        PacelineError
            What the server refused, or `connection_lost`.
        """
        await self._say_hello(token, client, client_kind, NOTHING)

    def _say_hello(
        self, token: str, client: str, client_kind: ClientKind, extension: Mapping[str, int | str]
    ) -> "asyncio.Future[Welcome]":
        body: dict[str, object] = {
            "protocol": PROTOCOL,
            "token": token,
            "client": client,
            "client_kind": client_kind,
        }
        if extension:
            body["extension"] = dict(extension)
        return self.call_encoded("session.hello", encode(body), Welcome)

    def call_encoded(
        self,
        operation: str,
        body: bytes,
        answer: Any,
        *,
        timeout_s: float | None = None,
        key: str | None = None,
        at_once: Callable[[Any], None] | None = None,
    ) -> "asyncio.Future[Any]":
        """Sends a request with the next frame; the future gives the decoded answer.

        Cancelling the future tells the server to drop the request if it is held. `at_once` gets
        the answer before any message that follows it in the frame is looked at.
        """
        self._last_ref += 1
        ref = self._last_ref
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._is_closed:
            future.set_exception(_lost(operation))
            return future
        self._waiting[ref] = (future, lenient_decoder(answer), at_once)
        future.add_done_callback(lambda done: self._forget(ref, done))
        self._out.append(request_bytes(ref, operation, body, timeout_s, key))
        self._has_output.set()
        return future

    async def run_reader(self) -> None:
        """Takes frames until the link ends; then every call in flight fails with `connection_lost`."""
        try:
            while await self._take_frame():
                pass
        finally:
            self._end()

    async def run_writer(self) -> None:
        """Sends what was called until the link ends."""
        try:
            while not self._is_closed:
                await self._has_output.wait()
                await self._flush()
        except ConnectionError:
            await self._link.close()

    async def close(self) -> None:
        """Closes the link; calls in flight fail with `connection_lost`."""
        self._end()
        await self._link.close()

    async def _take_frame(self) -> bool:
        frame = await self._link.receive()
        if frame is None:
            return False
        for reply in decode_replies(frame):
            self._take(reply)
        return True

    def _take(self, reply: Reply) -> None:
        if reply.notice is not None:
            self._on_notice(reply.notice, reply.subscription, reply.body)
            return
        future, decoder, at_once = self._waiting.pop(reply.ref or 0, (None, None, None))
        if future is None or decoder is None or future.done():
            return
        if reply.error is not None:
            future.set_exception(error_from(reply.error))
            return
        try:
            result = decoder.decode(reply.result)
        except msgspec.DecodeError as error:
            future.set_exception(
                PacelineError("internal_error", f"the answer cannot be read: {error}")
            )
            return
        if at_once is not None:
            at_once(result)
        future.set_result(result)

    def _forget(self, ref: int, done: "asyncio.Future[Any]") -> None:
        if self._waiting.pop(ref, None) is not None and done.cancelled() and not self._is_closed:
            self._out.append(b'{"ref":%d,"cancel":true}' % ref)
            self._has_output.set()

    async def _flush(self) -> None:
        self._has_output.clear()
        out, self._out = self._out, []
        part: list[bytes] = []
        size = 2
        for message in out:
            if part and size + len(message) > MAX_FRAME_BYTES:
                await self._link.send(b"[" + b",".join(part) + b"]")
                part, size = [], 2
            part.append(message)
            size += len(message) + 1
        if part:
            await self._link.send(b"[" + b",".join(part) + b"]")

    def _end(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        self._has_output.set()
        waiting, self._waiting = self._waiting, {}
        for future, _, _ in waiting.values():
            if not future.done():
                future.set_exception(_lost("the request"))


def _lost(what: str) -> PacelineError:
    return PacelineError("connection_lost", f"the connection broke before {what} was answered")
