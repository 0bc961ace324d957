"""A link over a WebSocket of the `websockets` library, for clients."""

import ssl

import websockets
from websockets.asyncio.client import ClientConnection, connect

from paceline.errors.failure import PacelineError
from paceline.wire.frames import MAX_FRAME_BYTES

OPEN_TIMEOUT_S = 5.0
"""A server that does not answer the handshake in this time is taken as away (chosen)."""

PING_S = 10.0
"""A silent link is pinged this often and dropped after as long without an answer (frames.HEARTBEAT_S)."""


class SocketLink:
    """A link to a server's session address."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def receive(self) -> bytes | None:
        """The next frame; None when the link is closed."""
        try:
            return await self._socket.recv(decode=False)
        except websockets.ConnectionClosed:
            return None

    async def send(self, frame: bytes) -> None:
        """Sends a frame; raises ConnectionError when the link is closed."""
        try:
            await self._socket.send(frame, text=True)
        except websockets.ConnectionClosed as error:
            raise ConnectionError("the link is closed") from error

    async def close(self) -> None:
        """Closes the link; twice is fine."""
        await self._socket.close()


async def open_socket_link(url: str, *, tls: ssl.SSLContext | None = None) -> SocketLink:
    """A link to `http(s)://host:port` + /v1/session.

    Raises
    ------
    PacelineError
        `owner_unavailable` when nobody answers there.
    """
    address = url.replace("http", "ws", 1).rstrip("/") + "/v1/session"
    try:
        socket = await connect(
            address,
            max_size=4 * MAX_FRAME_BYTES,
            compression=None,
            open_timeout=OPEN_TIMEOUT_S,
            ping_interval=PING_S,
            ping_timeout=PING_S,
            ssl=tls,
            proxy=None,
        )
    except (OSError, TimeoutError, websockets.WebSocketException) as error:
        raise PacelineError(
            "owner_unavailable", f"nobody answers at {address}: {error}", retry_after_s=1.0
        ) from None
    return SocketLink(socket)
