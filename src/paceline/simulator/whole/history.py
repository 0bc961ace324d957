"""What clients asked and what they were told: every request with its times, its deadline and its end.

`record` writes it for the traffic's connections; invariants read it. Holds what is under way and hands
each ended request to its listeners once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from paceline.errors.failure import PacelineError
from paceline.sdk.connection import ANSWER_MARGIN_S, DEFAULT_TIMEOUT_S, Connection
from paceline.wire.client.websocket import PING_S
from paceline.wire.operation import Operation

MOST_NAMED = 5
"""Interactions of a page that its line names (chosen)."""

Ending = Literal["pending", "done", "not_done", "unknown", "left"]
"""`left`: whoever asked did not wait for the answer."""

LINK_LOSS_S = 2 * PING_S
"""A link that fell silent is pinged after PING_S and dropped PING_S later."""


class Asked(msgspec.Struct, kw_only=True, eq=False):
    """One request. `due_at` is when its caller must have been told something."""

    number: int
    client: str
    operation: str
    request: Any
    sent_at: float
    due_at: float
    ended_at: float | None = None
    ending: Ending = "pending"
    answer: Any = None
    error: str = ""

    @property
    def line(self) -> str:
        """It in one line of the log."""
        took_ms = 0 if self.ended_at is None else round(1000 * (self.ended_at - self.sent_at))
        what = " ".join(part for part in (names_in(self.request), names_in(self.answer)) if part)
        return f"{self.client} {self.operation} {self.ending} {self.error or what} {took_ms} ms"


_NAMING = ("interaction_id", "invitation_id", "client_token", "agent", "view", "target", "queue")


def names_in(message: object) -> str:
    """What a request or an answer is about."""
    found = [str(value) for name in _NAMING if (value := getattr(message, name, None))]
    page = getattr(message, "interactions", None)
    listed = [one.interaction_id for one in page] if isinstance(page, tuple) else []
    found += listed[:MOST_NAMED]
    if len(listed) > MOST_NAMED:
        found.append(f"and {len(listed) - MOST_NAMED} more")
    return " ".join(found)


def due_after(operation: Operation, request: object, timeout_s: float | None) -> float:
    """Seconds after which the caller must have an answer or an error, whatever happens.

    Either no session is open: waiting for one takes one timeout, the call on it another and the
    margin. Or the link falls silent with the call on it: that is noticed a link loss after the
    server's own time is over; a held pull holds for so long first.
    """
    timeout = DEFAULT_TIMEOUT_S if timeout_s is None else timeout_s
    held = float(getattr(request, "hold_s", 0.0))
    return held + max(2 * timeout, timeout + LINK_LOSS_S) + ANSWER_MARGIN_S


class History:
    """All requests of a run.

    Parameters
    ----------
    now
        Seconds since the run's begin.
    write
        Takes each ended request's line.
    """

    def __init__(self, now: Callable[[], float], write: Callable[[str], None]) -> None:
        self._now = now
        self._write = write
        self._listeners: list[Callable[[Asked], None]] = []
        self.pending: dict[int, Asked] = {}
        self.count = 0

    def on_end(self, listener: Callable[[Asked], None]) -> None:
        """Tells each request when it ends."""
        self._listeners.append(listener)

    def begin(
        self, client: str, operation: Operation, request: object, timeout_s: float | None
    ) -> Asked:
        """A request that is sent now."""
        self.count += 1
        now = self._now()
        asked = self.pending[self.count] = Asked(
            number=self.count,
            client=client,
            operation=operation.name,
            request=request,
            sent_at=now,
            due_at=now + due_after(operation, request, timeout_s),
        )
        return asked

    def end(self, asked: Asked, ending: Ending, *, answer: Any = None, error: str = "") -> None:
        """Its end."""
        asked.ended_at = self._now()
        asked.ending, asked.answer, asked.error = ending, answer, error
        del self.pending[asked.number]
        self._write(asked.line)
        for listener in self._listeners:
            listener(asked)


def record(connection: Connection, history: History, name: str) -> None:
    """Every call on the connection is recorded from now on under the client's name."""
    send = connection.call

    def call(
        operation: Operation,
        request: Any,
        *,
        timeout_s: float | None = None,
        key: str | None = None,
    ) -> Awaitable[Any]:
        asked = history.begin(name, operation, request, timeout_s)
        return _recorded(history, asked, send(operation, request, timeout_s=timeout_s, key=key))

    connection.call = call  # type: ignore[method-assign]  # watched from outside, else the sdk's own


async def _recorded(history: History, asked: Asked, answer: Awaitable[Any]) -> Any:
    try:
        result = await answer
    except PacelineError as error:
        ending: Ending = "unknown" if error.outcome == "unknown" else "not_done"
        history.end(asked, ending, error=error.name)
        raise
    except asyncio.CancelledError:
        history.end(asked, "left")
        raise
    history.end(asked, "done", answer=result)
    return result
