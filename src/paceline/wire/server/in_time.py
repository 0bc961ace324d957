"""Handlers end with the deadline of their request, over HTTP and over a session alike."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from paceline.errors.failure import PacelineError
from paceline.wire.call import GRACE_S, Call


async def in_time(call: Call, name: str, answer: Awaitable[Any]) -> Any:
    """What a handler answers, given up soon after the deadline of its call.

    Raises
    ------
    PacelineError
        `deadline_exceeded`, outcome unknown: part of it may be done.
    """
    try:
        async with asyncio.timeout_at(call.deadline + GRACE_S) as limit:
            call.limit = limit
            return await answer
    except TimeoutError:
        if not limit.expired():
            raise
        raise PacelineError(
            "deadline_exceeded", f"{name} did not end in time", outcome="unknown"
        ) from None
