"""Chance and events in compiled code."""

import numpy as np
import pytest

from paceline.simulator.numeric import draws, laws
from paceline.simulator.numeric.events import (
    FREE,
    extra_of,
    index_of,
    kind_of,
    packed,
    pop,
    push,
)
from paceline.simulator.numeric.scenario import Cell

COUNT = 20_000


def times(law: laws.Law) -> np.ndarray:
    words = draws.streams(1, ["test"])
    values = np.array(law)
    return np.array([draws.draw(words, 0, values, laws.tables()) for _ in range(COUNT)])


def test_uniform_numbers_are_uniform_and_streams_differ() -> None:
    """Mean 1/2 and variance 1/12 within 4 standard errors; two names, two streams; no correlation."""
    words = draws.streams(7, ["a", "b"])
    pairs = np.array([[draws.uniform(words, 0), draws.uniform(words, 1)] for _ in range(COUNT)])
    assert pairs.min() >= 0.0
    assert pairs.max() < 1.0
    assert pairs.mean() == pytest.approx(0.5, abs=4 / np.sqrt(24 * COUNT))
    assert pairs.var() == pytest.approx(1 / 12, abs=0.002)
    assert abs(np.corrcoef(pairs.T)[0, 1]) < 4 / np.sqrt(COUNT)


@pytest.mark.parametrize("world", ["E", "R"])
def test_times_have_the_means_of_the_worlds(world: str) -> None:
    """Response 15 s; talk and wrap 200 s together (PACING.md, "Worlds")."""
    cell = Cell(world=world)  # type: ignore[arg-type]  # one of its literals
    assert times(laws.response(cell)).mean() == pytest.approx(15, rel=0.03)
    handled = times(laws.talk(cell)).mean() + times(laws.wrap(cell)).mean()
    assert handled == pytest.approx(200, rel=0.03)


def test_the_banks_tables_have_the_banks_figures() -> None:
    """Service mean 188 s, median 118 s; patience survival .815 at 60 s and .378 at 600 s (SOURCE.md)."""
    cell = Cell(world="bank")
    service, patience = times(laws.talk(cell)), times(laws.patience(cell))
    assert service.mean() == pytest.approx(187.6, rel=0.03)
    assert np.median(service) == pytest.approx(118, rel=0.03)
    assert (patience > 60).mean() == pytest.approx(0.815, abs=0.012)
    assert (patience > 600).mean() == pytest.approx(0.378, abs=0.015)


def test_counts_are_poisson_and_binomial() -> None:
    """Means and variances of 5,000 draws."""
    words = draws.streams(1, ["counts"])
    arrivals = np.array([draws.poisson(words, 0, 3.0) for _ in range(5000)])
    stay = np.array([draws.thinned(words, 0, 10, 0.3) for _ in range(5000)])
    assert arrivals.mean() == pytest.approx(3.0, abs=0.1)
    assert arrivals.var() == pytest.approx(3.0, rel=0.1)
    assert stay.mean() == pytest.approx(3.0, abs=0.1)
    assert stay.var() == pytest.approx(2.1, rel=0.1)


def test_a_heap_gives_events_back_in_order() -> None:
    """In the order of their times, each with what it was about."""
    at, events = np.zeros(300), np.zeros(300, dtype=np.int64)
    moments = np.random.default_rng(1).random(200)
    for size, moment in enumerate(moments):
        push(at, events, 100, size, moment, packed(FREE, size, 7 * size))
    for left, place in zip(range(200, 0, -1), np.argsort(moments), strict=True):
        event = int(events[100])
        assert at[100] == moments[place]
        assert (kind_of(event), index_of(event), extra_of(event)) == (FREE, place, 7 * place)
        pop(at, events, 100, left)
    assert not at[:100].any()
