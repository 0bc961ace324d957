"""Runs the Configuration Server, which no other server tells what to do: it is the first.

Used by `serve configuration` with its own small file and by all_in_one.py. It reports its status
to itself; never opens a link to another server.
"""

import asyncio
import os
from contextlib import AsyncExitStack, suppress

from paceline.assembly.access import open_store
from paceline.assembly.face import Face
from paceline.assembly.option_tables import secret_options, whole_table
from paceline.assembly.surroundings import REAL_SURROUNDINGS, Surroundings
from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.model.options import RawOptions
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.ids import request_id
from paceline.runtime.life_cycle import LifeCycle, State
from paceline.runtime.log import get_log
from paceline.runtime.metrics import Metrics
from paceline.runtime.secret import Secret
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.servers.configuration.live.configuration import FULL_COST
from paceline.servers.configuration.options import OPTIONS
from paceline.servers.configuration.server import ConfigurationServer
from paceline.storage.access_point import AccessPoint
from paceline.wire.call import Call, Principal
from paceline.wire.operations.configuration import ReportStatus

APPLICATION_TYPE = "configuration_server"
DEFAULT_NAME = "config-server"
"""Its name until an application of its type is in the configuration (chosen)."""

_log = get_log("assembly.configuration")


class ConfigurationHost(LifeCycle):
    """The Configuration Server with its face.

    Parameters
    ----------
    admin
        User name and password of the first administrator, made when the store is empty.
    """

    def __init__(
        self,
        *,
        point: AccessPoint,
        site_key: bytes,
        admin: tuple[str, Secret],
        times: Times,
        host: str,
        port: int,
        surroundings: Surroundings = REAL_SURROUNDINGS,
    ) -> None:
        super().__init__()
        self.url = ""
        self.name = DEFAULT_NAME
        self.end_reason = ""
        self.ended = asyncio.Event()
        self._point = point
        self._site_key = site_key
        self._admin = admin
        self._times = times
        self._address = (host, port)
        self._surroundings = surroundings
        self._opened = AsyncExitStack()
        self._tasks = TaskGroup("host of the Configuration Server", self._end_for_good)
        self._settings = LiveSettings(whole_table(OPTIONS), subject=f"application '{self.name}'")
        self._server: ConfigurationServer | None = None
        self._face: Face | None = None
        self._is_known = False
        self._must_report = asyncio.Event()

    @property
    def snapshot(self) -> ConfigurationSnapshot:
        """The configuration as committed; only after the start."""
        if self._server is None:
            raise PacelineError("shutting_down", "the Configuration Server is not started")
        return self._server.snapshot

    async def _start(self) -> None:
        self._face = Face(*self._address, self._surroundings)
        self.url = self._face.url
        database = await open_store(
            self._point, ("configuration",), times=self._times, surroundings=self._surroundings
        )
        self._opened.push_async_callback(database.close)
        metrics = Metrics("configuration")
        server = self._server = ConfigurationServer(
            name=self.name,
            settings=self._settings,
            times=self._times,
            database=database,
            site_key=self._site_key,
            metrics=metrics,
            secret_options=secret_options(),
            hasher=self._surroundings.password_hasher or FULL_COST,
        )
        server.watch_state(lambda _state, _reason: self._must_report.set())
        await server.start()
        if await server.bootstrap(*self._admin):
            _log.standard("a new site was made", administrator=self._admin[0])
        server.watch(lambda _old, new: self._take_options(new))
        self._take_options(server.snapshot)
        await self._face.open(
            server,
            kind="configuration",
            name=self.name,
            handlers=server.handlers,
            verify=server.verify,
            findings=server.findings,
            times=self._times,
            metrics=metrics,
        )
        self._tasks.start("status", self._report_status(server))
        _log.standard("server started", application=self.name, kind="configuration", url=self.url)

    async def _stop(self) -> None:
        await self._tasks.aclose()
        if self._face is not None:
            await self._face.close()
        if self._server is not None:
            with suppress(PacelineError):
                await self._report(self._server, State.STOPPED)
            await self._server.stop()
        await self._opened.aclose()

    def _end_for_good(self, reason: str) -> None:
        self.set_unavailable(reason)
        self.end_reason = reason
        self.ended.set()

    def _take_options(self, snapshot: ConfigurationSnapshot) -> None:
        """Its own application, once somebody has put it into the configuration."""
        for item, body in snapshot.all_of(Application):
            if body.application_type == APPLICATION_TYPE:
                if self.name != item.name or not self._is_known:
                    self._must_report.set()
                self.name, self._is_known = item.name, True
                options: RawOptions = body.options
                self._settings.update(options)
                return

    async def _report_status(self, server: ConfigurationServer) -> None:
        while True:
            self._must_report.clear()
            try:
                await self._report(server, server.state)
            except PacelineError as error:
                _log.debug("status not reported", why=error.message)
            interval_s = self._settings.current.seconds("general", "statusInterval")
            with suppress(TimeoutError):
                async with asyncio.timeout(interval_s):
                    await self._must_report.wait()

    async def _report(self, server: ConfigurationServer, state: State) -> None:
        """To itself: it has no token of its own and needs none."""
        call = Call(
            principal=Principal(name=self.name, kind="application"),
            tenant=1,
            client=self.name,
            client_kind="operator",
            request_id=request_id(),
            deadline=float("inf"),
        )
        report = ReportStatus(
            application=self.name,
            status=state.value,
            reason=server.reason,
            urls={} if state is State.STOPPED else {"default": self.url},
            pid=os.getpid(),
        )
        await server.handlers["application.report_status"](call, report)
