"""Laws of option parsing."""

from hypothesis import given
from hypothesis import strategies as st

from paceline.model.options import Kind, Option, OptionTable, parse

LOW, HIGH = 1, 60
TABLE = OptionTable(
    "pacing",
    (
        Option(
            "pacing",
            "refreshPeriod",
            Kind.DURATION,
            5,
            "Period.",
            unit="s",
            low=LOW,
            high=HIGH,
            time="business",
        ),
        Option("pacing", "goal", Kind.FLOAT, 3, "Goal.", low=0, high=100),
        Option("pacing", "pages", Kind.INTEGER, 1, "Pages.", low=1, high=9),
        Option("pacing", "enabled", Kind.BOOLEAN, True, "Whether."),
    ),
)
KEYS = st.sampled_from(["refreshPeriod", "goal", "pages", "enabled", "refreshperiod", "x"])
RAW = st.one_of(
    st.text(max_size=8),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.builds("{}{}".format, st.integers(0, 10**6), st.sampled_from(["", "ms", "s", "min", "h"])),
)


@given(st.lists(st.dictionaries(KEYS, RAW, max_size=4), min_size=1, max_size=5))
def test_values_are_always_in_range_and_each_mistake_is_named(
    configurations: list[dict[str, str | int | float]],
) -> None:
    """Whatever is configured, values stay in range and a key has one finding or none."""
    values = None
    for configuration in configurations:
        values, findings = parse(TABLE, {"pacing": configuration}, previous=values)
        assert LOW <= values.seconds("pacing", "refreshPeriod") <= HIGH
        assert 0 <= values.number("pacing", "goal") <= 100
        assert 1 <= values.integer("pacing", "pages") <= 9
        fields = [finding.field for finding in findings]
        assert len(fields) == len(set(fields)) <= len(configuration)


@given(st.integers(LOW * 1000, HIGH * 1000))
def test_a_duration_means_the_same_in_every_unit(ms: int) -> None:
    """Milliseconds written as ms, as s and as a bare number are the same value."""
    given_as = (f"{ms}ms", f"{ms / 1000}s", ms / 1000)
    read = [
        parse(TABLE, {"pacing": {"refreshPeriod": raw}})[0].seconds("pacing", "refreshPeriod")
        for raw in given_as
    ]
    assert max(read) - min(read) < 1e-9
