"""The waiting room agrees with a plain sorted list, whatever comes and goes."""

from hypothesis import given
from hypothesis import strategies as st

from paceline.model.options import Finding
from paceline.servers.router.live.problems import LIMIT, Problems
from paceline.servers.router.live.waiting import Held, WaitingRoom
from paceline.servers.router.rules.choose_queue import PacingKeys

GROUPS = st.frozensets(st.sampled_from("ABC"), min_size=1)
STEPS = st.lists(
    st.tuples(st.integers(0, 9), GROUPS, st.integers(0, 3), st.booleans()), max_size=40
)


@given(STEPS, GROUPS)
def test_the_first_in_order_that_the_agent_may_have(
    steps: list[tuple[int, frozenset[str], int, bool]], asked: frozenset[str]
) -> None:
    """Among those whose groups meet the agent's and whom the agent has not refused."""
    room, model = WaitingRoom(), dict[str, Held]()
    for number, groups, priority, is_refused in steps:
        name = f"i{number}"
        if (old := model.pop(name, None)) is not None:
            room.remove(old)
            continue
        held = Held(
            name, 1, "s", "v", "chat", (-priority, "t", number), PacingKeys(), groups=groups
        )
        if is_refused:
            held.refused_by.add("ana")
        room.add(held)
        model[name] = held
        able = [h for h in model.values() if h.groups & asked and "ana" not in h.refused_by]
        expected = min(able, key=lambda h: (h.order, h.interaction_id), default=None)
        assert room.first_for((1, "chat"), set(asked), "ana") is expected
    assert room.first_for((1, "email"), set(asked), "ana") is None
    room.clear()
    assert not any(held.is_waiting for held in model.values())


def test_problems_are_bounded() -> None:
    """The oldest give way; a healed one is gone."""
    problems = Problems()
    for number in range(LIMIT + 5):
        problems.note(number, Finding("strategy", "field", f"problem {number}", "mend it"))
    assert len(problems.findings()) == LIMIT
    latest = problems.about("strategy")
    assert latest is not None and latest.consequence == f"problem {LIMIT + 4}"
    problems.healed(LIMIT + 4)
    assert len(problems.findings()) == LIMIT - 1
