"""An Interaction Server and a Stat Server as the router sees them: small, in memory, same promises."""

import asyncio
from collections import defaultdict

import msgspec

from paceline.errors.failure import PacelineError
from paceline.wire.call import Call, Handlers, Peer
from paceline.wire.operations.interaction import (
    Deliver,
    Delivered,
    DeliveryResult,
    EnterVirtualQueue,
    Interaction,
    PlaceInQueue,
    Pull,
    Pulled,
    StateAnswer,
)
from paceline.wire.operations.statistic import (
    AgentTargetState,
    MediaCapacity,
    Opened,
    OpenedMany,
    OpenStatistics,
    StatisticChanges,
    StatisticsSubscribed,
    StreamStatistics,
)

CHAT_AT = "2026-01-31T08:00:00.000Z"


def interaction(name: str, **changes: object) -> Interaction:
    """A waiting chat."""
    plain = Interaction(
        interaction_id=name,
        tenant=1,
        state="queued",
        media_type="chat",
        interaction_type="Inbound",
        interaction_subtype="InboundNew",
        received_at=CHAT_AT,
        submitted_at=CHAT_AT,
    )
    return msgspec.structs.replace(plain, **changes)


class Interactions:
    """Views, virtual queues and offers. `journal` lists what the router did, in order."""

    def __init__(self) -> None:
        self.views: dict[str, list[Interaction]] = defaultdict(list)
        self.owned: dict[str, tuple[Interaction, str, Peer]] = {}
        self.ringing: dict[str, str] = {}
        self.journal: list[tuple[str, ...]] = []
        self.refuse: dict[str, list[PacelineError]] = defaultdict(list)
        self.pulls: list[Pull] = []
        self._news = asyncio.Event()

    def handlers(self) -> Handlers:
        """The operations the router uses."""
        return {
            "view.pull": self._pull,
            "interaction.enter_virtual_queue": self._enter,
            "interaction.deliver": self._deliver,
            "interaction.place_in_queue": self._place,
        }

    def submit(self, view: str, *waiting: Interaction) -> None:
        """They wait in the view, best first as given."""
        self.views[view] += waiting
        self._news.set()

    def done(self, verb: str) -> list[tuple[str, ...]]:
        """What the router did of one kind."""
        return [entry[1:] for entry in self.journal if entry[0] == verb]

    def answer(self, name: str, outcome: str) -> None:
        """The offer's end, told to the router."""
        found, view, peer = self.owned[name]
        agent = self.ringing.pop(name, None)
        if outcome != "rejected":
            del self.owned[name]
        if outcome == "revoked":
            self.submit(view, found)
        peer.notify(
            "interaction.delivery_result",
            DeliveryResult(interaction_id=name, outcome=outcome, agent=agent),  # type: ignore[arg-type]  # tests name it
        )

    def _may_refuse(self, operation: str) -> None:
        if self.refuse[operation]:
            raise self.refuse[operation].pop(0)

    async def _pull(self, call: Call, request: Pull) -> Pulled:
        self.pulls.append(request)
        self._may_refuse("pull")
        peer = call.needs_peer("view.pull")
        waiting = self.views[request.view]
        try:
            async with asyncio.timeout(request.hold_s):
                while not waiting:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return Pulled(interactions=())
        taken, self.views[request.view] = waiting[: request.count], waiting[request.count :]
        for found in taken:
            self.owned[found.interaction_id] = (found, request.view, peer)
        peer.on_close(lambda: self._session_ended(peer))
        return Pulled(interactions=tuple(taken))

    def _session_ended(self, peer: Peer) -> None:
        for name, (found, view, owner) in tuple(self.owned.items()):
            if owner is peer:
                del self.owned[name]
                self.ringing.pop(name, None)
                self.submit(view, found)

    async def _enter(self, call: Call, request: EnterVirtualQueue) -> StateAnswer:
        self._may_refuse("enter")
        self._owned_by(call, request.interaction_id)
        self.journal.append(("enter", request.interaction_id, request.virtual_queue))
        return StateAnswer(interaction_id=request.interaction_id, state="routing")

    async def _deliver(self, call: Call, request: Deliver) -> Delivered:
        self.journal.append(("deliver", request.interaction_id, request.agent))
        self._may_refuse("deliver")
        self._owned_by(call, request.interaction_id)
        if request.agent in self.ringing.values():
            raise PacelineError("agent_busy", "rings already", field="agent")
        self.ringing[request.interaction_id] = request.agent
        return Delivered(
            interaction_id=request.interaction_id, state="routing", ticket=1, expires_at=CHAT_AT
        )

    async def _place(self, call: Call, request: PlaceInQueue) -> StateAnswer:
        self._may_refuse("place")
        self._owned_by(call, request.interaction_id)
        found, view, _ = self.owned.pop(request.interaction_id)
        self.journal.append(("place", request.interaction_id, request.queue))
        self.submit(view, found)
        return StateAnswer(interaction_id=request.interaction_id, state="queued")

    def _owned_by(self, call: Call, name: str) -> None:
        if name not in self.owned or self.owned[name][2] is not call.peer:
            raise PacelineError("not_owner", f"{name} is not yours")


class Statistics:
    """Target states of agent groups, changed by `show`."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, AgentTargetState]] = defaultdict(dict)
        self.unknown: set[str] = set()
        self.opened: list[str] = []
        self._streams: list[tuple[Peer, int, tuple[int, ...]]] = []

    def handlers(self) -> Handlers:
        """The operations the router uses."""
        return {"statistic.open": self._open, "statistic.stream": self._stream}

    def show(
        self,
        group: str,
        agent: str,
        *,
        current: int = 0,
        maximum: int = 1,
        since: str = CHAT_AT,
        ready: bool = True,
        media: str = "chat",
    ) -> None:
        """An agent's state in one medium, told to whoever follows the group."""
        capacity = MediaCapacity(
            current=current, maximum=maximum, ready=ready, routable=ready and current < maximum
        )
        state = AgentTargetState(agent=agent, ready_since=since, media={media: capacity})
        self.states[group][agent] = state
        self._tell(group, changed=(state,))

    def hide(self, group: str, agent: str) -> None:
        """The agent logged out or left the group."""
        del self.states[group][agent]
        self._tell(group, removed=(agent,))

    def _tell(
        self,
        group: str,
        *,
        changed: tuple[AgentTargetState, ...] = (),
        removed: tuple[str, ...] = (),
    ) -> None:
        for peer, subscription, ids in self._streams:
            if group in self.opened and self.opened.index(group) in ids:
                notice = StatisticChanges(
                    id=self.opened.index(group), changed=changed, removed=removed, position="1"
                )
                peer.notify("statistic.stream", notice, subscription=subscription)

    async def _open(self, call: Call, request: OpenStatistics) -> OpenedMany:
        results = []
        for item in request.items:
            if item.object in self.unknown:
                results.append(Opened(error=f"there is no agent group '{item.object}'"))
                continue
            if item.object not in self.opened:
                self.opened.append(item.object)
            results.append(Opened(id=self.opened.index(item.object)))
        return OpenedMany(items=tuple(results))

    async def _stream(self, call: Call, request: StreamStatistics) -> StatisticsSubscribed:
        peer = call.needs_peer("statistic.stream")
        stream: list[tuple[Peer, int, tuple[int, ...]]] = []
        number = peer.open_subscription(lambda: self._streams.remove(stream[0]))
        stream.append((peer, number, request.ids))
        self._streams.append(stream[0])
        for opened in request.ids:
            states = tuple(self.states[self.opened[opened]].values())
            notice = StatisticChanges(id=opened, changed=states, position="0")
            peer.notify("statistic.stream", notice, subscription=number)
        return StatisticsSubscribed(subscription=number, position="0")
