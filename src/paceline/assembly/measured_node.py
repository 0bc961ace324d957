"""An interaction node on its own, with a fixed configuration and its own token keys: for measurements.

Everything between socket and disk is the real thing; only the Configuration Server is left out.
"""

from paceline.model.configuration import (
    BusinessProcess,
    ConfigurationObject,
    InteractionQueue,
    View,
)
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import Listener
from paceline.servers.interaction.options import OPTIONS
from paceline.servers.interaction.server import InteractionServer
from paceline.storage.access_point import from_url
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.ids import Epoch
from paceline.wire.call import Principal
from paceline.wire.server.application import build_application
from paceline.wire.server.listen import Listener as Listening
from paceline.wire.server.listen import bind
from paceline.wire.server.self_report import self_report_handlers
from paceline.wire.server.surface import Surface
from paceline.wire.token import TokenIssuer, TokenVerifier, new_signing_key

QUEUE, VIEW = "Measured", "Measured view"


class _Fixed:
    def __init__(self, snapshot: ConfigurationSnapshot) -> None:
        self.snapshot = snapshot

    def watch(self, listener: Listener) -> None:
        """Never changes."""


def _snapshot() -> ConfigurationSnapshot:
    process = "Measurement"
    bodies = [
        ("business-processes", process, BusinessProcess()),
        ("scripts", QUEUE, InteractionQueue(business_process=process)),
        ("scripts", VIEW, View(business_process=process, queue=QUEUE)),
    ]
    return ConfigurationSnapshot(
        ConfigurationObject(type=type_, id=number, tenant=1, name=name, body=body)
        for number, (type_, name, body) in enumerate(bodies, 1)
    )


class MeasuredNode(LifeCycle):
    """One interaction node on a database URL, listening on a free loopback port."""

    def __init__(self, database_url: str, times: Times) -> None:
        super().__init__()
        self._database = open_database(from_url(database_url), times=times)
        self._times = times
        self._server = InteractionServer(
            name="measured",
            settings=LiveSettings(OPTIONS),
            times=times,
            configuration=_Fixed(_snapshot()),
            database=self._database,
            epoch=Epoch(times.machine.now() // 1000),
            metrics=Metrics("interaction"),
        )
        self._listening: Listening | None = None
        self.url = ""
        self.token = ""

    async def _start(self) -> None:
        await upgrade(self._database, ["interaction"])
        await self._server.start()
        issuer = TokenIssuer(new_signing_key("measured"), self._times.machine)
        verifier = TokenVerifier(self._times.machine)
        verifier.set_keys([issuer.public_key])
        self.token = issuer.issue(
            Principal(name="load", kind="application", access_groups=("server",)), life_s=86_400
        )
        surface = Surface(
            kind="interaction",
            name="measured",
            handlers=self._server.handlers
            | self_report_handlers(
                self._server, "measured", "interaction", self._times, self._server.findings
            ),
            verify=verifier.verify,
            times=self._times,
            metrics=Metrics("measured"),
        )
        self._listening = Listening(
            build_application(surface), bind("127.0.0.1", 0), self._times.machine
        )
        await self._listening.start()
        host, port = self._listening.address
        self.url = f"http://{host}:{port}"

    async def _stop(self) -> None:
        if self._listening is not None:
            await self._listening.stop()
        await self._server.stop()
        await self._database.close()
