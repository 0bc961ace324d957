"""A state machine over all operations on interactions against a plain model, over restarts too."""

import random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.property.interaction.operations import VIEWS, Operations
from tests.property.interaction.plain_model import AGENTS, BACK

Operations.TestCase.settings = settings(
    stateful_step_count=30, max_examples=max(1, settings().max_examples // 4)
)
TestOperations = Operations.TestCase


# --- long days: the same operations by weight, so that rare states are reached ------------------


def _arguments(dice: random.Random, act: str) -> dict[str, Any]:
    drawn: dict[str, Any] = {
        "pick": dice.randrange(1000),
        "priority": dice.randrange(3),
        "queue": dice.choice(sorted(VIEWS)),
        "count": dice.randint(1, 3),
        "agent": dice.choice(AGENTS),
        "by": dice.choice(AGENTS),
        "to": dice.choice(AGENTS),
        "owner": dice.choice(AGENTS),
        "actor": dice.choice(("media", *AGENTS)),
        "role": dice.choice(("transfer", "conference")),
        "is_accepted": dice.random() < 0.7,
        "is_held": dice.random() < 0.3,
        "is_locked": dice.random() < 0.3,
    }
    if act == "place_in_queue":
        drawn["queue"] = dice.choice((*sorted(VIEWS), BACK))
    return {name: drawn[name] for name in ACTS[act][1]}


def _weigh(machine: Operations) -> list[str]:
    """Acts that the machine allows now, each as often as its weight."""
    is_taken = machine.snapshot is not None
    closed = {"take_snapshot", "restart"} if is_taken else {"move_snapshot", "release_snapshot"}
    return [act for act, (weight, _) in ACTS.items() if act not in closed for _ in range(weight)]


ACTS: dict[str, tuple[int, tuple[str, ...]]] = {
    "submit": (12, ("priority", "queue")),
    "router_pull": (8, ("queue", "count")),
    "agent_pull": (8, ("queue", "agent")),
    "workbin_pull": (4, ("agent", "owner")),
    "deliver": (10, ("pick", "agent")),
    "answer": (8, ("pick", "is_accepted")),
    "place_in_queue": (4, ("pick", "actor", "queue")),
    "place_in_workbin": (4, ("pick", "actor", "owner")),
    "hold": (2, ("pick", "actor", "is_held")),
    "lock": (2, ("pick", "is_locked")),
    "stop": (3, ("pick", "actor")),
    "invite": (10, ("pick", "by", "to", "role")),
    "answer_party": (8, ("pick", "is_accepted")),
    "intrude": (6, ("pick", "agent", "is_accepted")),
    "leave": (4, ("pick", "agent")),
    "take_snapshot": (1, ("queue",)),
    "move_snapshot": (1, ("queue",)),
    "release_snapshot": (3, ()),
    "offers_end": (1, ()),
    "log_out_and_in": (1, ("agent",)),
    "restart": (1, ()),
}
"""Every rule with its weight and its arguments."""


@example(seed=1396)  # two join a conference in one millisecond
@given(seed=st.integers(0, 2**32))
@settings(max_examples=max(1, settings().max_examples // 8))
def test_a_long_day_agrees_with_the_model(seed: int) -> None:
    """150 operations by weight, restarts among them: node, model and log agree after each."""
    dice = random.Random(seed)
    machine = Operations()
    machine.begin()
    try:
        for _ in range(150):
            act = dice.choice(_weigh(machine))
            getattr(machine, act)(**_arguments(dice, act))
    finally:
        machine.teardown()
