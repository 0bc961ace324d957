"""Wrong input of the command line: one line that names the object, the field and the fix."""

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.integration.cli.processes import Ran, command, free_port, open_folder, process

pytestmark = pytest.mark.integration

FAILED, WRONG_USAGE = 1, 2


def _refused(ran: Ran, status: int, *words: object) -> None:
    assert ran.status == status, ran
    assert ran.out == ""
    assert ran.err.startswith("paceline: ") and ran.err.count("\n") == 1, ran.err
    for word in words:
        assert str(word) in ran.err


def test_a_wrong_option_is_named_with_the_nearest() -> None:
    """A wrong option ends with status 2 and the option that was meant."""
    _refused(command("demo", "--sped", 3), WRONG_USAGE, "--sped", "--speed", "demo --help")


def test_a_wrong_value_is_named_with_its_form() -> None:
    """A wrong value ends with status 2, the option and the form of its value."""
    _refused(command("demo", "--duration", "soon"), WRONG_USAGE, "--duration", "soon", "10m")


def test_options_that_belong_together() -> None:
    """A site is named by all four options or none."""
    ran = command("ctl", "status", "--host", "localhost")
    _refused(ran, WRONG_USAGE, "--host", "--port", "--user", "--password-file")


def test_an_unreachable_database(tmp_path: Path) -> None:
    """A database that does not answer is named with its host and port, without its password."""
    url = f"postgresql://someone:hidden@127.0.0.1:{free_port()}/site"
    bootstrap = tmp_path / "configuration.yaml"
    bootstrap.write_text(f"database: {url}\nfolder: {tmp_path / 'keys'}\nport: {free_port()}\n")
    ran = command("serve", "configuration", "--config", bootstrap)
    _refused(ran, FAILED, "site at 127.0.0.1", "access point")
    assert "hidden" not in ran.err


def test_a_wrong_database_url() -> None:
    """A URL of an unknown form is refused with the known forms."""
    _refused(command("db", "check", "mysql://here/site"), FAILED, "mysql", "postgresql://")


def test_a_field_of_the_bootstrap_file(tmp_path: Path) -> None:
    """An unknown field of the Configuration Server's file is named with the nearest known one."""
    bootstrap = tmp_path / "configuration.yaml"
    bootstrap.write_text("databse: sqlite://\nport: 1\nfolder: x\n")
    ran = command("serve", "configuration", "--config", bootstrap)
    _refused(ran, FAILED, bootstrap, "databse", "database")


def test_a_port_in_use(tmp_path: Path) -> None:
    """A port in use is told before anything is started."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ran = process("up", "--port", port, "--data-dir", tmp_path / "site")
    _refused(ran, FAILED, f"127.0.0.1:{port}", "choose another")
    assert not (tmp_path / "site" / "pgdata").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    """A data folder below a file is named with what is wrong with it."""
    file = tmp_path / "file"
    file.touch()
    _refused(command("up", "--data-dir", file / "site"), FAILED, file, "--data-dir")


def test_a_folder_that_the_account_cannot_enter(tmp_path: Path) -> None:
    """Where the database's account cannot enter and no namespace helps, the closed folder is named."""
    # Inside a namespace of its own the process may forbid further ones, and knows no other account.
    alone = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    before = ("unshare", "-Ur", "sh", "-c", alone, "sh")
    tool = shutil.which("unshare")
    if (
        tool is None
        or subprocess.run([*before, "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("user namespaces are not allowed here")
    with open_folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        ran = process("up", "--port", 0, "--data-dir", closed / "site", before=before)
        _refused(ran, FAILED, f"cannot enter {closed}", "--data-dir", closed / "site")


def test_a_mistake_in_a_configuration_file(tmp_path: Path) -> None:
    """A file with an unknown field starts nothing and is named with line, object and fix."""
    file = tmp_path / "site.yaml"
    file.write_text("places:\n  - name: Desk 1\n    capacityrule: One\n")
    ran = command("up", "--config", file, "--data-dir", tmp_path / "site")
    _refused(ran, FAILED, file, "line 3", "Desk 1", "capacityrule", "capacity_rule")
    assert not (tmp_path / "site").exists()


def test_a_site_that_does_not_run(tmp_path: Path) -> None:
    """A command that needs a running site names the folder and how to start one."""
    _refused(command("ctl", "status", "--data-dir", tmp_path), FAILED, tmp_path, "up")


def test_the_help_of_every_command_teaches() -> None:
    """Every command answers --help with status 0 and says what it does."""
    words = {
        ("demo",): "bank",
        ("up",): "rolling upgrade",
        ("serve",): "--password-file",
        ("config", "apply"): "transaction",
        ("ctl", "targets"): "permits",
        ("doctor",): "no permits",
        ("db", "check"): "schemas",
        ("bench", "interactions"): "durable",
        ("bench", "failover"): "lease",
    }
    ran = command("--help")
    assert ran.status == 0
    for name, word in words.items():
        assert name[0] in ran.out
        answer = command(*name, "--help")
        assert answer.status == 0 and word in answer.out, name
