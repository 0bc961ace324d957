"""Typed client of the interaction server. Written by `make docs` from the operations; do not edit."""

from collections.abc import Awaitable, Callable

from msgspec import Raw

from paceline.sdk.connection import Connection, Subscription
from paceline.wire.operation import Done
from paceline.wire.operations.agent import (
    AgentList,
    AgentPage,
    AgentRef,
    AgentSession,
    Login,
    MediaRef,
)
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.event import (
    EventNotice,
    EventPage,
    ReadEvents,
    StreamEvents,
    Subscribed,
)
from paceline.wire.operations.everywhere import Findings, Nothing, Pong, Status
from paceline.wire.operations.interaction import (
    Abandon,
    Accept,
    ChangeProperties,
    Deliver,
    Delivered,
    EnterVirtualQueue,
    Find,
    Found,
    Interaction,
    LeaveVirtualQueue,
    PlaceInQueue,
    Pull,
    Pulled,
    QueueList,
    QueuePage,
    Ref,
    Reject,
    Revoke,
    StateAnswer,
    Stop,
    Submit,
    SubmitBatch,
    Submitted,
    SubmittedBatch,
    ViewPage,
)

_OPERATIONS = OPERATIONS_OF["interaction"]


class _Server:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def status(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Status]:
        """Status and mode of this server."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["server.status"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def ping(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Pong]:
        """Answered at once, with the state of each node behind the server."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["server.ping"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def findings(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Findings]:
        """Configuration mistakes and obstacles: object, field, consequence, fix."""
        request = Nothing()
        return self._connection.call(
            _OPERATIONS["server.findings"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Interaction:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def submit(
        self,
        *,
        media_type: str,
        queue: str,
        interaction_type: str = "Inbound",
        interaction_subtype: str = "InboundNew",
        interaction_id: str | None = None,
        client_token: str | None = None,
        external_id: str | None = None,
        parent_id: str | None = None,
        priority: int = 0,
        received_at: str | None = None,
        is_online: bool = False,
        scheduled_at: str | None = None,
        user_data: Raw = Raw(b"{}"),
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Submitted]:
        """Stores a new interaction in a queue."""
        request = Submit(
            media_type=media_type,
            queue=queue,
            interaction_type=interaction_type,
            interaction_subtype=interaction_subtype,
            interaction_id=interaction_id,
            client_token=client_token,
            external_id=external_id,
            parent_id=parent_id,
            priority=priority,
            received_at=received_at,
            is_online=is_online,
            scheduled_at=scheduled_at,
            user_data=user_data,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.submit"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def submit_batch(
        self,
        *,
        interactions: tuple[Submit, ...],
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[SubmittedBatch]:
        """Stores several interactions; each succeeds or fails for itself."""
        request = SubmitBatch(interactions=interactions)
        return self._connection.call(
            _OPERATIONS["interaction.submit_batch"],
            request,
            timeout_s=timeout_s,
            key=idempotency_key,
        )

    def get(
        self,
        *,
        interaction_id: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Interaction]:
        """All properties of an interaction, finished ones included until their retention ends."""
        request = Ref(interaction_id=interaction_id, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["interaction.get"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def change(
        self,
        *,
        interaction_id: str,
        added: dict[str, Raw] = {},
        changed: dict[str, Raw] = {},
        deleted: tuple[str, ...] = (),
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Adds, changes and deletes properties."""
        request = ChangeProperties(
            interaction_id=interaction_id,
            added=added,
            changed=changed,
            deleted=deleted,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.change"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def find(
        self,
        *,
        condition: str = "",
        order: str = "",
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Found]:
        """Interactions that meet a condition, in an order, page by page."""
        request = Find(
            condition=condition, order=order, limit=limit, continuation=continuation, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["interaction.find"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def place_in_queue(
        self,
        *,
        interaction_id: str,
        queue: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Puts it into a queue, or back into the one it came from."""
        request = PlaceInQueue(
            interaction_id=interaction_id, queue=queue, reason=reason, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["interaction.place_in_queue"],
            request,
            timeout_s=timeout_s,
            key=idempotency_key,
        )

    def enter_virtual_queue(
        self,
        *,
        interaction_id: str,
        virtual_queue: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Enters a virtual queue."""
        request = EnterVirtualQueue(
            interaction_id=interaction_id, virtual_queue=virtual_queue, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["interaction.enter_virtual_queue"],
            request,
            timeout_s=timeout_s,
            key=idempotency_key,
        )

    def leave_virtual_queue(
        self,
        *,
        interaction_id: str,
        reason: str = "cleared",
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Leaves its virtual queue."""
        request = LeaveVirtualQueue(interaction_id=interaction_id, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["interaction.leave_virtual_queue"],
            request,
            timeout_s=timeout_s,
            key=idempotency_key,
        )

    def deliver(
        self,
        *,
        interaction_id: str,
        agent: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Delivered]:
        """Offers it to an agent."""
        request = Deliver(interaction_id=interaction_id, agent=agent, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["interaction.deliver"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def accept(
        self,
        *,
        interaction_id: str,
        ticket: int,
        agent: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """The invited agent takes it; the one who has it already gets the same answer."""
        request = Accept(interaction_id=interaction_id, ticket=ticket, agent=agent, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["interaction.accept"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def reject(
        self,
        *,
        interaction_id: str,
        ticket: int,
        agent: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """The invited agent refuses it."""
        request = Reject(
            interaction_id=interaction_id, ticket=ticket, agent=agent, reason=reason, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["interaction.reject"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def revoke(
        self,
        *,
        interaction_id: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Takes an unanswered offer back."""
        request = Revoke(interaction_id=interaction_id, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["interaction.revoke"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def abandon(
        self,
        *,
        interaction_id: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """The visitor has left."""
        request = Abandon(interaction_id=interaction_id, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["interaction.abandon"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def stop(
        self,
        *,
        interaction_id: str,
        agent: str | None = None,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Ends its processing."""
        request = Stop(interaction_id=interaction_id, agent=agent, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["interaction.stop"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _View:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pull(
        self,
        *,
        view: str,
        count: int = 1,
        hold_s: float = 0.0,
        client: str | None = None,
        for_strategy: bool = False,
        agent: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Pulled]:
        """Takes the next interactions of a view, in its order."""
        request = Pull(
            view=view,
            count=count,
            hold_s=hold_s,
            client=client,
            for_strategy=for_strategy,
            agent=agent,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["view.pull"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def list(
        self,
        *,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[ViewPage]:
        """Views with their depth."""
        request = QueueList(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["view.list"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Queue:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[QueuePage]:
        """Interaction queues with depth and oldest."""
        request = QueueList(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["queue.list"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Agent:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def login(
        self,
        *,
        agent: str,
        place: str | None = None,
        media: tuple[str, ...] = (),
        ready: bool = False,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Begins the agent's session, or attaches to the one that exists at the same place."""
        request = Login(
            agent=agent, place=place, media=media, ready=ready, reason=reason, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["agent.login"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def logout(
        self,
        *,
        agent: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Ends the agent's session; what the agent handled goes back to its queue."""
        request = AgentRef(agent=agent, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["agent.logout"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def list(
        self,
        *,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentPage]:
        """Logged-in agents with their media states."""
        request = AgentList(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["agent.list"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def dnd_on(
        self,
        *,
        agent: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Do not disturb: nothing is offered in any media type."""
        request = AgentRef(agent=agent, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["agent.dnd_on"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def dnd_off(
        self,
        *,
        agent: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Ends do not disturb."""
        request = AgentRef(agent=agent, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["agent.dnd_off"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Media:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self,
        *,
        agent: str,
        media: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Adds a media type to the session, not ready."""
        request = MediaRef(agent=agent, media=media, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["media.add"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def remove(
        self,
        *,
        agent: str,
        media: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Removes a media type."""
        request = MediaRef(agent=agent, media=media, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["media.remove"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def ready(
        self,
        *,
        agent: str,
        media: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """The agent is ready for the media type."""
        request = MediaRef(agent=agent, media=media, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["media.ready"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def not_ready(
        self,
        *,
        agent: str,
        media: str,
        reason: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """The agent is not ready for the media type."""
        request = MediaRef(agent=agent, media=media, reason=reason, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["media.not_ready"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Event:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[EventPage]:
        """Reporting events in order after a position."""
        request = ReadEvents(after=after, limit=limit, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["event.read"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def subscribe(
        self,
        make_request: Callable[[], StreamEvents],
        on_notice: Callable[[EventNotice], None],
        on_open: Callable[[Subscribed], None] | None = None,
    ) -> Subscription[EventNotice]:
        """Reporting events as they are committed, resumable by position."""
        return self._connection.subscribe(
            _OPERATIONS["event.stream"], make_request, on_notice, on_open
        )


class InteractionServerClient:
    """Every operation of the interaction server, by noun and verb."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.server = _Server(connection)
        self.interaction = _Interaction(connection)
        self.view = _View(connection)
        self.queue = _Queue(connection)
        self.agent = _Agent(connection)
        self.media = _Media(connection)
        self.event = _Event(connection)
