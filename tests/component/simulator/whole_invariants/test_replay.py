"""What events tell: a possible story gives the state, an impossible one is refused."""

import pytest

from paceline.model import events
from paceline.simulator.whole.replay import Impossible, Replay
from tests.component.simulator.whole_invariants.stories import Story


def replayed(*told: object) -> Replay:
    """The state after events."""
    replay = Replay()
    for event in told:
        replay.take(event)  # type: ignore[arg-type]
    return replay


def test_the_way_of_an_interaction_is_told() -> None:
    """Pulled, offered, accepted and stopped: each event moves the state on."""
    story = Story()
    replay = replayed(
        story.submitted("i1"),
        story.event(events.TAKEN_FROM_QUEUE, queue="Chats", party="strategy"),
        story.event(events.PARTY_ADDED, party="strategy"),
        story.event(events.VIRTUAL_QUEUE_ENTERED, virtual_queue="Chat"),
        story.event(events.AGENT_INVITED, agent="a", ticket=7),
        story.event(events.PARTY_REMOVED, party="strategy"),
    )
    told = replay.interactions["i1"]
    assert (told.state, told.ringing, told.ticket) == ("routing", "a", 7)
    replay.take(story.event(events.PARTY_ADDED, agent="a", party="agent"))
    assert (told.state, told.agent, told.ringing) == ("handling", "a", None)
    replay.take(story.event(events.VIRTUAL_QUEUE_DISTRIBUTED, agent="a", virtual_queue="Chat"))
    replay.take(story.event(events.PARTY_REMOVED, agent="a", party="agent"))
    replay.take(story.event(events.PROCESSING_STOPPED, queue="Chats"))
    assert told.state == "stopped"
    assert ("i1", "a") in replay.handled


def test_two_agents_are_impossible() -> None:
    """A second agent while one handles it is refused, naming the first."""
    story = Story()
    told = [
        story.submitted("i1"),
        story.event(events.TAKEN_FROM_QUEUE, queue="Chats", agent="a", party="agent"),
        story.event(events.PARTY_ADDED, agent="a", party="agent"),
        story.event(events.PARTY_ADDED, agent="b", party="agent"),
    ]
    with pytest.raises(Impossible, match="agent a handles it"):
        replayed(*told)


def test_nothing_follows_the_end() -> None:
    """An event of a stopped interaction, or of one that never was, is refused."""
    story = Story()
    with pytest.raises(Impossible, match="stopped"):
        replayed(
            story.submitted("i1"),
            story.event(events.PROCESSING_STOPPED, queue="Chats"),
            story.event(events.ABANDONED),
        )
    with pytest.raises(Impossible, match="never submitted"):
        replayed(story.event(events.ABANDONED, "i2"))


def test_agents_come_and_go() -> None:
    """Media, readiness and disturbance follow the agent's events; logging in twice is refused."""
    story = Story()
    replay = replayed(
        story.event(events.AGENT_LOGIN, None, agent="a", place="p", session_id="s"),
        story.event(events.MEDIA_ADDED, None, agent="a"),
        story.event(events.READY_FOR_MEDIA, None, agent="a"),
        story.event(events.DO_NOT_DISTURB_ON, None, agent="a"),
    )
    agent = replay.agents["a"]
    assert (agent.place, agent.media, agent.is_disturbed) == ("p", {"chat": True}, True)
    with pytest.raises(Impossible, match="twice"):
        replay.take(story.event(events.AGENT_LOGIN, None, agent="a", session_id="s"))
    replay.take(story.event(events.AGENT_LOGOUT, None, agent="a"))
    assert not replay.agents


def test_the_first_waiting_is_known() -> None:
    """Priority first, then the oldest; what is taken or goes back moves the order."""
    story = Story()
    replay = replayed(
        story.submitted("old", received=1000),
        story.submitted("new", received=2000),
        story.submitted("urgent", priority=5, received=3000),
    )
    assert _first(replay, "Chats") == "urgent"
    replay.take(story.event(events.TAKEN_FROM_QUEUE, "urgent", queue="Chats", party="strategy"))
    assert _first(replay, "Chats") == "old"
    replay.take(story.event(events.PLACED_IN_QUEUE, "old", queue="Others", queue_seq=9))
    assert (_first(replay, "Chats"), _first(replay, "Others")) == ("new", "old")
    replay.take(story.event(events.PLACED_IN_QUEUE, "urgent", queue="Chats"))
    assert _first(replay, "Chats") == "urgent"
    replay.take(story.event(events.HELD, "urgent"))
    replay.take(story.event(events.PROPERTIES_CHANGED, "old", priority=1))
    assert _first(replay, "Chats") == "new"
    replay.take(story.event(events.RESUMED, "urgent"))
    assert _first(replay, "Chats") == "urgent"


def _first(replay: Replay, queue: str) -> str | None:
    return next((told.interaction_id for told in replay.waiting(queue, 10_000)), None)


def test_an_interaction_goes_from_agent_to_agent() -> None:
    """Conference, transfer and the owner's leaving: events name who has it and who takes part."""
    story = Story()

    def asked(agent: str, role: str, ticket: int) -> object:
        return story.event(
            events.AGENT_INVITED, agent=agent, role=role, visibility="conference", ticket=ticket
        )

    replay = replayed(
        story.submitted("i1"),
        story.event(events.TAKEN_FROM_QUEUE, queue="Chats", agent="a", party="agent"),
        story.event(events.PARTY_ADDED, agent="a", party="agent"),
        asked("b", "conference", 1),
        story.event(events.PARTY_ADDED, agent="b", party="agent", role="conference"),
        asked("c", "transfer", 2),
        story.event(events.PARTY_ADDED, agent="c", party="agent", role="transfer"),
        story.event(events.PARTY_REMOVED, agent="a", party="agent"),
    )
    told = replay.interactions["i1"]
    assert (told.agent, list(told.parties), told.asked) == ("c", ["b"], None)
    replay.take(story.event(events.PARTY_REMOVED, agent="c", party="agent"))
    assert (told.agent, told.parties) == ("b", {})
    with pytest.raises(Impossible, match="without being asked"):
        replay.take(story.event(events.PARTY_ADDED, agent="a", party="agent", role="intrude"))


def test_workbins_are_told() -> None:
    """Into a workbin, out of it with an agent, and away from it with the next queue."""
    story = Story()
    replay = replayed(
        story.submitted("i1"),
        story.event(events.PLACED_IN_WORKBIN, workbin="Drafts", owner="a"),
        story.event(events.PLACED_IN_QUEUE, queue="Drafts/PrivateQueue", queue_seq=5),
        story.event(events.TAKEN_FROM_WORKBIN, workbin="Drafts", owner="a"),
        story.event(events.TAKEN_FROM_QUEUE, queue="Drafts/PrivateQueue", agent="a", party="agent"),
        story.event(events.PARTY_ADDED, agent="a", party="agent"),
    )
    told = replay.interactions["i1"]
    assert (told.workbin, told.agent) == (("Drafts", "a"), "a")
    replay.take(story.event(events.PARTY_REMOVED, agent="a", party="agent"))
    replay.take(story.event(events.PLACED_IN_QUEUE, queue="Chats", queue_seq=6))
    assert (told.workbin, told.queue, told.state) == (None, "Chats", "queued")
