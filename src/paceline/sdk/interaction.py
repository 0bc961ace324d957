"""Typed client of the interaction server. Written by `make docs` from the operations; do not edit."""

from collections.abc import Awaitable, Callable
from typing import Literal

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
    PlaceAgentStates,
    PlaceList,
    PlaceLogin,
    PlacePage,
    PostMediaState,
    Reservation,
    Reserve,
    WatchAgents,
)
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.operations.client_session import SessionList, SessionPage
from paceline.wire.operations.event import (
    ConfirmEvents,
    EventNotice,
    EventPage,
    EventReaderPage,
    EventReaderRef,
    ListEventReaders,
    ReadEvents,
    StreamEvents,
    Subscribed,
)
from paceline.wire.operations.everywhere import Findings, Nothing, Pong, Status
from paceline.wire.operations.interaction import (
    Abandon,
    Accept,
    ChangeProperties,
    Children,
    Conference,
    Deliver,
    Delivered,
    EnterVirtualQueue,
    Find,
    Flag,
    Found,
    Interaction,
    Intrude,
    Leave,
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
    Transfer,
    ViewPage,
)
from paceline.wire.operations.privacy import Erase, Erased
from paceline.wire.operations.push import Attach, Attached, Detach
from paceline.wire.operations.snapshot import (
    MoveSnapshot,
    SnapshotInteractions,
    SnapshotMoved,
    SnapshotPage,
    SnapshotRef,
    SnapshotTaken,
    TakeSnapshot,
)
from paceline.wire.operations.topic import (
    DistributeEvent,
    Publish,
    Published,
    SubscribeTopics,
    UserEvent,
)
from paceline.wire.operations.workbin import (
    Content,
    PlaceInWorkbin,
    PullFromWorkbin,
    Unwatch,
    Watch,
    Watching,
    WorkbinContent,
    WorkbinContentChanged,
    WorkbinCounts,
    WorkbinPage,
    WorkbinStatistics,
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
        agent: str | None = None,
        workbin: str | None = None,
        owner: str | None = None,
        in_queues: tuple[str, ...] = (),
        out_queues: tuple[str, ...] = (),
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
            agent=agent,
            workbin=workbin,
            owner=owner,
            in_queues=in_queues,
            out_queues=out_queues,
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
        external_id: str | None = None,
        parent_id: str | None = None,
        priority: int | None = None,
        in_queues: tuple[str, ...] | None = None,
        out_queues: tuple[str, ...] | None = None,
        agent: str | None = None,
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
            external_id=external_id,
            parent_id=parent_id,
            priority=priority,
            in_queues=in_queues,
            out_queues=out_queues,
            agent=agent,
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
        include_finished: bool = False,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Found]:
        """Interactions that meet a condition, in an order, page by page."""
        request = Find(
            condition=condition,
            order=order,
            limit=limit,
            continuation=continuation,
            include_finished=include_finished,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.find"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def place_in_queue(
        self,
        *,
        interaction_id: str,
        queue: str,
        hold: bool = False,
        added: dict[str, Raw] = {},
        changed: dict[str, Raw] = {},
        deleted: tuple[str, ...] = (),
        agent: str | None = None,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Puts it into a queue, or back into the one it came from."""
        request = PlaceInQueue(
            interaction_id=interaction_id,
            queue=queue,
            hold=hold,
            added=added,
            changed=changed,
            deleted=deleted,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
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
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Leaves its virtual queue."""
        request = LeaveVirtualQueue(
            interaction_id=interaction_id, reason=reason, reason_code=reason_code, tenant=tenant
        )
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
        agent: str | None = None,
        place: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Delivered]:
        """Offers it to an agent."""
        request = Deliver(interaction_id=interaction_id, agent=agent, place=place, tenant=tenant)
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
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """The invited agent refuses it."""
        request = Reject(
            interaction_id=interaction_id,
            ticket=ticket,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.reject"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def revoke(
        self,
        *,
        interaction_id: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Takes an unanswered offer back."""
        request = Revoke(
            interaction_id=interaction_id, reason=reason, reason_code=reason_code, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["interaction.revoke"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def abandon(
        self,
        *,
        interaction_id: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """The visitor has left."""
        request = Abandon(
            interaction_id=interaction_id, reason=reason, reason_code=reason_code, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["interaction.abandon"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def stop(
        self,
        *,
        interaction_id: str,
        agent: str | None = None,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Ends its processing."""
        request = Stop(
            interaction_id=interaction_id,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.stop"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def transfer(
        self,
        *,
        interaction_id: str,
        agent: str,
        to_agent: str | None = None,
        to_place: str | None = None,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Delivered]:
        """Hands it to another agent, who is invited."""
        request = Transfer(
            interaction_id=interaction_id,
            agent=agent,
            to_agent=to_agent,
            to_place=to_place,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.transfer"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def conference(
        self,
        *,
        interaction_id: str,
        agent: str,
        to_agent: str | None = None,
        to_place: str | None = None,
        visibility: Literal["conference", "coach", "monitor"] = "conference",
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Delivered]:
        """Invites another agent to take part."""
        request = Conference(
            interaction_id=interaction_id,
            agent=agent,
            to_agent=to_agent,
            to_place=to_place,
            visibility=visibility,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.conference"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def intrude(
        self,
        *,
        interaction_id: str,
        agent: str,
        visibility: Literal["conference", "coach", "monitor"] = "conference",
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Asks the agent who has it to let another one take part; answered with the agent's answer."""
        request = Intrude(
            interaction_id=interaction_id,
            agent=agent,
            visibility=visibility,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.intrude"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def leave(
        self,
        *,
        interaction_id: str,
        agent: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """A party takes part no longer."""
        request = Leave(
            interaction_id=interaction_id,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.leave"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def hold(
        self,
        *,
        interaction_id: str,
        agent: str | None = None,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """No view shows it until it is resumed."""
        request = Flag(
            interaction_id=interaction_id,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.hold"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def resume(
        self,
        *,
        interaction_id: str,
        agent: str | None = None,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Ends a hold."""
        request = Flag(
            interaction_id=interaction_id,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.resume"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def lock(
        self,
        *,
        interaction_id: str,
        agent: str | None = None,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Locks a waiting interaction: no view shows it and nobody can pull it."""
        request = Flag(
            interaction_id=interaction_id,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.lock"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def unlock(
        self,
        *,
        interaction_id: str,
        agent: str | None = None,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Ends a lock; one of a snapshot ends with its snapshot only."""
        request = Flag(
            interaction_id=interaction_id,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.unlock"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def children(
        self,
        *,
        interaction_id: str,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Found]:
        """Interactions that name this one as their parent."""
        request = Children(
            interaction_id=interaction_id, limit=limit, continuation=continuation, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["interaction.children"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def place_in_workbin(
        self,
        *,
        interaction_id: str,
        workbin: str,
        owner: str,
        added: dict[str, Raw] = {},
        changed: dict[str, Raw] = {},
        deleted: tuple[str, ...] = (),
        agent: str | None = None,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[StateAnswer]:
        """Puts it into an owner's workbin."""
        request = PlaceInWorkbin(
            interaction_id=interaction_id,
            workbin=workbin,
            owner=owner,
            added=added,
            changed=changed,
            deleted=deleted,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["interaction.place_in_workbin"],
            request,
            timeout_s=timeout_s,
            key=idempotency_key,
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
        ignore_hold: bool = False,
        interaction_ids: tuple[str, ...] = (),
        reason: str | None = None,
        reason_code: int | None = None,
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
            ignore_hold=ignore_hold,
            interaction_ids=interaction_ids,
            reason=reason,
            reason_code=reason_code,
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


class _Workbin:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def content(
        self,
        *,
        workbin: str,
        owner: str,
        owner_type: Literal["agent", "agent_group", "place", "place_group"] | None = None,
        view: str | None = None,
        condition: str = "",
        order: str = "",
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Content]:
        """What is in an owner's workbin."""
        request = WorkbinContent(
            workbin=workbin,
            owner=owner,
            owner_type=owner_type,
            view=view,
            condition=condition,
            order=order,
            limit=limit,
            continuation=continuation,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["workbin.content"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def pull(
        self,
        *,
        workbin: str,
        owner: str,
        agent: str,
        view: str | None = None,
        interaction_ids: tuple[str, ...] = (),
        count: int = 1,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Pulled]:
        """An agent takes interactions out of a workbin."""
        request = PullFromWorkbin(
            workbin=workbin,
            owner=owner,
            agent=agent,
            view=view,
            interaction_ids=interaction_ids,
            count=count,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["workbin.pull"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def list(
        self,
        *,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[WorkbinPage]:
        """Workbins with their owner types and depth."""
        request = QueueList(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["workbin.list"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def statistics(
        self,
        *,
        agent: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[WorkbinCounts]:
        """Content of the workbins that an agent may look into."""
        request = WorkbinStatistics(agent=agent, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["workbin.statistics"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def subscribe(
        self,
        make_request: Callable[[], Watch],
        on_notice: Callable[[WorkbinContentChanged], None],
        on_open: Callable[[Watching], None] | None = None,
    ) -> Subscription[WorkbinContentChanged]:
        """Changes of an owner's workbin, told to this session."""
        return self._connection.subscribe(
            _OPERATIONS["workbin.stream"], make_request, on_notice, on_open
        )

    def stop_stream(
        self,
        *,
        subscription: int,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Ends a subscription of this session to a workbin."""
        request = Unwatch(subscription=subscription)
        return self._connection.call(
            _OPERATIONS["workbin.stop_stream"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Router:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def attach(
        self,
        *,
        views: tuple[str, ...],
        credit: int,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Attached]:
        """Interactions of views are pushed to this session, up to its credit."""
        request = Attach(views=views, credit=credit, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["router.attach"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def detach(
        self, *, timeout_s: float | None = None, idempotency_key: str | None = None
    ) -> Awaitable[Done]:
        """Nothing more is pushed to this session."""
        request = Detach()
        return self._connection.call(
            _OPERATIONS["router.detach"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Snapshot:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(
        self,
        *,
        view: str | None = None,
        condition: str = "",
        order: str = "",
        lock: bool = False,
        check_state: bool = True,
        max_interactions: int | None = None,
        snapshot_id: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[SnapshotTaken]:
        """Freezes the list of what a view or a condition selects."""
        request = TakeSnapshot(
            view=view,
            condition=condition,
            order=order,
            lock=lock,
            check_state=check_state,
            max_interactions=max_interactions,
            snapshot_id=snapshot_id,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["snapshot.take"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def page(
        self,
        *,
        snapshot_id: str,
        start: int = 0,
        count: int = 100,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[SnapshotInteractions]:
        """Interactions of a snapshot, page by page."""
        request = SnapshotPage(snapshot_id=snapshot_id, start=start, count=count, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["snapshot.page"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def move(
        self,
        *,
        snapshot_id: str,
        queue: str | None = None,
        workbin: str | None = None,
        owner: str | None = None,
        stop: bool = False,
        interaction_ids: tuple[str, ...] = (),
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[SnapshotMoved]:
        """Moves or stops what is in a snapshot."""
        request = MoveSnapshot(
            snapshot_id=snapshot_id,
            queue=queue,
            workbin=workbin,
            owner=owner,
            stop=stop,
            interaction_ids=interaction_ids,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["snapshot.move"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def release(
        self,
        *,
        snapshot_id: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Forgets a snapshot and unlocks what it locked."""
        request = SnapshotRef(snapshot_id=snapshot_id, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["snapshot.release"], request, timeout_s=timeout_s, key=idempotency_key
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
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Begins the agent's session, or attaches to the one that exists at the same place."""
        request = Login(
            agent=agent,
            place=place,
            media=media,
            ready=ready,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["agent.login"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def logout(
        self,
        *,
        agent: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Ends the agent's session; what the agent handled goes back to its queue."""
        request = AgentRef(agent=agent, reason=reason, reason_code=reason_code, tenant=tenant)
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
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Do not disturb: nothing is offered in any media type."""
        request = AgentRef(agent=agent, reason=reason, reason_code=reason_code, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["agent.dnd_on"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def dnd_off(
        self,
        *,
        agent: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Ends do not disturb."""
        request = AgentRef(agent=agent, reason=reason, reason_code=reason_code, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["agent.dnd_off"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def change_reason(
        self,
        *,
        agent: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Changes the agent's own reason; no state changes."""
        request = AgentRef(agent=agent, reason=reason, reason_code=reason_code, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["agent.change_reason"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def reserve(
        self,
        *,
        agent: str,
        interaction_id: str,
        duration_s: float | None = None,
        priority: int = 0,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Reservation]:
        """Reserves the agent for an interaction in routing; 0 seconds cancel."""
        request = Reserve(
            agent=agent,
            interaction_id=interaction_id,
            duration_s=duration_s,
            priority=priority,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["agent.reserve"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def subscribe(
        self,
        make_request: Callable[[], WatchAgents],
        on_notice: Callable[[PlaceAgentStates], None],
        on_open: Callable[[Subscribed], None] | None = None,
    ) -> Subscription[PlaceAgentStates]:
        """States of agents at places: all first, then what changes."""
        return self._connection.subscribe(
            _OPERATIONS["agent.watch"], make_request, on_notice, on_open
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
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Adds a media type to the session, not ready."""
        request = MediaRef(
            agent=agent, media=media, reason=reason, reason_code=reason_code, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["media.add"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def remove(
        self,
        *,
        agent: str,
        media: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Removes a media type."""
        request = MediaRef(
            agent=agent, media=media, reason=reason, reason_code=reason_code, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["media.remove"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def ready(
        self,
        *,
        agent: str,
        media: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """The agent is ready for the media type."""
        request = MediaRef(
            agent=agent, media=media, reason=reason, reason_code=reason_code, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["media.ready"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def not_ready(
        self,
        *,
        agent: str,
        media: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """The agent is not ready for the media type."""
        request = MediaRef(
            agent=agent, media=media, reason=reason, reason_code=reason_code, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["media.not_ready"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def change_reason(
        self,
        *,
        agent: str,
        media: str,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Changes the reason of the media type's state; the state stays."""
        request = MediaRef(
            agent=agent, media=media, reason=reason, reason_code=reason_code, tenant=tenant
        )
        return self._connection.call(
            _OPERATIONS["media.change_reason"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def set_state(
        self,
        *,
        agent: str,
        media: str,
        state: Literal["ready", "not_ready", "busy", "after_call_work"],
        reason: str | None = None,
        reason_code: int | None = None,
        calls: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """What a telephone system knows of the agent; counts in capacity."""
        request = PostMediaState(
            agent=agent,
            media=media,
            state=state,
            reason=reason,
            reason_code=reason_code,
            calls=calls,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["media.set_state"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Place:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def login(
        self,
        *,
        place: str,
        media: tuple[str, ...] = (),
        ready: bool = False,
        reason: str | None = None,
        reason_code: int | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[AgentSession]:
        """Begins a session of a place alone, or attaches to the one that exists; agent.logout ends it."""
        request = PlaceLogin(
            place=place,
            media=media,
            ready=ready,
            reason=reason,
            reason_code=reason_code,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["place.login"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def list(
        self,
        *,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[PlacePage]:
        """Places with the agent at each."""
        request = PlaceList(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["place.list"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Session:
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
    ) -> Awaitable[SessionPage]:
        """Client sessions connected to this node, with the agents each speaks for."""
        request = SessionList(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["session.list"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Event:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(
        self,
        *,
        after: str | None = None,
        limit: int = 100,
        interaction_id: str | None = None,
        reader: str | None = None,
        log_agent_state: bool = True,
        log_agent_activity: bool = True,
        log_queue: bool = True,
        log_strategy: bool = True,
        log_esp_service: bool = True,
        log_userdata: bool = True,
        event_filter_by_id: str = "",
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[EventPage]:
        """Reporting events in order after a position, of all or of one interaction."""
        request = ReadEvents(
            after=after,
            limit=limit,
            interaction_id=interaction_id,
            reader=reader,
            log_agent_state=log_agent_state,
            log_agent_activity=log_agent_activity,
            log_queue=log_queue,
            log_strategy=log_strategy,
            log_esp_service=log_esp_service,
            log_userdata=log_userdata,
            event_filter_by_id=event_filter_by_id,
            tenant=tenant,
        )
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

    def distribute(
        self,
        *,
        event: int,
        interaction_id: str | None = None,
        agent: str | None = None,
        reason: str | None = None,
        reason_code: int | None = None,
        payload: Raw = Raw(b"{}"),
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Writes a reporting event of the client's own: EventCustomReporting."""
        request = DistributeEvent(
            event=event,
            interaction_id=interaction_id,
            agent=agent,
            reason=reason,
            reason_code=reason_code,
            payload=payload,
            tenant=tenant,
        )
        return self._connection.call(
            _OPERATIONS["event.distribute"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _EventReader:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def confirm(
        self,
        *,
        reader: str,
        position: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Stores how far a reader has come; retention waits for it."""
        request = ConfirmEvents(reader=reader, position=position, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["event_reader.confirm"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def list(
        self,
        *,
        limit: int = 100,
        continuation: str | None = None,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[EventReaderPage]:
        """Registered readers and their positions."""
        request = ListEventReaders(limit=limit, continuation=continuation, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["event_reader.list"], request, timeout_s=timeout_s, key=idempotency_key
        )

    def forget(
        self,
        *,
        reader: str,
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Done]:
        """Retention waits for this reader no longer."""
        request = EventReaderRef(reader=reader, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["event_reader.forget"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Privacy:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def erase(
        self,
        *,
        key: str | None = None,
        value: str | None = None,
        interaction_ids: tuple[str, ...] = (),
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Erased]:
        """Erases a person's user data in interactions, finished ones and events."""
        request = Erase(key=key, value=value, interaction_ids=interaction_ids, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["privacy.erase"], request, timeout_s=timeout_s, key=idempotency_key
        )


class _Topic:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def subscribe(
        self,
        make_request: Callable[[], SubscribeTopics],
        on_notice: Callable[[UserEvent], None],
        on_open: Callable[[Subscribed], None] | None = None,
    ) -> Subscription[UserEvent]:
        """What is published to a topic from now on."""
        return self._connection.subscribe(
            _OPERATIONS["topic.subscribe"], make_request, on_notice, on_open
        )

    def publish(
        self,
        *,
        topic: str,
        content: Raw = Raw(b"{}"),
        tenant: int | None = None,
        timeout_s: float | None = None,
        idempotency_key: str | None = None,
    ) -> Awaitable[Published]:
        """Publishes to all who listen to a topic now."""
        request = Publish(topic=topic, content=content, tenant=tenant)
        return self._connection.call(
            _OPERATIONS["topic.publish"], request, timeout_s=timeout_s, key=idempotency_key
        )


class InteractionServerClient:
    """Every operation of the interaction server, by noun and verb."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.server = _Server(connection)
        self.interaction = _Interaction(connection)
        self.view = _View(connection)
        self.queue = _Queue(connection)
        self.workbin = _Workbin(connection)
        self.router = _Router(connection)
        self.snapshot = _Snapshot(connection)
        self.agent = _Agent(connection)
        self.media = _Media(connection)
        self.place = _Place(connection)
        self.session = _Session(connection)
        self.event = _Event(connection)
        self.event_reader = _EventReader(connection)
        self.privacy = _Privacy(connection)
        self.topic = _Topic(connection)
