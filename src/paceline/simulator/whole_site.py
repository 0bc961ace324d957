"""The made-up world around real servers: customers, visitors and agents of a demo, over the sdk.

Opened by `paceline demo` and by tests. Start it when the servers answer; stop it before them; ask
for the summary in between. After a kill it takes up what the servers still hold (adopt.py).
"""

from collections.abc import Mapping

from paceline.errors.failure import PacelineError
from paceline.runtime.chance import Chance
from paceline.runtime.life_cycle import LifeCycle, State
from paceline.runtime.log import get_log
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import ConfigurationSource, Connection
from paceline.simulator.adopt import Adoption
from paceline.simulator.agents import AgentDesk
from paceline.simulator.attempts import Attempts
from paceline.simulator.bank_day import BankTraffic, bank_day
from paceline.simulator.fates import Fates
from paceline.simulator.reactive import ReactiveCustomers
from paceline.simulator.site import Site
from paceline.simulator.summary import DemoSummary, Figures, SiteClients
from paceline.simulator.timers import Timers
from paceline.simulator.utilization import Utilization
from paceline.simulator.visitors import VisitorCounts, Visitors
from paceline.simulator.waiting import WaitingCustomers
from paceline.units.quantities import Millis

_log = get_log("simulator")


class DemoWorld(LifeCycle):
    """See the module.

    Parameters
    ----------
    clients
        Connections that are started already; `desk` of the kind agent, `media` of media_server.
        They stay open until the summary is made and are closed by whoever opened them.
    opening
        Business instant at which the bank's day began, 08:00; a restarted demo gives the same one.
    scale
        Customers and visitors per customer of the bank.
    acceptance
        Share of accepted invitations per medium, 0.3 where it is not given.
    """

    def __init__(
        self,
        *,
        clients: SiteClients,
        configuration: ConfigurationSource,
        times: Times,
        chance: Chance,
        opening: Millis,
        scale: float = 1.0,
        acceptance: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self._clients = clients
        day = bank_day()
        site = Site(configuration)
        self._tasks = TaskGroup("simulator", self.set_unavailable)
        timers = self._timers = Timers(times, self._tasks)
        attempts = Attempts(times, chance)
        fates = Fates(chance, day)
        self._desk = AgentDesk(
            clients.desk, site=site, times=times, chance=chance, timers=timers,
            attempts=attempts, fates=fates,
        )  # fmt: skip
        self._waiting = WaitingCustomers(
            clients.media, times=times, timers=timers, attempts=attempts, fates=fates,
            is_taken=self._desk.is_taken,
        )  # fmt: skip
        self._desk.tell(self._waiting)
        self._adoption = Adoption(
            clients.desk, site=site, desk=self._desk, waiting=self._waiting, times=times
        )
        self._reactive = ReactiveCustomers(
            clients.media, BankTraffic(chance, opening=opening, scale=scale), seed=chance.seed,
            opening=opening, site=site, times=times, timers=timers, attempts=attempts,
            waiting=self._waiting,
        )  # fmt: skip
        self._visitors = Visitors(
            clients.engagement, site=site, day=day, opening=opening, scale=scale, times=times,
            chance=chance, timers=timers, attempts=attempts, fates=fates, waiting=self._waiting,
            acceptance=acceptance,
        )  # fmt: skip
        self._figures = Figures(
            clients,
            site=site,
            times=times,
            utilization=Utilization(
                clients.stat, site=site, business=times.business, tasks=self._tasks
            ),
        )

    @property
    def visitor_counts(self) -> VisitorCounts:
        """What became of the visitors' wish to be invited."""
        return self._visitors.counts

    async def summary(self) -> DemoSummary:
        """The run's figures up to now or, once stopped, up to the stop; the servers must still answer.

        Raises
        ------
        PacelineError
            When one of them does not.
        """
        return await self._figures.summary()

    async def _start(self) -> None:
        for client in self._connections():
            await client.wait_connected()
        await self._figures.begin()
        self._clients.desk.connection.watch_connection(self._desk_connection_changed)
        await self._desk.log_in()
        await self._adoption.look()
        self._tasks.start("adopt", self._adoption.run())
        self._tasks.start("reactive", self._reactive.run())
        self._tasks.start("visitors", self._visitors.run())

    async def _stop(self) -> None:
        """Everybody stops where they are: nobody logs out, so that a later start goes on from there."""
        self._timers.close()
        if self.state is not State.INITIALIZING:
            await self._figures.end()
        await self._tasks.aclose()
        counts = self._visitors.counts
        _log.standard(
            "the simulated world has stopped",
            visitors=counts.came,
            invited=counts.invited,
            without_permit=counts.refused + counts.unasked,
            failed=counts.failed,
            reactive=self._reactive.submitted_count,
        )

    def _connections(self) -> list[Connection]:
        clients = self._clients
        return [
            clients.media.connection,
            clients.desk.connection,
            clients.engagement.connection,
            clients.stat.connection,
            clients.pacing.connection,
            clients.message.connection,
        ]

    def _desk_connection_changed(self, is_connected: bool) -> None:
        if is_connected:
            self._timers.now("log in again", self._return)

    async def _return(self) -> None:
        """After a lost link all agents attach to their sessions again, and go on with their work."""
        try:
            await self._desk.log_in()
            await self._adoption.look()
        except PacelineError as error:  # the next look tries again
            _log.debug("agents are not back yet", problem=str(error))
