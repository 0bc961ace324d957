"""Actions on virtual queues and agents, from events written by hand."""

import pytest

from paceline.model import events as names
from tests.unit.stat.story import PROACTIVE, Floor, Story, site

LEFT = "CallCleared,CallDistributedToQueue"


def test_waiting_then_ringing_then_accepted() -> None:
    """Durable actions follow the delivery; a reject leads back to waiting; the end is one action."""
    floor, story = Floor(), Story()
    wait = floor.open("Queue", "VQ1", category="CurrentNumber", main_mask="CallWait")
    ring = floor.open("Queue", "VQ1", category="CurrentNumber", main_mask="CallRinging")
    accepted = floor.open("Queue", "VQ1", stat_type="PACS_VQ_Accepted", profile="Ever")
    seen = []
    for tell in (
        lambda: story.enter("i1", "VQ1"),
        lambda: story.invite("i1", "a1"),
        lambda: story.event(names.REJECTED, "i1", agent="a1"),
        lambda: story.invite("i1", "a2"),
        lambda: story.event(names.REVOKED, "i1", agent="a2"),
        lambda: story.invite("i1", "a1"),
        lambda: story.accept("i1", "a1", "VQ1"),
    ):
        tell()
        floor.take(story)
        seen.append((wait.value, ring.value, accepted.value))
    assert seen == [(1, 0, 0), (0, 1, 0), (1, 0, 0), (0, 1, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)]


@pytest.mark.parametrize(
    ("was_ringing", "expected"),
    [(True, (0, 1)), (False, (1, 0)), (None, (0, 1))],
)
def test_abandonment_tells_whether_it_rang(
    was_ringing: bool | None, expected: tuple[int, int]
) -> None:
    """The event says whether it rang; where it does not, what was seen before decides."""
    floor, story = Floor(), Story()
    waiting = floor.open("Queue", "VQ1", category="TotalNumber", main_mask="CallAbandoned")
    ringing = floor.open(
        "Queue", "VQ1", category="TotalNumber", main_mask="CallAbandonedFromRinging"
    )
    story.enter("i1", "VQ1")
    story.invite("i1", "a1")
    said = {} if was_ringing is None else {"was_ringing": was_ringing}
    story.leave("i1", "VQ1", names.VIRTUAL_QUEUE_ABANDONED, **said)
    story.stop("i1")
    floor.take(story)
    assert (waiting.value, ringing.value) == expected
    assert floor.centre.interactions == {} and floor.centre.agents.by_key == {}


def test_leaving_otherwise_is_counted_once() -> None:
    """Cleared, moved to another virtual queue, or stuck until the stop: one action each."""
    floor, story = Floor(), Story()
    left = floor.open("Queue", "VQ1", category="TotalNumber", main_mask=LEFT)
    moved = floor.open("Queue", "VQ1", category="TotalNumber", main_mask="CallDistributedToQueue")
    entered = floor.open("Queue", "VQ2", category="TotalNumber", main_mask="CallEntered")
    for each in ("cleared", "moved", "stuck"):
        story.enter(each, "VQ1")
    story.leave("cleared", "VQ1", names.VIRTUAL_QUEUE_CLEARED)
    story.enter("moved", "VQ2")
    for each in ("cleared", "moved", "stuck"):
        story.stop(each)
    floor.take(story)
    assert (left.value, moved.value, entered.value) == (3, 1, 1)


def test_filter_reads_keys_of_submission_and_event() -> None:
    """F and ~F part the interactions, whether keys came with the submission or the entry."""
    floor, story = Floor(), Story()
    with_key = floor.open(
        "Queue", "VQ1", stat_type="PACS_VQ_Current", filter="PACS_Proactive_Interaction"
    )
    without = floor.open(
        "Queue", "VQ1", stat_type="PACS_VQ_Current", filter="~PACS_Proactive_Interaction"
    )
    story.event(names.INTERACTION_SUBMITTED, "i1", keys=PROACTIVE)
    story.enter("i1", "VQ1")
    story.enter("i2", "VQ1", keys=PROACTIVE)
    story.enter("i3", "VQ1")
    floor.take(story)
    assert (with_key.value, without.value) == (2, 1)
    story.event(names.PROPERTIES_CHANGED, "i3", keys=PROACTIVE)
    floor.take(story)
    assert (with_key.value, without.value) == (3, 0)


def test_waiting_in_an_interaction_queue_costs_nothing() -> None:
    """Memory is bounded by what is in virtual queues, at agents, or carries filter keys."""
    floor, story = Floor(), Story()
    for number in range(5):
        story.event(names.INTERACTION_SUBMITTED, f"i{number}", keys={})
        story.event(names.PROPERTIES_CHANGED, f"i{number}")
    floor.take(story)
    assert floor.centre.interactions == {}


def test_served_counts_a_freed_slot_once() -> None:
    """Of CallReleased and ACWCompleted of one handling once_per_interaction counts the later."""
    floor, story = Floor(), Story()
    mask = "CallReleased,ACWCompleted"
    both = floor.open("Agent", "a1", category="TotalNumber", main_mask=mask)
    once = floor.open(
        "Agent", "a1", category="TotalNumber", main_mask=mask, once_per_interaction=True
    )
    mail = floor.open(
        "Agent", "a1", category="TotalNumber", main_mask="CallReleased", media_type="email"
    )
    story.invite("i1", "a1")
    story.accept("i1", "a1")
    story.release("i1", "a1")
    story.accept("i2", "a1", media_type="email")
    story.stop("i2")
    story.stop("i1")
    floor.take(story)
    assert (both.value, once.value, mail.value) == (4, 2, 1)


def test_united_groups_count_a_shared_agent_once() -> None:
    """An agent in two groups counts once in both together, and once in each."""
    floor, story = Floor(), Story()
    united = floor.open(
        "GroupAgents", "right,left", category="TotalNumber", main_mask="CallAnswered"
    )
    left = floor.open("GroupAgents", "left", category="TotalNumber", main_mask="CallAnswered")
    right = floor.open("GroupAgents", "right", category="TotalNumber", main_mask="CallAnswered")
    for number, agent in enumerate(("a1", "a2", "a3")):
        story.invite(f"i{number}", agent)
        story.accept(f"i{number}", agent)
    floor.take(story)
    assert (united.value, left.value, right.value) == (3, 2, 2)


def test_pulled_by_the_agent_is_not_answered() -> None:
    """CallAnswered needs an offer; an interaction that the agent pulled was never offered."""
    floor, story = Floor(), Story()
    answered = floor.open("Agent", "a1", category="TotalNumber", main_mask="CallAnswered")
    story.accept("i1", "a1")
    floor.take(story)
    assert answered.value == 0
    assert floor.centre.agents.by_key[1, "a1"].current == {"chat": 1}


def test_each_event_counts_once_whoever_brings_it() -> None:
    """Two sources with the same node, and a repetition, change nothing; nodes are apart."""
    floor, story, other = Floor(), Story(), Story(node=102)
    entered = floor.open("Queue", "VQ1", category="TotalNumber", main_mask="CallEntered")
    for number in range(3):
        story.enter(f"i{number}", "VQ1")
    other.enter("j", "VQ1")
    centre = floor.centre
    assert centre.take("direct", story.events[:2], "p2") == 2
    assert centre.take("proxy", story.events, "q3") == 1
    assert centre.take("direct", story.events, "p3") == 0
    assert centre.take("proxy", other.events, "q4") == 1
    assert entered.value == 4
    assert centre.positions.text == "101:3,102:1"
    assert centre.positions.events == 4


def test_members_count_by_their_group_at_the_time() -> None:
    """Who leaves a group takes no counts away, and counts for it no more."""
    builder = site()
    floor, story = Floor(builder.build()), Story()
    left = floor.open("GroupAgents", "left", category="TotalNumber", main_mask="CallAnswered")
    story.invite("i1", "a1")
    story.accept("i1", "a1")
    floor.take(story)
    builder.replace(floor.snapshot.agent_groups[1, "left"][0], agents=("a2",))
    floor.configure(builder.build())
    story.invite("i2", "a1")
    story.accept("i2", "a1")
    floor.take(story)
    assert left.value == 1


def test_alias_other_than_number_reads_no_abandonment() -> None:
    """The documented behaviour, and a finding that names the queue; other actions count."""
    floor, story = Floor(), Story()
    abandoned = floor.open("Queue", "77", stat_type="PACS_VQ_Abandoned")
    entered = floor.open("Queue", "77", category="TotalNumber", main_mask="CallEntered")
    story.enter("i1", "77")
    story.leave("i1", "77", names.VIRTUAL_QUEUE_ABANDONED, was_ringing=False)
    floor.take(story)
    assert (abandoned.value, entered.value) == (0, 1)
    [finding] = floor.centre.statistics.findings
    assert finding.object == "virtual queue 77" and "Support" in finding.consequence


def test_opened_late_shows_what_is_there() -> None:
    """A current number opened late counts what waits now; a total begins at zero."""
    floor, story = Floor(), Story()
    story.enter("i1", "VQ1")
    story.enter("i2", "VQ1")
    story.invite("i2", "a1")
    floor.take(story)
    assert floor.open("Queue", "VQ1", stat_type="PACS_VQ_Current").value == 2
    wait = floor.open("Queue", "VQ1", category="CurrentNumber", main_mask="CallWait")
    assert wait.value == 1
    entered = floor.open("Queue", "VQ1", category="TotalNumber", main_mask="CallEntered")
    assert entered.value == 0


def test_an_unreadable_event_spoils_nothing_else() -> None:
    """An event whose data cannot be read is logged and counted as taken; the next ones count."""
    floor, story = Floor(), Story()
    entered = floor.open("Queue", "VQ1", category="TotalNumber", main_mask="CallEntered")
    story.event(names.VIRTUAL_QUEUE_ENTERED, "i1", virtual_queue=7)
    story.enter("i2", "VQ1")
    floor.take(story)
    assert entered.value == 1 and floor.centre.positions.events == 2


def test_total_of_the_day_is_reset_at_the_tenants_midnight() -> None:
    """Profile Default begins anew at midnight of the tenant's zone, Ever goes on."""
    builder = site()
    builder.replace(1, time_zone="Asia/Tokyo")
    floor, story = Floor(builder.build()), Story()
    day = floor.open("Queue", "VQ1", category="TotalNumber", main_mask="CallEntered")
    ever = floor.open(
        "Queue", "VQ1", category="TotalNumber", main_mask="CallEntered", profile="Ever"
    )
    story.enter("i1", "VQ1")
    floor.take(story)
    floor.centre.statistics.advance("2026-01-01T14:59:59.999Z")
    assert (day.value, ever.value) == (1, 1)
    floor.centre.statistics.advance("2026-01-01T15:00:00.000Z")
    assert (day.value, ever.value) == (0, 1)
    assert day.since == "2026-01-01T15:00:00.000Z"
