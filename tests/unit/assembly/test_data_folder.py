"""The files of a data folder."""

import stat
from pathlib import Path

import pytest

from paceline.assembly.data_folder import DataFolder, Run, RunningServer, default_folder
from paceline.errors.failure import PacelineError
from paceline.runtime.secret import Secret

RUN = Run(
    servers={"stat": [RunningServer(name="stat", url="http://127.0.0.1:1", pid=2)]},
    console="http://127.0.0.1:3",
    user="admin",
    password_file="password",
    database="postgresql:///paceline",
)


def test_secrets_are_made_once_and_for_the_owner(tmp_path: Path) -> None:
    """Password and site key stay the same, and nobody else may read them."""
    folder = DataFolder(tmp_path)
    password, key = folder.password(), folder.site_key()
    assert len(password.reveal()) >= 24 and len(key) >= 32
    again = DataFolder(tmp_path)
    assert (again.password(), again.site_key()) == (password, key)
    for file in (folder.password_file, folder.site_key_file):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_secrets_of_applications_are_kept(tmp_path: Path) -> None:
    """What applications log in with is read back as it was; at first there is none."""
    folder = DataFolder(tmp_path)
    assert folder.application_secrets() == {}
    folder.keep_application_secrets({"router": Secret("one")})
    assert DataFolder(tmp_path).application_secrets() == {"router": Secret("one")}


def test_run_file(tmp_path: Path) -> None:
    """run.json is there as a whole while the site runs and gone afterwards."""
    folder = DataFolder(tmp_path)
    folder.write_run(RUN)
    assert folder.is_running() and folder.read_run() == RUN
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]
    folder.forget_run()
    folder.forget_run()
    with pytest.raises(PacelineError, match=str(tmp_path)) as refused:
        folder.read_run()
    assert refused.value.field == "data_dir"


def test_a_folder_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Below a file there is no folder."""
    (tmp_path / "file").touch()
    with pytest.raises(PacelineError, match="Not a directory") as refused:
        DataFolder(tmp_path / "file" / "site").prepare()
    assert refused.value.name == "start_refused"


def test_default_folder_follows_the_state_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root keeps sites below /var/lib, everybody else in the XDG state folder."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert default_folder("demo") == Path("/var/lib/paceline/demo")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/someone/state")
    assert default_folder("site") == Path("/home/someone/state/paceline/site")
