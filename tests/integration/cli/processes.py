"""Commands as processes, left running until a test stops them, or inside the test's own process."""

import contextlib
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from paceline.cli.app import main

PATIENCE_S = 60.0
WIDE = "300"
"""Columns of the terminal: no cell of a table is broken."""
COMMAND = (sys.executable, "-m", "paceline")


class Ran(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def command(*args: object) -> Ran:
    """Runs a command to its end in this process, which saves the loading of a second one."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "argv", ["paceline", *map(str, args)])
        patched.setenv("COLUMNS", WIDE)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
            except SystemExit as end:
                return Ran(int(end.code or 0), out.getvalue(), err.getvalue())


def process(*args: object, before: tuple[str, ...] = ()) -> Ran:
    """Runs a command to its end in a process of its own."""
    done = subprocess.run(
        [*before, *COMMAND, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
        env=_environment(),
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@contextmanager
def running(*args: object) -> Iterator["subprocess.Popen[str]"]:
    """A command that serves; ended by force if the test leaves it running."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def stop(process: "subprocess.Popen[str]", number: int = signal.SIGTERM) -> Ran:
    """Asks a serving command to stop and waits for its end."""
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)
    return Ran(process.returncode, out, err)


def line(process: "subprocess.Popen[str]") -> str:
    """The next line it prints; what it complained about when it ended instead."""
    assert process.stdout is not None and process.stderr is not None
    found = process.stdout.readline().strip()
    assert found, process.stderr.read()
    return found


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that the database's account may enter, unlike pytest's own; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="paceline-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment() -> dict[str, str]:
    return {**os.environ, "COLUMNS": WIDE}
