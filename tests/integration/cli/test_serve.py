"""`paceline serve`: the same servers as processes of their own, from a database to a router."""

import json
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.cli.processes import (
    PATIENCE_S,
    command,
    free_port,
    line,
    open_folder,
    running,
    stop,
)

pytestmark = pytest.mark.integration

SITE = """
access-points:
  - {{name: database, url: "{url}"}}
applications:
  - name: messages
    application_type: message_server
    connections: [{{server: database}}]
    secret: {{file: {secret}}}
  - name: node
    application_type: interaction_server
    connections: [{{server: database}}]
    secret: {{file: {secret}}}
  - name: stat
    application_type: stat_server
    connections: [{{server: database}}, {{server: node}}]
    secret: {{file: {secret}}}
  - name: router
    application_type: router
    connections: [{{server: node}}, {{server: stat}}]
    secret: {{file: {secret}}}
"""
KINDS = {"message": "messages", "interaction": "node", "stat": "stat", "router": "router"}


def test_one_by_one() -> None:
    """Servers started one by one, at the same moment, find each other and stop in order."""
    with open_folder() as folder, ExitStack() as processes:

        def begin(*args: object) -> "subprocess.Popen[str]":
            process = processes.enter_context(running("serve", *args))
            started.append(process)
            return process

        started: list[subprocess.Popen[str]] = []
        url = line(begin("database", "--data-dir", folder / "data"))
        bootstrap, secret, port = folder / "configuration.yaml", folder / "secret", free_port()
        keys = folder / "keys"
        bootstrap.write_text(f"database: {url}\nfolder: {keys}\nport: {port}\n")
        secret.write_text("a secret of the servers, long enough\n")
        configuration = begin("configuration", "--config", bootstrap)
        assert line(configuration) == f"http://127.0.0.1:{port}"
        site = folder / "site.yaml"
        site.write_text(SITE.format(url=url, secret=secret))
        to = ("--host", "127.0.0.1", "--port", port)
        as_admin = (*to, "--user", "admin", "--password-file", keys / "password")
        assert command("config", "apply", site, *as_admin).status == 0
        begun = [
            begin(kind, "--app", app, *to, "--password-file", secret) for kind, app in KINDS.items()
        ]
        assert all(line(process).startswith("http://127.0.0.1:") for process in begun)
        until = time.monotonic() + PATIENCE_S
        while _statuses(as_admin) != {"started"} and time.monotonic() < until:
            pass  # one that still catches up says unavailable
        assert _statuses(as_admin) == {"started"}
        while _away(as_admin) and time.monotonic() < until:
            pass  # links open by themselves, in any order
        assert not _away(as_admin)
        _refusals(folder, port, secret)
        for process in reversed(started):
            ran = stop(process)
            assert ran.status == 0, ran.err


def _statuses(as_admin: tuple[object, ...]) -> set[str]:
    status = json.loads(command("ctl", "status", "--json", *as_admin).out)
    by_name = {row["application"]: row["status"] for row in status}
    return {by_name[app] for app in KINDS.values()}


def _away(as_admin: tuple[object, ...]) -> list[str]:
    told = json.loads(command("doctor", "--json", *as_admin).out)
    return [row["consequence"] for row in told if "away" in row["consequence"]]


def _refusals(folder: Path, port: int, secret: Path) -> None:
    """What a wrong name, kind or secret is told."""
    to = ("--port", port, "--password-file")
    wrong = folder / "wrong"
    wrong.write_text("not the secret\n")
    for args, word in (
        (("stat", "--app", "stat", *to, wrong), "--password-file"),
        (("router", "--app", "stat", *to, secret), "is a stat_server, not a router"),
        (("stat", "--app", "stat", *to, folder / "absent"), "absent"),
        (("stat", "--app", "stat"), "--port"),
    ):
        ran = command("serve", *args)
        assert ran.status in (1, 2) and word in ran.err
        assert "Traceback" not in ran.err
