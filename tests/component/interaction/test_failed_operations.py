"""What a batch that was not stored leaves behind of parties, snapshots and running times: nothing."""

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.storage.lane import ATTEMPTS
from paceline.wire.operations.push import RouteRequest
from tests.acceptance.interaction.cast import START, VIEW, Cast
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import running_node


def test_a_party_that_was_not_stored_has_not_joined() -> None:
    """The acceptance fails: the invitation stands, the owner has it, the repeated acceptance works."""

    async def scenario() -> None:
        times, database = virtual_times(START), FailingDatabase()
        async with running_node(times, database=database) as node:
            scene = Cast(node, times)
            await scene.enter()
            key = await scene.handled()
            asked = await scene.desk1.interaction.transfer(
                interaction_id=key, agent="agent1", to_agent="agent2"
            )
            accept = {"interaction_id": key, "ticket": asked.ticket, "agent": "agent2"}
            database.refusals = ATTEMPTS
            with pytest.raises(PacelineError, match="database_unavailable"):
                await scene.desk2.interaction.accept(**accept)  # type: ignore[arg-type]
            found = await scene.media.interaction.get(interaction_id=key)
            assert (found.agent, found.parties) == ("agent1", ())
            await scene.desk2.interaction.accept(**accept)  # type: ignore[arg-type]
            found = await scene.media.interaction.get(interaction_id=key)
            assert found.agent == "agent2"
        await database.close()

    run_virtual(scenario())


def test_a_snapshot_that_was_not_stored_locks_nothing() -> None:
    """Taking fails: everything can be pulled; releasing fails: everything stays locked."""

    async def scenario() -> None:
        times, database = virtual_times(START), FailingDatabase()
        async with running_node(times, database=database) as node:
            scene = Cast(node, times)
            await scene.enter()
            key = await scene.submitted()
            database.refusals = ATTEMPTS
            with pytest.raises(PacelineError, match="database_unavailable"):
                await scene.media.snapshot.take(view=VIEW, lock=True, snapshot_id="one")
            taken = await scene.media.snapshot.take(view=VIEW, lock=True, snapshot_id="one")
            assert taken.size == 1
            database.refusals = ATTEMPTS
            with pytest.raises(PacelineError, match="database_unavailable"):
                await scene.media.snapshot.release(snapshot_id="one")
            assert (await scene.router.view.pull(view=VIEW)).interactions == ()
            await scene.media.snapshot.release(snapshot_id="one")
            assert (await scene.router.view.pull(view=VIEW)).interactions[0].interaction_id == key
        await database.close()

    run_virtual(scenario())


def test_an_end_that_was_not_stored_leaves_the_handling_time_running() -> None:
    """The agent's stop fails: the interaction is still handled, and its time goes on."""

    async def scenario() -> None:
        times, database = virtual_times(START), FailingDatabase()
        async with running_node(times, database=database) as node:
            scene = Cast(node, times)
            await scene.enter()
            key = await scene.handled()
            await scene.settle(100 * 60)
            database.refusals = ATTEMPTS
            with pytest.raises(PacelineError, match="database_unavailable"):
                await scene.desk1.interaction.stop(interaction_id=key, agent="agent1")
            await scene.settle(179 * 60)
            assert await scene.state(key) == "handling"
            database.refusals = 3 * ATTEMPTS  # the timer's own work outlasts an absent database
            await scene.settle(2 * 60)
            assert await scene.state(key) == "queued"
        await database.close()

    run_virtual(scenario())


def test_a_release_and_a_push_outlast_an_absent_database() -> None:
    """The client of a snapshot goes while the database is away: its locks go later; pushing goes on."""

    async def scenario() -> None:
        times, database = virtual_times(START), FailingDatabase()
        async with running_node(times, database=database) as node:
            scene = Cast(node, times)
            await scene.enter()
            key = await scene.submitted()
            pushed: list[RouteRequest] = []
            scene.router.connection.on_notice("router.route_request", pushed.append)
            visitor = await node.client("visitor", "agent")
            await visitor.snapshot.take(view=VIEW, lock=True)
            await scene.router.router.attach(views=(VIEW,), credit=2)
            database.refusals = 3 * ATTEMPTS
            await visitor.connection.close()
            await scene.settle(30)
            assert [notice.interaction.interaction_id for notice in pushed] == [key]
            assert node.server.state == "started"
        await database.close()

    run_virtual(scenario())
