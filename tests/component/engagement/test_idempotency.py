"""Idempotency-Key at the engagement engine: a repeated invitation spends no second permit."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.engagement.server import EngagementServer
from paceline.units.quantities import Millis
from paceline.wire.operations.engagement import CreateInvitation, InvitationCreated
from tests.component.engagement.site import TARGET, Site, site

START = Millis(1_763_683_200_000)


def _run(test: Callable[[Site], Awaitable[None]]) -> None:
    async def main() -> None:
        async with site(virtual_times(START)) as made:
            await test(made)

    run_virtual(main(), limit_s=100_000.0)


async def _invite(
    made: Site, server: EngagementServer, key: str, visitor: str = "v"
) -> InvitationCreated:
    call = made.call()
    call.idempotency_key = key
    request = CreateInvitation(target=TARGET, visitor=visitor)
    answer: InvitationCreated = await server.handlers["invitation.create"](call, request)
    return answer


def test_a_repeat_gives_the_same_invitation_and_spends_nothing() -> None:
    """One after the other and after a restart: the same invitation, one sent, permits left."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(2))
            first = await _invite(made, server, "a")
            assert await _invite(made, server, "a") == first
            second = await _invite(made, server, "b")
            assert second.invitation_id != first.invitation_id
            with pytest.raises(PacelineError, match="no_permit"):
                await _invite(made, server, "c")
        async with made.engine() as server:
            assert await _invite(made, server, "a") == first

    _run(test)


def test_two_at_once_make_one_invitation() -> None:
    """The one that finds the other in work is told so and may be repeated."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(5))
            found = await asyncio.gather(
                *(_invite(made, server, "a") for _ in range(3)), return_exceptions=True
            )
            made_ones = [one for one in found if isinstance(one, InvitationCreated)]
            refused = [one for one in found if isinstance(one, PacelineError)]
            assert len(made_ones) == 1
            assert {one.name for one in refused} == {"operation_in_progress"}
            assert await _invite(made, server, "a") == made_ones[0]

    _run(test)


def test_the_same_key_for_another_visitor_is_refused() -> None:
    """idempotency_key_reused, and no permit is spent."""

    async def test(made: Site) -> None:
        async with made.engine() as server:
            await made.do(server, "pacing.report", made.report(2))
            await _invite(made, server, "a")
            with pytest.raises(PacelineError, match="idempotency_key_reused"):
                await _invite(made, server, "a", visitor="w")
            await _invite(made, server, "b")

    _run(test)
