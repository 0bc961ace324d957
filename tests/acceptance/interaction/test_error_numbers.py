"""Error numbers of operations on interactions by their triggers; options of pull, find and submission."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.errors.table import ERRORS
from paceline.runtime.virtual_loop import run_virtual
from paceline.wire.operation import Done, Operation
from paceline.wire.operations.everywhere import Nothing
from tests.acceptance.interaction.cast import VIEW, Cast, cast


async def _unsupported(scene: Cast) -> Any:
    unknown = Operation(name="interaction.teleport", request=Nothing, answer=Done, right=None)
    return await scene.media.connection.call(unknown, Nothing())


async def _in_progress(scene: Cast) -> Any:
    key = await scene.handled()
    for _ in range(2):
        await scene.desk1.interaction.conference(
            interaction_id=key, agent="agent1", to_agent="agent2"
        )


async def _no_snapshot(scene: Cast) -> Any:
    return await scene.desk1.snapshot.page(snapshot_id="never-taken")


async def _not_found(scene: Cast) -> Any:
    return await scene.media.interaction.get(interaction_id="never-was")


async def _duplicate(scene: Cast) -> Any:
    for _ in range(2):
        await scene.submitted(interaction_id="mine")


async def _invalid(scene: Cast) -> Any:
    return await scene.media.interaction.place_in_queue(
        interaction_id=await scene.submitted(), queue="None such"
    )


async def _not_allowed(scene: Cast) -> Any:
    reader = await scene.node.client("stat", "reporting")
    return await reader.view.pull(view=VIEW)


async def _reused(scene: Cast) -> Any:
    await scene.submitted(client_token="t")
    return await scene.submitted(client_token="t", priority=1)


async def _not_owner(scene: Cast) -> Any:
    return await scene.desk2.interaction.stop(interaction_id=await scene.handled(), agent="agent2")


async def _already_accepted(scene: Cast) -> Any:
    key = await scene.submitted()
    await scene.router.view.pull(view=VIEW)
    ticket = (await scene.router.interaction.deliver(interaction_id=key, agent="agent1")).ticket
    await scene.desk1.interaction.accept(interaction_id=key, ticket=ticket, agent="agent1")
    return await scene.desk2.interaction.accept(interaction_id=key, ticket=ticket, agent="agent2")


async def _not_waiting(scene: Cast) -> Any:
    return await scene.router.interaction.deliver(
        interaction_id=await scene.submitted(), agent="agent1"
    )


TRIGGERS: dict[str, Callable[[Cast], Awaitable[Any]]] = {
    "unsupported_operation": _unsupported,
    "operation_in_progress": _in_progress,
    "snapshot_not_accessible": _no_snapshot,
    "not_found": _not_found,
    "duplicate_interaction_id": _duplicate,
    "invalid_attribute": _invalid,
    "not_allowed": _not_allowed,
    "idempotency_key_reused": _reused,
    "not_owner": _not_owner,
    "already_accepted": _already_accepted,
    "not_waiting": _not_waiting,
}


@pytest.mark.parametrize("name", TRIGGERS)
def test_each_number_is_reached_by_its_trigger(name: str) -> None:
    """Name, number and outcome as in the table."""

    async def scenario() -> None:
        async with cast() as scene:
            with pytest.raises(PacelineError) as refused:
                await TRIGGERS[name](scene)
            spec = ERRORS[name]
            error = refused.value
            assert (error.name, error.number, error.outcome) == (name, spec.number, spec.outcome)

    run_virtual(scenario())


def test_pull_hold_timeout() -> None:
    """An empty view: the pull is answered at the option's end, whatever longer time was asked; live."""

    async def scenario() -> None:
        async with cast() as scene:
            for option, expected in ((None, 10.0), (3, 3.0)):
                if option is not None:
                    scene.node.settings.update({"settings": {"pull-hold-timeout": option}})
                began = scene.times.machine.monotonic()
                pulled = await scene.router.view.pull(view=VIEW, hold_s=60, timeout_s=90)
                assert pulled.interactions == ()
                assert abs(scene.times.machine.monotonic() - began - expected) < 0.5

    run_virtual(scenario())


def test_max_interactions_per_find() -> None:
    """The smaller of the request's number and the option, taken live; default 500."""

    async def scenario() -> None:
        async with cast() as scene:
            for _ in range(5):
                await scene.submitted()
            option = "max-interactions-per-find"
            assert scene.node.settings.current.integer("settings", option) == 500
            scene.node.settings.update({"settings": {option: 3}})
            for limit, expected in ((10, 3), (2, 2)):
                page = await scene.media.interaction.find(limit=limit)
                assert (len(page.interactions), page.complete) == (expected, False)

    run_virtual(scenario())


def test_client_token_retention() -> None:
    """Within it the first answer again; after it, in business time, the token is new."""

    async def scenario() -> None:
        async with cast(options={"settings": {"client-token-retention": "1h"}}) as scene:
            data = msgspec.Raw(b'{"a":1}')
            first = await scene.submitted(client_token="t", user_data=data)
            await scene.settle(3500)
            assert await scene.submitted(client_token="t", user_data=data) == first
            await scene.settle(200)
            assert await scene.submitted(client_token="t", user_data=data) != first

    run_virtual(scenario())
