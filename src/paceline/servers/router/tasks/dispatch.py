"""Brings interactions and agents together: virtual queue, wait, offer, delivery result.

Event driven: a new interaction looks for the agent ready longest, a freed agent for the first
interaction in order. Fed by pull_views and follow_agents; called back by delivery results.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final

from paceline.errors.failure import PacelineError
from paceline.model.instant import to_millis
from paceline.model.options import Finding
from paceline.runtime.log import get_log
from paceline.runtime.settings import LiveSettings
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.sdk.interaction import InteractionServerClient
from paceline.servers.router.live.agents import AgentPool, Promise, Slot
from paceline.servers.router.live.problems import Problems
from paceline.servers.router.live.waiting import Held, WaitingRoom
from paceline.servers.router.metrics import RouterMetrics
from paceline.servers.router.rules.choose_queue import Choice, choose, read_keys, serving_groups
from paceline.wire.operations.interaction import DeliveryResult, Interaction

BACK: Final = "__BACK__"
"""Place-in-queue's word for the queue an interaction came from."""

GONE: Final = frozenset({"not_found", "not_owner", "not_waiting", "already_accepted"})
"""Refusals that mean: it is not the router's any more."""

AGENT_UNABLE: Final = frozenset({"agent_busy", "invalid_target", "media_not_logged_in"})
"""Refusals that mean: this agent not now, another one may."""

RETRY_S: Final = 1.0
"""Pause before a refused request is repeated that names none itself (chosen)."""

_log = get_log("router")


class Dispatcher:
    """All that the router holds, from the pull to the delivery result.

    `on_released` is called with each interaction that is held no longer.
    """

    def __init__(
        self,
        *,
        interactions: InteractionServerClient,
        configuration: ConfigurationSource,
        settings: LiveSettings,
        times: Times,
        tasks: TaskGroup,
        pool: AgentPool,
        problems: Problems,
        metrics: RouterMetrics,
    ) -> None:
        self._client = interactions
        self._configuration = configuration
        self._settings = settings
        self._times = times
        self._tasks = tasks
        self._pool = pool
        self._problems = problems
        self._metrics = metrics
        self._held: dict[str, Held] = {}
        self._room = WaitingRoom()
        self.routed: Counter[tuple[int, str]] = Counter()
        self.on_released: Callable[[Held], None] = lambda held: None

    # --- what comes in ---------------------------------------------------------------------------

    def take(self, pulled: Interaction, strategy: str, view: str, place: int) -> Held:
        """An interaction was pulled; `place` counts what was pulled, for views of an own order."""
        self._forget_before(pulled.interaction_id)
        tenant = pulled.tenant
        found = self._configuration.snapshot.views.get((tenant, view))
        has_own_order = found is not None and bool(found[1].order.strip())
        held = Held(
            interaction_id=pulled.interaction_id,
            tenant=tenant,
            strategy=strategy,
            view=view,
            media_type=pulled.media_type,
            order=(0, "", place)
            if has_own_order
            else (-pulled.priority, pulled.received_at, pulled.submit_seq),
            keys=read_keys(pulled.user_data),
        )
        self._held[held.interaction_id] = held
        self._metrics.held.set(len(self._held))
        self._start("enter", self._enter(held, pulled))
        return held

    def free(self, slots: Iterable[Slot]) -> None:
        """These agents became available: whoever was ready longest chooses first."""
        for slot in sorted(slots, key=lambda slot: (self._pool.ready_since(slot), slot)):
            if not self._pool.is_available(slot):
                continue
            groups = self._pool.groups_of(slot)
            held = self._room.first_for((slot.tenant, slot.media_type), groups, slot.agent)
            if held is not None:
                self._offer(held, slot)

    def take_result(self, result: DeliveryResult) -> None:
        """The Interaction Server says what became of something the router holds or offered."""
        held = self._held.get(result.interaction_id)
        if held is None:
            if result.outcome == "rejected":  # held again by us without our knowing: give it back
                self._start("return", self._return_unknown(result.interaction_id))
            return
        if held.agent is not None:
            self._metrics.offers.labels(result.outcome).inc()
        if result.outcome == "rejected":
            self._rejected(held)
            return
        slot = self._slot_of(held)
        self._forget(held)
        if slot is None:
            return
        if result.outcome == "accepted":
            self.routed[held.tenant, held.strategy] += 1
            self._accepted(slot)
        else:
            self.free(self._pool.release(slot, self._pool.promised(slot)))

    def forget_all(self) -> None:
        """The link broke: the Interaction Server has taken everything back."""
        self._room.clear()
        self._pool.release_all()
        for held in tuple(self._held.values()):
            self._forget(held)

    def reconsider(self) -> None:
        """The configuration changed: groups are chosen again for all that is held."""
        for held in self._held.values():
            was_waiting = held.is_waiting
            self._room.remove(held)
            if held.virtual_queue:
                self._choose_groups(held)
            if was_waiting:
                self._room.add(held)
        self.free(self._pool.available())

    # --- what others ask -------------------------------------------------------------------------

    def held(self) -> Iterable[Held]:
        """Everything that is held."""
        return self._held.values()

    # --- inside ----------------------------------------------------------------------------------

    def _start(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        self._tasks.start(name, work)

    def _is_held(self, held: Held) -> bool:
        return self._held.get(held.interaction_id) is held

    def _forget(self, held: Held) -> None:
        self._room.remove(held)
        if self._is_held(held):
            del self._held[held.interaction_id]
            self._metrics.held.set(len(self._held))
            self.on_released(held)

    def _forget_before(self, interaction_id: str) -> None:
        """Somebody else had put it back into its queue, which nobody tells the router."""
        held = self._held.get(interaction_id)
        if held is None:
            return
        slot = self._slot_of(held)
        self._forget(held)
        if slot is not None:
            self.free(self._pool.release(slot, self._pool.promised(slot)))

    def _choose(self, held: Held) -> Choice:
        snapshot = self._configuration.snapshot
        strategy = snapshot.strategies.get((held.tenant, held.strategy))
        choice = choose(
            snapshot,
            tenant=held.tenant,
            media_type=held.media_type,
            strategy_queue=strategy[1].virtual_queue if strategy is not None else None,
            keys=held.keys,
        )
        if choice.problem:
            named = held.keys.virtual_queue or ""
            what = "is placed back" if choice.virtual_queue is None else "is routed all the same"
            self._problems.note(
                (held.tenant, held.strategy, choice.field, held.media_type, named),
                Finding(
                    f"strategy '{held.strategy}'",
                    choice.field,
                    f"{choice.problem}; {held.media_type} {what}",
                    "correct the virtual queue, its agent groups or what sets the key",
                ),
            )
        return choice

    def _choose_groups(self, held: Held) -> None:
        choice = self._choose(held)
        held.groups = (
            choice.groups
            if choice.virtual_queue == held.virtual_queue
            else serving_groups(self._configuration.snapshot, held.tenant, held.virtual_queue)
        )

    async def _enter(self, held: Held, pulled: Interaction) -> None:
        choice = self._choose(held)
        if choice.virtual_queue is None:
            await self._place_back(held, "cannot be routed")
            return
        held.virtual_queue, held.groups = choice.virtual_queue, choice.groups
        held.entered_at = self._times.business.now()
        if pulled.virtual_queue == held.virtual_queue and pulled.virtual_queue_at is not None:
            held.entered_at = to_millis(pulled.virtual_queue_at, field="virtual_queue_at")
        try:
            await self._client.interaction.enter_virtual_queue(
                interaction_id=held.interaction_id,
                virtual_queue=held.virtual_queue,
                tenant=held.tenant,
            )
        except PacelineError as refused:
            await self._not_entered(held, refused)
            return
        if self._is_held(held):
            self._wait_for_agent(held)

    async def _not_entered(self, held: Held, refused: PacelineError) -> None:
        if not self._is_held(held) or not self._client.connection.is_connected:
            return
        if refused.name in GONE:
            self._forget(held)
            return
        self._problems.note(
            (held.tenant, held.virtual_queue, refused.name),
            Finding(
                f"virtual queue '{held.virtual_queue}'",
                refused.field or "number",
                f"the Interaction Server lets nothing in: {refused.message}",
                "see the message; what waits is pulled again by itself",
            ),
        )
        await self._place_back(held, "virtual queue refused")

    async def _place_back(self, held: Held, reason: str) -> None:
        """Holds it for the pause, then gives it back: others in the view go on meanwhile."""
        while True:
            await self._times.machine.sleep(
                self._settings.current.seconds("router", "problem-pause")
            )
            if not self._is_held(held) or not self._client.connection.is_connected:
                return
            try:
                await self._client.interaction.place_in_queue(
                    interaction_id=held.interaction_id,
                    queue=BACK,
                    reason=reason,
                    tenant=held.tenant,
                )
            except PacelineError as refused:
                if refused.name not in GONE:
                    continue
            if self._is_held(held):
                self._forget(held)
            return

    async def _return_unknown(self, interaction_id: str) -> None:
        try:
            await self._client.interaction.place_in_queue(
                interaction_id=interaction_id, queue=BACK, reason="not held by the router"
            )
        except PacelineError as refused:
            _log.warning(
                "an interaction could not be returned",
                interaction_id=interaction_id,
                problem=str(refused),
            )

    # --- offers ----------------------------------------------------------------------------------

    def _wait_for_agent(self, held: Held) -> None:
        slot = self._pool.longest_ready(held.tenant, held.media_type, held.groups, held.refused_by)
        if slot is None:
            self._room.add(held)
        else:
            self._offer(held, slot)

    def _offer(self, held: Held, slot: Slot) -> None:
        self._room.remove(held)
        held.agent = slot.agent
        promise = self._pool.promise(slot, held.interaction_id)
        self._start("deliver", self._deliver(held, promise))

    async def _deliver(self, held: Held, promise: Promise) -> None:
        if not self._client.connection.is_connected:
            return  # whoever tells us so forgets everything
        try:
            await self._client.interaction.deliver(
                interaction_id=held.interaction_id, agent=promise.slot.agent, tenant=held.tenant
            )
        except PacelineError as refused:
            await self._not_delivered(held, promise, refused)

    async def _not_delivered(self, held: Held, promise: Promise, refused: PacelineError) -> None:
        slot = promise.slot
        if self._pool.promised(slot) is not promise:
            return  # ended meanwhile by a delivery result or with the link
        if not self._is_held(held) or not self._client.connection.is_connected:
            self.free(self._pool.release(slot, promise))
            return
        self._metrics.offers.labels(refused.name).inc()
        held.agent = None
        if refused.name in GONE:
            self._forget(held)
            self.free(self._pool.release(slot, promise))
        elif refused.name in AGENT_UNABLE:
            self._pool.exclude(slot)
            self._pool.release(slot, promise)
            self._start("readmit", self._readmit(slot))
            self._wait_for_agent(held)
        else:
            self.free(self._pool.release(slot, promise))
            await self._times.machine.sleep(refused.retry_after_s or RETRY_S)
            if self._is_held(held):
                self._wait_for_agent(held)

    def _slot_of(self, held: Held) -> Slot | None:
        return None if held.agent is None else Slot(held.tenant, held.agent, held.media_type)

    def _rejected(self, held: Held) -> None:
        slot = self._slot_of(held)
        if slot is None:
            return
        held.agent = None
        held.refused_by.add(slot.agent)
        self._start("offer again", self._pardon(held, slot.agent))
        freed = self._pool.release(slot, self._pool.promised(slot))
        self._wait_for_agent(held)
        self.free(freed)

    def _accepted(self, slot: Slot) -> None:
        promise, freed = self._pool.accepted(slot)
        if promise is not None:
            self._start("settle", self._settle(promise))
        self.free(freed)

    async def _settle(self, promise: Promise) -> None:
        await self._times.machine.sleep(self._settings.current.seconds("router", "settle-timeout"))
        self.free(self._pool.release(promise.slot, promise))

    async def _readmit(self, slot: Slot) -> None:
        await self._pause_exclusion()
        self.free(self._pool.readmit(slot))

    async def _pardon(self, held: Held, agent: str) -> None:
        await self._pause_exclusion()
        held.refused_by.discard(agent)
        if held.is_waiting:
            self._room.remove(held)
            self._wait_for_agent(held)

    async def _pause_exclusion(self) -> None:
        await self._times.business.sleep(
            self._settings.current.seconds("router", "exclusion-timeout")
        )
