"""Five planted mistakes: each is found by an invariant from a few seeds, which pass without it."""

from collections.abc import Callable
from functools import cache

import pytest

from paceline.simulator.whole.plan import Outcome, Plan
from paceline.simulator.whole.run import rehearse
from tests.simulation import planted

SEEDS = (1, 2, 3, 4, 5)
DURATION_S = 1200.0

Patch = Callable[[pytest.MonkeyPatch], None]


@cache
def _rehearsed(seed: int, *patches: Patch) -> Outcome:
    with pytest.MonkeyPatch.context() as patch:
        for change in patches:
            change(patch)
        return rehearse(Plan(seed=seed, duration_s=DURATION_S, profile="hostile"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("plant", "schedule"),
    [
        (planted.answer_before_commit, ()),
        (planted.trust_as_long_as_the_lease, (planted.holders_stand_still,)),
        (planted.head_skips_a_newcomer, ()),
        (planted.permits_add_up, ()),
        (planted.events_apart_from_state, ()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_planted_mistake_is_found(plant: Patch, schedule: tuple[Patch, ...]) -> None:
    """Within five seeds of twenty simulated minutes; the same seeds pass without it."""
    for seed in SEEDS:
        found = _rehearsed(seed, plant, *schedule)
        sound = _rehearsed(seed, *schedule)
        assert sound.failure is None, (seed, sound.failure)
        if found.failure is not None:
            assert found.interactions > 0  # the site worked with it until then
            print(
                f"{plant.__name__}: seed {seed}, {found.failure.at_s:.0f} s: {found.failure.what}"
            )
            return
    pytest.fail(f"{plant.__name__} was not found with the seeds {SEEDS}")
