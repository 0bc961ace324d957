"""The link to the engagement engine: one report per cycle, in pages, answered or failed in time.

Called by the cycle, which never overlaps two reports. A report is safe to repeat: its pages carry
an Idempotency-Key. Never raises for what the engine or the network does: the outcome tells.
"""

import asyncio
import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
import msgspec
import zstandard

from paceline.runtime.chance import Stream
from paceline.runtime.times import Times
from paceline.servers.pacing.links.access_token import AccessTokens, TokenRefused
from paceline.servers.pacing.rules.integration import Integration
from paceline.servers.pacing.rules.response import InvalidAnswer, read_answer
from paceline.wire.operations.engagement import Permit, Report, TargetCounts

COMPRESS_FROM = 16 * 1024
"""Bytes from which a body is compressed (chosen: some sixty targets; below it a packet or ten)."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
"""Pauses between attempts within one period: doubled, half of each drawn at random (chosen)."""
KEEP_ALIVE_S = 4.0
"""Idle connections are dropped before common servers drop theirs after 5 s (uvicorn's default)."""
REPEATED = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a report may take in all, how often a page is repeated, how large a page is."""

    timeout_s: float
    retries: int
    page_size: int


@dataclass(slots=True)
class Outcome:
    """What became of a report. `counts` holds what was answered and believed, also in part.

    `failure`: no answer, or a refusal (100603); `invalid`: an answer that breaks the contract
    (100607); `newer_epoch`: the engine follows a higher epoch. `sequence` is the last one used.
    """

    sequence: int
    counts: dict[str, TargetCounts] = field(default_factory=dict)
    failure: str = ""
    invalid: str = ""
    newer_epoch: int | None = None
    round_trip_s: float = 0.0
    sent_bytes: int = 0


class _Failed(Exception):
    """This report is over: what happened, in words."""


class _TooLarge(Exception):
    """413: the engine wants smaller pages."""


class _Stale(Exception):
    """409 stale_epoch with the epoch the engine follows."""

    def __init__(self, current: int) -> None:
        super().__init__(current)
        self.current = current


class _ErrorDetails(msgspec.Struct):
    current_epoch: int | None = None


class _Error(msgspec.Struct):
    name: str = ""
    message: str = ""
    details: _ErrorDetails = msgspec.field(default_factory=_ErrorDetails)
    current_epoch: int | None = None


class _ErrorAnswer(msgspec.Struct):
    error: _Error = msgspec.field(default_factory=_Error)
    current_epoch: int | None = None


class EngagementLink:
    """Sends reports; `transport` stands in for the network in tests and simulations."""

    def __init__(
        self, times: Times, jitter: Stream, *, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._machine = times.machine
        self._jitter = jitter
        self._client = httpx.AsyncClient(
            transport=transport,
            timeout=None,  # one limit for the whole report, in send
            trust_env=False,  # a proxy comes from options, never from the environment
            limits=httpx.Limits(keepalive_expiry=KEEP_ALIVE_S),
        )
        self._tokens = AccessTokens(self._client, times.machine)
        self._page_size: int | None = None
        self._encoding = "gzip"
        self._not_before = 0.0

    async def send(self, integration: Integration, report: Report, limits: Limits) -> Outcome:
        """Send a report whose `targets` are all permits; pages are cut here.

        After return no request is under way any more.
        """
        started_at = self._machine.monotonic()
        outcome = Outcome(report.sequence)
        try:
            self._check_pause(started_at)
            async with asyncio.timeout(limits.timeout_s):
                await self._send_pages(integration, report, limits, outcome, started_at)
        except TimeoutError:
            outcome.failure = f"no answer in {limits.timeout_s:g} s"
        except _Failed as failed:
            outcome.failure = str(failed)
        except InvalidAnswer as invalid:
            outcome.invalid = str(invalid)
        except _Stale as stale:
            outcome.newer_epoch = stale.current
        outcome.round_trip_s = self._machine.monotonic() - started_at
        return outcome

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    def _check_pause(self, now: float) -> None:
        if now < self._not_before:
            wait_s = self._not_before - now
            raise _Failed(f"the engine asked to wait; {wait_s:.1f} s are left of it")

    async def _send_pages(
        self,
        integration: Integration,
        report: Report,
        limits: Limits,
        outcome: Outcome,
        started_at: float,
    ) -> None:
        while True:
            size = min(limits.page_size, self._page_size or limits.page_size)
            try:
                for page in _pages(report, outcome.sequence, size):
                    deadline = started_at + limits.timeout_s
                    counts = await self._send_page(integration, page, limits, outcome, deadline)
                    outcome.counts.update(counts)
                return
            except _TooLarge:
                if size == 1:
                    raise _Failed("the engine refuses even one target as too large") from None
                # Smaller pages under a new sequence: it replaces what the old one's pages left.
                self._page_size = max(1, min(size, len(report.targets)) // 2)
                outcome.sequence += 1

    async def _send_page(
        self,
        integration: Integration,
        page: Report,
        limits: Limits,
        outcome: Outcome,
        deadline: float,
    ) -> dict[str, TargetCounts]:
        body = msgspec.json.encode(page)
        attempts = limits.retries + 1
        has_renewed = False
        pause_s = FIRST_PAUSE_S
        while True:
            response, problem = await self._post(integration, page, body, outcome)
            if response is not None and response.status_code == 401 and not has_renewed:
                has_renewed = True
                continue
            if response is not None and self._is_for_encoding(response):
                self._encoding = ""
                continue
            if response is not None and response.status_code not in REPEATED:
                return self._answer(response, page)
            attempts -= 1
            wait_s = pause_s * (0.5 + 0.5 * self._jitter.random())
            if response is not None:
                problem = f"the engine answered {_status(response)}"
                wait_s = max(wait_s, self._asked_pause(response))
            if attempts == 0 or self._machine.monotonic() + wait_s >= deadline:
                raise _Failed(problem)
            await self._machine.sleep(wait_s)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)

    async def _post(
        self, integration: Integration, page: Report, body: bytes, outcome: Outcome
    ) -> tuple[httpx.Response | None, str]:
        """One attempt: the response, or what the network did."""
        try:
            token = await self._tokens.current(integration)
            content, encoding = self._packed(body)
            key = f"{page.cluster}:{page.epoch}:{page.sequence}:{page.page}"
            headers = {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Idempotency-Key": key.encode("ascii", "replace").decode(),
                **encoding,
            }
            outcome.sent_bytes += len(content)
            response = await self._client.post(
                integration.report_url, content=content, headers=headers
            )
        except TokenRefused as error:
            raise _Failed(str(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = str(error) or type(error).__name__
            return None, f"{integration.report_url} cannot be reached: {what}"
        if response.status_code == 401:
            self._tokens.discard(token)
        if "zstd" in response.headers.get("accept-encoding", "") and self._encoding:
            self._encoding = "zstd"
        return response, ""

    def _is_for_encoding(self, response: httpx.Response) -> bool:
        """Whether an engine refuses a compressed body, which one of another make may not read."""
        was_packed = "content-encoding" in response.request.headers
        return was_packed and response.status_code in (400, 415)

    def _packed(self, body: bytes) -> tuple[bytes, dict[str, str]]:
        if len(body) < COMPRESS_FROM or not self._encoding:
            return body, {}
        if self._encoding == "zstd":
            return zstandard.compress(body, 1), {"Content-Encoding": "zstd"}
        return gzip.compress(body, 1), {"Content-Encoding": "gzip"}

    def _answer(self, response: httpx.Response, page: Report) -> dict[str, TargetCounts]:
        if response.status_code == 200:
            names = (permit.id for permit in page.targets)
            return read_answer(response.content, sequence=page.sequence, names=names)
        if response.status_code == 413:
            raise _TooLarge
        refusal = _error_of(response)
        if response.status_code == 409 and refusal.error.name == "stale_epoch":
            current = _first(
                refusal.error.details.current_epoch,
                refusal.error.current_epoch,
                refusal.current_epoch,
            )
            raise _Stale(page.epoch if current is None else current)
        raise _Failed(
            f"the engine refused with {_status(response)} {refusal.error.message}".strip()
        )

    def _asked_pause(self, response: httpx.Response) -> float:
        """Seconds of Retry-After; the pause holds for later reports too."""
        try:
            asked_s = float(response.headers.get("retry-after", "0"))
        except ValueError:
            return 0.0  # a date: our own pauses do
        self._not_before = self._machine.monotonic() + asked_s
        return asked_s


def _pages(report: Report, sequence: int, size: int) -> list[Report]:
    targets: Sequence[Permit] = report.targets
    parts = [targets[first : first + size] for first in range(0, len(targets), size)] or [()]
    return [
        msgspec.structs.replace(
            report, sequence=sequence, page=number, pages=len(parts), targets=tuple(part)
        )
        for number, part in enumerate(parts, 1)
    ]


def _error_of(response: httpx.Response) -> _ErrorAnswer:
    try:
        return msgspec.json.decode(response.content, type=_ErrorAnswer)
    except (msgspec.DecodeError, RecursionError):
        return _ErrorAnswer()


def _first(*values: int | None) -> int | None:
    return next((value for value in values if value is not None), None)


def _status(response: httpx.Response) -> str:
    try:
        return f"{response.status_code} {HTTPStatus(response.status_code).phrase}"
    except ValueError:
        return str(response.status_code)
