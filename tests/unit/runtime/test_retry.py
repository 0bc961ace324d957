"""Retry: waits grow, the engine's own wish is honoured, the last error comes through."""

from itertools import pairwise

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.retry import retrying
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.units.quantities import Millis


def instants_of_tries(error: Exception, attempts: int) -> list[float]:
    """When each try of an action that always fails was made."""
    times = virtual_times(Millis(0))
    seen = list[float]()

    async def act() -> None:
        seen.append(times.machine.monotonic())
        raise error

    async def main() -> None:
        policy = retrying(
            times,
            Chance(1).stream("retry"),
            when=lambda problem: isinstance(problem, ConnectionError | PacelineError),
            longest_s=1.0,
            attempts=attempts,
        )
        with pytest.raises(type(error)):
            await policy(act)

    run_virtual(main())
    return seen


def test_waits_double_with_jitter_up_to_the_longest() -> None:
    """Each wait is between half and all of 0.1, 0.2, 0.4, 0.8, 1, 1 s."""
    seen = instants_of_tries(ConnectionError(), 7)
    waits = [after - before for before, after in pairwise(seen)]
    for wait, full in zip(waits, [0.1, 0.2, 0.4, 0.8, 1.0, 1.0], strict=True):
        assert full / 2 <= wait <= full + 1e-9


def test_an_error_that_says_when_to_come_again_is_heeded() -> None:
    """No try is made before retry_after_s."""
    seen = instants_of_tries(PacelineError("overloaded", "full", retry_after_s=7.0), 2)
    assert seen == [0.0, 7.0]


def test_an_error_that_will_not_pass_is_raised_at_once() -> None:
    """What `when` denies is not repeated."""
    assert instants_of_tries(LookupError(), 5) == [0.0]


def test_a_repeated_action_that_succeeds_gives_its_answer() -> None:
    """The answer of the first good try is the answer."""
    tries = iter([ConnectionError(), ConnectionError(), None])

    async def act(answer: str) -> str:
        problem = next(tries)
        if problem:
            raise problem
        return answer

    async def main() -> str:
        policy = retrying(virtual_times(Millis(0)), Chance(1).stream("retry"), when=lambda _: True)
        return await policy(act, "done")

    assert run_virtual(main()) == "done"
