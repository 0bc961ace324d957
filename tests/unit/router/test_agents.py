"""The pool of agents: who is available, in which order, and what promises do to it."""

from paceline.servers.router.live.agents import AgentPool, Slot
from paceline.wire.operations.statistic import AgentTargetState, MediaCapacity

ANA, BOB = Slot(1, "ana", "chat"), Slot(1, "bob", "chat")
ONE, TWO = (1, "one"), (1, "two")


def state(agent: str, *, current: int = 0, maximum: int = 1, since: str = "") -> AgentTargetState:
    """An agent ready for chat."""
    chat = MediaCapacity(current=current, maximum=maximum, ready=True, routable=current < maximum)
    return AgentTargetState(agent=agent, ready_since=since or None, media={"chat": chat})


def first(pool: AgentPool, *groups: str, refused_by: set[str] | None = None) -> Slot | None:
    """The agent ready longest of these groups."""
    return pool.longest_ready(1, "chat", frozenset(groups), refused_by or set())


def test_longest_ready_first() -> None:
    """By ready_since, then by name; who is ready since nobody knows when comes last."""
    pool = AgentPool()
    pool.replace_group(
        ONE, [state("eve"), state("bob", since="2026-01-02"), state("ana", since="2026-01-02")]
    )
    assert first(pool, "one") == ANA
    assert first(pool, "one", refused_by={"ana"}) == BOB
    assert first(pool, "one", refused_by={"ana", "bob"}) == Slot(1, "eve", "chat")
    assert first(pool, "two") is None
    pool.change_group(ONE, [state("ana", since="2026-01-03")], [])
    assert first(pool, "one") == BOB


def test_slots_are_told_when_they_become_available() -> None:
    """A new agent, a freed one, a member new to a group; never one who was available before."""
    pool = AgentPool()
    assert pool.replace_group(ONE, [state("ana")]) == [ANA]
    assert pool.change_group(ONE, [state("ana", since="2026-01-01")], []) == []
    assert pool.change_group(TWO, [state("ana")], []) == [ANA]
    assert pool.change_group(ONE, [state("ana", current=1)], []) == []
    assert pool.change_group(ONE, [state("ana")], []) == [ANA]


def test_an_agent_stays_while_one_group_has_it() -> None:
    """Leaving one group keeps the agent in the other; leaving the last ends it."""
    pool = AgentPool()
    pool.replace_group(ONE, [state("ana")])
    pool.replace_group(TWO, [state("ana")])
    pool.change_group(ONE, [], ["ana"])
    assert (first(pool, "one"), first(pool, "two")) == (None, ANA)
    pool.replace_group(TWO, [])
    assert pool.available() == []


def test_a_dropped_group_has_no_members() -> None:
    """Its agents are known by their other groups only."""
    pool = AgentPool()
    pool.replace_group(ONE, [state("ana"), state("bob")])
    pool.replace_group(TWO, [state("bob")])
    pool.drop_group(ONE)
    assert pool.available() == [BOB]


def test_a_promise_holds_until_it_is_answered_and_shown() -> None:
    """In whichever order the two come."""
    pool = AgentPool()
    pool.replace_group(ONE, [state("ana", maximum=3)])
    pool.promise(ANA, "a")
    assert pool.available() == []
    assert pool.change_group(ONE, [state("ana", current=1, maximum=3)], []) == []
    assert pool.accepted(ANA) == (None, [ANA])
    promise = pool.promise(ANA, "b")
    waits, freed = pool.accepted(ANA)
    assert (waits, freed) == (promise, [])
    assert pool.change_group(ONE, [state("ana", current=2, maximum=3)], []) == [ANA]


def test_a_promise_released_late_does_not_touch_the_next_one() -> None:
    """A settle timeout that runs after the slot was promised again changes nothing."""
    pool = AgentPool()
    pool.replace_group(ONE, [state("ana", maximum=3)])
    old = pool.promise(ANA, "a")
    assert pool.release(ANA, old) == [ANA]
    pool.promise(ANA, "b")
    assert pool.release(ANA, old) == []
    assert not pool.is_available(ANA)


def test_exclusion_and_loss() -> None:
    """An excluded slot gets nothing; without states nobody is available, with them again all."""
    pool = AgentPool()
    pool.replace_group(ONE, [state("ana"), state("bob")])
    pool.exclude(ANA)
    assert pool.available() == [BOB]
    pool.promise(BOB, "b")
    pool.clear_states()
    assert pool.readmit(ANA) == []
    assert pool.replace_group(ONE, [state("ana"), state("bob")]) == [ANA]
    pool.release_all()
    assert pool.is_available(BOB)


def test_unable_members() -> None:
    """Logged in with the medium, and allowed none of it."""
    pool = AgentPool()
    pool.replace_group(ONE, [state("ana", maximum=0), state("bob")])
    assert pool.unable(1, "chat", frozenset({"one"})) == ["ana"]
    assert pool.unable(1, "email", frozenset({"one"})) == []
    assert pool.unable(1, "chat", frozenset({"two"})) == []
