"""Encryption at rest with the site key: the signing key, secret options, passwords of access points.

Used by the stores of this server. The site key is made and kept by assembly, outside the database.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from paceline.errors.failure import PacelineError

PREFIX = "enc:"
"""Marks an encrypted text: an option that became secret later is still stored in plain."""

_PURPOSE = b"paceline configuration at rest"


class Cipher:
    """Encrypts texts under a key derived from the site key (HKDF, RFC 5869; Fernet)."""

    def __init__(self, site_key: bytes) -> None:
        if len(site_key) < 32:
            raise PacelineError(
                "start_refused",
                f"the site key has {len(site_key)} bytes; give 32 random ones",
                field="site_key",
            )
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(site_key)
        self._fernet = Fernet(base64.urlsafe_b64encode(derived))

    def encrypt(self, text: str) -> str:
        """The text as it may be stored."""
        return PREFIX + self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str:
        """The text of what was stored; one that was stored in plain stays.

        Raises
        ------
        PacelineError
            `start_refused` when it was encrypted under another site key.
        """
        if not stored.startswith(PREFIX):
            return stored
        try:
            return self._fernet.decrypt(stored[len(PREFIX) :]).decode()
        except InvalidToken:
            raise PacelineError(
                "start_refused",
                "the site key does not open the secrets of this database; start with the key "
                "that belongs to it",
                field="site_key",
            ) from None
