"""A router is told when what it holds, or has offered, goes elsewhere by somebody else's doing."""

from collections.abc import Awaitable, Callable

import pytest

from paceline.runtime.virtual_loop import run_virtual
from tests.acceptance.interaction.cast import VIEW, Cast, cast

Act = Callable[[Cast, str], Awaitable[object]]

BY_OTHERS: dict[str, tuple[Act, str]] = {
    "placed back": (
        lambda s, key: s.media.interaction.place_in_queue(interaction_id=key, queue="__BACK__"),
        "revoked",
    ),
    "placed elsewhere": (
        lambda s, key: s.media.interaction.place_in_queue(interaction_id=key, queue="Chats"),
        "revoked",
    ),
    "stopped": (lambda s, key: s.media.interaction.stop(interaction_id=key), "stopped"),
    "abandoned": (lambda s, key: s.media.interaction.abandon(interaction_id=key), "abandoned"),
}


@pytest.mark.parametrize("is_offered", [False, True], ids=["held", "offered"])
@pytest.mark.parametrize("what", list(BY_OTHERS))
def test_somebody_else_takes_it_away(what: str, is_offered: bool) -> None:
    """One notice with the outcome, whether it was only held or rang already."""
    act, outcome = BY_OTHERS[what]

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.router.view.pull(view=VIEW)
            if is_offered:
                await scene.router.interaction.deliver(interaction_id=key, agent="agent1")
            await scene.mark()
            await act(scene, key)
            await scene.settle()
            told = [body for name, body in scene.heard_router.all if name.endswith("result")]
            assert [(one.interaction_id, one.outcome) for one in told] == [(key, outcome)]

    run_virtual(scenario())


def test_an_invited_agent_logs_out() -> None:
    """The interaction goes back to its queue, and the router that offered it knows."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.router.view.pull(view=VIEW)
            await scene.router.interaction.deliver(interaction_id=key, agent="agent1")
            await scene.mark()
            await scene.desk1.agent.logout(agent="agent1")
            await scene.settle()
            assert scene.heard_router.last("delivery_result").outcome == "revoked"
            assert await scene.state(key) == "queued"

    run_virtual(scenario())


def test_its_own_doing_needs_no_notice() -> None:
    """A router that places what it holds is answered, and not told as well."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            await scene.router.view.pull(view=VIEW)
            await scene.router.interaction.place_in_queue(interaction_id=key, queue="__BACK__")
            await scene.settle()
            assert scene.heard_router.names() == []

    run_virtual(scenario())
