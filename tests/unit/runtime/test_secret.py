"""Secrets: no readable form but the one that is asked for."""

import pickle

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.options import SecretSource
from paceline.runtime.secret import Secret, new_secret, resolve_secret


def test_a_secret_has_no_readable_form() -> None:
    """repr, str, format and % show stars; it is not pickled and is no key."""
    secret = Secret("open-sesame")
    shown = f"{secret} {secret!r} {secret!s} {secret:>20} " + "%s %r" % (secret, secret)  # noqa: UP031 - % is the claim
    assert "open" not in shown
    assert "***" in shown
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        hash(secret)
    assert secret.reveal() == "open-sesame"


def test_secrets_are_equal_by_their_text() -> None:
    """Two secrets of the same text are equal; a secret never equals a plain text."""
    assert Secret("é") == Secret("é")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert new_secret() != new_secret()


def test_a_secret_comes_from_value_or_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A value is itself; a variable is read; one that is not set is a named mistake."""
    monkeypatch.setenv("PACELINE_TEST_SECRET", "from-env")
    source = SecretSource("env", "PACELINE_TEST_SECRET")
    assert resolve_secret(SecretSource("value", "v"), field="x.y") == Secret("v")
    assert resolve_secret(source, field="x.y") == Secret("from-env")
    monkeypatch.delenv("PACELINE_TEST_SECRET")
    with pytest.raises(PacelineError, match="PACELINE_TEST_SECRET is not set") as mistake:
        resolve_secret(source, field="x.y")
    assert (mistake.value.name, mistake.value.field) == ("configuration_mistake", "x.y")
