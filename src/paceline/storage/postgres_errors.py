"""PostgreSQL's and asyncpg's errors in the words of the port: what failed, and whether it happened.

Called by postgres.py and migrate.py. Never retries and never logs.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from paceline.errors.failure import PacelineError
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import ConstraintViolated, DatabaseError

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.DatabaseDroppedError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.ReadOnlySQLTransactionError,  # a primary that became a standby: connect anew
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a statement begun on a connection that is just breaking
    OSError,  # TimeoutError among them: the server does not answer
)
DRIVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
"""Everything that asyncpg raises for the server, the connection or itself."""

_REFUSED = (
    asyncpg.QueryCanceledError,  # statement_timeout
    asyncpg.LockNotAvailableError,  # lock_timeout
    asyncpg.InsufficientResourcesError,  # disk, memory, connections
)
_NO_ENTRY: dict[type[BaseException], str] = {
    asyncpg.InvalidAuthorizationSpecificationError: "user",
    asyncpg.InvalidPasswordError: "password",
    asyncpg.InvalidCatalogNameError: "database",
}


def is_lost(error: BaseException) -> bool:
    """Whether the connection is of no more use after this error."""
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return False  # asyncpg could not encode an argument; nothing was sent
    return isinstance(error, _LOST)


@contextmanager
def translated(access_point: AccessPoint, *, lost: str = "database_unavailable") -> Iterator[None]:
    """Raise the port's errors; `lost` names the error for a connection that broke meanwhile."""
    try:
        yield
    except DRIVER_ERRORS as error:
        if is_lost(error):
            what = f"the connection to {access_point.describe()} broke: {_words(error)}"
            raise PacelineError(lost, what, retry_after_s=1.0) from error
        if isinstance(error, _REFUSED):
            what = f"{access_point.describe()} refused the work: {_words(error)}"
            raise PacelineError("database_unavailable", what, retry_after_s=1.0) from error
        if isinstance(error, asyncpg.IntegrityConstraintViolationError):
            raise ConstraintViolated(_words(error), error.constraint_name or "") from error
        raise DatabaseError(_words(error)) from error


def unreachable(access_point: AccessPoint, error: BaseException) -> PacelineError:
    """Why a connection could not be made, with the field at fault and the fix."""
    field = _NO_ENTRY.get(type(error), "host")
    fix = (
        "check host and port, and that the database server runs"
        if field == "host"
        else f"check the access point's {field}"
    )
    what = f"{access_point.describe()} cannot be reached: {_words(error)}; {fix}"
    return PacelineError("database_unavailable", what, field=field, retry_after_s=1.0)


def may_come_back(error: BaseException) -> bool:
    """Whether connecting again may help: the server starts, restarts or is full."""
    return type(error) not in _NO_ENTRY


def _words(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__
