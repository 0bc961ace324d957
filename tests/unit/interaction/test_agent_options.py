"""Options of agent sessions: documented names, defaults and ranges; each says which time it means."""

import pytest

from paceline.runtime.settings import LiveSettings
from paceline.servers.interaction.options import OPTIONS

DOCUMENTED = [
    ("settings", "login-session-timeout", 86_400.0, "business"),
    ("settings", "allow-multiple-agent-connections", "true", None),
    ("settings", "agent-login-control", "none", None),
    ("settings", "not-ready-on-invitation-timeout", False, None),
    ("settings", "mass-logout-threshold", 50, None),
    ("settings", "mass-logout-window", 5.0, "machine"),
    ("settings", "mass-logout-grace", 30.0, "machine"),
    ("agent-reservation", "reject-subsequent-request", True, None),
    ("agent-reservation", "request-collection-time", 0.1, "machine"),
    ("agent-reservation", "reservation-time", 10.0, "machine"),
    ("seats", "ics_multi_media_agent_seat", 0, None),
    ("seats", "pool", 0, None),
    ("seats", "mode", "cluster", None),
]


@pytest.mark.parametrize(("section", "key", "default", "time"), DOCUMENTED)
def test_default_and_time(section: str, key: str, default: object, time: str | None) -> None:
    """The default of the reference; live; business or machine time."""
    option = OPTIONS.by_name()[section, key]
    assert LiveSettings(OPTIONS).current[section, key] == default
    assert (option.live, option.time) == (True, time)


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [
        ("login-session-timeout", 1, 43_200),
        ("mass-logout-threshold", 0, 100_000),
        ("mass-logout-window", 1, 60),
        ("mass-logout-grace", 0, 600),
    ],
)
def test_ranges(key: str, low: int, high: int) -> None:
    """The limits are taken, what is beyond them leaves the default and is a finding."""
    for value in (low, high):
        assert LiveSettings(OPTIONS, {"settings": {key: value}}).findings == ()
    for value in (low - 1, high + 1):
        settings = LiveSettings(OPTIONS, {"settings": {key: value}})
        assert len(settings.findings) == 1
        assert settings.current["settings", key] == LiveSettings(OPTIONS).current["settings", key]
