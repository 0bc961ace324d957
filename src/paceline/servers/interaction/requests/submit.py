"""Submission of interactions: ids, client tokens, the first row and its event."""

import asyncio
from typing import cast

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.instant import to_millis, to_text
from paceline.model.interaction import InteractionState, Row
from paceline.runtime.ids import is_client_id
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import (
    handled_by,
    owner_added,
    place_in_workbin,
)
from paceline.servers.interaction.live.workbin_watchers import Bin
from paceline.servers.interaction.live.workbins import workbin_of
from paceline.servers.interaction.requests.lane import NodeLane, actor_of
from paceline.servers.interaction.requests.property_changes import check_parent
from paceline.servers.interaction.requests.workbin_room import NO_LIMIT, Room
from paceline.servers.interaction.rules.destinations import Destinations, packed
from paceline.servers.interaction.rules.filter_keys import filter_values
from paceline.servers.interaction.store.node import TokenKey
from paceline.wire.call import Call, Handlers
from paceline.wire.frames import error_body
from paceline.wire.once import again, kept
from paceline.wire.operations.interaction import (
    BatchItem,
    Submit,
    SubmitBatch,
    Submitted,
    SubmittedBatch,
)
from paceline.wire.user_data import checked

OPERATION = "interaction.submit"
MAX_BATCH = 1000
"""Most interactions in one batch request (chosen: the largest page of a list)."""

_STATES = tuple(state.text for state in InteractionState)


class SubmitRequests:
    """Handlers of `interaction.submit` and `interaction.submit_batch`."""

    def __init__(self, lane: NodeLane) -> None:
        self._lane = lane

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {OPERATION: self.submit, "interaction.submit_batch": self.submit_batch}

    def submit(self, call: Call, request: Submit) -> "asyncio.Future[Submitted]":
        """One submission; answered after its commit."""
        return self._lane.submit(
            call, self._work(call, request, request.client_token or call.idempotency_key)
        )

    async def submit_batch(self, call: Call, request: SubmitBatch) -> SubmittedBatch:
        """Several submissions; each succeeds or fails for itself.

        An item without a token of its own is made repeatable by the request's Idempotency-Key.
        """
        if len(request.interactions) > MAX_BATCH:
            raise PacelineError(
                "limit_reached",
                f"a batch holds at most {MAX_BATCH} interactions",
                field="interactions",
            )
        futures: list[asyncio.Future[Submitted] | PacelineError] = []
        for place, item in enumerate(request.interactions):
            of_batch = f"{call.idempotency_key}#{place}" if call.idempotency_key else None
            try:
                work = self._work(call, item, item.client_token or of_batch)
                futures.append(self._lane.submit(call, work))
            except PacelineError as error:
                futures.append(error)
        return SubmittedBatch(items=tuple([await _item(call, future) for future in futures]))

    def _work(self, call: Call, request: Submit, token: str | None) -> Work:
        tenant = call.tenant_of(request.tenant)
        check_media_type(self._lane, call, tenant, request.media_type)
        parent = () if request.parent_id is None else ((tenant, request.parent_id),)
        submission = _Submission(
            request=request,
            tenant=tenant,
            actor=actor_of(call),
            filter_values=filter_values(checked(request.user_data)),
            received_at=_instant(request.received_at, "received_at"),
            scheduled_at=_instant(request.scheduled_at, "scheduled_at"),
            agent=_agent_of(call, request),
            room=_room(self._lane, tenant, request),
        )
        bins = submission.room.bins
        client_id = request.interaction_id
        if client_id is not None and not is_client_id(client_id):
            raise PacelineError(
                "invalid_attribute",
                "a client-made interaction_id has 1 to 64 of A-Z a-z 0-9 . _ ~ - and not a generated id's form",
                field="interaction_id",
            )
        client_ids = ((tenant, client_id),) if client_id is not None else ()
        if not token:
            return Work(submission.apply, keys=parent, client_ids=client_ids, bins=bins)
        key: TokenKey = (tenant, call.principal.name, OPERATION, token)

        def apply_once(node: NodeState) -> Submitted:
            if (known := node.token(key)) is not None:
                return cast(Submitted, again(known, request, Submitted, field="client_token"))
            answer = submission.apply(node)
            life = self._lane.settings.current.seconds("settings", "client-token-retention")
            node.use_token(key, kept(request, answer), node.now + int(life * 1000))
            return answer

        return Work(apply_once, keys=parent, client_ids=client_ids, new_tokens=(key,), bins=bins)


class _Submission(msgspec.Struct, frozen=True):
    """A checked submission, ready for its turn in the lane."""

    request: Submit
    tenant: int
    actor: str
    filter_values: dict[str, str]
    received_at: int | None
    scheduled_at: int | None
    agent: str | None
    room: Room

    def apply(self, node: NodeState) -> Submitted:
        """Stores it and reports it."""
        request, tenant = self.request, self.tenant
        queue_id = node.queue_id(tenant, request.queue)
        client_id = request.interaction_id
        if client_id is not None and node.is_used((tenant, client_id)):
            raise PacelineError(
                "duplicate_interaction_id",
                f"interaction_id '{client_id}' is used in tenant {tenant}",
                field="interaction_id",
            )
        if request.parent_id is not None:
            check_parent(node, None, (tenant, request.parent_id))
        agent = None if self.agent is None else node.logged_in(tenant, self.agent)
        place = None if request.workbin is None else self._workbin(node, request.workbin)
        destinations = self._destinations(node)
        node.submit_seq += 1
        row = self._row(node, queue_id, destinations)
        if agent is not None and place is None:
            row = handled_by(node, row, agent)
        node.insert(row, bytes(request.user_data).decode())
        at = row.scheduled_at
        more: dict[str, object] = {} if at is None else {"scheduled_at": to_text(at)}
        if destinations is not None:
            more |= {"in_queues": request.in_queues, "out_queues": request.out_queues}
        node.event(
            events.INTERACTION_SUBMITTED,
            self.actor,
            row=row,
            with_queue=True,
            data={
                "interaction_type": row.interaction_type,
                "interaction_subtype": row.interaction_subtype,
                "priority": row.priority,
                "received_at": to_text(row.received_at),
                "submit_seq": row.submit_seq,
                "is_online": row.is_online,
                "keys": self.filter_values,
                **more,
            },
        )
        if client_id is not None:
            node.use_id(row.key)
        if place is not None:
            row = place_in_workbin(node, row, *place, self.actor, None)
        elif agent is not None:
            owner_added(node, row, agent, self.actor)
        return Submitted(
            interaction_id=row.interaction_id,
            state=_STATES[row.state],
            queue=request.queue,
            submit_seq=row.submit_seq,
        )

    def _workbin(self, node: NodeState, name: str) -> tuple[int, int]:
        if self.request.owner is None:
            raise PacelineError(
                "invalid_attribute", "a workbin needs the name of its owner", field="owner"
            )
        place = Bin(self.tenant, *workbin_of(node, self.tenant, name, self.request.owner))
        self.room.check(node, place)
        return place.workbin_id, place.owner_id

    def _row(self, node: NodeState, queue_id: int, destinations: str | None) -> Row:
        request, now = self.request, node.now
        return Row(
            tenant_id=self.tenant,
            interaction_id=request.interaction_id or str(node.ids.next()),
            state=0,
            media_type=request.media_type,
            interaction_type=request.interaction_type,
            interaction_subtype=request.interaction_subtype,
            queue_id=queue_id,
            priority=request.priority,
            submit_seq=node.submit_seq,
            queue_seq=node.submit_seq,
            received_at=now if self.received_at is None else self.received_at,
            submitted_at=now,
            queued_at=now,
            assigned_at=None,
            delivered_at=None,
            abandoned_at=None,
            scheduled_at=self.scheduled_at,
            is_online=request.is_online,
            is_locked=False,
            is_held=False,
            agent_id=None,
            place_id=None,
            router_session=None,
            ticket=0,
            ticket_until=None,
            virtual_queue_id=None,
            virtual_queue_at=None,
            external_id=request.external_id,
            parent_id=request.parent_id,
            submitted_by=self.actor,
            version=1,
            properties_version=1,
            destinations=destinations,
            custom=node.custom.of(self.tenant, request.user_data),
        )

    def _destinations(self, node: NodeState) -> str | None:
        request, tenant = self.request, self.tenant
        if not (request.in_queues or request.out_queues):
            return None
        return packed(
            Destinations(
                node.queue_ids(tenant, request.in_queues, field="in_queues"),
                node.queue_ids(tenant, request.out_queues, field="out_queues"),
            )
        )


def check_media_type(lane: NodeLane, call: Call, tenant: int, media_type: str) -> None:
    """Refuses a disabled media type as the option accept-disabled-media says.

    Raises
    ------
    PacelineError
        `not_allowed`, field media_type.
    """
    options = lane.node.media_options.get((tenant, media_type))
    if options is None or options.is_enabled:
        return
    accepted = lane.settings.current.text("settings", "accept-disabled-media")
    if accepted == "none" or (accepted == "media-servers" and call.client_kind != "media_server"):
        raise PacelineError(
            "not_allowed",
            f"media type '{media_type}' is disabled; accept-disabled-media is '{accepted}'",
            field="media_type",
        )


def _agent_of(call: Call, request: Submit) -> str | None:
    """The agent who handles what an agent's client submits; None when it waits."""
    if request.agent is not None or call.client_kind != "agent" or request.workbin is not None:
        return request.agent
    return call.principal.name


def _room(lane: NodeLane, tenant: int, request: Submit) -> Room:
    """The limit of the workbin that it is submitted into."""
    if request.workbin is None or request.owner is None:
        return NO_LIMIT
    return Room.of(lane, tenant, request.workbin, request.owner)


def _instant(text: str | None, field: str) -> int | None:
    return None if text is None else to_millis(text, field=field)


async def _item(call: Call, future: "asyncio.Future[Submitted] | PacelineError") -> BatchItem:
    try:
        if isinstance(future, PacelineError):
            raise future
        return BatchItem(result=await future)
    except PacelineError as error:
        return BatchItem(error=error_body(error, call.request_id))
