"""Submission of interactions: ids, client tokens, the first row and its event."""

import asyncio
import hashlib

import msgspec

from paceline.errors.failure import PacelineError
from paceline.model import events
from paceline.model.instant import to_millis, to_text
from paceline.model.interaction import InteractionState, Row
from paceline.runtime.ids import is_client_id
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane, actor_of
from paceline.servers.interaction.store.node import StoredToken, TokenKey
from paceline.wire.call import Call, Handlers
from paceline.wire.frames import error_body
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

_QUEUED = InteractionState.QUEUED.text
_encode = msgspec.json.Encoder().encode
_answers = msgspec.json.Decoder(Submitted)
_FILTER_KEYS = frozenset(events.FILTER_KEYS)


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
        """Several submissions; each succeeds or fails for itself."""
        if len(request.interactions) > MAX_BATCH:
            raise PacelineError(
                "limit_reached",
                f"a batch holds at most {MAX_BATCH} interactions",
                field="interactions",
            )
        futures: list[asyncio.Future[Submitted] | PacelineError] = []
        for item in request.interactions:
            try:
                futures.append(self._lane.submit(call, self._work(call, item, item.client_token)))
            except PacelineError as error:
                futures.append(error)
        return SubmittedBatch(items=tuple([await _item(call, future) for future in futures]))

    def _work(self, call: Call, request: Submit, token: str | None) -> Work:
        tenant = call.tenant_of(request.tenant)
        keys = checked(request.user_data)
        values = {name: msgspec.json.decode(keys[name]) for name in _FILTER_KEYS.intersection(keys)}
        received_at = (
            to_millis(request.received_at, field="received_at") if request.received_at else None
        )
        scheduled_at = (
            to_millis(request.scheduled_at, field="scheduled_at") if request.scheduled_at else None
        )
        client_id = request.interaction_id
        if client_id is not None and not is_client_id(client_id):
            raise PacelineError(
                "invalid_attribute",
                "a client-made interaction_id has 1 to 64 of A-Z a-z 0-9 . _ ~ - and not a generated id's form",
                field="interaction_id",
            )
        token_key: TokenKey | None = (
            (tenant, call.principal.name, OPERATION, token) if token else None
        )
        body_hash = hashlib.blake2b(_encode(request), digest_size=16).digest() if token_key else b""
        actor = actor_of(call)
        user_data = bytes(request.user_data).decode()

        def apply(node: NodeState) -> Submitted:
            if token_key is not None and (known := node.token(token_key)) is not None:
                return _repeated(known, body_hash)
            queue_id = node.queue_id(tenant, request.queue)
            if client_id is not None and node.is_used((tenant, client_id)):
                raise PacelineError(
                    "duplicate_interaction_id",
                    f"interaction_id '{client_id}' is used in tenant {tenant}",
                    field="interaction_id",
                )
            node.submit_seq += 1
            row = _row(node, request, tenant, queue_id, actor, received_at, scheduled_at)
            node.insert(row, user_data)
            node.event(
                events.INTERACTION_SUBMITTED,
                actor,
                row=row,
                with_queue=True,
                data={
                    "interaction_type": row.interaction_type,
                    "interaction_subtype": row.interaction_subtype,
                    "priority": row.priority,
                    "received_at": to_text(row.received_at),
                    "submit_seq": row.submit_seq,
                    "is_online": row.is_online,
                    "keys": values,
                },
            )
            if client_id is not None:
                node.use_id(row.key)
            answer = Submitted(
                interaction_id=row.interaction_id,
                state=_QUEUED,
                queue=request.queue,
                submit_seq=row.submit_seq,
            )
            if token_key is not None:
                life = self._lane.settings.current.seconds("settings", "client-token-retention")
                stored = StoredToken(body_hash, _encode(answer).decode())
                node.use_token(token_key, stored, node.now + int(life * 1000))
            return answer

        return Work(
            apply,
            client_ids=((tenant, client_id),) if client_id is not None else (),
            tokens=(token_key,) if token_key is not None else (),
        )


async def _item(call: Call, future: "asyncio.Future[Submitted] | PacelineError") -> BatchItem:
    try:
        if isinstance(future, PacelineError):
            raise future
        return BatchItem(result=await future)
    except PacelineError as error:
        return BatchItem(error=error_body(error, call.request_id))


def _repeated(known: StoredToken, body_hash: bytes) -> Submitted:
    if known.body_hash != body_hash:
        raise PacelineError(
            "idempotency_key_reused",
            "this client_token was used with another body; use a new one",
            field="client_token",
        )
    answer: Submitted = _answers.decode(known.answer)
    return answer


def _row(
    node: NodeState,
    request: Submit,
    tenant: int,
    queue_id: int,
    actor: str,
    received_at: int | None,
    scheduled_at: int | None,
) -> Row:
    now = node.now
    interaction_id = request.interaction_id or str(node.ids.next())
    return Row(
        tenant_id=tenant,
        interaction_id=interaction_id,
        state=0,
        media_type=request.media_type,
        interaction_type=request.interaction_type,
        interaction_subtype=request.interaction_subtype,
        queue_id=queue_id,
        priority=request.priority,
        submit_seq=node.submit_seq,
        queue_seq=node.submit_seq,
        received_at=now if received_at is None else received_at,
        submitted_at=now,
        queued_at=now,
        assigned_at=None,
        delivered_at=None,
        abandoned_at=None,
        scheduled_at=scheduled_at,
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
        submitted_by=actor,
        version=1,
        properties_version=1,
    )
