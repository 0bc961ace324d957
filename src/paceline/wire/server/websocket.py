"""WebSockets of the serving side: a link over ASGI, and stream routes that show one subscription."""

from urllib.parse import parse_qsl

from litestar.types import Receive, Scope, Send

from paceline.wire.frames import PROTOCOL, encode, request_bytes
from paceline.wire.operation import Operation
from paceline.wire.server.session import ServerSession
from paceline.wire.server.surface import Surface


class SocketLink:
    """A link over one ASGI WebSocket."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._is_closed = False

    async def open(self) -> bool:
        """Takes the connection; False when the client has gone before."""
        message = await self._receive()
        if message["type"] != "websocket.connect":
            return False
        await self._send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        return True

    async def receive(self) -> bytes | None:
        """The next frame; None when the client has gone."""
        if self._is_closed:
            return None
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._is_closed = True
            return None
        data = message.get("bytes")
        return data if data is not None else (message.get("text") or "").encode()

    async def send(self, frame: bytes) -> None:
        """Sends a frame as text; raises ConnectionError when the client has gone."""
        if self._is_closed:
            raise ConnectionError("the client has gone")
        try:
            await self._send({"type": "websocket.send", "bytes": None, "text": frame.decode()})
        except (OSError, RuntimeError) as error:
            self._is_closed = True
            raise ConnectionError("the client has gone") from error

    async def close(self) -> None:
        """Closes the WebSocket."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._send({"type": "websocket.close", "code": 1000, "reason": ""})
        except (OSError, RuntimeError):
            return


class _StreamLink:
    """Plays the client's part of a session for a stream route: hello, one subscription, then listens."""

    def __init__(self, link: SocketLink, opening: list[bytes]) -> None:
        self._link = link
        self._opening = opening

    async def receive(self) -> bytes | None:
        if self._opening:
            return self._opening.pop(0)
        return await self._link.receive()

    async def send(self, frame: bytes) -> None:
        await self._link.send(frame)

    async def close(self) -> None:
        await self._link.close()


async def serve_stream(
    surface: Surface, operation: Operation, scope: Scope, receive: Receive, send: Send
) -> None:
    """Serves a WebSocket route of one stream operation; its parameters stand in the query.

    The token comes in the Authorization header. What follows is a session that has already asked.
    """
    headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode()))
    token = headers.get("authorization", "").removeprefix("Bearer ").strip()
    kinds = operation.client_kinds
    kind = "operator" if "operator" in kinds else sorted(kinds)[0]
    hello = encode({"protocol": PROTOCOL, "token": token, "client": "stream", "client_kind": kind})
    body = encode({name: _plain(value) for name, value in query.items()})
    opening = [
        b"[" + request_bytes(1, "session.hello", hello, None, None) + b"]",
        b"[" + request_bytes(2, operation.name, body, None, None) + b"]",
    ]
    link = SocketLink(receive, send)
    if await link.open():
        await ServerSession(surface, _StreamLink(link, opening)).run()


def _plain(value: str) -> str | int | bool:
    if value in ("true", "false"):
        return value == "true"
    return int(value) if value.isdecimal() and len(value) < 16 else value
