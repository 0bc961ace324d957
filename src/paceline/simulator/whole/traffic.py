"""The clients of a rehearsal: the bank's visitors, customers and agents, and those who try everything else.

Started by run.py when the site answers. Everybody goes over recorded connections and puts up with
lost links and refusals; chance is only the seed's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Final

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.model.target import discover
from paceline.runtime.chance import Chance
from paceline.runtime.life_cycle import LifeCycle
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import ConfigurationSource, EngagementEngineClient, InteractionServerClient
from paceline.sdk.configuration_follower import Listener
from paceline.simulator.attempts import Attempts, may_pass
from paceline.simulator.site import Site, SiteAgent
from paceline.simulator.summary import SiteClients
from paceline.simulator.whole.letters import MEDIUM, Letters
from paceline.simulator.whole.order import SubscribersSeeAll
from paceline.simulator.whole.people import OWN_VIEWS, QuickAgents
from paceline.simulator.whole.pushed_router import PushedRouter
from paceline.simulator.whole_site import DemoWorld
from paceline.units.quantities import Millis
from paceline.wire.operations.event import EventNotice, StreamEvents

QUICK_PER_MEDIUM: Final = 2
"""Agents of each medium that are taken from the bank's for `QuickAgents` (chosen)."""

SUBMIT_S: Final = 6.0
LOOK_S: Final = 10.0
ASK_S: Final = 25.0
"""Mean seconds between submissions, looks and bursts of visitors (chosen: hours pass in seconds)."""

LETTER_S: Final = 5.0
ERASE_S: Final = 60.0
"""Mean seconds between letters, and between erasures (chosen likewise)."""

PERSONAL: Final = msgspec.Raw(b'{"name":"A. Guest"}')
"""User data that an erasure takes away."""

BACK: Final = "__BACK__"

BURST: Final = 25
"""Visitors that ask at once: more than a report usually permits (chosen)."""

OPEN_IDS: Final = 200
"""How many of the latest ids are remembered for looks and changes (chosen)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficClients:
    """Connections of the traffic, recorded and started; closed by whoever opened them."""

    bank: SiteClients
    media: InteractionServerClient
    desk: InteractionServerClient
    router: InteractionServerClient
    engagement: EngagementEngineClient
    follower: InteractionServerClient


class WithoutAgents:
    """A configuration in which some agents are not there: they belong to somebody else."""

    def __init__(self, source: ConfigurationSource, names: frozenset[str]) -> None:
        self._source = source
        self._names = names

    @property
    def snapshot(self) -> ConfigurationSnapshot:
        """The configuration now, without them."""
        return self._without(self._source.snapshot)

    def watch(self, listener: Listener) -> None:
        """Calls `listener` with the old and the new snapshot after each change."""
        self._source.watch(lambda old, new: listener(self._without(old), self._without(new)))

    def _without(self, snapshot: ConfigurationSnapshot) -> ConfigurationSnapshot:
        gone = [("persons", i) for (_, n), (i, _) in snapshot.agents.items() if n in self._names]
        return snapshot.with_changes((), gone, seq=snapshot.seq)


class Traffic(LifeCycle):
    """See the module.

    Parameters
    ----------
    scale
        Customers and visitors per customer of the bank.
    on_failure
        Told when a part of the traffic itself fails: a mistake here, never the site's.
    """

    def __init__(
        self,
        *,
        clients: TrafficClients,
        configuration: ConfigurationSource,
        times: Times,
        chance: Chance,
        opening: Millis,
        scale: float,
        subscriber: SubscribersSeeAll,
        on_failure: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._clients = clients
        self._times = times
        self._dice = chance.stream("traffic")
        self._tasks = TaskGroup("traffic", on_failure)
        self._subscriber = subscriber
        site = Site(configuration)
        quick = _quick(site)
        snapshot = configuration.snapshot
        views: dict[str, list[str]] = {}
        self._queues = site.reactive_queues
        for (_, name), (_, view) in sorted(snapshot.views.items()):
            for media, queue in self._queues.items():
                if view.queue == queue:
                    views.setdefault(media, []).append(name)
        views.setdefault(MEDIUM, []).extend(OWN_VIEWS)
        self._targets = [target.name for target in discover(snapshot).targets]
        attempts = Attempts(times, chance)
        self.quick = QuickAgents(
            clients.desk, [a for a in quick if set(a.capacity) <= set(views)], views,
            times=times, chance=chance, tasks=self._tasks, attempts=attempts,
        )  # fmt: skip
        others = sorted(agent.name for agent in quick if MEDIUM in agent.capacity)
        self._letters = Letters(
            clients.media, others, times=times, chance=chance, tasks=self._tasks
        )
        self._router = PushedRouter(
            clients.router, others, times=times, chance=chance, tasks=self._tasks
        )
        self.world = DemoWorld(
            clients=clients.bank,
            configuration=WithoutAgents(configuration, frozenset(agent.name for agent in quick)),
            times=times, chance=chance, opening=opening, scale=scale,
        )  # fmt: skip
        self._numbers = count(1)
        self._ids: list[str] = []
        self._is_finishing = False

    def steady(self) -> None:
        """Quick agents take no more breaks; everything else goes on."""
        self.quick.finish()

    def finish(self) -> None:
        """No new interactions but the bank's, no more tries: what is open comes to its end."""
        self._is_finishing = True

    async def _start(self) -> None:
        await self.world.start()
        self._clients.follower.event.subscribe(
            lambda: StreamEvents(after=self._subscriber.position), self._noticed
        )
        self.quick.start()
        self._router.start()
        for name, pause_s, work in (
            ("submit", SUBMIT_S, self._submit),
            ("submit with own id", 2 * SUBMIT_S, self._submit_named),
            ("look", LOOK_S, self._look),
            ("change", LOOK_S, self._change),
            ("ask", ASK_S, self._ask_together),
            ("letter", LETTER_S, self._letters.submit),
            ("letter changes", LOOK_S, self._letters.change),
            ("drawer", ASK_S, self._letters.tidy),
            ("erasure", ERASE_S, self._erase),
        ):
            self._tasks.start(name, self._again(pause_s, work))

    async def _stop(self) -> None:
        await self.world.stop()
        await self._tasks.aclose()

    def _noticed(self, notice: EventNotice) -> None:
        self._subscriber.take(notice.items, notice.position)

    async def _again(self, pause_s: float, work: Callable[[], object]) -> None:
        """Begins the work again and again; one that hangs does not hold up the next."""
        while not self._is_finishing:
            await self._times.machine.sleep(self._dice.exponential(pause_s))
            if not self._is_finishing:
                work()

    # --- submissions ----------------------------------------------------------------------------

    def _submit(self) -> None:
        self._tasks.start("submit", self._submit_with_token(f"token-{next(self._numbers)}"))

    async def _submit_with_token(self, token: str) -> None:
        """Repeated with its token while nobody knows whether it worked, sometimes also when it did."""
        media = self._dice.choice(sorted(self._queues))
        priority = self._dice.choice((0, 0, 0, 5))
        is_told = False
        for _ in range(4):
            try:
                submitted = await self._clients.media.interaction.submit(
                    media_type=media,
                    queue=self._queues[media],
                    client_token=token,
                    priority=priority,
                    is_online=True,
                    user_data=PERSONAL,
                )
            except PacelineError as error:
                if not may_pass(error):
                    return
            else:
                self._remember(submitted.interaction_id)
                is_told = True
            if is_told and self._dice.random() < 0.8:
                return
            await self._times.machine.sleep(self._dice.exponential(2.0))

    def _submit_named(self) -> None:
        self._tasks.start("submit", self._submit_with_id(f"rehearsal-{next(self._numbers)}"))

    async def _submit_with_id(self, interaction_id: str) -> None:
        media = self._dice.choice(sorted(self._queues))
        for _ in range(3):
            try:
                await self._clients.media.interaction.submit(
                    media_type=media, queue=self._queues[media], interaction_id=interaction_id
                )
            except PacelineError as error:
                if error.outcome != "unknown":
                    return
                await self._times.machine.sleep(self._dice.exponential(2.0))
            else:
                self._remember(interaction_id)
                return

    def _remember(self, interaction_id: str) -> None:
        self._ids.append(interaction_id)
        del self._ids[:-OPEN_IDS]

    # --- looks and changes ----------------------------------------------------------------------

    def _look(self) -> None:
        self._tasks.start("look", self._look_once(self._dice.random()))

    async def _look_once(self, drawn: float) -> None:
        client = self._clients.media
        try:
            if drawn < 0.4 or not self._ids:
                await client.interaction.find(
                    condition="InteractionState < 3", limit=20, timeout_s=5.0
                )
            elif drawn < 0.7:
                await client.interaction.get(interaction_id=self._dice.choice(self._ids))
            else:
                await client.queue.list()
        except PacelineError:
            return

    def _change(self) -> None:
        if self._ids:
            chosen = self._dice.choice(self._ids)
            self._tasks.start("change", self._change_once(chosen, self._dice.random()))

    async def _change_once(self, interaction_id: str, drawn: float) -> None:
        client = self._clients.media
        try:
            if drawn < 0.5:
                value = msgspec.Raw(msgspec.json.encode(f"at {self._times.business.now()}"))
                await client.interaction.change(
                    interaction_id=interaction_id, added={f"note {next(self._numbers)}": value}
                )
            elif drawn < 0.65:
                await client.interaction.place_in_queue(interaction_id=interaction_id, queue=BACK)
            elif drawn < 0.85:
                await client.interaction.abandon(interaction_id=interaction_id, reason="left")
            else:
                await client.interaction.stop(interaction_id=interaction_id, reason="by hand")
        except PacelineError:
            return

    def _erase(self) -> None:
        """Of those that no view chooses by their data: what is erased cannot be judged afterwards."""
        if self._ids:
            self._letters.erase(self._dice.choice(self._ids))

    # --- visitors that come together --------------------------------------------------------------

    def _ask_together(self) -> None:
        if not self._targets:
            return
        target = self._dice.choice(self._targets)
        for _ in range(BURST):
            self._tasks.start("ask", self._ask(target, f"guest-{next(self._numbers)}"))

    async def _ask(self, target: str, visitor: str) -> None:
        client = self._clients.engagement.invitation
        try:
            created = await client.create(target=target, visitor=visitor)
            drawn = self._dice.random()
            if drawn < 0.5:
                return
            await self._times.machine.sleep(self._dice.exponential(5.0))
            if drawn < 0.8:
                await client.reject(invitation_id=created.invitation_id)
            else:
                await client.accept(invitation_id=created.invitation_id)
        except PacelineError:
            return


def _quick(site: Site) -> list[SiteAgent]:
    """The last agents of each medium."""
    chosen: dict[str, SiteAgent] = {}
    for media in sorted({media for agent in site.agents.values() for media in agent.capacity}):
        able = [agent for _, agent in sorted(site.agents.items()) if media in agent.capacity]
        for agent in able[-QUICK_PER_MEDIUM:]:
            chosen[agent.name] = agent
    return list(chosen.values())
