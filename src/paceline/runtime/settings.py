"""The settings of a running server: immutable values, replaced as a whole when options change.

Made by assembly from the server's option table, updated on each configuration change; the server
reads `current` at the moment of use or watches for changes. Never writes configuration.
"""

from collections.abc import Callable

from paceline.model.options import (
    Finding,
    OptionTable,
    OptionValues,
    RawOptions,
    SecretSource,
    parse,
)
from paceline.runtime.secret import Secret, resolve_secret

SettingsListener = Callable[[OptionValues, OptionValues], None]


class LiveSettings:
    """Values of one application's options.

    Parameters
    ----------
    subject
        The application, as its findings name it; the table's server when absent.
    """

    def __init__(
        self, table: OptionTable, raw: RawOptions | None = None, *, subject: str | None = None
    ) -> None:
        self._table = table
        self._subject = subject or table.server
        self._listeners: list[SettingsListener] = []
        self.current, self.findings = parse(table, raw or {}, subject=self._subject)

    def watch(self, listener: SettingsListener) -> None:
        """Call it with the old and the new values after each change that takes effect."""
        self._listeners.append(listener)

    def update(self, raw: RawOptions) -> tuple[Finding, ...]:
        """Take over what is configured now; returns, and keeps in `findings`, every mistake.

        A wrong value leaves the old one; a change that needs a restart leaves it too and is named.
        """
        old = self.current
        new, mistakes = parse(self._table, raw, subject=self._subject, previous=old)
        options = self._table.by_name()
        changed = new.differing(old)
        waiting = tuple(name for name in changed if not options[name].live)
        self.current = new.replaced({name: old[name] for name in waiting})
        self.findings = mistakes + tuple(
            Finding(
                self._subject,
                options[name].name,
                "the new value takes effect after a restart",
                "restart the server",
            )
            for name in waiting
        )
        if len(changed) > len(waiting):
            for listener in self._listeners:
                listener(old, self.current)
        return self.findings

    def secret(self, section: str, key: str) -> Secret | None:
        """The secret an option names now; None when none is configured.

        Raises
        ------
        PacelineError
            `configuration_mistake` when its file or variable cannot be read.
        """
        source = self.current[section, key]
        if source is None:
            return None
        if not isinstance(source, SecretSource):
            raise TypeError(f"{section}.{key} is not declared as a secret")
        return resolve_secret(source, field=f"{section}.{key}")
