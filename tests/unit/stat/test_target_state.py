"""CurrentTargetState: readiness and slots of agents, and what subscribers are told."""

from typing import Any

import msgspec
import pytest

from paceline.model import events as names
from paceline.model.capacity import capacity_of
from paceline.model.configuration import AgentGroup, CapacityRule, Person, Place, Tenant
from paceline.servers.stat.live.subscriptions import Subscriptions, Watch
from paceline.servers.stat.rules.membership import membership
from paceline.wire.operations.statistic import AgentTargetState, MediaCapacity, StatisticChanges
from tests.fakes.configuration import SnapshotBuilder
from tests.unit.stat.story import Floor, Story, site


class Reader:
    """A session that applies what it is told, as a client would."""

    def __init__(self, has_room: bool = True) -> None:
        self.has_room = has_room
        self.on_close: Any = None
        self.agents: dict[int, dict[str, AgentTargetState]] = {}
        self.values: dict[int, float] = {}
        self.notices = 0

    def notify_encoded(self, name: str, body: bytes, *, subscription: int) -> bool:
        if not self.has_room:
            self.on_close()
            return False
        notice = msgspec.json.decode(body, type=StatisticChanges)
        self.notices += 1
        shown = self.agents.setdefault(notice.id, {})
        shown.update({state.agent: state for state in notice.changed})
        for agent in notice.removed:
            del shown[agent]
        if notice.value is not None:
            self.values[notice.id] = notice.value
        return True


def follow(floor: Floor, *statistics: Any, has_room: bool = True) -> tuple[Reader, Subscriptions]:
    reader, subscriptions = Reader(has_room), Subscriptions(floor.centre)
    watch = Watch(reader, statistics)  # type: ignore[arg-type]  # only notify_encoded is called
    reader.on_close = lambda: subscriptions.end(watch)
    subscriptions.begin(watch)
    return reader, subscriptions


def chat_of(floor: Floor, agent: str) -> MediaCapacity:
    state = floor.centre.agents.state((1, agent))
    assert state is not None
    return state.media["chat"]


def test_routable_by_readiness_disturbance_and_capacity() -> None:
    """Routable = logged in, ready, not disturbed, below the rule; ringing takes a slot."""
    floor, story = Floor(), Story()
    seen = []
    for tell in (
        lambda: story.event(names.AGENT_LOGIN, agent="a1"),
        lambda: story.event(names.MEDIA_ADDED, agent="a1", media_type="chat"),
        lambda: story.event(names.READY_FOR_MEDIA, agent="a1", media_type="chat"),
        lambda: story.event(names.DO_NOT_DISTURB_ON, agent="a1"),
        lambda: story.event(names.DO_NOT_DISTURB_OFF, agent="a1"),
        lambda: story.invite("i1", "a1"),
        lambda: story.accept("i1", "a1"),
        lambda: story.invite("i2", "a1"),
        lambda: story.release("i1", "a1"),
        lambda: story.event(names.NOT_READY_FOR_MEDIA, agent="a1", media_type="chat"),
    ):
        tell()
        floor.take(story)
        state = floor.centre.agents.state((1, "a1"))
        chat = state.media.get("chat") if state else None
        seen.append(
            (chat.current, chat.routable, chat.ready_since and chat.ready_since[17:19])
            if chat
            else None
        )
    assert seen == [
        None,
        (0, False, None),
        (0, True, "03"),
        (0, False, None),
        (0, True, "05"),
        (1, True, "05"),
        (1, True, "05"),
        (2, False, None),
        (1, True, "09"),
        (1, False, None),
    ]


def test_calls_of_a_telephone_system_take_slots() -> None:
    """Calls count beside interactions until the next word, and go with the medium."""
    floor, story = Floor(), Story()
    story.log_in("a1", "chat")
    seen = []
    for name, calls in (
        (names.NOT_READY_FOR_MEDIA, 1),
        (names.MEDIA_STATE_REASON_CHANGED, 2),
        (names.READY_FOR_MEDIA, 1),
        (names.MEDIA_STATE_REASON_CHANGED, None),
    ):
        given = {} if calls is None else {"calls": calls}
        story.event(name, agent="a1", media_type="chat", **given)
        floor.take(story)
        seen.append((chat_of(floor, "a1").current, chat_of(floor, "a1").routable))
    assert seen == [(1, False), (2, False), (1, True), (1, True)]
    story.event(names.MEDIA_REMOVED, agent="a1", media_type="chat")
    story.event(names.MEDIA_ADDED, agent="a1", media_type="chat")
    floor.take(story)
    assert chat_of(floor, "a1").current == 0


def test_lost_agent_gives_the_slot_back() -> None:
    """An agent who lost what it handled: the revocation changes nothing, the removal frees it."""
    floor, story = Floor(), Story()
    story.log_in("a1", "chat")
    story.accept("i1", "a1")
    story.event(names.REVOKED, "i1", agent="a1")
    floor.take(story)
    assert chat_of(floor, "a1").current == 1
    story.release("i1", "a1")
    floor.take(story)
    assert chat_of(floor, "a1").current == 0


def test_subscriber_has_what_a_peek_has_after_every_event() -> None:
    """Snapshot and changes give the same as a fresh look, after each event and configuration."""
    builder = site()
    floor, story = Floor(builder.build()), Story()
    united = floor.open("GroupAgents", "left,right", category="CurrentTargetState")
    left = floor.open("GroupAgents", "left", category="CurrentTargetState", media_type="chat")
    waiting = floor.open("Queue", "VQ1", stat_type="PACS_VQ_Current")
    story.log_in("a1", "chat")
    floor.take(story)
    reader, subscriptions = follow(floor, united, left, waiting)

    def check() -> None:
        for statistic in (united, left):
            fresh = {state.agent: state for state in subscriptions.states(statistic)}
            assert reader.agents[statistic.id] == fresh
        assert reader.values[waiting.id] == waiting.value

    check()
    story.log_in("a2", "chat", "email")
    story.log_in("a3", "email")
    story.enter("i1", "VQ1")
    story.invite("i1", "a2")
    story.accept("i1", "a2", "VQ1")
    story.event(names.MEDIA_REMOVED, agent="a2", media_type="chat")
    story.release("i1", "a2")
    story.event(names.AGENT_LOGOUT, agent="a3")
    for count in range(len(story.events)):
        floor.centre.take("ixn", story.events[: count + 1], "p")
        subscriptions.flush()
        check()
    builder.replace(floor.snapshot.agent_groups[1, "left"][0], agents=("a1",))
    builder.replace(2, media={"chat": 5, "email": 0})
    floor.configure(builder.build())
    subscriptions.regroup()
    check()
    assert set(reader.agents[left.id]) == {"a1"}
    assert reader.agents[united.id]["a2"].media["email"].routable is False


def test_a_reader_without_room_ends_alone() -> None:
    """A reader too slow in the middle of its notices ends; the others go on."""
    floor, story = Floor(), Story()
    group = floor.open("GroupAgents", "left", category="CurrentTargetState")
    agent = floor.open("Agent", "a1", category="CurrentTargetState")
    follow(floor, group, agent, has_room=False)
    assert (group.watch_count, agent.watch_count) == (0, 0)
    reader, subscriptions = follow(floor, group)
    story.log_in("a1", "chat")
    floor.take(story)
    subscriptions.flush()
    assert set(reader.agents[group.id]) == {"a1"}


def test_a_second_subscriber_hides_nothing_from_the_first() -> None:
    """What is still to be told when somebody joins is told to those who were there."""
    floor, story = Floor(), Story()
    group = floor.open("GroupAgents", "left", category="CurrentTargetState")
    story.log_in("a1", "chat")
    floor.take(story)
    reader, subscriptions = follow(floor, group)
    story.event(names.AGENT_LOGOUT, agent="a1")
    floor.take(story)
    second = Reader()
    subscriptions.begin(Watch(second, [group]))  # type: ignore[arg-type]  # as above
    assert reader.agents[group.id] == second.agents[group.id] == {}


@pytest.mark.parametrize(
    ("person", "place", "tenant", "expected"),
    [
        ("p", "l", "t", {"chat": 1}),
        (None, "l", "t", {"chat": 2}),
        (None, None, "t", {"chat": 3}),
        (None, None, None, {"voice": 1}),
    ],
)
def test_nearest_capacity_rule_holds(
    person: str | None, place: str | None, tenant: str | None, expected: dict[str, int]
) -> None:
    """The person's rule, else the place's, else the tenant's; without any one voice interaction."""
    builder = SnapshotBuilder()
    builder.add("tenants", "Environment", Tenant(capacity_rule=tenant))
    builder.add("persons", "a", Person(is_agent=True, capacity_rule=person, default_place="seat"))
    builder.add("places", "seat", Place(capacity_rule=place))
    for count, name in enumerate("plt", 1):
        builder.add("scripts", name, CapacityRule(media={"chat": count}))
    assert capacity_of(builder.build(), 1, "a") == expected


def test_capacity_rule_of_the_place_where_the_agent_sits() -> None:
    """The place of the session counts, not the default place."""
    builder = SnapshotBuilder()
    builder.add("tenants", "Environment", Tenant())
    builder.add("persons", "a", Person(is_agent=True, default_place="desk"))
    builder.add("places", "desk", Place(capacity_rule="rule"))
    builder.add("places", "floor", Place())
    builder.add("scripts", "rule", CapacityRule(media={"chat": 1}))
    assert capacity_of(builder.build(), 1, "a", "floor") == {"voice": 1}


def test_membership_by_skill_follows_and_survives_a_mistake() -> None:
    """A virtual group has who fits its expression; a wrong one leaves the members and is named."""
    builder = site()
    group_id = builder.add(
        "agent-groups", "Spanish", AgentGroup(options={"virtual": {"script": "Spanish >= 2"}})
    )
    first = membership(builder.build())
    assert first.members[1, "Spanish"] == {"a2", "a3"}
    builder.replace(group_id, options={"virtual": {"script": "Spanish >="}})
    second = membership(builder.build(), first)
    assert second.members[1, "Spanish"] == {"a2", "a3"}
    assert [finding.object for finding in second.findings] == ["agent group Spanish"]
    builder.replace(group_id, options={}, agents=("a1", "unknown"))
    assert membership(builder.build(), second).members[1, "Spanish"] == {"a1"}
