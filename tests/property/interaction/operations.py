"""All operations on interactions as rules of a state machine, each with what the model expects of it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Workbin
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import VirtualLoop
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.event import Event
from tests.fakes.site import running_node, small_site
from tests.property.interaction.plain_model import AGENTS, BACK, Asked, Item, Model
from tests.property.interaction.replay import check_log

START = Millis(1_000_000_000_000)
SNAPSHOT = "one"
VIEWS = {"Chats": "Chats view", "E-mails": "E-mails view"}

agents = st.sampled_from(AGENTS)
queues = st.sampled_from(sorted(VIEWS))
actors = st.sampled_from(("media", *AGENTS))
picks = st.integers(0, 999)


class Operations(RuleBasedStateMachine):
    """Every rule asks the node for something, and the model what must come of it."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner(loop_factory=lambda: VirtualLoop(1e9))
        self.model = Model()
        self.snapshot: list[str] | None = None
        self.epoch = 0

    # --- the node -------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.do(self._open_store())
        self.do(self._open())

    async def _open_store(self) -> None:
        self.times = virtual_times(START)
        self.store = open_database(from_url("sqlite://"), times=self.times, inline=True)
        self.site = small_site()
        body = Workbin(business_process="Service", owner_type="agent")
        self.site.add("scripts", "Drafts", body)

    async def _open(self) -> None:
        self.epoch += 1
        self.stack = AsyncExitStack()
        options: dict[str, dict[str, str | int | float]] = {"views": {"head-size": 10}}
        running = running_node(
            self.times, database=self.store, site=self.site, epoch=self.epoch, options=options
        )
        self.node = await self.stack.enter_async_context(running)
        self.media = await self.node.client("chat")
        self.router = await self.node.client("router", "router")
        self.desks = {agent: await self._desk(agent) for agent in AGENTS}
        await self.times.machine.sleep(0.1)

    async def _desk(self, agent: str) -> InteractionServerClient:
        desk = await self.node.client(f"desk of {agent}", "agent")
        await desk.agent.login(agent=agent, media=("chat",), ready=True)
        return desk

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def ask(self, request: Any, refusal: str | None = None) -> Any:
        """Sends a request; it is refused exactly as the model says."""

        async def asked() -> Any:
            answer: Awaitable[Any] = request()
            try:
                result = await answer
            except PacelineError as refused:
                assert refused.name == refusal, refused
                return None
            assert refusal is None, (refusal, result)
            return result

        return self.do(asked())

    def client(self, actor: str) -> InteractionServerClient:
        return self.media if actor == "media" else self.desks[actor]

    def any(self, is_fit: Callable[[Item], bool]) -> bool:
        """Whether any interaction fits."""
        return any(is_fit(item) for item in self.model.items.values())

    def pick(self, pick: int, is_fit: Callable[[Item], bool]) -> Item | None:
        """One of all, mostly one that the operation fits; None when there is none."""
        everything = list(self.model.items.values())
        fitting = [item for item in everything if is_fit(item)] if pick % 8 else everything
        return fitting[pick % len(fitting)] if fitting else None

    def busy(self, queue: str) -> str:
        """The queue drawn, or the other one when nothing waits in it."""
        return queue if self.model.waiting(queue) else next(q for q in sorted(VIEWS) if q != queue)

    def of(self, item: Item, pick: int, agent: str) -> str:
        """Mostly an agent who handles it, else the one drawn."""
        return item.handlers[pick % len(item.handlers)] if item.handlers and pick % 5 else agent

    def refusal(self, item: Item, actor: str) -> str | None:
        """Why the actor may not change it."""
        if item.state == "stopped":
            return "not_found"
        if actor != "media" and item.state != "queued" and actor not in item.handlers:
            return "not_owner"
        return None

    def lock_refusal(self, item: Item, actor: str, is_there: bool) -> str | None:
        """Why the actor may not move it: the media server has it in its snapshot."""
        is_others = item.locked == SNAPSHOT and actor != "media"
        return "not_allowed" if is_others and not is_there else None

    def check(self, item: Item) -> None:
        found = self.do(_get(self.media, item.key))
        seen = (
            found.state,
            found.agent,
            found.parties,
            found.is_held,
            found.is_locked,
            found.queue,
        )
        assert seen == item.shown(), item

    # --- submission and pulls -------------------------------------------------------------------

    @rule(priority=st.integers(0, 2), queue=queues)
    def submit(self, priority: int, queue: str) -> None:
        answer = self.ask(
            lambda: self.media.interaction.submit(media_type="chat", queue=queue, priority=priority)
        )
        found = self.do(_get(self.media, answer.interaction_id))
        tick = self.model.tick()
        key: str = answer.interaction_id
        self.model.items[key] = Item(key, priority, found.received_at, tick, tick, queue)

    @precondition(lambda self: self.any(lambda i: i.is_waiting))
    @rule(queue=queues, count=st.integers(1, 3))
    def router_pull(self, queue: str, count: int) -> None:
        queue = self.busy(queue)
        pulled = self.ask(lambda: self.router.view.pull(view=VIEWS[queue], count=count))
        expected = self.model.waiting(queue)[:count]
        assert [i.interaction_id for i in pulled.interactions] == [item.key for item in expected]
        for item in expected:
            item.state, item.has_router = "routing", True

    @precondition(lambda self: self.any(lambda i: i.is_waiting))
    @rule(queue=queues, agent=agents)
    def agent_pull(self, queue: str, agent: str) -> None:
        queue = self.busy(queue)
        pulled = self.ask(lambda: self.desks[agent].view.pull(view=VIEWS[queue], agent=agent))
        expected = self.model.waiting(queue)[:1]
        assert [i.interaction_id for i in pulled.interactions] == [item.key for item in expected]
        for item in expected:
            item.state, item.owner = "handling", agent

    @precondition(lambda self: self.any(lambda i: i.bin is not None and i.state == "queued"))
    @rule(agent=agents, owner=agents)
    def workbin_pull(self, agent: str, owner: str) -> None:
        pulled = self.ask(
            lambda: self.desks[agent].workbin.pull(workbin="Drafts", owner=owner, agent=agent)
        )
        inside = [
            item
            for item in self.model.items.values()
            if item.state == "queued" and item.bin == owner and not (item.is_held or item.locked)
        ]
        expected = sorted(inside, key=lambda item: item.submitted)[:1]
        assert [i.interaction_id for i in pulled.interactions] == [item.key for item in expected]
        for item in expected:
            item.state, item.owner = "handling", agent

    # --- delivery -------------------------------------------------------------------------------

    @precondition(lambda self: self.any(lambda i: i.state == "routing" and not i.ringing))
    @rule(pick=picks, agent=agents)
    def deliver(self, pick: int, agent: str) -> None:
        item = self.pick(pick, lambda i: i.state == "routing" and not i.ringing)
        if item is None:
            return
        key = item.key
        refusal = None
        if item.state == "stopped":
            refusal = "not_found"
        elif item.state != "routing" or item.ringing:
            refusal = "not_waiting"
        elif self.model.is_rung(agent):
            refusal = "agent_busy"
        answer = self.ask(
            lambda: self.router.interaction.deliver(interaction_id=key, agent=agent), refusal
        )
        if refusal is None:
            item.ringing = (agent, answer.ticket)

    @precondition(lambda self: self.any(lambda i: i.ringing is not None))
    @rule(pick=picks, is_accepted=st.booleans())
    def answer(self, pick: int, is_accepted: bool) -> None:
        item = self.pick(pick, lambda i: i.ringing is not None)
        if item is None:
            return
        key = item.key
        if item.ringing is None:
            return
        agent, ticket = item.ringing
        desk = self.desks[agent].interaction
        act = desk.accept if is_accepted else desk.reject
        self.ask(lambda: act(interaction_id=key, ticket=ticket, agent=agent))
        item.ringing = None
        if is_accepted:
            item.state, item.owner, item.has_router = "handling", agent, False
        elif not item.has_router:
            item.rest()
        self.check(item)

    # --- places ---------------------------------------------------------------------------------

    @precondition(lambda self: self.any(lambda i: i.state == "handling"))
    @rule(pick=picks, actor=actors, queue=st.sampled_from((*sorted(VIEWS), BACK)))
    def place_in_queue(self, pick: int, actor: str, queue: str) -> None:
        item = self.pick(pick, lambda i: i.state == "handling")
        if item is None:
            return
        key = item.key
        actor = actor if actor == "media" else self.of(item, pick, actor)
        is_there = queue == BACK or (queue == item.queue and not item.bin)
        refusal = self.refusal(item, actor) or self.lock_refusal(item, actor, is_there)
        self.ask(
            lambda: self.client(actor).interaction.place_in_queue(interaction_id=key, queue=queue),
            refusal,
        )
        if refusal is None and not (item.state == "queued" and is_there):
            item.locked = None if item.locked == SNAPSHOT else item.locked
            if queue != BACK:
                item.queue, item.bin, item.place = queue, None, self.model.tick()
            item.rest()
            self.check(item)

    @precondition(lambda self: self.any(lambda i: i.state == "handling"))
    @rule(pick=picks, actor=actors, owner=agents)
    def place_in_workbin(self, pick: int, actor: str, owner: str) -> None:
        item = self.pick(pick, lambda i: i.state == "handling")
        if item is None:
            return
        key = item.key
        actor = actor if actor == "media" else self.of(item, pick, actor)
        refusal = self.refusal(item, actor) or self.lock_refusal(item, actor, item.bin == owner)
        self.ask(
            lambda: self.client(actor).interaction.place_in_workbin(
                interaction_id=key, workbin="Drafts", owner=owner
            ),
            refusal,
        )
        if refusal is None and not (item.state == "queued" and item.bin == owner):
            item.locked = None if item.locked == SNAPSHOT else item.locked
            item.bin, item.place = owner, self.model.tick()
            item.rest()
            self.check(item)

    @rule(pick=picks, actor=actors, is_held=st.booleans())
    def hold(self, pick: int, actor: str, is_held: bool) -> None:
        item = self.pick(pick, lambda i: i.state != "stopped")
        if item is None:
            return
        key = item.key
        actor = actor if actor == "media" else self.of(item, pick, actor)
        refusal = self.refusal(item, actor)
        desk = self.client(actor).interaction
        act = desk.hold if is_held else desk.resume
        self.ask(lambda: act(interaction_id=key), refusal)
        if refusal is None:
            item.is_held = is_held

    @precondition(lambda self: self.any(lambda i: i.state == "queued"))
    @rule(pick=picks, is_locked=st.booleans())
    def lock(self, pick: int, is_locked: bool) -> None:
        item = self.pick(pick, lambda i: i.state == "queued")
        if item is None:
            return
        key = item.key
        refusal = None
        if item.state == "stopped":
            refusal = "not_found"
        elif item.state != "queued":
            refusal = "not_waiting"
        elif item.locked == SNAPSHOT:
            refusal = "not_allowed"
        desk = self.media.interaction
        act = desk.lock if is_locked else desk.unlock
        self.ask(lambda: act(interaction_id=key), refusal)
        if refusal is None:
            item.locked = "direct" if is_locked else None
            self.check(item)

    @precondition(lambda self: len(self.model.items) > 5)
    @rule(pick=picks, actor=actors)
    def stop(self, pick: int, actor: str) -> None:
        item = self.pick(pick, lambda i: i.state == "handling")
        if item is None:
            return
        key = item.key
        refusal = None if item.state == "stopped" else self.refusal(item, actor)
        self.ask(lambda: self.client(actor).interaction.stop(interaction_id=key), refusal)
        if refusal is None and item.state != "stopped":
            item.rest()
            item.state = "stopped"

    # --- parties --------------------------------------------------------------------------------

    @precondition(lambda self: self.any(lambda i: i.state == "handling" and not i.asked))
    @rule(pick=picks, by=agents, to=agents, role=st.sampled_from(("transfer", "conference")))
    def invite(self, pick: int, by: str, to: str, role: str) -> None:
        item = self.pick(pick, lambda i: i.state == "handling" and not i.asked)
        if item is None:
            return
        key = item.key
        by = self.of(item, pick, by)
        refusal = None
        if item.state == "stopped":
            refusal = "not_found"
        elif by not in item.handlers or (role == "transfer" and item.owner != by):
            refusal = "not_owner"
        elif item.asked is not None:
            refusal = "operation_in_progress"
        elif to in item.handlers:
            refusal = "invalid_attribute"
        elif self.model.is_rung(to):
            refusal = "agent_busy"
        act = getattr(self.desks[by].interaction, role)
        answer = self.ask(lambda: act(interaction_id=key, agent=by, to_agent=to), refusal)
        if refusal is None:
            item.asked = Asked(role, to, answer.ticket)

    @precondition(lambda self: self.any(lambda i: i.asked is not None))
    @rule(pick=picks, is_accepted=st.booleans())
    def answer_party(self, pick: int, is_accepted: bool) -> None:
        item = self.pick(pick, lambda i: i.asked is not None)
        if item is None:
            return
        key = item.key
        if item.asked is None:
            return
        asked, item.asked = item.asked, None
        desk = self.desks[asked.target].interaction
        act = desk.accept if is_accepted else desk.reject
        self.ask(lambda: act(interaction_id=key, ticket=asked.ticket, agent=asked.target))
        if is_accepted:
            item.parties.append(asked.target)
            if asked.role == "transfer":
                self.model.hand_over(item, asked.target)
        self.check(item)

    @precondition(lambda self: self.any(lambda i: i.state == "handling"))
    @rule(pick=picks, agent=agents, is_accepted=st.booleans())
    def intrude(self, pick: int, agent: str, is_accepted: bool) -> None:
        item = self.pick(pick, lambda i: i.state == "handling")
        if item is None:
            return
        key = item.key
        refusal = None
        if item.state == "stopped":
            refusal = "not_found"
        elif item.state != "handling":
            refusal = "not_waiting"
        elif agent not in item.handlers and item.asked is not None:
            refusal = "operation_in_progress"
        elif agent not in item.handlers and not is_accepted:
            refusal = "not_allowed"
        is_asked = item.state == "handling" and agent not in item.handlers and not item.asked
        owner = item.owner or ""
        self.ask(lambda: self._intrude(key, agent, owner if is_asked else "", is_accepted), refusal)
        if is_asked and is_accepted:
            item.parties.append(agent)
        self.check(item)

    async def _intrude(self, key: str, agent: str, owner: str, is_accepted: bool) -> Any:
        heard: list[Any] = []
        if owner:
            self.desks[owner].connection.on_notice("interaction.invite", heard.append)
        asking = asyncio.ensure_future(
            self.desks[agent].interaction.intrude(interaction_id=key, agent=agent)
        )
        if owner:
            await self.times.machine.sleep(0.1)
            desk = self.desks[owner].interaction
            act = desk.accept if is_accepted else desk.reject
            await act(interaction_id=key, ticket=heard[-1].ticket, agent=owner)
        return await asking

    @precondition(lambda self: self.any(lambda i: bool(i.parties)))
    @rule(pick=picks, agent=agents)
    def leave(self, pick: int, agent: str) -> None:
        item = self.pick(pick, lambda i: bool(i.parties))
        if item is None:
            return
        key = item.key
        agent = self.of(item, pick, agent)
        refusal = None
        if item.state == "stopped":
            refusal = "not_found"
        elif agent not in item.handlers:
            refusal = "not_owner"
        elif item.owner == agent and not item.parties:
            refusal = "not_allowed"
        self.ask(
            lambda: self.desks[agent].interaction.leave(interaction_id=key, agent=agent), refusal
        )
        if refusal is None and item.owner == agent:
            self.model.hand_over(item, item.parties[0])
        elif refusal is None:
            item.parties.remove(agent)
        self.check(item)

    # --- snapshots ------------------------------------------------------------------------------

    @precondition(lambda self: (self.snapshot is None) and (len(self.model.items) > 3))
    @rule(queue=queues)
    def take_snapshot(self, queue: str) -> None:
        taken = self.ask(
            lambda: self.media.snapshot.take(view=VIEWS[queue], lock=True, snapshot_id=SNAPSHOT)
        )
        expected = self.model.waiting(queue)
        self.snapshot = [item.key for item in expected]
        assert (taken.size, taken.skipped) == (len(expected), ())
        for item in expected:
            item.locked = SNAPSHOT
        page = self.ask(lambda: self.media.snapshot.page(snapshot_id=SNAPSHOT))
        assert [i.interaction_id for i in page.interactions] == self.snapshot

    @precondition(lambda self: (self.snapshot is not None) and (bool(self.snapshot)))
    @rule(queue=queues)
    def move_snapshot(self, queue: str) -> None:
        moved = self.ask(lambda: self.media.snapshot.move(snapshot_id=SNAPSHOT, queue=queue))
        inside = [self.model.items[key] for key in self.snapshot or ()]
        expected = [i for i in inside if i.state == "queued" and i.locked == SNAPSHOT]
        assert moved.moved == len(expected)
        for item in expected:
            item.locked, item.bin, item.queue = None, None, queue
            item.place = self.model.tick()

    @precondition(lambda self: self.snapshot is not None)
    @rule()
    def release_snapshot(self) -> None:
        self.ask(lambda: self.media.snapshot.release(snapshot_id=SNAPSHOT))
        for item in self.model.items.values():
            if item.locked == SNAPSHOT and item.state != "stopped":
                item.locked = None
        self.snapshot = None

    # --- time, sessions, processes --------------------------------------------------------------

    @precondition(lambda self: self.any(lambda i: bool(i.ringing or i.asked)))
    @rule()
    def offers_end(self) -> None:
        self.do(_sleep(self.times, 31))
        for item in self.model.items.values():
            item.asked = None
            if item.ringing is not None:
                item.rest()

    @rule(agent=agents)
    def log_out_and_in(self, agent: str) -> None:
        async def again() -> None:
            await self.desks[agent].agent.logout(agent=agent)
            await self.desks[agent].agent.login(agent=agent, media=("chat",), ready=True)

        self.do(again())
        self.model.give_up(agent)

    @precondition(lambda self: (self.snapshot is None) and (len(self.model.items) > 3))
    @rule()
    def restart(self) -> None:
        self.do(self.stack.aclose())
        self.do(self._open())
        for item in self.model.items.values():
            item.has_router = False
            if item.state == "routing" and item.ringing is None:
                item.rest()

    # --- the end --------------------------------------------------------------------------------

    def teardown(self) -> None:
        if self.epoch:
            self.do(self._compare())
            self.do(self.stack.aclose())
            self.do(self.store.close())
        self.runner.close()

    async def _compare(self) -> None:
        for item in self.model.items.values():
            found = await _get(self.media, item.key)
            assert (found.state, found.is_held) == (item.state, item.is_held), item
        listed = (await self.media.agent.list()).items
        told = {session.agent: set(session.handling) for session in listed}
        assert told == {
            agent: {i.key for i in self.model.items.values() if agent in i.handlers}
            for agent in AGENTS
        }
        log: list[Event] = []
        while True:
            page = await self.media.event.read(after=log[-1].position if log else None, limit=500)
            log += page.items
            if page.complete:
                break
        check_log(log, self.model)


async def _get(client: InteractionServerClient, key: str) -> Any:
    return await client.interaction.get(interaction_id=key)


async def _sleep(times: Any, seconds: float) -> None:
    await times.machine.sleep(seconds)
