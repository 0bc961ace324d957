"""From an application to its database."""

from pathlib import Path

import pytest

from paceline.assembly.access import access_point_of, resolve
from paceline.errors.failure import PacelineError
from paceline.model.configuration import AccessPoint, Application, Connection
from tests.fakes.configuration import SnapshotBuilder


def _application(*servers: str) -> Application:
    return Application(
        application_type="stat_server",
        connections=tuple(Connection(server=name) for name in servers),
    )


def test_one_connection_to_an_access_point() -> None:
    """The access point is found among the connections; none and two are refused by name."""
    builder = SnapshotBuilder()
    for name in ("one", "two"):
        builder.add("access-points", name, AccessPoint(url=f"sqlite:////{name}"))
    snapshot = builder.build()
    name, point = access_point_of(snapshot, "stat", _application("node", "one"))
    assert (name, point.url) == ("one", "sqlite:////one")
    for servers in ((), ("node",), ("one", "two")):
        with pytest.raises(PacelineError, match="application 'stat'") as refused:
            access_point_of(snapshot, "stat", _application(*servers))
        assert refused.value.field == "connections"


def test_the_embedded_database_stands_for_its_placeholder() -> None:
    """`${database}` is the embedded database; without one the access point is named."""
    point = AccessPoint(url="${database}")
    found = resolve("site", point, "postgresql:///paceline?host=/run/socket")
    assert (found.database, found.host) == ("paceline", "/run/socket")
    with pytest.raises(PacelineError, match="access point 'site'"):
        resolve("site", point, None)


def test_a_password_goes_before_the_urls(tmp_path: Path) -> None:
    """A password may stand in the object or in a file; a missing file is named."""
    url = "postgresql://someone:old@db.example.com/site"
    file = tmp_path / "password"
    file.write_text("from a file\n")
    for given, wanted in (
        (None, "old"),
        ("direct", "direct"),
        ({"file": str(file)}, "from a file"),
    ):
        found = resolve("site", AccessPoint(url=url, password=given), None).password
        assert found is not None and found.reveal() == wanted
    with pytest.raises(PacelineError, match="absent"):
        resolve("site", AccessPoint(url=url, password={"file": str(tmp_path / "absent")}), None)


def test_a_wrong_url_is_told_with_the_access_points_name() -> None:
    """The message names the object, the field is the URL's part."""
    with pytest.raises(PacelineError, match=r"access point 'site'.*mysql"):
        resolve("site", AccessPoint(url="mysql://here/site"), None)
