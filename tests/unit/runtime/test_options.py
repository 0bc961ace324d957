"""Option tables: documented units and ours, ranges, unknown names, and declarations refused."""

import msgspec
import pytest

from paceline.model.options import (
    Finding,
    Kind,
    Option,
    OptionTable,
    SecretSource,
    join_tables,
    parse,
)

TABLE = OptionTable(
    "interaction",
    (
        Option(
            "settings",
            "delivering-timeout",
            Kind.DURATION,
            30,
            "Time to answer an invitation.",
            unit="s",
            low=1,
            high=86_400,
            time="business",
        ),
        Option(
            "settings",
            "handling-timeout",
            Kind.DURATION,
            180,
            "Inactivity.",
            unit="min",
            low=1,
            high="24h",
            time="business",
        ),
        Option("settings", "max-interactions", Kind.INTEGER, 500, "A limit.", low=100, high=10_000),
        Option("settings", "allow-multiple", Kind.BOOLEAN, True, "Whether."),
        Option("pacing", "optimizationGoal", Kind.FLOAT, 3.0, "Goal.", unit="%", low=0, high=100),
        Option("pacing", "maxInvites", Kind.INTEGER, None, "A limit or none.", low=0),
        Option(
            "pacing", "algorithm", Kind.ENUM, "position", "Which.", choices=("position", "naive")
        ),
        Option("security", "password", Kind.TEXT, "", "A secret.", secret=True),
        Option("general", "name", Kind.TEXT, "x", "A text."),
    ),
)


@pytest.mark.parametrize(
    ("section", "key", "raw", "value"),
    [
        ("settings", "delivering-timeout", "45", 45.0),
        ("settings", "delivering-timeout", 45, 45.0),
        ("settings", "delivering-timeout", "5000ms", 5.0),
        ("settings", "delivering-timeout", " 1.5 min ", 90.0),
        ("settings", "delivering-timeout", "2h", 7200.0),
        ("settings", "delivering-timeout", "1d", 86_400.0),
        ("settings", "handling-timeout", 20, 1200.0),
        ("settings", "handling-timeout", "90s", 90.0),
        ("settings", "max-interactions", "100", 100),
        ("settings", "max-interactions", 10_000, 10_000),
        ("settings", "allow-multiple", "no", False),
        ("settings", "allow-multiple", "0", False),
        ("settings", "allow-multiple", "Yes", True),
        ("settings", "allow-multiple", False, False),
        ("settings", "allow-multiple", 1, True),
        ("pacing", "optimizationGoal", "0", 0.0),
        ("pacing", "optimizationGoal", 100, 100.0),
        ("pacing", "maxInvites", "none", None),
        ("pacing", "maxInvites", "7", 7),
        ("pacing", "algorithm", "naive", "naive"),
        ("security", "password", {"file": "/etc/secret"}, SecretSource("file", "/etc/secret")),
        ("security", "password", {"env": "SECRET"}, SecretSource("env", "SECRET")),
        ("security", "password", "open", SecretSource("value", "open")),
        ("general", "name", "none", "none"),
    ],
)
def test_a_right_value_is_read(section: str, key: str, raw: object, value: object) -> None:
    """Documented units, ours, and every spelling of booleans are understood; no finding."""
    values, findings = parse(TABLE, {section: {key: raw}})  # type: ignore[dict-item]
    assert (values[section, key], findings) == (value, ())


@pytest.mark.parametrize(
    ("section", "key", "raw"),
    [
        ("settings", "delivering-timeout", "0s"),
        ("settings", "delivering-timeout", "25h"),
        ("settings", "delivering-timeout", "soon"),
        ("settings", "delivering-timeout", "-5"),
        ("settings", "delivering-timeout", "5 weeks"),
        ("settings", "delivering-timeout", True),
        ("settings", "delivering-timeout", {"file": "x"}),
        ("settings", "handling-timeout", "25h"),
        ("settings", "max-interactions", "99"),
        ("settings", "max-interactions", 10_001),
        ("settings", "max-interactions", "100.5"),
        ("settings", "max-interactions", True),
        ("settings", "max-interactions", "none"),
        ("settings", "max-interactions", 10**400),
        ("settings", "allow-multiple", "maybe"),
        ("pacing", "optimizationGoal", "101"),
        ("pacing", "optimizationGoal", "-1"),
        ("pacing", "optimizationGoal", "nan"),
        ("pacing", "optimizationGoal", "x"),
        ("pacing", "algorithm", "Position!"),
        ("security", "password", {"url": "x"}),
        ("security", "password", 12),
        ("general", "name", 5),
    ],
)
def test_a_wrong_value_is_named_and_changes_nothing(section: str, key: str, raw: object) -> None:
    """Out of range or of the wrong type: one finding at the field, the default stays."""
    values, findings = parse(TABLE, {section: {key: raw}})  # type: ignore[dict-item]
    defaults, _ = parse(TABLE, {})
    assert values == defaults
    assert [finding.field for finding in findings] == [f"{section}.{key}"]


def test_the_old_value_stays_when_there_is_one() -> None:
    """A wrong change leaves the value before it, and says which that is."""
    old, _ = parse(TABLE, {"settings": {"handling-timeout": 60}})
    new, findings = parse(
        TABLE, {"settings": {"handling-timeout": 2000}}, previous=old, subject="application 'X'"
    )
    assert new.seconds("settings", "handling-timeout") == 3600.0
    assert findings == (
        Finding(
            "application 'X'",
            "settings.handling-timeout",
            "2000 is above 24h; 60 min stays",
            "give a duration such as 250ms, 5s, 30min or 2h (min without a unit) from 1 min to 24h",
        ),
    )


def test_an_option_that_is_taken_away_has_its_default_again() -> None:
    """What is not configured has its default, whatever it was before."""
    old, _ = parse(TABLE, {"pacing": {"optimizationGoal": 5}})
    new, findings = parse(TABLE, {}, previous=old)
    assert (new.number("pacing", "optimizationGoal"), findings) == (3.0, ())


@pytest.mark.parametrize(
    ("section", "key", "fix"),
    [
        ("settings", "delivery-timeout", "did you mean settings.delivering-timeout?"),
        ("pacing", "optimizationgoal", "did you mean pacing.optimizationGoal?"),
        ("setings", "allow-multiple", "did you mean settings.allow-multiple?"),
        ("zzz", "qqq", "remove it"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest_known_one(
    section: str, key: str, fix: str
) -> None:
    """A slip of the pen in section, key or case gets the name that was meant."""
    _, findings = parse(TABLE, {section: {key: "1"}})
    assert [(finding.field, finding.fix) for finding in findings] == [(f"{section}.{key}", fix)]


def test_a_secret_shows_nowhere() -> None:
    """Neither values, nor findings, nor an encoder show the text of a secret."""
    values, _ = parse(TABLE, {"security": {"password": "open-sesame"}})
    _, findings = parse(TABLE, {"security": {"password": {"value": "open-sesame"}}})
    assert findings
    assert "open-sesame" not in f"{values!r}{values}{findings!r}"
    with pytest.raises(TypeError):
        msgspec.json.encode(values["security", "password"])


def test_typed_access_refuses_another_kind() -> None:
    """Asking for another kind, or for an option that is not declared, is a mistake in code."""
    values, _ = parse(TABLE, {})
    assert values.flag("settings", "allow-multiple") is True
    assert values.text("pacing", "algorithm") == "position"
    assert values.integer("settings", "max-interactions") == 500
    with pytest.raises(TypeError):
        values.integer("settings", "allow-multiple")
    with pytest.raises(KeyError):
        values.text("settings", "absent")


def test_tables_are_joined_and_a_double_declaration_is_refused() -> None:
    """A server's own table and shared ones become one; the same name twice is a mistake."""
    shared = OptionTable("log", (Option("log", "verbose", Kind.TEXT, "all", "Level."),))
    joined = join_tables("interaction", TABLE, shared)
    assert len(joined.options) == len(TABLE.options) + 1
    with pytest.raises(ValueError, match="declared twice"):
        join_tables("interaction", shared, shared)


def test_a_declaration_that_contradicts_itself_is_refused() -> None:
    """A default out of range, a duration without its time, an enum without choices …"""
    with pytest.raises(ValueError, match="below"):
        Option("s", "k", Kind.INTEGER, 1, "", low=5)
    with pytest.raises(ValueError, match="which time"):
        Option("s", "k", Kind.DURATION, 1, "", unit="s")
    with pytest.raises(ValueError, match="unit of a duration"):
        Option("s", "k", Kind.DURATION, 1, "", unit="weeks", time="machine")
    with pytest.raises(ValueError, match="choices"):
        Option("s", "k", Kind.ENUM, "a", "")
    with pytest.raises(ValueError, match="secret is a text"):
        Option("s", "k", Kind.INTEGER, 1, "", secret=True)
