"""The rehearsed site: every server as processes of its own, a network and databases between them.

Used by the rehearsal and its tests, inside `run_simulated`. Clients live on machines that never
die and reach the site as real ones do. Injects no fault by itself: faults.py does.
"""

import asyncio
from functools import partial
from itertools import chain

import msgspec
from argon2 import PasswordHasher

from paceline.assembly.configuration import ConfigurationHost
from paceline.assembly.hosted_server import HostedServer
from paceline.assembly.new_secrets import with_new_secrets
from paceline.assembly.site_link import Credentials
from paceline.assembly.surroundings import Surroundings
from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.runtime.chance import Chance
from paceline.runtime.entropy import Entropy, use_entropy
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.secret import Secret, new_secret
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times, virtual_times
from paceline.sdk import ConfigurationServerClient, Connection
from paceline.sdk.listing import listed
from paceline.simulator.whole.client_machine import ClientMachine
from paceline.simulator.whole.configuration import (
    CONFIGURATION,
    PLACES,
    Place,
    rehearsed_configuration,
)
from paceline.simulator.whole.database import Stores, opener
from paceline.simulator.whole.http import SimulatedHttp, Tap
from paceline.simulator.whole.log import RehearsalLog
from paceline.simulator.whole.network import SimulatedNetwork
from paceline.simulator.whole.process import SimulatedProcess
from paceline.simulator.whole.supervisor import Host, Supervisor
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import Database
from paceline.units.quantities import Millis
from paceline.wire.operation import ClientKind

START = Millis(1_772_438_400_000)
"""2026-03-02 08:00 UTC, a Monday: the bank opens (chosen)."""
ADMIN = "admin"
INSTALLER = "installer"
CONFIGURATION_PORT = 7000
START_PATIENCE_S = 120.0
"""Virtual seconds in which a site must work when nothing disturbs it (chosen: it takes some 10)."""
LOOK_S = 0.1

_CHEAP_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""The least that Argon2 knows: simulated passwords guard nothing, and logins are many."""

_URL = f"http://{CONFIGURATION.name}:{CONFIGURATION_PORT}"


class SimulatedSite(LifeCycle):
    """After its start every server works; then whatever faults do, places are restarted.

    Parameters
    ----------
    chance
        All chance of the run: ids, secrets, delays, pauses.
    start
        UTC instant at virtual time 0; all clocks begin right.
    """

    def __init__(self, *, chance: Chance, log: RehearsalLog, start: Millis = START) -> None:
        super().__init__()
        use_entropy(Entropy(chance.stream("entropy of the world").randbytes))
        self.chance = chance
        self.log = log
        self.times: Times = virtual_times(start)
        self.network = SimulatedNetwork(chance)
        self.http = SimulatedHttp(self.network, chance)
        self.stores = Stores(chance)
        self._start_at = start
        self._password = new_secret()
        self._site_key = new_secret(32).reveal().encode()
        self._secrets: dict[str, Secret] = {}
        self._machines: dict[str, ClientMachine] = {}
        self._tasks = TaskGroup("rehearsed site", self._fail)
        places = (CONFIGURATION, *PLACES)
        self.places: dict[str, Supervisor] = {place.name: self._place(place) for place in places}

    # --- for traffic and invariants --------------------------------------------------------------

    def connect(
        self,
        kind: str,
        client_kind: ClientKind,
        *,
        client: str,
        application: str | None = None,
    ) -> Connection:
        """A lasting connection from a client machine to a server of a kind that works, or to one."""
        known = [place.application for place in PLACES if place.kind == kind]
        names = list(dict.fromkeys(known)) if application is None else [application]
        return self.machine(client).connect(names, client_kind)

    def configuration(self, client: str) -> ConfigurationServerClient:
        """The Configuration Server as a client machine sees it."""
        return self.machine(client).configuration

    def machine(self, name: str) -> ClientMachine:
        """The client machine of this name, made when first asked for."""
        if name not in self._machines:
            self._machines[name] = ClientMachine(
                self._process(name, 1),
                self.network,
                configuration_url=_URL,
                user=ADMIN,
                password=self._password,
                chance=self.chance,
            )
        return self._machines[name]

    @property
    def machines(self) -> tuple[str, ...]:
        """Names of the client machines so far."""
        return tuple(self._machines)

    @property
    def processes(self) -> dict[str, SimulatedProcess]:
        """The processes that exist now, by place."""
        return {
            name: place.process
            for name, place in self.places.items()
            if place.process is not None and not place.process.is_dead
        }

    @property
    def crashes(self) -> list[str]:
        """Processes that ended with an exception nobody foresaw."""
        return list(chain.from_iterable(place.crashes for place in self.places.values()))

    def database_of(self, store: str) -> Database:
        """A store itself, without faults and delays; see `configuration.STORES`."""
        return self.stores.store(store).content

    def tap(self, tap: Tap) -> None:
        """Show it everything that happens to the HTTP requests of pacing nodes."""
        self.http.taps.append(tap)

    # --- what faults do --------------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """Kill the process of a place, if there is one."""
        if (process := self.processes.get(name)) is not None:
            process.kill()

    def pause(self, name: str, pause_s: float) -> None:
        """Stop a process for a while; it goes on by itself, unless it is killed before."""
        process = self.processes.get(name)
        if process is not None and process.runs:
            process.pause()
            self._tasks.start(f"resume {name}", self._resume(process, pause_s))

    async def _resume(self, process: SimulatedProcess, pause_s: float) -> None:
        await self.times.machine.sleep(pause_s)
        process.resume()

    # --- life ------------------------------------------------------------------------------------

    async def _start(self) -> None:
        self._begin(CONFIGURATION.name)
        await self._configure(self.configuration(INSTALLER))
        await self._machines.pop(INSTALLER).close()
        for place in PLACES:
            self._begin(place.name)
        await self._wait_working()

    async def _stop(self) -> None:
        """In the order in which a service manager stops services that depend on each other."""
        for machine in self._machines.values():
            await machine.close()
        for name in reversed(self.places):
            await self.places[name].stop()
        await self._tasks.aclose()

    async def wait_working(self, patience_s: float = START_PATIENCE_S) -> None:
        """Return when every application works: every place, but one of a primary and its standby.

        Raises
        ------
        PacelineError
            `owner_unavailable` naming the places that do not work in time.
        """
        await self._wait_working(patience_s)

    async def _wait_working(self, patience_s: float = START_PATIENCE_S) -> None:
        try:
            async with asyncio.timeout(patience_s):
                while self.idle_applications():
                    await self.times.machine.sleep(LOOK_S)
        except TimeoutError:
            idle = ", ".join(self.idle_applications())
            raise PacelineError(
                "owner_unavailable", f"after {patience_s:g} s there is no working {idle}"
            ) from None

    def idle_applications(self) -> list[str]:
        """Applications that no process serves now."""
        served = {p.application for p in PLACES if self.places[p.name].is_working}
        wanted = dict.fromkeys(place.application for place in PLACES)
        return [application for application in wanted if application not in served]

    def _begin(self, name: str) -> None:
        self._tasks.start(f"supervise {name}", self.places[name].run())

    async def _configure(self, client: ConfigurationServerClient) -> None:
        """Apply the configuration and give each application a secret, as an installer does."""
        await client.connection.wait_connected(START_PATIENCE_S)
        changes = await with_new_secrets(client, rehearsed_configuration())
        await client.configuration.apply(changes=changes)
        async for item in listed(client, "applications"):
            kind = msgspec.json.decode(item.body, type=Application).application_type
            if kind in ("application_cluster", "configuration_server"):
                continue
            secret = self._secrets[item.name] = new_secret()
            body = msgspec.Raw(msgspec.json.encode({"secret": secret.reveal()}))
            await client.object.change(
                type="applications", id=item.id, tenant=item.tenant, body=body
            )

    # --- making ----------------------------------------------------------------------------------

    def _place(self, place: Place) -> Supervisor:
        return Supervisor(
            place.name,
            make_process=self._process,
            make_host=partial(self._host, place),
            chance=self.chance.stream(f"restarts of {place.name}"),
            clock=self.times.machine,
            log=self.log,
        )

    def _process(self, name: str, life: int) -> SimulatedProcess:
        process = SimulatedProcess(name, life, chance=self.chance, start=self._start_at)
        self.network.join(process)
        self.http.join(process)
        return process

    def _host(self, place: Place, process: SimulatedProcess) -> Host:
        surroundings = Surroundings(
            open_link=partial(self.network.open_link, process),
            listen=lambda _host, port: self.network.bind(process, port),
            open_database=opener(self.stores, process),
            http_transport=partial(self.http.transport, process),
            store_clock=self.times.machine,
            password_hasher=_CHEAP_HASHER,
        )
        if place is CONFIGURATION:
            return ConfigurationHost(
                point=AccessPoint("sqlite", CONFIGURATION.name),
                site_key=self._site_key,
                admin=(ADMIN, self._password),
                times=process.times,
                host=place.name,
                port=CONFIGURATION_PORT,
                surroundings=surroundings,
            )
        return HostedServer(
            place.kind,
            place.application,
            site_url=_URL,
            credentials=Credentials(self._secrets[place.application]),
            times=process.times,
            surroundings=surroundings,
        )

    def _fail(self, reason: str) -> None:
        self.set_unavailable(reason)
        self.log.write("broken", "simulation", reason)
