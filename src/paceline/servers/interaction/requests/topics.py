"""Agent topics for those who listen now, and clients' own reporting events."""

import asyncio
from typing import Any

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.instant import to_text
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane, actor_of
from paceline.servers.interaction.requests.once import submit_once
from paceline.wire.call import Call, Handlers, Peer
from paceline.wire.operation import Done
from paceline.wire.operations.event import Subscribed
from paceline.wire.operations.topic import (
    DistributeEvent,
    Publish,
    Published,
    SubscribeTopics,
    UserEvent,
)
from paceline.wire.user_data import checked


class TopicRequests:
    """Handlers of the topic operations and of event.distribute."""

    def __init__(self, lane: NodeLane) -> None:
        self._lane = lane
        self._listeners: dict[tuple[int, str], list[tuple[Peer, int]]] = {}

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {
            "topic.subscribe": self.subscribe,
            "topic.publish": self.publish,
            "event.distribute": self.distribute,
        }

    async def subscribe(self, call: Call, request: SubscribeTopics) -> Subscribed:
        """The caller gets what is published to the topic from now on."""
        peer = call.needs_peer("topic.subscribe")
        topic = (call.tenant_of(request.tenant), request.topic)
        number = peer.open_subscription(lambda: self._end(topic, peer, number))
        self._listeners.setdefault(topic, []).append((peer, number))
        return Subscribed(subscription=number)

    async def publish(self, call: Call, request: Publish) -> Published:
        """Sends it to all who listen now; one who is too slow loses the subscription, not a part."""
        _check_object(request.content, "content")
        event = UserEvent(
            topic=request.topic,
            content=request.content,
            published_by=actor_of(call),
            at=to_text(self._lane.node.times.business.now()),
        )
        topic = (call.tenant_of(request.tenant), request.topic)
        if call.idempotency_key is None:
            receivers = self._count(topic)
            self._send(topic, event)
            return Published(receivers=receivers)

        def apply(node: NodeState) -> Published:
            node.after_commit(lambda: self._send(topic, event))
            return Published(receivers=self._count(topic))

        work = Work(apply)
        sent: Published = await submit_once(
            self._lane, call, "topic.publish", request, work, Published
        )
        return sent

    def _count(self, topic: tuple[int, str]) -> int:
        return len(self._listeners.get(topic, ()))

    def _send(self, topic: tuple[int, str], event: UserEvent) -> None:
        for peer, number in tuple(self._listeners.get(topic, ())):
            peer.notify("topic.subscribe", event, subscription=number)

    def distribute(self, call: Call, request: DistributeEvent) -> "asyncio.Future[Done]":
        """Writes EventCustomReporting; after an error with a known outcome it is not in the log."""
        tenant = call.tenant_of(request.tenant)
        actor = actor_of(call)
        _check_object(request.payload, "payload")
        key = (tenant, request.interaction_id or "")

        def apply(node: NodeState) -> Done:
            if request.agent is not None:
                node.agent_id(tenant, request.agent)
            about: dict[str, Any] = {"tenant": tenant}
            if request.interaction_id is not None:
                finished = node.finished(key)
                about = {"row": finished.row if finished is not None else node.row(key)}
            data = {"event": request.event, "payload": request.payload}
            node.event(
                events.CUSTOM_REPORTING,
                actor,
                agent=request.agent,
                reason=request.reason,
                data=data,
                **about,
            )
            return Done()

        keys = (key,) if request.interaction_id is not None else ()
        work = Work(apply, keys=keys)
        return submit_once(self._lane, call, "event.distribute", request, work, Done)

    def _end(self, topic: tuple[int, str], peer: Peer, number: int) -> None:
        listeners = self._listeners.get(topic, [])
        left = [(p, n) for p, n in listeners if (p.session_id, n) != (peer.session_id, number)]
        if left:
            self._listeners[topic] = left
        else:
            self._listeners.pop(topic, None)


def _check_object(raw: msgspec.Raw, field: str) -> None:
    """A JSON object within the limits of user data, as the only form that readers must expect."""
    try:
        checked(raw)
    except PacelineError as refusal:
        message = refusal.message.replace("user_data", field)
        raise PacelineError(refusal.name, message, field=field) from None
