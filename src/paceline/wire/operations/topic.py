"""Operations on agent topics (publish and subscribe) and on clients' own reporting events.

Topics are for those who listen now: nothing is stored. A custom event is a reporting event like any.
"""

from typing import Annotated

import msgspec

from paceline.wire.operation import (
    ALL_CLIENT_KINDS,
    Answer,
    Done,
    HttpRoute,
    Operation,
    ReasonCode,
    Request,
    collect,
    empty_object,
)
from paceline.wire.operations.event import Subscribed

Topic = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]


class SubscribeTopics(Request, frozen=True, kw_only=True):
    """Listens to a topic until the subscription or the session ends."""

    topic: Topic
    tenant: int | None = None


class Publish(Request, frozen=True, kw_only=True):
    """Sends a JSON object to all who listen to a topic now."""

    topic: Topic
    content: msgspec.Raw = msgspec.field(default_factory=empty_object)
    tenant: int | None = None


class Published(Answer, frozen=True, kw_only=True):
    """How many subscriptions got it."""

    receivers: int


class UserEvent(Answer, frozen=True, kw_only=True):
    """Notice: EventUserEvent, something that was published to the topic."""

    topic: str
    content: msgspec.Raw
    published_by: str
    at: str


class DistributeEvent(Request, frozen=True, kw_only=True):
    """A client's own reporting event (RequestDistributeEvent), perhaps about an interaction or an agent.

    `event` is the client's number of the event; the payload is a JSON object of at most 1 MiB.
    """

    event: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
    interaction_id: str | None = None
    agent: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None
    payload: msgspec.Raw = msgspec.field(default_factory=empty_object)
    tenant: int | None = None


_PUBLISHERS = ALL_CLIENT_KINDS - {"reporting"}
"""A reporting client only listens."""

OPERATIONS = collect(
    (
        Operation(name="topic.subscribe", request=SubscribeTopics, answer=Subscribed, right=("agent", "read"), stream=True, http=HttpRoute("WS", "/v1/topics/stream"), summary="What is published to a topic from now on."),
        Operation(name="topic.publish", request=Publish, answer=Published, right=("agent", "execute"), client_kinds=_PUBLISHERS, idempotency="key", http=HttpRoute("POST", "/v1/topics/{topic}/publish"), summary="Publishes to all who listen to a topic now."),
        Operation(name="event.distribute", request=DistributeEvent, answer=Done, right=("agent", "execute"), client_kinds=_PUBLISHERS, idempotency="key", http=HttpRoute("POST", "/v1/events"), summary="Writes a reporting event of the client's own: EventCustomReporting."),
    )
)  # fmt: skip
NOTICES: dict[str, type[Answer]] = {"topic.subscribe": UserEvent}
