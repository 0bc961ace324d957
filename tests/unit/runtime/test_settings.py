"""Live settings: changes reach listeners, mistakes and restarts change nothing."""

from pathlib import Path

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.options import Kind, Option, OptionTable, OptionValues
from paceline.runtime.settings import LiveSettings

TABLE = OptionTable(
    "pacing",
    (
        Option("pacing", "goal", Kind.FLOAT, 3.0, "Goal.", low=0, high=100),
        Option("pacing", "name", Kind.TEXT, "a", "Name."),
        Option("clustering", "port", Kind.INTEGER, 7800, "Port.", live=False),
        Option("endpoint", "password", Kind.TEXT, None, "Secret.", secret=True),
    ),
)


def watched(settings: LiveSettings) -> list[tuple[float, float]]:
    """Old and new goal of each notice."""
    seen = list[tuple[float, float]]()

    def note(old: OptionValues, new: OptionValues) -> None:
        seen.append((old.number("pacing", "goal"), new.number("pacing", "goal")))

    settings.watch(note)
    return seen


def test_a_change_reaches_listeners_with_old_and_new_values() -> None:
    """The new values are a new object; the old one stays as it was."""
    settings = LiveSettings(TABLE, {"pacing": {"goal": 5}})
    before = settings.current
    seen = watched(settings)
    assert settings.update({"pacing": {"goal": "7.5"}}) == ()
    assert seen == [(5.0, 7.5)]
    assert before.number("pacing", "goal") == 5.0
    assert settings.current.number("pacing", "goal") == 7.5


def test_an_update_without_a_change_calls_nobody() -> None:
    """The same configuration again, in whatever spelling, is no change."""
    settings = LiveSettings(TABLE, {"pacing": {"goal": 5}})
    seen = watched(settings)
    settings.update({"pacing": {"goal": "5.0"}})
    assert seen == []


def test_a_wrong_value_keeps_the_old_one_and_is_kept_as_a_finding() -> None:
    """The last good value stays through a mistake, and the mistake is shown until it is mended."""
    settings = LiveSettings(TABLE, {"pacing": {"goal": 5}})
    seen = watched(settings)
    settings.update({"pacing": {"goal": "x", "name": "b"}})
    assert [finding.field for finding in settings.findings] == ["pacing.goal"]
    assert settings.current.number("pacing", "goal") == 5.0
    assert settings.current.text("pacing", "name") == "b"
    settings.update({"pacing": {"goal": 6}})
    assert settings.findings == ()
    assert seen == [(5.0, 5.0), (5.0, 6.0)]


def test_what_needs_a_restart_waits_for_it_and_is_named() -> None:
    """An option that is not live keeps its value and the finding says what to do."""
    settings = LiveSettings(TABLE)
    seen = watched(settings)
    (finding,) = settings.update({"clustering": {"port": 7900}})
    assert (finding.field, finding.fix) == ("clustering.port", "restart the server")
    assert settings.current.integer("clustering", "port") == 7800
    assert seen == []


def test_a_secret_is_read_where_it_is_at_the_moment(tmp_path: Path) -> None:
    """A changed password file is seen without a restart; a lost one is a named mistake."""
    file = tmp_path / "password"
    file.write_text("first\n")
    settings = LiveSettings(TABLE, {"endpoint": {"password": {"file": str(file)}}})
    found = settings.secret("endpoint", "password")
    assert found is not None
    assert found.reveal() == "first"
    file.write_text("second")
    found = settings.secret("endpoint", "password")
    assert found is not None
    assert found.reveal() == "second"
    file.unlink()
    with pytest.raises(PacelineError, match=r"endpoint\.password"):
        settings.secret("endpoint", "password")
    settings.update({})
    assert settings.secret("endpoint", "password") is None
