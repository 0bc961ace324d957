"""One server as a process runs it: link to the site, its face, live settings, status reports.

The same for every kind; what differs stands in the kind's own file. Used by `serve` and by
all_in_one.py. Never decides for the server.
"""

import asyncio
import os
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress

from paceline.assembly.face import LOOPBACK, Face
from paceline.assembly.kinds import load_kind
from paceline.assembly.option_tables import whole_table
from paceline.assembly.parts import Built, Kind, Parts
from paceline.assembly.site_link import Credentials, SiteLink
from paceline.assembly.surroundings import REAL_SURROUNDINGS, Surroundings
from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application, Host
from paceline.model.options import RawOptions
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.ids import batch_id
from paceline.runtime.life_cycle import LifeCycle, State
from paceline.runtime.log import configure_log, get_log
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.servers.configuration.rules.effective import effective

REPORT_TIMEOUT_S = 2.0
"""Limit of the last report at a stop (chosen: a stop takes at most 5 s)."""

_log = get_log("assembly")


class HostedServer(LifeCycle):
    """One application of the configuration, running.

    Parameters
    ----------
    port
        Where to listen whatever the application's port says; 0 takes a free one.
    embedded
        URL of the embedded database, for access points that name it.
    holder
        Name in leases; one that is fixed to an exclusively used data folder takes its own lease
        back at once after a kill.
    owns_log
        Whether this server's log options are the process's.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        *,
        site_url: str,
        credentials: Credentials,
        times: Times,
        port: int | None = None,
        embedded: str | None = None,
        holder: str | None = None,
        owns_log: bool = False,
        surroundings: Surroundings = REAL_SURROUNDINGS,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.name = name
        self.url = ""
        self.end_reason = ""
        self.ended = asyncio.Event()
        self.server: LifeCycle | None = None
        self._times = times
        self._port = port
        self._embedded = embedded
        self._holder = holder or f"{name} {batch_id()}"
        self._owns_log = owns_log
        self._surroundings = surroundings
        self._site = SiteLink(
            site_url, credentials, name=name, times=times, surroundings=surroundings
        )
        self._tasks = TaskGroup(f"host of {name}", self._end_for_good)
        self._opened = AsyncExitStack()
        self._face: Face | None = None
        self._must_report = asyncio.Event()

    @property
    def site(self) -> SiteLink:
        """The link to the Configuration Server."""
        return self._site

    async def _start(self) -> None:
        kind = load_kind(self.kind)
        await self._site.open()
        snapshot = self._site.configuration.snapshot
        item, application = self._application(kind, snapshot)
        settings = LiveSettings(
            whole_table(kind.options),
            _own_options(kind, application),
            subject=f"application '{self.name}'",
        )
        self._follow(kind, item, settings)
        self._settings = settings
        self._face = Face(*self._address(snapshot, application), self._surroundings)
        self.url = self._face.url
        metrics = Metrics(self.kind)
        built = await kind.build(
            Parts(
                name=self.name,
                tenant=snapshot.objects["applications", item].tenant,
                application=application,
                settings=settings,
                times=self._times,
                site=self._site,
                metrics=metrics,
                embedded=self._embedded,
                holder=self._holder,
                url=self.url,
                on_end=self._end_for_good,
                opened=self._opened,
                surroundings=self._surroundings,
            )
        )
        await self._serve(built, self._face, metrics)

    async def _serve(self, built: Built, face: Face, metrics: Metrics) -> None:
        server = self.server = built.server
        face.expect()
        server.watch_state(lambda _state, _reason: self._must_report.set())
        # Not before: a standby that waits for its lease leaves the word to the one that works.
        self._tasks.start("status", self._report_status(server, built.is_trusted))
        await server.start()
        await face.open(
            server,
            kind=self.kind,
            name=self.name,
            handlers=built.handlers(),
            verify=built.verify or self._site.verify,
            findings=built.findings,
            times=self._times,
            metrics=metrics,
            open_routes=built.open_routes(),
            on_session=built.on_session,
        )
        await self._report(server)
        _log.standard("server started", application=self.name, kind=self.kind, url=self.url)

    async def _stop(self) -> None:
        await self._tasks.aclose()
        if self._face is not None:
            await self._face.close()
        if self.server is not None:
            await self.server.stop()
            await self._report_end(self.server)
        await self._opened.aclose()
        await self._site.close()
        _log.standard("server stopped", application=self.name, kind=self.kind)

    def _end_for_good(self, reason: str) -> None:
        """The server cannot go on: whoever runs it stops it."""
        if self.server is not None:
            self.server.set_unavailable(reason)
        self.set_unavailable(reason)
        self.end_reason = reason
        self.ended.set()

    # --- configuration ---------------------------------------------------------------------------

    def _application(self, kind: Kind, snapshot: ConfigurationSnapshot) -> tuple[int, Application]:
        try:
            item, body = snapshot.application(self.name)
        except PacelineError as missing:
            raise PacelineError("start_refused", missing.message, field="app") from None
        if body.application_type != kind.application_type:
            raise PacelineError(
                "start_refused",
                f"application '{self.name}' is a {body.application_type}, not a "
                f"{kind.application_type}; name another with --app",
                field="app",
            )
        return item.id, effective(snapshot, body)

    def _follow(self, kind: Kind, item: int, settings: LiveSettings) -> None:
        def changed(_old: ConfigurationSnapshot, new: ConfigurationSnapshot) -> None:
            found = new.objects.get(("applications", item))
            if found is not None and isinstance(found.body, Application):
                settings.update(_own_options(kind, effective(new, found.body)))

        def direct_log() -> None:
            values = settings.current
            configure_log(verbose=values.text("log", "verbose"), output=values.text("log", "all"))

        if self._owns_log:
            direct_log()
            settings.watch(lambda _old, _new: direct_log())
        self._site.configuration.watch(changed)

    def _address(
        self, snapshot: ConfigurationSnapshot, application: Application
    ) -> tuple[str, int]:
        hosts = {item.name: body.address for item, body in snapshot.all_of(Host)}
        port = application.port()
        number = port.port if port is not None else 0
        return hosts.get(application.host, LOOPBACK), number if self._port is None else self._port

    # --- status ----------------------------------------------------------------------------------

    async def _report_status(self, server: LifeCycle, is_trusted: Callable[[], bool]) -> None:
        while True:
            self._must_report.clear()
            try:
                # One that wakes after its lease has ended must not send callers to itself.
                if server.state is not State.STARTED or is_trusted():
                    await self._report(server)
                await self._site.refresh_keys()
            except PacelineError as error:
                _log.debug("status not reported", application=self.name, why=error.message)
            interval_s = self._settings.current.seconds("general", "statusInterval")
            with suppress(TimeoutError):
                async with asyncio.timeout(interval_s):
                    await self._must_report.wait()

    async def _report_end(self, server: LifeCycle) -> None:
        """The last report, unless another process has taken over and reports for itself."""
        if not self.end_reason:
            with suppress(PacelineError, TimeoutError):
                async with asyncio.timeout(REPORT_TIMEOUT_S):
                    await self._report(server)

    async def _report(self, server: LifeCycle) -> None:
        is_over = server.state is State.STOPPED
        await self._site.client.application.report_status(
            application=self.name,
            status=server.state.value,
            reason=server.reason,
            urls={} if is_over else {"default": self.url},
            pid=os.getpid(),
        )


def _own_options(kind: Kind, application: Application) -> RawOptions:
    return {
        section: keys
        for section, keys in application.options.items()
        if kind.is_own_section(section, dict(keys))
    }
