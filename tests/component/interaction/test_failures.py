"""What a failing database, a lost answer or a wrong caller may not do to an interaction node."""

import asyncio
from typing import Any

import httpx
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import View
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.interaction.live import node as live_node
from paceline.storage.lane import ATTEMPTS
from paceline.units.quantities import Millis
from paceline.wire.operations.interaction import Submit
from paceline.wire.server.application import build_application
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import running_node, small_site

START = Millis(1_000_000_000_000)


def _times() -> Times:
    return virtual_times(START)


def test_what_a_router_holds_stays_known_when_a_batch_fails() -> None:
    """A refused batch moved an interaction away from its router; the router's loss still returns it."""

    async def scenario() -> None:
        times, database = _times(), FailingDatabase()
        async with running_node(times, database=database) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            database.refusals = ATTEMPTS
            with pytest.raises(PacelineError, match="database_unavailable"):
                await router.interaction.place_in_queue(interaction_id=key, queue="E-mails")
            await router.connection.close()
            await times.machine.sleep(0.1)
            found = await media.interaction.get(interaction_id=key)
            assert (found.state, found.queue) == ("queued", "Chats")
        await database.close()

    run_virtual(scenario())


def test_an_agent_rings_not_after_a_delivery_that_was_not_stored() -> None:
    """The agent's state is that of the database again, so that the delivery can be repeated."""

    async def scenario() -> None:
        database = FailingDatabase()
        async with running_node(_times(), database=database) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            database.refusals = ATTEMPTS
            with pytest.raises(PacelineError, match="database_unavailable"):
                await router.interaction.deliver(interaction_id=key, agent="agent1")
            delivered = await router.interaction.deliver(interaction_id=key, agent="agent1")
            assert delivered.state == "routing"
        await database.close()

    run_virtual(scenario())


def test_the_nodes_own_work_outlasts_an_absent_database() -> None:
    """An offer's end and a lost router's holdings are written when the database is back."""

    async def scenario() -> None:
        times, database = _times(), FailingDatabase()
        async with running_node(times, database=database) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            keys = [
                (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
                for _ in range(2)
            ]
            await router.view.pull(view="Chats view", count=2)
            await router.interaction.deliver(interaction_id=keys[0], agent="agent1")
            database.refusals = 3 * ATTEMPTS
            await router.connection.close()
            await times.machine.sleep(29)
            database.refusals = 3 * ATTEMPTS
            await times.machine.sleep(11)
            found = [await media.interaction.get(interaction_id=key) for key in keys]
            assert [i.state for i in found] == ["queued", "queued"]
        await database.close()

    run_virtual(scenario())


def test_a_refused_pull_takes_nothing_out_of_the_view() -> None:
    """An agent who is not logged in gets an error; the interaction is still there for the next pull."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            assert (await router.view.pull(view="E-mails view")).interactions == ()
            with pytest.raises(PacelineError, match="media_not_logged_in"):
                await media.view.pull(view="Chats view", agent="agent1")
            pulled = await router.view.pull(view="Chats view")
            assert [i.interaction_id for i in pulled.interactions] == [key]

    run_virtual(scenario())


def test_a_pull_finds_the_second_best_when_the_best_is_stopped_beside_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one batch the head's first goes; the next one is given though it was not in memory."""
    monkeypatch.setattr(live_node, "CACHED_ROWS", 0)

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            keys = [
                (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
                for _ in range(4)
            ]
            first = await media.view.pull(view="Chats view")
            stopped, pulled = await asyncio.gather(
                media.interaction.stop(interaction_id=keys[1]), media.view.pull(view="Chats view")
            )
            taken = [i.interaction_id for i in (*first.interactions, *pulled.interactions)]
            assert (stopped.state, taken) == ("stopped", [keys[0], keys[2]])

    run_virtual(scenario())


def test_accepting_again_gives_the_same_answer() -> None:
    """The answer to an accept may get lost: repeated by the agent who has it, it is no error."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            router = await node.client("router", "router")
            desk = await node.client("desk", "agent")
            for agent in ("agent1", "agent2"):
                await desk.agent.login(agent=agent, media=("chat",), ready=True)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await router.view.pull(view="Chats view")
            ticket = (await router.interaction.deliver(interaction_id=key, agent="agent1")).ticket
            answers = [
                await desk.interaction.accept(interaction_id=key, ticket=ticket, agent="agent1")
                for _ in range(2)
            ]
            assert [answer.state for answer in answers] == ["handling", "handling"]
            with pytest.raises(PacelineError, match="already_accepted"):
                await desk.interaction.accept(interaction_id=key, ticket=ticket, agent="agent2")

    run_virtual(scenario())


def test_a_batch_is_repeatable_by_its_key() -> None:
    """The same batch under the same key stores nothing twice; another one under it is refused."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            items = tuple(Submit(media_type="chat", queue="Chats", priority=n) for n in range(2))
            first, again = [
                await media.interaction.submit_batch(interactions=items, idempotency_key="k")
                for _ in range(2)
            ]
            other = await media.interaction.submit_batch(
                interactions=items[1:], idempotency_key="k"
            )
            assert first == again
            assert other.items[0].error is not None
            assert other.items[0].error["name"] == "idempotency_key_reused"
            assert (await media.queue.list()).items[0].depth == 2

    run_virtual(scenario())


def test_a_lost_agent_who_was_deleted_is_logged_out() -> None:
    """A person who is gone from the configuration keeps no interaction."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            media = await node.client("chat")
            desk = await node.client("desk", "agent")
            await desk.agent.login(agent="agent1", media=("chat",), ready=True)
            key = (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
            await desk.view.pull(view="Chats view", agent="agent1")
            old = node.configuration.snapshot
            [person] = [i for i in old.objects.values() if i.name == "agent1"]
            node.configuration.change(old.with_changes((), ((person.type, person.id),), seq=2))
            await desk.connection.close()
            await times.machine.sleep(60)
            assert (await media.interaction.get(interaction_id=key)).state == "queued"

    run_virtual(scenario())


def test_a_made_up_continuation_is_refused() -> None:
    """A continuation that no page gave names its field."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            for made_up in ("-5", "x", "9" * 40):
                with pytest.raises(PacelineError) as refused:
                    await media.interaction.find(continuation=made_up)
                assert refused.value.field == "continuation"

    run_virtual(scenario())


@pytest.mark.parametrize(("has_gone", "state"), [(True, "queued"), (False, "routing")])
def test_a_pull_over_http_goes_back_when_its_caller_has_gone(has_gone: bool, state: str) -> None:
    """The connection closes while the pull is held: what then arrives is not lost with it."""

    async def scenario() -> None:
        times = _times()
        async with running_node(times) as node:
            application = build_application(node.served.surface)
            sent: list[Any] = []
            received = [{"type": "http.request", "body": b'{"hold_s":5}', "more_body": False}]

            async def receive() -> Any:
                if received:
                    return received.pop()
                if not has_gone:
                    await times.machine.sleep(60)
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                sent.append(message)

            async def submit() -> str:
                await times.machine.sleep(2)
                media = await node.client("chat")
                answer = await media.interaction.submit(media_type="chat", queue="Chats")
                return answer.interaction_id

            scope = {
                "type": "http", "http_version": "1.1", "method": "POST", "scheme": "http",
                "path": "/v1/views/Chats view/pull", "raw_path": b"/v1/views/Chats%20view/pull",
                "query_string": b"", "root_path": "", "client": ("10.0.0.9", 1),
                "server": ("node", 80), "headers": [(b"authorization", b"Bearer any")],
            }  # fmt: skip
            key, _ = await asyncio.gather(submit(), application(scope, receive, send))  # type: ignore[arg-type]  # Litestar's own ASGI types
            assert sent[0]["status"] == 200
            media = await node.client("other")
            assert (await media.interaction.get(interaction_id=key)).state == state

    run_virtual(scenario())


def test_a_pull_over_http_is_held_no_longer_than_its_timeout() -> None:
    """It ends empty instead of late, however long `hold_s` is."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            application = build_application(node.served.surface)
            transport = httpx.ASGITransport(application)  # type: ignore[arg-type]  # Litestar's own ASGI types
            async with httpx.AsyncClient(
                transport=transport, base_url="http://node", headers={"authorization": "Bearer any"}
            ) as client:
                answer = await client.post(
                    "/v1/views/Chats%20view/pull?timeout_s=3", json={"hold_s": 20}
                )
            assert (answer.status_code, answer.json()) == (200, {"interactions": []})

    run_virtual(scenario())


def test_pages_of_a_search_miss_nothing_that_stays() -> None:
    """What is stopped between two pages shifts no other interaction out of them."""

    async def scenario() -> None:
        async with running_node(_times()) as node:
            media = await node.client("chat")
            keys = [
                (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
                for _ in range(5)
            ]
            first = await media.interaction.find(limit=2)
            await media.interaction.stop(interaction_id=keys[0])
            rest = await media.interaction.find(limit=3, continuation=first.continuation)
            assert [i.interaction_id for i in rest.interactions] == keys[2:]
            assert rest.complete
            last = await media.interaction.find(order="InteractionId desc", limit=1)
            next_one = await media.interaction.find(
                order="InteractionId desc", limit=1, continuation=last.continuation
            )
            found = [i.interaction_id for i in (*last.interactions, *next_one.interactions)]
            assert found == [keys[4], keys[3]]

    run_virtual(scenario())


def test_a_view_may_be_ordered_by_any_property() -> None:
    """Also by those that the table of user data has too."""

    async def scenario() -> None:
        site = small_site()
        site.add(
            "scripts",
            "By id",
            View(business_process="Service", queue="Chats", order="InteractionId desc"),
        )
        async with running_node(_times(), site=site) as node:
            media = await node.client("chat")
            keys = [
                (await media.interaction.submit(media_type="chat", queue="Chats")).interaction_id
                for _ in range(3)
            ]
            pulled = await media.view.pull(view="By id", count=3)
            assert [i.interaction_id for i in pulled.interactions] == keys[::-1]

    run_virtual(scenario())
