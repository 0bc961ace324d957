"""A node's view with segments, limits and scheduling against a plain model, over restarts and failed batches."""

import asyncio
import random
from collections import Counter
from contextlib import AsyncExitStack

from hypothesis import given
from hypothesis import strategies as st

from paceline.errors.failure import PacelineError
from paceline.model.configuration import View
from paceline.model.instant import to_text
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.units.quantities import Millis
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import running_node, small_site

START = Millis(1_000_000_000_000)
VIEW = "Own view"
SEGMENT_LIMIT = 2
MOST = 5


class _Known:
    """What the model knows of one interaction."""

    def __init__(self, number: int, segment: str, priority: int, due: int | None) -> None:
        self.number = number
        self.segment = segment
        self.priority = priority
        self.due = due
        self.state = "queued"


class _World:
    """Clients of a node that is killed now and then, and the model of what it must give."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.times = virtual_times(START)
        self.store = FailingDatabase()
        self.site = small_site()
        view = View(
            business_process="Service",
            queue="Chats",
            condition="Priority < 3",
            segment_by="InteractionSubtype",
            segment_limit=SEGMENT_LIMIT,
            max_interactions=MOST,
            scheduling_condition="Priority >= 0",
            scheduling_order="Priority DESC",
        )
        self.site.add("scripts", VIEW, view)
        self.all: dict[str, _Known] = {}
        self.epoch = 0
        self.stack = AsyncExitStack()
        self.client: InteractionServerClient

    async def restart(self) -> None:
        await self.stack.aclose()
        self.epoch += 1
        node = await self.stack.enter_async_context(
            running_node(
                self.times,
                database=self.store,
                epoch=self.epoch,
                site=self.site,
                options={"views": {"head-size": 10}},
            )
        )
        self.client = await node.client("router", "router")
        await self.times.machine.sleep(3)
        for known in self.all.values():
            if known.state == "routing":
                known.state = "queued"

    async def submit(self) -> None:
        segment, priority = self.dice.choice("ABC"), self.dice.randrange(4)
        due = self.dice.choice((None, None, 5, 30))
        at = None if due is None else self.times.business.now() + due * 1000
        answer = await self.client.interaction.submit(
            media_type="chat",
            queue="Chats",
            interaction_subtype=segment,
            priority=priority,
            received_at=to_text(START),
            scheduled_at=None if at is None else to_text(at),
        )
        self.all[answer.interaction_id] = _Known(answer.submit_seq, segment, priority, at)

    async def pull(self) -> None:
        count = self.dice.choice((1, 2, 9))
        pulled = await self.client.view.pull(view=VIEW, count=count)
        assert [item.interaction_id for item in pulled.interactions] == self.expected(count)
        for item in pulled.interactions:
            self.all[item.interaction_id].state = "routing"

    def expected(self, count: int) -> list[str]:
        now = self.times.business.now()
        waiting = [
            (key, k)
            for key, k in self.all.items()
            if k.state == "queued" and (k.priority < 3 if k.due is None else k.due <= now)
        ]
        waiting.sort(key=lambda pair: (pair[1].due is None, -pair[1].priority, pair[1].number))
        held = Counter(k.segment for k in self.all.values() if k.state == "routing")
        given: list[str] = []
        for key, known in waiting:
            if len(given) < count and held.total() < MOST and held[known.segment] < SEGMENT_LIMIT:
                held[known.segment] += 1
                given.append(key)
        return given

    async def leave(self) -> None:
        held = [key for key, known in self.all.items() if known.state == "routing"]
        if not held:
            return
        key = self.dice.choice(held)
        if self.dice.random() < 0.5:
            await self.client.interaction.stop(interaction_id=key)
            self.all[key].state = "stopped"
        else:
            await self.client.interaction.place_in_queue(interaction_id=key, queue="__BACK__")
            self.all[key].state = "queued"

    async def wait(self) -> None:
        await self.times.business.sleep(self.dice.choice((1, 10)))

    async def together(self) -> None:
        """Requests that one batch decides, in this order; one that the database refuses refuses all."""
        acts = (self.submit(), self.leave(), self.pull(), self.pull())
        outcomes = await asyncio.gather(*acts, return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def step(self) -> None:
        acts = (self.submit, self.submit, self.pull, self.leave, self.together, self.wait)
        act = self.dice.choice(acts)
        if self.dice.random() < 0.1:
            self.store.refusals = 2
        try:
            await act()
        except PacelineError as error:
            assert error.name == "database_unavailable"
        self.store.refusals = 0
        if self.dice.random() < 0.03:
            await self.restart()


@given(seed=st.integers(0, 2**32))
def test_a_limited_view_gives_exactly_what_it_should(seed: int) -> None:
    """Every pull is what a look at everything gives: order, segments, limit, due instants."""

    async def scenario() -> None:
        world = _World(seed)
        await world.restart()
        for _ in range(70):
            await world.step()
        await world.stack.aclose()
        await world.store.close()

    run_virtual(scenario())
