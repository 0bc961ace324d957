"""When lost sessions are a mass logout."""

from paceline.servers.interaction.rules.mass_logout import MassLogouts


def _lose(shield: MassLogouts, path: str, count: int, now: float, threshold: int = 50) -> bool:
    return shield.lose(path, [1] * count, now, threshold=threshold, window_s=5.0)


def test_the_threshold_within_the_window_gives_one_signal() -> None:
    """49 give none, the fiftieth one signal, further ones none while it goes on."""
    shield = MassLogouts()
    assert not _lose(shield, "gateway", 49, 0.0)
    assert _lose(shield, "gateway", 1, 4.9)
    assert not _lose(shield, "gateway", 100, 4.95)
    assert shield.sessions("gateway") == {1: 150}
    assert not _lose(shield, "gateway", 100, 9.0)


def test_losses_further_apart_than_the_window_do_not_add_up() -> None:
    """30 sessions, and 30 more after the window: no signal."""
    shield = MassLogouts()
    assert not _lose(shield, "gateway", 30, 0.0)
    assert not _lose(shield, "gateway", 30, 5.1)


def test_paths_are_counted_apart() -> None:
    """Two links that each lose less than the threshold give no signal."""
    shield = MassLogouts()
    assert not _lose(shield, "one", 40, 0.0)
    assert not _lose(shield, "other", 40, 0.1)
    assert _lose(shield, "other", 10, 0.2)


def test_a_quiet_window_ends_the_case() -> None:
    """The next mass logout of the same path gives its own signal."""
    shield = MassLogouts()
    assert _lose(shield, "gateway", 50, 0.0)
    assert _lose(shield, "gateway", 50, 5.1)


def test_zero_gives_none() -> None:
    """Threshold 0 turns the shield's signal off."""
    assert not _lose(MassLogouts(), "gateway", 10_000, 0.0, threshold=0)


def test_sessions_are_told_by_tenant() -> None:
    """Each tenant's reporting clients hear of their own."""
    shield = MassLogouts()
    shield.lose("gateway", [1, 2, 2], 0.0, threshold=3, window_s=5.0)
    assert shield.sessions("gateway") == {1: 1, 2: 2}
    assert shield.sessions("unknown") == {}
