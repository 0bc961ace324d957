"""Two processes for one interaction node: one works, the other waits for its lease."""

import signal
import subprocess
from contextlib import ExitStack

import pytest

from tests.integration.cli.processes import command, free_port, line, open_folder, running, stop

pytestmark = pytest.mark.fault

SITE = """
access-points:
  - {{name: database, url: "{url}"}}
applications:
  - name: node
    application_type: interaction_server
    connections: [{{server: database}}]
    secret: a secret of the node, long enough
"""


def test_a_paused_holder_ends_and_the_standby_works() -> None:
    """Past its lease a stopped process has lost the node: the standby takes it, the old one ends."""
    with open_folder() as folder, ExitStack() as processes:

        def begin(*args: object) -> "subprocess.Popen[str]":
            return processes.enter_context(running("serve", *args))

        port, secret, keys = free_port(), folder / "secret", folder / "keys"
        secret.write_text("a secret of the node, long enough\n")
        url = line(begin("database", "--data-dir", folder / "data"))
        bootstrap, site = folder / "configuration.yaml", folder / "site.yaml"
        bootstrap.write_text(f"database: {url}\nfolder: {keys}\nport: {port}\n")
        site.write_text(SITE.format(url=url))
        line(begin("configuration", "--config", bootstrap))
        to = ("--host", "127.0.0.1", "--port", port)
        as_admin = (*to, "--user", "admin", "--password-file", keys / "password")
        assert command("config", "apply", site, *as_admin).status == 0
        node = ("interaction", "--app", "node", *to, "--password-file", secret)
        first = begin(*node)
        first_url = line(first)
        second = begin(*node)
        assert first_url in command("ctl", "status", *as_admin).out
        first.send_signal(signal.SIGSTOP)
        second_url = line(second)  # printed once it holds the lease
        assert second_url != first_url
        ended = stop(first, signal.SIGCONT)
        assert ended.status == 1
        assert "was taken by another process" in ended.err.splitlines()[-1]
        assert second_url in command("ctl", "status", *as_admin).out
        assert stop(second).status == 0
