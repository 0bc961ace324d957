"""Reading a database URL or an access point's fields."""

import pytest

from paceline.errors.failure import PacelineError
from paceline.runtime.secret import Secret
from paceline.storage.access_point import AccessPoint, from_fields, from_url, socket_url


@pytest.mark.parametrize(
    ("url", "point"),
    [
        (
            "postgresql://me:p%40ss@db.example:6432/site",
            AccessPoint("postgresql", "site", "db.example", 6432, "me", Secret("p@ss")),
        ),
        ("postgres://db.example/site", AccessPoint("postgresql", "site", "db.example")),
        (
            "postgresql:///site?host=/run/socket&port=5433&user=me",
            AccessPoint("postgresql", "site", "/run/socket", 5433, "me"),
        ),
        (
            "postgresql://[::1]/site?sslmode=verify-full",
            AccessPoint("postgresql", "site", "::1", ssl_mode="verify-full"),
        ),
        ("postgresql:///site", AccessPoint("postgresql", "site", "localhost")),
        ("sqlite:////data/site.db", AccessPoint("sqlite", "/data/site.db")),
        ("sqlite:///site.db", AccessPoint("sqlite", "site.db")),
        ("sqlite://", AccessPoint("sqlite", "")),
    ],
)
def test_every_form_of_url(url: str, point: AccessPoint) -> None:
    """Each documented form gives its parts, percent-decoded."""
    assert from_url(url) == point


@pytest.mark.parametrize(
    ("url", "field"),
    [
        ("db.example/site", "url"),
        ("oracle://db.example/site", "url"),
        ("sqlite://host/site.db", "url"),
        ("postgresql://db.example", "database"),
        ("postgresql://db.example:99999/site", "port"),
        ("postgresql://db.example:x/site", "port"),
        ("postgresql:///site?port=x", "port"),
        ("postgresql:///site?sslmode=maybe", "sslmode"),
        ("postgresql:///site?hots=a", "hots"),
    ],
)
def test_a_wrong_url_names_the_part(url: str, field: str) -> None:
    """A mistake is one line that names the field, and never shows the password."""
    with pytest.raises(PacelineError) as caught:
        from_url(url.replace("://", "://me:hidden@", 1) if "postgresql://d" in url else url)
    assert caught.value.field == field
    assert "\n" not in caught.value.message
    assert "hidden" not in caught.value.message


def test_unknown_engine_is_refused() -> None:
    """The field of a configuration object that names the engine is checked."""
    with pytest.raises(PacelineError, match="db2") as caught:
        from_fields(engine="db2", database="site")
    assert caught.value.field == "engine"


def test_descriptions_hide_the_password() -> None:
    """What goes into logs names database and place only."""
    point = from_url("postgresql://me:hidden@db.example/site")
    assert point.describe() == "PostgreSQL database site at db.example:5432"
    assert "hidden" not in repr(point)


def test_a_socket_url_reads_back() -> None:
    """The URL of the embedded server's database names its folder, whatever is in the name."""
    point = from_url(socket_url("site", folder="/data/a b&c", port=5432, user="me"))
    assert (point.host, point.port, point.user, point.database) == (
        "/data/a b&c",
        5432,
        "me",
        "site",
    )
