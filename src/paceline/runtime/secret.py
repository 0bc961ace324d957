"""A secret and where it comes from: a value, a file or the environment.

Used wherever a password, key or token is held. Its text never shows in a log, a repr or an answer.
"""

import base64
import hmac
import os
from pathlib import Path

from paceline.errors.failure import PacelineError
from paceline.model.options import SecretSource
from paceline.runtime.entropy import random_bytes


class Secret:
    """A text that shows as `***` until it is revealed; two are compared in constant time."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, _spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    __hash__ = None  # type: ignore[assignment]  # a secret is no key of a table

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a Secret is not written anywhere")


def new_secret(size: int = 24) -> Secret:
    """An unguessable text of letters, digits, `-` and `_` made of so many random bytes."""
    return Secret(base64.urlsafe_b64encode(random_bytes(size)).rstrip(b"=").decode())


def resolve_secret(source: SecretSource, *, field: str) -> Secret:
    """The secret a configuration names; read anew at each call, so that a changed file is seen.

    Raises
    ------
    PacelineError
        `configuration_mistake` naming the field when the file or variable cannot be read.
    """
    if source.place == "value":
        return Secret(source.text)
    if source.place == "env":
        found = os.environ.get(source.text)
        if found is None:
            raise _unreadable(field, f"environment variable {source.text} is not set")
        return Secret(found)
    try:
        return Secret(Path(source.text).read_text(encoding="utf-8").rstrip("\r\n"))
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise _unreadable(field, f"file {source.text} cannot be read: {why}") from None


def _unreadable(field: str, why: str) -> PacelineError:
    return PacelineError("configuration_mistake", f"{field}: {why}", field=field)
