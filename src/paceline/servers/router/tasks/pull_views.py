"""One waiting pull per view of a strategy, as long as the view's share of the credit is not used up.

Started by server.py, told of configuration changes by it. What is pulled goes to dispatch.
"""

import asyncio
from collections import Counter
from itertools import count
from typing import Final

from paceline.errors.failure import PacelineError
from paceline.model.options import Finding
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.sdk.interaction import InteractionServerClient
from paceline.servers.router.live.problems import Problems
from paceline.servers.router.live.waiting import Held
from paceline.servers.router.rules.strategy_findings import ViewKey, strategy_of_view
from paceline.servers.router.tasks.dispatch import Dispatcher

BATCH: Final = 50
"""Most that one pull asks for (chosen: its answer stays far below a frame at usual user data)."""

ANSWER_MARGIN_S: Final = 10.0
"""What a pull may take beyond its hold (INTERFACES: deadlines)."""

LINK_LOST: Final = frozenset({"connection_lost", "owner_unavailable"})


class ViewPulls:
    """The pulling tasks, one per view."""

    def __init__(
        self,
        *,
        name: str,
        interactions: InteractionServerClient,
        configuration: ConfigurationSource,
        settings: LiveSettings,
        times: Times,
        tasks: TaskGroup,
        problems: Problems,
        dispatcher: Dispatcher,
    ) -> None:
        self._name = name
        self._client = interactions
        self._configuration = configuration
        self._settings = settings
        self._times = times
        self._tasks = tasks
        self._problems = problems
        self._dispatcher = dispatcher
        self._strategies: dict[ViewKey, str] = {}
        self._running: dict[ViewKey, asyncio.Task[None]] = {}
        self._held: Counter[ViewKey] = Counter()
        self._room: dict[ViewKey, asyncio.Event] = {}
        self._places = count()

    def update(self) -> None:
        """Pulls from exactly the views that strategies name now."""
        self._strategies = strategy_of_view(self._configuration.snapshot)
        for key in [key for key in self._running if key not in self._strategies]:
            self._running.pop(key).cancel()
        for key in [key for key in self._strategies if key not in self._running]:
            self._room[key] = asyncio.Event()
            self._running[key] = self._tasks.start(f"pull {key[1]}", self._pull(key))
        self.offer_room()

    def offer_room(self) -> None:
        """The credit or the number of views changed: every view looks again."""
        for room in self._room.values():
            room.set()

    def released(self, held: Held) -> None:
        """An interaction is held no longer."""
        key = (held.tenant, held.view)
        self._held[key] -= 1
        if key in self._room:
            self._room[key].set()

    def _share(self, key: ViewKey) -> int:
        credit = self._settings.current.integer("router", "credit")
        return max(1, credit // max(1, len(self._strategies))) - self._held[key]

    async def _pull(self, key: ViewKey) -> None:
        while True:
            self._room[key].clear()
            if self._share(key) < 1:
                await self._room[key].wait()
                continue
            try:
                await self._pull_once(key)
            except PacelineError as refused:
                await self._refused(key, refused)
            else:
                self._problems.healed(key)

    async def _pull_once(self, key: ViewKey) -> None:
        tenant, view = key
        hold_s = self._settings.current.seconds("router", "pull-hold-timeout")
        pulled = await self._client.view.pull(
            view=view,
            count=min(BATCH, self._share(key)),
            hold_s=hold_s,
            client=self._name,
            for_strategy=True,
            tenant=tenant,
            timeout_s=hold_s + ANSWER_MARGIN_S,
        )
        for interaction in pulled.interactions:
            self._held[key] += 1
            self._dispatcher.take(interaction, self._strategies[key], view, next(self._places))
        if not pulled.interactions and hold_s < 1.0:
            await self._times.machine.sleep(1.0 - hold_s)  # a view that is not held is not hammered

    async def _refused(self, key: ViewKey, refused: PacelineError) -> None:
        pause_s = self._settings.current.seconds("router", "problem-pause")
        if refused.name in LINK_LOST:
            pause_s = min(pause_s, refused.retry_after_s or 0.1)
        else:
            self._problems.note(
                key,
                Finding(
                    f"view '{key[1]}'",
                    refused.field or "view",
                    f"nothing can be pulled: {refused.message}",
                    "see the message; it is tried again by itself",
                ),
            )
        await self._times.machine.sleep(pause_s)
