"""Puts a backlog into a queue, many interactions a request. Used before what is measured with it."""

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from paceline.sdk.interaction import InteractionServerClient
from paceline.wire.operations.interaction import Submit

USER_DATA = msgspec.Raw(
    msgspec.json.encode(
        {
            "FirstName": "Customer",
            "Subject": "A question about an order",
            "Language": "en",
            "Segment": "gold",
            "Page": "checkout",
            "Text": "x" * 380,
        }
    )
)
"""About 500 bytes, as the measured peers stored."""

AT_ONCE = 500
"""Interactions of one request: fewer than a frame may hold."""

REQUESTS = 8
"""Under way at once (chosen: the server always has the next batch)."""

PATIENCE_S = 60.0
"""A request waits for those before it."""

TOLD_EVERY = 100_000


async def fill(
    clients: Sequence[InteractionServerClient],
    queue: str,
    count: int,
    progress: Callable[[str], None],
) -> None:
    """Submits so many interactions."""
    item = Submit(media_type="chat", queue=queue, user_data=USER_DATA)
    done = 0
    while done < count:
        sizes = [min(AT_ONCE, count - done - AT_ONCE * k) for k in range(REQUESTS)]
        sizes = [size for size in sizes if size > 0]
        await asyncio.gather(
            *(
                clients[k % len(clients)].interaction.submit_batch(
                    interactions=(item,) * size, timeout_s=PATIENCE_S
                )
                for k, size in enumerate(sizes)
            )
        )
        before, done = done, done + sum(sizes)
        if done // TOLD_EVERY > before // TOLD_EVERY:
            progress(f"backlog: {done:,} of {count:,} submitted")
