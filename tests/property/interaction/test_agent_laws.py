"""Random work of agents against one node: the log replays to the sessions, and a restart finds them."""

import random
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from paceline.errors.failure import PacelineError
from paceline.model import events as names
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.units.quantities import Millis
from paceline.wire.operations.agent import PlaceAgentStates, WatchAgents
from paceline.wire.operations.event import Event
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import Node, running_node

START = Millis(1_000_000_000_000)
AGENTS = ("agent1", "agent2", "agent3")
PLACES = (None, "place1", "place2")
MEDIA = ("chat", "email", "voice")
REASONS = (None, "lunch", "training")
REFUSALS = {
    "agent_elsewhere",
    "place_occupied",
    "place_in_logout",
    "media_not_logged_in",
    "media_already_added",
    "already_ready",
    "already_not_ready",
    "limit_reached",
    "database_unavailable",
    "operation_in_progress",
}

State = dict[str, Any]


class _Traffic:
    """Desks that come and go, and do anything an agent may do; now and then the database refuses."""

    def __init__(self, node: Node, database: FailingDatabase, seed: int) -> None:
        self.node = node
        self.database = database
        self.dice = random.Random(seed)
        self.desks: list[InteractionServerClient] = []

    async def step(self) -> None:
        if not self.desks or self.dice.random() < 0.1:
            self.desks.append(await self.node.client(f"desk{self.dice.randrange(9)}", "agent"))
        self.database.refusals = self.dice.choice([0] * 9 + [2])
        act = self.dice.choice(
            [self.login] * 4
            + [self.ready] * 4
            + [self.add, self.remove, self.logout, self.disturb, self.reason, self.post]
            + [self.cut, self.wait]
        )
        try:
            await act(self.dice.choice(self.desks), self.dice.choice(AGENTS))
        except PacelineError as refusal:
            assert refusal.name in REFUSALS, refusal
        self.database.refusals = 0

    async def login(self, desk: InteractionServerClient, agent: str) -> None:
        media = tuple(self.dice.sample(MEDIA, self.dice.randrange(3)))
        await desk.agent.login(
            agent=agent,
            place=self.dice.choice(PLACES),
            media=media,
            ready=self.dice.random() < 0.5,
        )

    async def logout(self, desk: InteractionServerClient, agent: str) -> None:
        await desk.agent.logout(agent=agent)

    async def add(self, desk: InteractionServerClient, agent: str) -> None:
        await desk.media.add(agent=agent, media=self.dice.choice(MEDIA))

    async def remove(self, desk: InteractionServerClient, agent: str) -> None:
        await desk.media.remove(agent=agent, media=self.dice.choice(MEDIA))

    async def ready(self, desk: InteractionServerClient, agent: str) -> None:
        act = self.dice.choice([desk.media.ready, desk.media.not_ready])
        await act(agent=agent, media=self.dice.choice(MEDIA), reason=self.dice.choice(REASONS))

    async def disturb(self, desk: InteractionServerClient, agent: str) -> None:
        act = self.dice.choice([desk.agent.dnd_on, desk.agent.dnd_off])
        await act(agent=agent, reason=self.dice.choice(REASONS))

    async def reason(self, desk: InteractionServerClient, agent: str) -> None:
        reason = self.dice.choice(REASONS)
        if self.dice.random() < 0.5:
            await desk.agent.change_reason(agent=agent, reason=reason)
        else:
            await desk.media.change_reason(
                agent=agent, media=self.dice.choice(MEDIA), reason=reason
            )

    async def post(self, desk: InteractionServerClient, agent: str) -> None:
        await desk.media.set_state(
            agent=agent,
            media="voice",
            state=self.dice.choice(["ready", "not_ready", "busy", "after_call_work"]),
            calls=self.dice.choice([None, 0, 3]),
        )

    async def cut(self, desk: InteractionServerClient, _agent: str) -> None:
        self.desks.remove(desk)
        await desk.connection.close()

    async def wait(self, _desk: InteractionServerClient, _agent: str) -> None:
        await self.node.served.times.machine.sleep(self.dice.choice([1, 20, 40]))


def replayed(log: list[Event]) -> dict[str, State]:
    """The sessions as the events alone tell them."""
    sessions: dict[str, State] = {}
    for event in log:
        agent = event.agent or ""
        data = msgspec.json.decode(event.data)
        if event.name == names.AGENT_LOGIN:
            assert agent not in sessions
            sessions[agent] = {
                "session": data["session_id"],
                "place": event.place,
                "dnd": False,
                "reason": None,
                "media": {},
            }
            continue
        session = sessions[agent]
        match event.name:
            case names.AGENT_LOGOUT:
                assert not session["media"]
                del sessions[agent]
            case names.MEDIA_ADDED:
                session["media"][data["media_type"]] = (False, None, 0)
            case names.MEDIA_REMOVED:
                del session["media"][data["media_type"]]
            case (
                names.READY_FOR_MEDIA | names.NOT_READY_FOR_MEDIA | names.MEDIA_STATE_REASON_CHANGED
            ):
                ready, _, calls = session["media"][data["media_type"]]
                if event.name != names.MEDIA_STATE_REASON_CHANGED:
                    ready = event.name == names.READY_FOR_MEDIA
                calls = data.get("calls", calls)
                session["media"][data["media_type"]] = (ready, event.reason, calls)
            case names.DO_NOT_DISTURB_ON | names.DO_NOT_DISTURB_OFF:
                session["dnd"] = event.name == names.DO_NOT_DISTURB_ON
                session["reason"] = event.reason
            case names.AGENT_STATE_REASON_CHANGED:
                session["reason"] = event.reason
    return sessions


def _shown(item: Any) -> State:
    return {
        "session": item.session_id,
        "place": item.place,
        "dnd": item.do_not_disturb,
        "reason": item.reason,
        "media": {m.media_type: (m.ready, m.reason, m.calls) for m in item.media},
    }


async def _sessions(node: Node) -> dict[str, State]:
    client = await node.client("watcher", "reporting")
    return {item.agent: _shown(item) for item in (await client.agent.list()).items}


@given(seed=st.integers(0, 2**32))
def test_the_log_the_list_the_stream_and_a_restart_agree(seed: int) -> None:
    """Whatever agents do: four ways to learn of the sessions tell the same; no place has two agents."""

    async def scenario() -> None:
        times, database = virtual_times(START), FailingDatabase()
        told: dict[str, State] = {}

        def take(notice: PlaceAgentStates) -> None:
            if notice.is_whole:
                told.clear()
            told.update({item.agent: _shown(item) for item in notice.items})
            for agent in notice.gone:
                del told[agent]

        async with running_node(times, database=database) as node:
            reporting = await node.client("reporting", "reporting")
            reporting.agent.subscribe(WatchAgents, take)
            traffic = _Traffic(node, database, seed)
            for _ in range(40):
                await traffic.step()
            await times.machine.sleep(0.1)
            now = await _sessions(node)
            log = list((await reporting.event.read(limit=1000)).items)
            assert replayed(log) == now == told
            places = [session["place"] for session in now.values() if session["place"]]
            assert len(places) == len(set(places))
        async with running_node(times, database=database, epoch=2) as node:
            assert await _sessions(node) == now
            await times.machine.sleep(31)
            assert await _sessions(node) == {}
        await database.close()

    run_virtual(scenario())
