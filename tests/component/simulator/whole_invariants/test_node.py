"""Invariants on a real interaction node: they hold for what it does, and find what is done to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from paceline.assembly.stored_facts import NodeFacts
from paceline.errors.failure import PacelineError
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import Connection, InteractionServerClient
from paceline.servers.interaction.store import node as node_store
from paceline.simulator.whole.answers import AcknowledgedIsKept, AnsweredInTime, RefusedIsUndone
from paceline.simulator.whole.history import History, record
from paceline.simulator.whole.invariant import EventLog, InvariantBroken
from paceline.simulator.whole.order import SubscribersSeeAll, ViewOrder
from paceline.simulator.whole.stored_state import StoredState
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.event import Event, StreamEvents
from paceline.wire.operations.interaction import OPERATIONS, Submit, Submitted
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)
SUBMIT = OPERATIONS["interaction.submit"]
REQUEST = Submit(media_type="chat", queue="Chats")


class _NoInvitations:
    """An engine's store without invitations."""

    async def has_invitation(self, invitation_id: str) -> bool:
        """Has none."""
        return False


class Bench:
    """A node, its database, a recorded client, and the invariants that need no more."""

    def __init__(self, node: Node, database: Database, client: InteractionServerClient) -> None:
        self.node = node
        self.database = database
        self.client = client
        self.lines: list[str] = []
        machine = node.served.times.machine
        self.history = History(machine.monotonic, self.lines.append)
        self.log = EventLog(NodeFacts(database), write=self.lines.append)
        snapshot = node.configuration.snapshot
        self.subscriber = SubscribersSeeAll(self.log)
        self.invariants = [
            AnsweredInTime(self.history, machine.monotonic),
            AcknowledgedIsKept(self.history, self.log, _NoInvitations()),  # type: ignore[arg-type]  # the part asked
            RefusedIsUndone(self.history, self.log),
            ViewOrder(self.log, snapshot),
            self.subscriber,
            StoredState(self.log, snapshot),
        ]

    async def judge(self) -> None:
        """Everything, as at the end."""
        for invariant in self.invariants:
            await invariant.check_now()
            await invariant.check_at_end()


@asynccontextmanager
async def bench() -> AsyncIterator[Bench]:
    """A node on a database in memory and its recorded client."""
    times = virtual_times(START)
    database = open_database(from_url("sqlite://"), times=times, inline=True)
    async with running_node(times, database=database) as node:

        async def token() -> str:
            return "any"

        connection = Connection(
            node.served.link, times=times, client="client", client_kind="router", token=token
        )
        made = Bench(node, database, InteractionServerClient(connection))
        record(connection, made.history, "client")
        connection.start()
        await connection.wait_connected()
        made.client.event.subscribe(
            lambda: StreamEvents(after=made.subscriber.position),
            lambda notice: made.subscriber.take(notice.items, notice.position),
        )
        yield made
        await connection.close()


async def _some_work(bench: Bench) -> list[str]:
    """Submissions, pulls, an offer and a stop; ids of all."""
    client = bench.client
    ids = []
    for priority in (0, 5, 0):
        answer = await client.interaction.submit(
            media_type="chat", queue="Chats", priority=priority, client_token=f"t{len(ids)}"
        )
        ids.append(answer.interaction_id)
    await client.agent.login(agent="agent1", media=("chat",), ready=True)
    [first] = (await client.view.pull(view="Chats view", count=1)).interactions
    await client.interaction.enter_virtual_queue(
        interaction_id=first.interaction_id, virtual_queue="Chat"
    )
    offer = await client.interaction.deliver(interaction_id=first.interaction_id, agent="agent1")
    await client.interaction.accept(
        interaction_id=first.interaction_id, ticket=offer.ticket, agent="agent1"
    )
    await client.interaction.abandon(interaction_id=ids[2])
    with pytest.raises(PacelineError, match="does not exist"):
        await client.interaction.submit(media_type="chat", queue="Nowhere", interaction_id="mine")
    await bench.node.served.times.machine.sleep(1.0)
    return ids


def test_they_hold_for_a_sound_node() -> None:
    """Ordinary work breaks no invariant, and every request has its line."""

    async def scenario() -> None:
        async with bench() as made:
            await _some_work(made)
            await made.judge()
            assert sum(" interaction.submit done " in line for line in made.lines) == 3

    run_virtual(scenario())


async def _lose_a_row(bench: Bench, ids: list[str]) -> None:
    keys = [(1, ids[0])]
    await bench.database.transaction(
        lambda tx: tx.delete_rows(node_store.INTERACTIONS, node_store.KEY_COLUMNS, keys)
    )


async def _acknowledge_nothing(bench: Bench, ids: list[str]) -> None:
    asked = bench.history.begin("client", SUBMIT, REQUEST, None)
    ghost = Submitted(interaction_id="ghost", state="queued", queue="Chats", submit_seq=9)
    bench.history.end(asked, "done", answer=ghost)


async def _send_twice(bench: Bench, ids: list[str]) -> None:
    last = Event(
        position="1.1", node=1, event_id=1, name="EventAgentLogin", at="", tenant=1, actor="test"
    )
    bench.subscriber.take([last], "1.1")


async def _forget_a_request(bench: Bench, ids: list[str]) -> None:
    bench.history.begin("client", SUBMIT, REQUEST, None)
    await bench.node.served.times.machine.sleep(60.0)


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (_lose_a_row, "it is not in work|says lost"),
        (_acknowledge_nothing, "no event tells of interaction ghost"),
        (_send_twice, "exactly once, in order: event 1 came after"),
        (_forget_a_request, "answered or refused within its deadline"),
    ],
)
def test_they_find_what_is_done_to_it(
    harm: Callable[[Bench, list[str]], Awaitable[None]], found: str
) -> None:
    """A lost row, an acknowledgement of nothing, an event twice, an unanswered request: each is found."""

    async def scenario() -> None:
        async with bench() as made:
            ids = await _some_work(made)
            await made.judge()
            await harm(made, ids)
            with pytest.raises(InvariantBroken, match=found):
                await made.judge()

    run_virtual(scenario())
