"""Which fields of a body are secret, and one walk over them for masking, encrypting and keeping.

Called by bodies.py, show.py and the store. Passwords of persons and secrets of applications are no
fields of a body: bodies.py takes them out before.
"""

import re
from collections.abc import Callable, Collection

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.configuration import AccessPoint, Body, Options, OptionValue
from paceline.model.options import Name

MASK = "***"
"""What everyone but servers sees, and what a client sends back to keep a secret as it is."""

_SECRET_KEY = re.compile(r"(?:^|[-_.])(?:password|secret|passphrase)$", re.IGNORECASE)
"""Option keys that are secret whatever the option tables say, such as `ewt.password`."""

SecretNames = Collection[Name]
Walk = Callable[[str, OptionValue], OptionValue]
"""Takes a field and its secret, gives what stands there afterwards."""


def map_secrets(body: Body, declared: SecretNames, walk: Walk) -> Body:
    """The body with each secret replaced; file and environment names are no secrets.

    Parameters
    ----------
    declared
        Section and key of the options that some option table marks as secret.
    """
    changes: dict[str, object] = {}
    options = _map_options(body.options, declared, walk)
    if options != body.options:
        changes["options"] = options
    password = body.password if isinstance(body, AccessPoint) else None
    if password is not None and not isinstance(password, dict):
        changes["password"] = walk("password", password)
    return msgspec.structs.replace(body, **changes) if changes else body


def _map_options(options: Options, declared: SecretNames, walk: Walk) -> Options:
    return {
        section: {
            key: walk(f"options.{section}.{key}", value)
            if _SECRET_KEY.search(key) or (section, key) in declared
            else value
            for key, value in keys.items()
        }
        for section, keys in options.items()
    }


def masked(body: Body, declared: SecretNames) -> Body:
    """The body as everyone may see it."""
    return map_secrets(body, declared, lambda _field, value: MASK if value != "" else value)


def with_kept(body: Body, before: Body | None, declared: SecretNames) -> Body:
    """The body with every `***` replaced by the secret that stood there; secrets are texts.

    Raises
    ------
    PacelineError
        `invalid_attribute` when nothing stood there.
    """
    known: dict[str, OptionValue] = {}

    def remember(field: str, value: OptionValue) -> OptionValue:
        known[field] = value
        return value

    def keep(field: str, value: OptionValue) -> OptionValue:
        if value != MASK:
            return str(value)
        if field not in known:
            raise PacelineError(
                "invalid_attribute",
                f"field '{field}': '{MASK}' keeps a secret, but none is stored; give its text",
                field=field,
            )
        return known[field]

    if before is not None:
        map_secrets(before, declared, remember)
    return map_secrets(body, declared, keep)
