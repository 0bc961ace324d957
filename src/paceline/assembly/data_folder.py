"""The data folder of `demo` and `up`: the database, keys and passwords, and run.json while it runs.

Used by all_in_one.py and by commands that look for a running site. Files with secrets are open to
their owner only; that one process uses the folder is the embedded database's care.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from paceline.errors.failure import PacelineError
from paceline.runtime.secret import Secret, new_secret

ADMIN: Final = "admin"
"""The first administrator of a site made by `demo` or `up` (chosen)."""
SITE_KEY_BYTES: Final = 32
"""Random bytes of the key, as much as the cipher has (Fernet: two keys of 128 bits)."""

ROOT_FOLDER: Final = Path("/var/lib/paceline")
"""Where a service's state belongs (FHS 3.0, 5.8); whoever is not root has the XDG state folder."""


class RunningServer(msgspec.Struct, frozen=True, kw_only=True):
    """One server of a running site."""

    name: str
    url: str
    pid: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What run.json says (INTERFACES: Commands)."""

    servers: dict[str, list[RunningServer]]
    console: str
    user: str
    password_file: str
    database: str


def default_folder(purpose: str) -> Path:
    """Where `demo` or `site` keeps its data unless told otherwise."""
    if os.geteuid() == 0:
        return ROOT_FOLDER / purpose
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(state) / "paceline" / purpose


class DataFolder:
    """The files of one folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.password_file = self.path / "password"
        self.site_key_file = self.path / "site.key"
        self.log_file = self.path / "paceline.log"
        self._secrets_file = self.path / "application-secrets.json"
        self._run_file = self.path / "run.json"

    def prepare(self) -> None:
        """Make the folder where there is none.

        Raises
        ------
        PacelineError
            `start_refused` naming the folder, what is wrong with it and the fix.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with self.log_file.open("ab"):
                pass
        except OSError as error:
            raise PacelineError(
                "start_refused",
                f"data folder {self.path} cannot be used: {error.strerror}; choose another "
                "--data-dir",
                field="data_dir",
            ) from None

    def password(self) -> Secret:
        """The first administrator's password, made when there is none yet."""
        if not self.password_file.exists():
            self._write(self.password_file, (new_secret().reveal() + "\n").encode())
        return Secret(self.password_file.read_text(encoding="utf-8").strip())

    def site_key(self) -> bytes:
        """The key that encrypts the site's secrets at rest, made when there is none yet."""
        if not self.site_key_file.exists():
            self._write(self.site_key_file, new_secret(SITE_KEY_BYTES).reveal().encode())
        return self.site_key_file.read_bytes()

    def application_secrets(self) -> dict[str, Secret]:
        """What the applications of this site log in with, by name."""
        if not self._secrets_file.exists():
            return {}
        found = msgspec.json.decode(self._secrets_file.read_bytes(), type=dict[str, str])
        return {name: Secret(text) for name, text in found.items()}

    def keep_application_secrets(self, secrets: Mapping[str, Secret]) -> None:
        """Keep what the applications log in with."""
        texts = {name: secret.reveal() for name, secret in secrets.items()}
        self._write(self._secrets_file, msgspec.json.encode(texts))

    def write_run(self, run: Run) -> None:
        """Say that the site is ready and where its servers are."""
        self._write(self._run_file, msgspec.json.format(msgspec.json.encode(run)) + b"\n")

    def is_running(self) -> bool:
        """Whether a site on this folder says that it is ready."""
        return self._run_file.exists()

    def read_run(self) -> Run:
        """Where the running site's servers are.

        Raises
        ------
        PacelineError
            `owner_unavailable` with the fix when no site runs on this folder.
        """
        try:
            return msgspec.json.decode(self._run_file.read_bytes(), type=Run)
        except (OSError, msgspec.DecodeError) as error:
            raise PacelineError(
                "owner_unavailable",
                f"no site that runs on data folder {self.path} is found "
                f"({getattr(error, 'strerror', None) or error}); start one with demo or up, name "
                "its folder with --data-dir, or give --host and --port",
                field="data_dir",
            ) from None

    def forget_run(self) -> None:
        """The site does not run any more; twice is fine."""
        self._run_file.unlink(missing_ok=True)

    def _write(self, path: Path, content: bytes) -> None:
        """As a whole or not at all, for the owner's eyes only."""
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
