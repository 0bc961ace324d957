"""Chance: the seed repeats a run, streams do not disturb each other."""

from statistics import fmean, median

from paceline.runtime.chance import Chance


def test_the_same_seed_and_name_draw_the_same() -> None:
    """A stream depends on seed and name only, not on what was asked for before."""
    first, second = Chance(7), Chance(7)
    second.stream("agents").random()
    assert [first.stream("visitors").random() for _ in range(3)] == [
        second.stream("visitors").random() for _ in range(3)
    ]


def test_other_names_and_seeds_draw_otherwise() -> None:
    """Different names or seeds give different streams."""
    draws = {Chance(s).stream(n).random() for s in (1, 2) for n in ("a", "b")}
    assert len(draws) == 4


def test_a_drawn_seed_is_shown_and_repeats_the_run() -> None:
    """Without a seed one is drawn that can be given again."""
    drawn = Chance()
    assert drawn.stream("x").random() == Chance(drawn.seed).stream("x").random()


def test_the_laws_have_the_mean_and_median_they_are_given() -> None:
    """Exponential has its mean, log-normal its median, within 4 standard errors of 20,000 draws."""
    stream = Chance(1).stream("laws")
    assert abs(fmean(stream.exponential(200) for _ in range(20_000)) - 200) < 6
    assert abs(median(stream.lognormal(118, 0.9) for _ in range(20_000)) - 118) < 4
    assert stream.exponential(0) == 0.0
