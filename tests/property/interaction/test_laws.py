"""Random requests against one node: order, no loss, and the event log that replays to the stored state."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paceline.errors.failure import PacelineError
from paceline.model import events as names
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.event import Event
from paceline.wire.operations.interaction import Invite
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)
VIEW = "Chats view"
AGENTS = ("agent1", "agent2")


class _Traffic:
    """Clients that do random things, remembering only what the server acknowledged."""

    def __init__(self, node: Node, seed: int) -> None:
        self.node = node
        self.dice = random.Random(seed)
        self.submitted: dict[str, tuple[int, int]] = {}
        self.held: list[str] = []
        self.invites: list[Invite] = []
        self.handled: dict[str, str] = {}
        self.stopped: set[str] = set()
        self.media: InteractionServerClient
        self.router: InteractionServerClient
        self.desk: InteractionServerClient

    async def connect(self) -> None:
        self.media = await self.node.client("chat")
        self.router = await self.node.client("router", "router")
        self.desk = await self.node.client("desk", "agent")
        self.desk.connection.on_notice("interaction.invite", self.invites.append)
        for agent in AGENTS:
            await self.desk.agent.login(agent=agent, media=("chat",), ready=True)

    async def step(self) -> None:
        act = self.dice.choice(
            [
                self.submit,
                self.submit,
                self.pull,
                self.enter,
                self.deliver,
                self.answer,
                self.end,
                self.wait,
            ]
        )
        try:
            await act()
        except PacelineError as refusal:
            assert refusal.outcome == "not_done", refusal

    async def submit(self) -> None:
        priority = self.dice.randrange(3)
        answer = await self.media.interaction.submit(
            media_type="chat", queue="Chats", priority=priority
        )
        self.submitted[answer.interaction_id] = (-priority, answer.submit_seq)

    async def pull(self) -> None:
        pulled = await self.router.view.pull(view=VIEW, count=self.dice.randrange(1, 4))
        order = [(-i.priority, i.received_at, i.queue_seq) for i in pulled.interactions]
        assert order == sorted(order)
        self.held += [i.interaction_id for i in pulled.interactions]

    async def enter(self) -> None:
        if self.held:
            number = self.dice.choice(["Chat", "Proactive Chat"])
            await self.router.interaction.enter_virtual_queue(
                interaction_id=self.dice.choice(self.held), virtual_queue=number
            )

    async def deliver(self) -> None:
        if self.held:
            await self.router.interaction.deliver(
                interaction_id=self.dice.choice(self.held), agent=self.dice.choice(AGENTS)
            )

    async def answer(self) -> None:
        if not self.invites:
            return
        invite = self.invites.pop()
        key = invite.interaction.interaction_id
        if self.dice.random() < 0.7:
            await self.desk.interaction.accept(
                interaction_id=key, ticket=invite.ticket, agent=invite.agent
            )
            self.handled[key] = invite.agent
        else:
            await self.desk.interaction.reject(
                interaction_id=key, ticket=invite.ticket, agent=invite.agent
            )

    async def end(self) -> None:
        key = self.dice.choice([*self.handled, *self.submitted] or ["none"])
        if key in self.handled:
            await self.desk.interaction.stop(interaction_id=key, agent=self.handled.pop(key))
        elif self.dice.random() < 0.5:
            await self.media.interaction.abandon(interaction_id=key)
        else:
            await self.media.interaction.place_in_queue(interaction_id=key, queue="E-mails")

    async def wait(self) -> None:
        await self.node.served.times.machine.sleep(self.dice.choice([0.1, 1, 20]))


def replayed(log: list[Event]) -> dict[str, str]:
    """State of every interaction as the events alone tell it."""
    state: dict[str, str] = {}
    for event in log:
        key = event.interaction_id
        if key is None:
            continue
        party = b'"agent"' in bytes(event.data)
        match event.name:
            case names.INTERACTION_SUBMITTED | names.PLACED_IN_QUEUE:
                state[key] = "queued"
            case names.PARTY_ADDED:
                state[key] = "handling" if party else "routing"
            case names.PROCESSING_STOPPED:
                state[key] = "stopped"
    return state


async def _log(client: InteractionServerClient) -> list[Event]:
    log: list[Event] = []
    while True:
        page = await client.event.read(after=log[-1].position if log else None, limit=500)
        log += page.items
        if page.complete:
            return log


@given(seed=st.integers(0, 2**32))
def test_nothing_is_lost_and_the_log_replays_to_the_state(seed: int) -> None:
    """Every acknowledged submission is there, in the state that the event log tells, numbers without gap."""

    async def scenario() -> None:
        times = virtual_times(START)
        async with running_node(times, options={"views": {"head-size": 10}}) as node:
            traffic = _Traffic(node, seed)
            await traffic.connect()
            for _ in range(60):
                await traffic.step()
            log = await _log(traffic.media)
            assert [event.event_id for event in log] == list(range(1, len(log) + 1))
            told = replayed(log)
            assert set(told) == set(traffic.submitted)
            for key, state in told.items():
                assert (await traffic.media.interaction.get(interaction_id=key)).state == state

    run_virtual(scenario())


@given(seed=st.integers(0, 2**32))
def test_virtual_queues_add_up(seed: int) -> None:
    """Entered = waiting + distributed + abandoned + cleared, for each virtual queue."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            traffic = _Traffic(node, seed)
            await traffic.connect()
            for _ in range(60):
                await traffic.step()
            counts = Counter(event.name for event in await _log(traffic.media))
            found = await traffic.media.interaction.find(limit=500)
            inside = sum(item.virtual_queue is not None for item in found.interactions)
            assert counts[names.VIRTUAL_QUEUE_ENTERED] == (
                inside
                + counts[names.VIRTUAL_QUEUE_DISTRIBUTED]
                + counts[names.VIRTUAL_QUEUE_ABANDONED]
                + counts[names.VIRTUAL_QUEUE_CLEARED]
            )

    run_virtual(scenario())


@given(seed=st.integers(0, 2**32))
def test_a_restart_finds_everything_and_returns_what_was_held(seed: int) -> None:
    """A second process on the same store: queued stays queued, held goes back, handled stays handled."""

    async def scenario() -> None:
        times = virtual_times(START)
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=store) as node:
            traffic = _Traffic(node, seed)
            await traffic.connect()
            for _ in range(50):
                await traffic.step()
            before = {
                key: (await traffic.media.interaction.get(interaction_id=key)).state
                for key in traffic.submitted
            }
        async with running_node(times, database=store, epoch=2) as node:
            media = await node.client("chat")
            await times.machine.sleep(5)
            for key, state in before.items():
                now = (await media.interaction.get(interaction_id=key)).state
                assert now == state or (state == "routing" and now in ("queued", "routing")), (
                    state,
                    now,
                )
            pulled = await media.view.pull(view=VIEW, count=100)
            order = [(-i.priority, i.received_at, i.queue_seq) for i in pulled.interactions]
            assert order == sorted(order)

    run_virtual(scenario())


def test_an_older_epoch_writes_nothing_more() -> None:
    """Once a second process has taken the node, the first one's next change is refused as stale."""

    async def scenario() -> None:
        times = virtual_times(START)
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running_node(times, database=store, epoch=1) as old:
            first = await old.client("chat")
            await first.interaction.submit(media_type="chat", queue="Chats")
            async with running_node(times, database=store, epoch=2) as new:
                second = await new.client("chat")
                await second.interaction.submit(media_type="chat", queue="Chats")
                with pytest.raises(PacelineError, match="stale_epoch"):
                    await first.interaction.submit(media_type="chat", queue="Chats")
                assert len((await second.interaction.find()).interactions) == 2
                assert old.server.state == "unavailable"

    run_virtual(scenario())
