"""Whole lists of configuration objects, page by page."""

from collections.abc import AsyncIterator

from paceline.sdk.configuration import ConfigurationServerClient
from paceline.wire.operations.configuration import ObjectRecord

PAGE = 1000


async def listed(
    client: ConfigurationServerClient, object_type: str, *, name: str | None = None
) -> AsyncIterator[ObjectRecord]:
    """Every object of a type, or those of one name, in the order of ids."""
    continuation: str | None = None
    while True:
        page = await client.object.list(
            type=object_type, name=name, limit=PAGE, continuation=continuation
        )
        for item in page.items:
            yield item
        continuation = page.continuation
        if continuation is None:
            return
