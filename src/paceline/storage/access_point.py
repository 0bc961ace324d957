"""Access points: where a server's database is and who may enter, read from a URL or from fields.

Called by assembly, the command line and the migrations; opening one is opening.py's work. Never
connects, never shows a password.
"""

from dataclasses import dataclass
from typing import Literal, NoReturn, get_args
from urllib.parse import parse_qs, quote, unquote, urlsplit

from paceline.errors.failure import PacelineError
from paceline.runtime.secret import Secret
from paceline.storage.database import Engine

POSTGRESQL_PORT = 5432
"""PostgreSQL's registered port."""

SslMode = Literal["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
_SSL_MODES: tuple[SslMode, ...] = get_args(SslMode)
_FORMS = (
    "write postgresql://user:password@host:5432/name, postgresql:///name?host=/socket/folder, "
    "sqlite:////path/to/file or sqlite:// (in memory)"
)


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """A database and the account that enters it.

    `database` is the name on PostgreSQL and the file on SQLite (empty: in memory); a `host` that
    begins with a slash is the folder of a Unix socket.
    """

    engine: Engine
    database: str
    host: str = ""
    port: int = POSTGRESQL_PORT
    user: str = ""
    password: Secret | None = None
    ssl_mode: SslMode = "prefer"

    def describe(self) -> str:
        """The database in words for logs and errors, without the password."""
        if self.engine == "sqlite":
            return f"SQLite database {self.database or 'in memory'}"
        return f"PostgreSQL database {self.database} at {self.host}:{self.port}"


def _refuse(field: str, what: str, fix: str) -> NoReturn:
    raise PacelineError("start_refused", f"access point: {what}; {fix}", field=field)


def from_fields(
    *,
    engine: str,
    database: str,
    host: str = "",
    port: int | str = POSTGRESQL_PORT,
    user: str = "",
    password: Secret | None = None,
    ssl_mode: str = "prefer",
) -> AccessPoint:
    """Access point from the fields of a configuration object.

    Raises
    ------
    PacelineError
        `start_refused` naming the field at fault and the fix.
    """
    if engine == "sqlite":
        return AccessPoint("sqlite", database)
    if engine != "postgresql":
        _refuse("engine", f"engine {engine!r} is unknown", "use postgresql or sqlite")
    if not database:
        _refuse("database", "the name of the database is empty", _FORMS)
    if not str(port).isdigit() or not 0 < int(port) < 65536:
        _refuse("port", f"port {port!r} is no port number", "use 1 to 65535")
    mode = next((known for known in _SSL_MODES if known == ssl_mode), None)
    if mode is None:
        _refuse("sslmode", f"sslmode {ssl_mode!r} is unknown", f"use {', '.join(_SSL_MODES)}")
    place = host or "localhost"
    return AccessPoint("postgresql", database, place, int(port), user, password, mode)


def from_url(url: str) -> AccessPoint:
    """Access point from a database URL; the forms stand in the error of a wrong one.

    Raises
    ------
    PacelineError
        `start_refused` naming the part at fault and the fix.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        _refuse("url", "the database URL has no '://'", _FORMS)
    if scheme == "sqlite":
        if rest and not rest.startswith("/"):
            _refuse("url", "a SQLite URL names no host", _FORMS)
        return AccessPoint("sqlite", unquote(rest[1:]))
    if scheme not in ("postgresql", "postgres"):
        _refuse("url", f"scheme {scheme!r} is unknown", _FORMS)
    return _from_postgresql_url(url)


def _from_postgresql_url(url: str) -> AccessPoint:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        _refuse("port", "the port in the database URL is no port number", "use 1 to 65535")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    unknown = query.keys() - {"host", "port", "user", "sslmode"}
    if unknown:
        name = min(unknown)
        _refuse(name, f"{name!r} in the database URL is unknown", "use host, port, user or sslmode")
    return from_fields(
        engine="postgresql",
        database=unquote(parts.path.removeprefix("/")),
        host=query.get("host") or unquote(parts.hostname or ""),
        port=query.get("port") or port or POSTGRESQL_PORT,
        user=unquote(parts.username or "") or query.get("user", ""),
        password=None if parts.password is None else Secret(unquote(parts.password)),
        ssl_mode=query.get("sslmode", "prefer"),
    )


def socket_url(database: str, *, folder: str, port: int, user: str) -> str:
    """URL of a database behind a Unix socket."""
    return (
        f"postgresql:///{quote(database, safe='')}?host={quote(folder, safe='/')}"
        f"&port={port}&user={quote(user, safe='')}"
    )
