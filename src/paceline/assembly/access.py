"""From an application's connection to an access point to its open database, schema up to date.

Called by the builders of servers that store something. `${database}` in an access point's URL
stands for the embedded database of `demo` and `up`.
"""

from dataclasses import replace

from paceline.assembly.surroundings import REAL_SURROUNDINGS, Surroundings
from paceline.errors.failure import PacelineError
from paceline.model.configuration import AccessPoint, Application
from paceline.model.options import SecretSource
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.secret import Secret, resolve_secret
from paceline.runtime.times import Times
from paceline.storage import access_point
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade

EMBEDDED = "${database}"


def access_point_of(
    snapshot: ConfigurationSnapshot, name: str, application: Application
) -> tuple[str, AccessPoint]:
    """The one access point an application is connected to, with its name.

    Raises
    ------
    PacelineError
        `start_refused` naming the application and the fix.
    """
    points = {item.name: body for item, body in snapshot.all_of(AccessPoint)}
    found = [link.server for link in application.connections if link.server in points]
    if len(found) != 1:
        what = f"is connected to {len(found)} access points" if found else "has no access point"
        raise PacelineError(
            "start_refused",
            f"application '{name}' {what}; give it one connection to an access point",
            field="connections",
        )
    return found[0], points[found[0]]


def resolve(name: str, point: AccessPoint, embedded: str | None) -> access_point.AccessPoint:
    """The database behind an access point.

    Raises
    ------
    PacelineError
        `start_refused` naming the access point, the field and the fix.
    """
    if EMBEDDED in point.url and embedded is None:
        raise PacelineError(
            "start_refused",
            f"access point '{name}': url {EMBEDDED} stands for the embedded database, which only "
            "demo and up start; write the URL of a database",
            field="url",
        )
    try:
        found = access_point.from_url(point.url.replace(EMBEDDED, embedded or ""))
    except PacelineError as refused:
        raise PacelineError(
            refused.name, f"access point '{name}': {refused.message}", field=refused.field
        ) from None
    password = _password(name, point)
    return found if password is None else replace(found, password=password)


def _password(name: str, point: AccessPoint) -> Secret | None:
    given = point.password
    if given is None or given == "":
        return None
    if not isinstance(given, dict):
        return Secret(str(given))
    [(place, text)] = given.items()
    source = SecretSource("env" if place == "env" else "file", text)
    return resolve_secret(source, field=f"access point '{name}': password")


async def open_store(
    point: access_point.AccessPoint,
    kinds: tuple[str, ...],
    *,
    times: Times,
    pool_size: int = 5,
    surroundings: Surroundings = REAL_SURROUNDINGS,
) -> Database:
    """An open database that holds the current schema of these server kinds.

    Raises
    ------
    PacelineError
        `start_refused` with the database and the fix when it cannot be reached or entered.
    """
    database = surroundings.open_database(point, times=times, pool_size=pool_size)
    try:
        await upgrade(database, kinds)
    except PacelineError as refused:
        await database.close()
        if refused.name != "database_unavailable":
            raise
        raise PacelineError(
            "start_refused",
            f"{point.describe()} cannot be used: {refused.message}; start it or correct the "
            "access point",
            field="url",
        ) from None
    except BaseException:
        await database.close()
        raise
    return database
