"""The private key that signs tokens, encrypted under the site key.

Called by live/identities.py at the start.
"""

import msgspec
from joserfc import jwk

from paceline.servers.configuration.store.cipher import Cipher
from paceline.storage.database import Database
from paceline.units.quantities import Millis


class KeyStore:
    """Table `signing_keys`; the newest key signs."""

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    async def load(self) -> jwk.OKPKey | None:
        """The key that signs, None before there is one."""
        rows = await self._database.fetch(
            "SELECT private FROM configuration.signing_keys ORDER BY created_at DESC, kid LIMIT 1"
        )
        if not rows:
            return None
        return jwk.OKPKey.import_key(msgspec.json.decode(self._cipher.decrypt(rows[0][0])))

    async def save(self, key: jwk.OKPKey, at: Millis) -> None:
        """Keeps a new key."""
        private = msgspec.json.encode(key.as_dict(private=True)).decode()
        await self._database.execute(
            "INSERT INTO configuration.signing_keys (kid, created_at, private) VALUES ($1, $2, $3)",
            key.kid,
            at,
            self._cipher.encrypt(private),
        )
