"""A Configuration Server on a database of its own, with a client at a memory link."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from paceline.runtime.metrics import Metrics
from paceline.runtime.secret import Secret
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times, virtual_times
from paceline.sdk.configuration import ConfigurationServerClient
from paceline.sdk.connection import Connection
from paceline.servers.configuration.options import OPTIONS
from paceline.servers.configuration.server import ConfigurationServer
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.call import Principal
from paceline.wire.operations.configuration import AppliedRow, Change
from tests.fakes.served import Served

START = Millis(1_763_683_200_000)
SITE_KEY = bytes(range(32))
PASSWORD = "correct horse"

ADMIN = Principal(name="admin", kind="person", tenants=(), access_groups=("administrator",))
SERVER = Principal(name="stat", kind="application", tenants=(), access_groups=("server",))


class Site:
    """The server under test, its database and its clients."""

    def __init__(self, server: ConfigurationServer, database: Database, times: Times) -> None:
        self.server = server
        self.database = database
        self.times = times
        self._served: list[Served] = []

    async def connect(self, principal: Principal = ADMIN) -> Connection:
        """A connection that calls as this principal."""
        served = Served("configuration", self.server.handlers, self.times, principal=principal)
        self._served.append(served)
        return await served.connect(principal.name)

    async def client(self, principal: Principal = ADMIN) -> ConfigurationServerClient:
        """A client that calls as this principal."""
        return ConfigurationServerClient(await self.connect(principal))

    async def close(self) -> None:
        """Closes clients and server."""
        for served in self._served:
            await served.close()
        await self.server.stop()


def new_server(database: Database, times: Times, site_key: bytes = SITE_KEY) -> ConfigurationServer:
    """A server that is not started."""
    return ConfigurationServer(
        name="configuration",
        settings=LiveSettings(OPTIONS),
        times=times,
        database=database,
        site_key=site_key,
        metrics=Metrics("configuration"),
        secret_options=frozenset({("security", "pin")}),
    )


@asynccontextmanager
async def opened(
    database: Database | None = None, times: Times | None = None
) -> AsyncIterator[Site]:
    """A started and bootstrapped server; on a given database, the one that is there."""
    own = database or open_database(from_url("sqlite://"), times=virtual_times(START), inline=True)
    clock = times or virtual_times(START)
    await upgrade(own, ("configuration",))
    server = new_server(own, clock)
    site = Site(server, own, clock)
    try:
        await server.start()
        await server.bootstrap("admin", Secret(PASSWORD))
        yield site
    finally:
        await site.close()
        if database is None:
            await own.close()


def put(object_type: str, name: str, tenant: int = 1, **fields: Any) -> Change:
    """A change that creates or replaces an object."""
    body = msgspec.Raw(msgspec.json.encode(fields))
    return Change(type=object_type, name=name, body=body, tenant=tenant)


def delete(object_type: str, name: str, **fields: Any) -> Change:
    """A change that deletes an object."""
    body = msgspec.Raw(msgspec.json.encode(fields))
    return Change(action="delete", type=object_type, name=name, body=body)


def actions(rows: Iterable[AppliedRow]) -> list[str]:
    """What became of each change."""
    return [row.action for row in rows]


def small_site() -> tuple[Change, ...]:
    """A contact centre in small, its objects before those they refer to."""
    return (
        put("agent-groups", "Chat", agents=["anna"], origination_dns=["Q1@sip"]),
        put("scripts", "All chats", script_type="interaction_queue_view",
            business_process="Main", queue="Chats in"),
        put("scripts", "Chats in", script_type="interaction_queue", business_process="Main"),
        put("scripts", "Route", script_type="strategy", business_process="Main",
            views=["All chats"], virtual_queue="Q1"),
        put("business-processes", "Main"),
        put("dns", "Q1", switch="sip", number="Q1", options={"pacing": {"media": "chat"}}),
        put("switches", "sip"),
        put("persons", "anna", is_agent=True, skills={"English": 5}, capacity_rule="One chat"),
        put("skills", "English"),
        put("scripts", "One chat", script_type="capacity_rule", media={"chat": 1}),
    )  # fmt: skip
