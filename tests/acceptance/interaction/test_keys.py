"""Idempotency keys of every operation that declares one: one effect, one answer, also after a crash."""

import asyncio
from collections.abc import Callable
from functools import partial

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.wire.call import Call, Principal
from paceline.wire.frames import encode
from paceline.wire.operation import Operation, Request
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.interaction import Pull, Pulled, SubmitBatch
from paceline.wire.operations.topic import SubscribeTopics, UserEvent
from tests.acceptance.interaction.cast import START, VIEW, Cast, cast
from tests.acceptance.interaction.keyed_requests import CONTENT, KEYED, Keyed, site_with_drafts
from tests.fakes.site import running_node

OPERATIONS = OPERATIONS_OF["interaction"]
DECLARED = sorted(name for name, op in OPERATIONS.items() if op.idempotency == "key")


async def _ask(client: InteractionServerClient, operation: Operation, request: Request) -> bytes:
    return encode(await client.connection.call(operation, request, key="k"))


async def _ask_first(keyed: Keyed, operation: Operation) -> bytes:
    asking = _ask(keyed.client, operation, keyed.request)
    if keyed.meanwhile is None:
        return await asking
    answer, _ = await asyncio.gather(asking, keyed.meanwhile())
    return answer


async def _stored(database: Database) -> dict[str, list[tuple[object, ...]]]:
    names = await database.fetch("SELECT name FROM interaction.sqlite_master WHERE type = 'table'")
    rows = {
        str(name): await database.fetch(f'SELECT * FROM interaction."{name}"') for (name,) in names
    }
    return {name: sorted(map(tuple, found), key=repr) for name, found in rows.items()}


def _other(request: Request) -> Request:
    """The same wish in another body."""
    if isinstance(request, SubmitBatch):
        items = tuple(msgspec.structs.replace(item, tenant=1) for item in request.interactions)
        return SubmitBatch(interactions=items)
    return msgspec.structs.replace(request, tenant=1)  # type: ignore[call-arg]  # every other request has it


def test_every_change_is_repeatable() -> None:
    """What changes something is idempotent by nature or by key, or is a stream; all keys are tried here."""
    changing = {
        name for name, op in OPERATIONS.items() if op.right is None or op.right[1] != "read"
    }
    without = {name for name in changing if OPERATIONS[name].idempotency == "none"}
    assert {name for name in without if not name.startswith("server.")} == set()
    assert set(KEYED) == set(DECLARED)


@pytest.mark.parametrize("name", DECLARED)
def test_a_repeat_has_no_second_effect(name: str) -> None:
    """The same answer and nothing stored, now and on the process that takes over; another body is refused."""
    operation = OPERATIONS[name]

    async def scenario() -> None:
        times = virtual_times(START)
        database = open_database(from_url("sqlite://"), times=times, inline=True)
        await upgrade(database, ["interaction"])
        async with running_node(times, database=database, site=site_with_drafts()) as node:
            scene = Cast(node, times)
            await scene.enter()
            keyed = await KEYED[name](scene)
            first = await _ask_first(keyed, operation)
            await scene.settle()
            before = await _stored(database)
            assert await _ask(keyed.client, operation, keyed.request) == first
            assert await _stored(database) == before
            await _is_refused(keyed, operation)
            kind = "operator" if "operator" in operation.client_kinds else "router"
            async with running_node(
                times, database=database, site=site_with_drafts(), epoch=2
            ) as heir:  # the one before is as good as killed: its writes are refused
                await scene.settle()
                again = await heir.client("again", kind)
                before = await _stored(database)
                assert await _ask(again, operation, keyed.request) == first
                assert await _stored(database) == before
        await database.close()

    run_virtual(scenario())


async def _is_refused(keyed: Keyed, operation: Operation) -> None:
    try:
        answer = await _ask(keyed.client, operation, _other(keyed.request))
    except PacelineError as refusal:
        assert refusal.name == "idempotency_key_reused"
    else:  # a batch answers item by item
        assert answer.count(b"idempotency_key_reused") == 2


def test_what_goes_back_with_its_session_is_pulled_anew() -> None:
    """A router's key is its session's: over the same one the same interactions, over another the next."""

    async def scenario() -> None:
        async with cast() as scene:
            keys = [await scene.submitted() for _ in range(2)]

            async def pull(router: InteractionServerClient) -> list[str]:
                pulled = await router.view.pull(view=VIEW, idempotency_key="k")
                return [each.interaction_id for each in pulled.interactions]

            assert await pull(scene.router) == keys[:1]
            assert await pull(scene.router) == keys[:1]
            assert await pull(await scene.node.client("other", "router")) == keys[1:]
            await scene.router.connection.close()
            await scene.settle()
            assert await pull(await scene.node.client("new", "router")) == keys[:1]

    run_virtual(scenario())


class _OverHttp:
    """A router without a session, whose answers may get lost."""

    def __init__(self, scene: Cast) -> None:
        self._handler = scene.node.server.handlers["view.pull"]
        self._principal = Principal(name="tester", kind="application")
        self._deadline = scene.times.machine.monotonic() + 60

    def call(self) -> Call:
        return Call(
            principal=self._principal,
            tenant=1,
            client="tester",
            client_kind="router",
            request_id="r",
            deadline=self._deadline,
            idempotency_key="k",
        )

    async def pull(self, call: Call) -> Pulled:
        pulled: Pulled = await self._handler(call, Pull(view=VIEW))
        return pulled

    async def ids(self) -> list[str]:
        """What is pulled and received."""
        return [each.interaction_id for each in (await self.pull(self.call())).interactions]

    async def lose(self) -> Callable[[], None]:
        """Pulls; the answer is lost when what is given is called."""
        call = self.call()
        pulled = await self.pull(call)
        assert pulled.interactions
        assert call.on_undelivered is not None
        return partial(call.on_undelivered, pulled)


def test_a_pull_that_nobody_got_is_undone_with_its_key() -> None:
    """It goes back at once, and the repeat pulls as if it were the first."""

    async def scenario() -> None:
        async with cast() as scene:
            first = await scene.submitted(priority=1)
            router = _OverHttp(scene)
            (await router.lose())()
            await scene.settle()
            assert await scene.state(first) == "queued"
            second = await scene.submitted(priority=2)
            assert await router.ids() == [second]
            assert await router.ids() == [second]

    run_virtual(scenario())


def test_a_pull_whose_repeat_arrived_stays() -> None:
    """The first answer is found lost after a repeat has got it: nothing goes back; twice lost, it does."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()
            router = _OverHttp(scene)
            first = await router.lose()
            assert await router.ids() == [key]
            first()
            await scene.settle()
            assert await scene.state(key) == "routing"
            again = await router.lose()
            again()  # the one that got it before still has it
            await scene.settle()
            assert await scene.state(key) == "routing"
            again()
            await scene.settle()
            assert await scene.state(key) == "queued"

    run_virtual(scenario())


def test_pulls_that_meet_are_one() -> None:
    """Two at once with one key: both get the same, and the view has lost no more than that."""

    async def scenario() -> None:
        async with cast() as scene:
            keys = [await scene.submitted() for _ in range(2)]
            router = _OverHttp(scene)
            assert await asyncio.gather(*(router.ids() for _ in range(5))) == [keys[:1]] * 5
            assert await scene.state(keys[1]) == "queued"

    run_virtual(scenario())


def test_an_erased_person_is_not_in_a_repeated_answer() -> None:
    """What is kept of a pull has no user data: after an erasure the repeat shows none."""

    async def scenario() -> None:
        async with cast() as scene:
            await scene.submitted(user_data=msgspec.Raw(b'{"customer":"Ann"}'))
            pull = partial(scene.desk1.view.pull, view=VIEW, agent="agent1", idempotency_key="k")
            assert b"Ann" in bytes((await pull()).interactions[0].user_data)
            await scene.media.privacy.erase(key="customer", value="Ann")
            assert b"Ann" not in bytes((await pull()).interactions[0].user_data)

    run_virtual(scenario())


def test_a_snapshot_that_went_with_its_client_is_taken_anew() -> None:
    """A repeat over the same session gets the same one; after the session's end another one."""

    async def scenario() -> None:
        async with cast() as scene:
            await scene.submitted()
            desk = await scene.node.client("desk", "agent")
            taken = [
                (await desk.snapshot.take(view=VIEW, lock=True, idempotency_key="k")).snapshot_id
                for _ in range(2)
            ]
            assert taken[0] == taken[1]
            await desk.connection.close()
            await scene.settle()
            desk = await scene.node.client("desk", "agent")
            anew = await desk.snapshot.take(view=VIEW, lock=True, idempotency_key="k")
            assert (anew.snapshot_id != taken[0], anew.size) == (True, 1)

    run_virtual(scenario())


def test_a_refused_request_may_be_asked_again_with_its_key() -> None:
    """A refusal changed nothing and is not kept: the same key is tried anew."""

    async def scenario() -> None:
        async with cast() as scene:
            key = await scene.submitted()

            async def deliver() -> None:
                await scene.router.interaction.deliver(
                    interaction_id=key, agent="agent2", idempotency_key="k"
                )

            with pytest.raises(PacelineError, match="not_waiting"):
                await deliver()
            await scene.router.view.pull(view=VIEW)
            await deliver()
            await deliver()
            assert (await scene.events()).count("EventAgentInvited") == 1

    run_virtual(scenario())


def test_a_message_to_a_topic_arrives_once() -> None:
    """Who listens hears a repeated publication once."""

    async def scenario() -> None:
        async with cast() as scene:
            heard: list[UserEvent] = []
            scene.desk1.topic.subscribe(lambda: SubscribeTopics(topic="news"), heard.append)
            await scene.settle()
            for _ in range(2):
                told = await scene.media.topic.publish(
                    topic="news", content=CONTENT, idempotency_key="k"
                )
                assert told.receivers == 1
            await scene.settle()
            assert len(heard) == 1

    run_virtual(scenario())
