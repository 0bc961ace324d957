"""As whom PostgreSQL's programs run: it refuses root, so root lends it an account or a namespace.

Called by embedded.py. Starts programs as direct children that end with this process; never makes
an account, never changes the mode of a folder above the data folder.
"""

import ctypes
import os
import pwd
import signal
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from paceline.errors.failure import PacelineError

_ACCOUNTS = ("postgres", "nobody")
"""The distribution's account if it is there, else the one that every Linux has."""
_NAMESPACE_UID = 1000
"""What root is called inside the user namespace: any number but 0."""
_CLONE_NEWUSER = 0x10000000  # sched.h
_PR_SET_PDEATHSIG = 1  # sys/prctl.h

_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """This process's own account, another one by number, or root under another name."""

    kind: Literal["own", "other", "namespace"]
    uid: int
    gid: int

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or folder."""
        if self.kind == "other":
            os.chown(path, self.uid, self.gid)

    def start(
        self, command: Sequence[str], *, folder: Path, output: IO[bytes]
    ) -> "subprocess.Popen[bytes]":
        """Start a program in a folder; it gets a fast-shutdown SIGINT when this process dies.

        The kernel ties it to the starting thread, so only the main thread may start it. The
        program leads a session of its own: Ctrl-C reaches us first, and we stop it last.

        Raises
        ------
        OSError, subprocess.SubprocessError
            When the account may not enter the folder or run the program.
        """
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start PostgreSQL from the main thread: it ends with its starter")
        parent = os.getpid()
        other = self.kind == "other"
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(),
            start_new_session=True,
            user=self.uid if other else None,
            group=self.gid if other else None,
            extra_groups=[] if other else None,
            preexec_fn=lambda: self._become(folder, parent),  # noqa: PLW1509 - no other way
        )

    def _become(self, folder: Path, parent: int) -> None:
        """In the child, after its account is set: that would undo the death signal."""
        if self.kind == "namespace":
            _enter_namespace()
        os.chdir(folder)
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:
            os._exit(1)


def _environment() -> dict[str, str]:
    """Ours without what would redirect PostgreSQL, and with plain English messages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def _enter_namespace() -> None:
    """Root in here is called user 1000; files of root are its own (user_namespaces(7))."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc.unshare(_CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace")
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{_NAMESPACE_UID} {uid} 1"),
        ("gid_map", f"{_NAMESPACE_UID} {gid} 1"),
    ):
        Path("/proc/self", name).write_text(line, encoding="ascii")


def choose_account(program: Path, folder: Path, owner: int | None) -> ServiceAccount:
    """The first account that can run the program in the folder; tried, not computed.

    Parameters
    ----------
    owner
        Who owns the data already; None before it is made. Data never changes hands.

    Raises
    ------
    PacelineError
        `start_refused` with the folder that is closed and the fix.
    """
    own = ServiceAccount("own", os.geteuid(), os.getegid())
    if own.uid != 0:
        candidates = [own]
    else:
        candidates = [*_other_accounts(), ServiceAccount("namespace", 0, 0)]
        if owner is not None:
            candidates = [account for account in candidates if account.uid == owner]
    for account in candidates:
        if _can_work(account, program, folder):
            return account
    raise _refusal(program, folder)


def _other_accounts() -> list[ServiceAccount]:
    known = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_name in _ACCOUNTS}
    names = [name for name in _ACCOUNTS if name in known]
    return [ServiceAccount("other", known[n].pw_uid, known[n].pw_gid) for n in names]


def _can_work(account: ServiceAccount, program: Path, folder: Path) -> bool:
    try:
        with Path(os.devnull).open("wb") as nowhere:
            tried = account.start([str(program), "--version"], folder=folder, output=nowhere)
            return tried.wait() == 0
    except (OSError, subprocess.SubprocessError):
        return False


def _refusal(program: Path, folder: Path) -> PacelineError:
    closed = next(
        (
            place
            for path in (folder, program.parent)
            for place in (*reversed(path.resolve().parents), path.resolve())
            if not place.stat().st_mode & 0o001
        ),
        folder,
    )
    return PacelineError(
        "start_refused",
        f"data folder {folder}: the database's account cannot enter {closed}, and user namespaces "
        "are not allowed here; choose a --data-dir and an installation under folders that all may "
        "enter, or start as a user other than root",
        field="data_dir",
    )
