"""`paceline up`: a whole site in one process, looked at and configured by the other commands."""

import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.processes import command, line, open_folder, process, running, stop

pytestmark = pytest.mark.integration

STOP_S = 30.0
"""It takes one second on a machine of its own; this only tells a stop from one that hangs."""
KINDS = {
    "configuration", "message", "interaction", "stat", "engagement", "router", "pacing", "console",
}  # fmt: skip
MISTAKEN = """
switches:
  - name: Web
dns:
  - name: Alias
    switch: Web
    number: Other number
    options: {pacing: {media: "chat,email"}}
agent-groups:
  - name: Mistaken
    origination_dns: [Other number]
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Path]:
    """The folder of a running site; its stop is a test of its own."""
    with open_folder() as folder, running("up", "--port", 0, "--data-dir", folder) as up:
        assert line(up).startswith("Page: http://127.0.0.1:")
        yield folder
        began = time.monotonic()
        assert stop(up).status == 0
        assert time.monotonic() - began < STOP_S
        assert not (folder / "run.json").exists()


def test_run_file(site: Path) -> None:
    """run.json is for its owner only and says where every server and the page are."""
    path = site / "run.json"
    run = json.loads(path.read_text())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(run) == {"servers", "console", "user", "password_file", "database"}
    assert set(run["servers"]) == KINDS
    assert all(
        set(row) == {"name", "url", "pid"} for rows in run["servers"].values() for row in rows
    )
    assert run["console"] == run["servers"]["console"][0]["url"]
    assert stat.S_IMODE(Path(run["password_file"]).stat().st_mode) == 0o600


def test_every_server_reports_itself(site: Path) -> None:
    """Every application says that it is started and where; a cluster is no process."""
    ran = command("ctl", "status", "--json", "--data-dir", site)
    by_name = {row["application"]: row for row in json.loads(ran.out)}
    cluster = by_name.pop("pacing-cluster")
    assert cluster["status"] == "stopped"
    assert {row["status"] for row in by_name.values()} == {"started"}
    assert all(row["urls"]["default"].startswith("http://") for row in by_name.values())


def test_one_folder_one_process(site: Path) -> None:
    """A second process on the folder is refused, names the first, and leaves run.json alone."""
    ran = process("up", "--port", 0, "--data-dir", site)
    assert ran.status == 1
    assert ran.err.count("\n") == 1 and f"{site} is in use by process" in ran.err
    assert (site / "run.json").exists()


def test_a_mistaken_virtual_queue_is_accepted_and_named(site: Path, tmp_path: Path) -> None:
    """Apply accepts a media list and alias ≠ number, prints both, and its target gets no permit."""
    file = tmp_path / "mistaken.yaml"
    file.write_text(MISTAKEN)
    checked = command("config", "check", file, "--data-dir", site)
    assert checked.status == 1 and "Other number" in checked.out
    applied = command("config", "apply", file, "--data-dir", site)
    assert applied.status == 0 and "created" in applied.out and "Other number" in applied.out
    again = command("config", "apply", file, "--json", "--data-dir", site)
    assert {row["action"] for row in json.loads(again.out)["items"]} == {"unchanged"}
    told = command("doctor", "--data-dir", site)
    assert told.status == 1 and "Other number" in told.out


def test_export_can_be_applied(site: Path, tmp_path: Path) -> None:
    """What export writes changes nothing when it is applied, secrets included."""
    file = tmp_path / "export.yaml"
    assert command("config", "export", "--output", file, "--data-dir", site).status == 0
    assert "***" in file.read_text()
    ran = command("config", "apply", file, "--json", "--data-dir", site)
    assert {row["action"] for row in json.loads(ran.out)["items"]} == {"unchanged"}


def test_get_one_object(site: Path) -> None:
    """One object is shown by type and name; an unknown name is said to be unknown."""
    ran = command("config", "get", "persons", "agent-01", "--json", "--data-dir", site)
    [found] = json.loads(ran.out)
    assert found["body"]["is_agent"] is True
    assert command("config", "get", "persons", "nobody", "--data-dir", site).status == 1


def test_lists_of_a_site_without_traffic(site: Path) -> None:
    """Targets have reasons, queues depths; nobody is logged in and no alarm is active."""
    shown = {
        what: json.loads(command("ctl", what, "--json", "--data-dir", site).out)
        for what in ("targets", "queues", "agents", "alarms")
    }
    assert all(row["permits"] == 0 and row["reason"] for row in shown["targets"])
    assert {row.get("depth", 0) for row in shown["queues"]} == {0}
    assert shown["agents"] == []
