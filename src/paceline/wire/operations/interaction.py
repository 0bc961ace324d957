"""Operations of the Interaction Server on interactions, queues and views. The proxy has the same face."""

from typing import Annotated, Any, Literal

import msgspec

from paceline.model.party import Role, Visibility
from paceline.wire.operation import (
    ALL_CLIENT_KINDS,
    Answer,
    ClientKind,
    HttpRoute,
    Operation,
    ReasonCode,
    Request,
    Verb,
    collect,
    empty_object,
)

Raw = msgspec.Raw
Priority = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
"""What the field's databases keep: 32 bits."""
DeliveryOutcome = Literal["accepted", "rejected", "revoked", "abandoned", "stopped"]
PartyOutcome = Literal["accepted", "rejected", "revoked"]


class Submit(Request, frozen=True, kw_only=True):
    """A new interaction. `user_data` is stored as it came: a JSON object of at most 1 MiB, depth 32.

    Of an agent's client it is handled by that agent at once; else it waits in the queue, or in the
    workbin of the owner named. `in_queues` and `out_queues` are what a desktop offers for it: where
    it may be put while it is worked on, and when it is done.
    """

    media_type: str
    interaction_type: str = "Inbound"
    interaction_subtype: str = "InboundNew"
    queue: str
    interaction_id: str | None = None
    client_token: str | None = None
    external_id: str | None = None
    parent_id: str | None = None
    priority: Priority = 0
    received_at: str | None = None
    is_online: bool = False
    scheduled_at: str | None = None
    user_data: Raw = msgspec.field(default_factory=empty_object)
    agent: str | None = None
    workbin: str | None = None
    owner: str | None = None
    in_queues: tuple[str, ...] = ()
    out_queues: tuple[str, ...] = ()
    tenant: int | None = None


class Submitted(Answer, frozen=True, kw_only=True):
    """The stored interaction. `submit_seq` grows with every submission of its node."""

    interaction_id: str
    state: str
    queue: str
    submit_seq: int


class SubmitBatch(Request, frozen=True, kw_only=True):
    """Several submissions; each succeeds or fails for itself."""

    interactions: tuple[Submit, ...]


class BatchItem(Answer, frozen=True, kw_only=True):
    """Result of one item of a batch: the submission, or the error's body."""

    result: Submitted | None = None
    error: dict[str, Any] | None = None


class SubmittedBatch(Answer, frozen=True, kw_only=True):
    """Results in the order of the request."""

    items: tuple[BatchItem, ...]


class Ref(Request, frozen=True, kw_only=True):
    """Names one interaction."""

    interaction_id: str
    tenant: int | None = None


class Interaction(Answer, frozen=True, kw_only=True):
    """All properties of an interaction. Names, not ids; instants RFC 3339."""

    interaction_id: str
    tenant: int
    state: str
    media_type: str
    interaction_type: str
    interaction_subtype: str
    queue: str | None = None
    priority: int = 0
    submit_seq: int = 0
    queue_seq: int = 0
    received_at: str
    submitted_at: str
    queued_at: str | None = None
    assigned_at: str | None = None
    delivered_at: str | None = None
    abandoned_at: str | None = None
    scheduled_at: str | None = None
    stopped_at: str | None = None
    stop_reason: str | None = None
    is_online: bool = False
    is_locked: bool = False
    is_held: bool = False
    agent: str | None = None
    place: str | None = None
    virtual_queue: str | None = None
    virtual_queue_at: str | None = None
    external_id: str | None = None
    parent_id: str | None = None
    submitted_by: str | None = None
    properties_version: int = 1
    workbin: str | None = None
    owner: str | None = None
    parties: tuple[str, ...] = ()
    in_queues: tuple[str, ...] = ()
    out_queues: tuple[str, ...] = ()
    user_data: Raw = msgspec.field(default_factory=empty_object)


class ChangeProperties(Request, frozen=True, kw_only=True):
    """Adds, changes and deletes user data keys; no key may be both set and deleted.

    Of the system properties only those named here can be changed; an empty list of queues takes all
    suggestions away. `agent`: who must have it.
    """

    interaction_id: str
    added: dict[str, Raw] = {}
    changed: dict[str, Raw] = {}
    deleted: tuple[str, ...] = ()
    external_id: str | None = None
    parent_id: str | None = None
    priority: Priority | None = None
    in_queues: tuple[str, ...] | None = None
    out_queues: tuple[str, ...] | None = None
    agent: str | None = None
    tenant: int | None = None


class StateAnswer(Answer, frozen=True, kw_only=True):
    """State after the operation: queued, cached, routing, handling or stopped."""

    interaction_id: str
    state: str


class Find(Request, frozen=True, kw_only=True):
    """Search by a condition of the view language, such as `ExternalId = 'A7'`, in work or finished too."""

    condition: str = ""
    order: str = ""
    limit: int = 100
    continuation: str | None = None
    include_finished: bool = False
    tenant: int | None = None


class Found(Answer, frozen=True, kw_only=True):
    """One page in the order asked for; `continuation` fetches the next one."""

    interactions: tuple[Interaction, ...]
    continuation: str | None = None
    complete: bool = True
    missing_nodes: tuple[str, ...] = ()


class PlaceInQueue(Request, frozen=True, kw_only=True):
    """Puts an interaction into a queue, by whoever owns it; `__BACK__` is where it came from.

    With `hold` no view shows it there until it is resumed. Properties change in the same step.
    """

    interaction_id: str
    queue: str
    hold: bool = False
    added: dict[str, Raw] = {}
    changed: dict[str, Raw] = {}
    deleted: tuple[str, ...] = ()
    agent: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Flag(Request, frozen=True, kw_only=True):
    """Holds, resumes, locks or unlocks an interaction. `agent`: who must have it."""

    interaction_id: str
    agent: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Transfer(Request, frozen=True, kw_only=True):
    """The agent who has it (`agent`) hands it to another one, who is invited and may refuse.

    The other one is named, or the place where it is logged in; both must go together.
    """

    interaction_id: str
    agent: str
    to_agent: str | None = None
    to_place: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Conference(Request, frozen=True, kw_only=True):
    """The agent who has it (`agent`) invites another one, named as in a transfer, to take part beside it."""

    interaction_id: str
    agent: str
    to_agent: str | None = None
    to_place: str | None = None
    visibility: Visibility = "conference"
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Intrude(Request, frozen=True, kw_only=True):
    """An outsider (`agent`) asks to take part; answered when the agent who has it has answered."""

    interaction_id: str
    agent: str
    visibility: Visibility = "conference"
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Leave(Request, frozen=True, kw_only=True):
    """A party leaves; when it is the owner, the one who joined first has it from then on."""

    interaction_id: str
    agent: str
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Children(Request, frozen=True, kw_only=True):
    """A page of the interactions that name this one as their parent, finished ones included."""

    interaction_id: str
    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class EnterVirtualQueue(Request, frozen=True, kw_only=True):
    """A router puts an interaction it has pulled into a virtual queue (by number)."""

    interaction_id: str
    virtual_queue: str
    tenant: int | None = None


class LeaveVirtualQueue(Request, frozen=True, kw_only=True):
    """A router takes an interaction out of its virtual queue other than by delivery or abandonment."""

    interaction_id: str
    reason: str = "cleared"
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Deliver(Request, frozen=True, kw_only=True):
    """A router offers an interaction that it has pulled to an agent, who has `delivering-timeout`.

    The agent is named, or the place where it is logged in; both must go together.
    """

    interaction_id: str
    agent: str | None = None
    place: str | None = None
    tenant: int | None = None


class Delivered(Answer, frozen=True, kw_only=True):
    """The offer is out. The ticket is needed to accept or reject; `expires_at` is business time."""

    interaction_id: str
    state: str
    ticket: int
    expires_at: str


class Accept(Request, frozen=True, kw_only=True):
    """The invited agent takes the interaction."""

    interaction_id: str
    ticket: int
    agent: str
    tenant: int | None = None


class Reject(Request, frozen=True, kw_only=True):
    """The invited agent does not take it; it goes back to the router that offered it."""

    interaction_id: str
    ticket: int
    agent: str
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Revoke(Request, frozen=True, kw_only=True):
    """Takes an offer back from an agent who has not answered."""

    interaction_id: str
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Abandon(Request, frozen=True, kw_only=True):
    """The visitor has left: before an agent took it the interaction is stopped, else it goes offline."""

    interaction_id: str
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Stop(Request, frozen=True, kw_only=True):
    """Ends processing. Idempotent: a stopped interaction stays stopped."""

    interaction_id: str
    agent: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Pull(Request, frozen=True, kw_only=True):
    """Takes up to `count` interactions of a view, best first; waits up to `hold_s` when it is empty.

    A router's pull (`for_strategy`) puts them into routing, an agent's pull (`agent`) into handling.
    `ignore_hold` takes held ones too; `interaction_ids` takes these alone, if the view selects them.
    """

    view: str
    count: int = 1
    hold_s: float = 0.0
    client: str | None = None
    for_strategy: bool = False
    agent: str | None = None
    ignore_hold: bool = False
    interaction_ids: tuple[str, ...] = ()
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class Pulled(Answer, frozen=True, kw_only=True):
    """What was taken, in the view's order; empty when nothing came within `hold_s`."""

    interactions: tuple[Interaction, ...]


class QueueList(Request, frozen=True, kw_only=True):
    """A page of a list."""

    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class QueueRow(Answer, frozen=True, kw_only=True):
    """An interaction queue now. `depth` counts waiting ones, `total` all that are in it."""

    name: str
    depth: int
    oldest_at: str | None = None
    business_process: str


class QueuePage(Answer, frozen=True, kw_only=True):
    """Queues by name."""

    items: tuple[QueueRow, ...]
    continuation: str | None = None
    complete: bool = True


class ViewRow(Answer, frozen=True, kw_only=True):
    """A view now; `depth` is the number of waiting interactions that it selects.

    `in_routing` counts those that routers hold out of it, where the view limits that.
    """

    name: str
    queue: str
    depth: int
    condition: str
    order: str
    segment_by: str = ""
    segment_limit: int = 0
    max_interactions: int = 0
    in_routing: int | None = None


class ViewPage(Answer, frozen=True, kw_only=True):
    """Views by name."""

    items: tuple[ViewRow, ...]
    continuation: str | None = None
    complete: bool = True


class Invite(Answer, frozen=True, kw_only=True):
    """Notice to an agent's session: EventInvite. `role` and `asked_by` when an agent asks for a party.

    With role `intrude` the agent who has it is asked whether `asked_by` may take part.
    """

    interaction: Interaction
    ticket: int
    agent: str
    expires_at: str
    role: Role | None = None
    visibility: Visibility | None = None
    asked_by: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None


class Revoked(Answer, frozen=True, kw_only=True):
    """Notice to an agent's session: EventRevoked. `ticket` 0 when it was being handled."""

    interaction_id: str
    agent: str
    ticket: int = 0
    reason: str
    reason_code: ReasonCode | None = None


class DeliveryResult(Answer, frozen=True, kw_only=True):
    """Notice to the router's session: what became of an interaction that it holds or offered."""

    interaction_id: str
    outcome: DeliveryOutcome
    agent: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None


class PartyAdded(Answer, frozen=True, kw_only=True):
    """Notice to all parties: EventPartyAdded."""

    interaction_id: str
    agent: str
    role: Role
    visibility: Visibility


class PartyRemoved(Answer, frozen=True, kw_only=True):
    """Notice to all parties: EventPartyRemoved. `owner` when another agent has it from now on."""

    interaction_id: str
    agent: str
    owner: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None


class PartyRequestResult(Answer, frozen=True, kw_only=True):
    """Notice to the agent who asked for a transfer, conference or intrusion: what became of it."""

    interaction_id: str
    agent: str
    role: Role
    outcome: PartyOutcome
    reason: str | None = None
    reason_code: ReasonCode | None = None


class PropertiesChanged(Answer, frozen=True, kw_only=True):
    """Notice to the agents who have it, and to its media server if that asked for it: EventPropertiesChanged.

    With the new values; the queues only when they changed.
    """

    interaction_id: str
    properties_version: int
    changed: dict[str, Raw] = {}
    deleted: tuple[str, ...] = ()
    in_queues: tuple[str, ...] | None = None
    out_queues: tuple[str, ...] | None = None
    actor: str


NOTICES: dict[str, type[Answer]] = {
    "interaction.invite": Invite,
    "interaction.revoked": Revoked,
    "interaction.delivery_result": DeliveryResult,
    "interaction.party_added": PartyAdded,
    "interaction.party_removed": PartyRemoved,
    "interaction.party_request_result": PartyRequestResult,
    "interaction.properties_changed": PropertiesChanged,
}
"""Notices pushed to sessions, by name."""

_I = "/v1/interactions/{interaction_id}"
_EXECUTE: tuple[str, Verb] = ("interaction", "execute")
_DESKS: frozenset[ClientKind] = frozenset({"agent", "operator", "proxy"})
WORKING_KINDS: frozenset[ClientKind] = ALL_CLIENT_KINDS - {"reporting"}
"""Client kinds that may change interactions (reference, client types): not those that only report."""

OPERATIONS = collect(
    (
        Operation(name="interaction.submit", request=Submit, answer=Submitted, right=("interaction", "create"), client_kinds=WORKING_KINDS, idempotency="key", http=HttpRoute("POST", "/v1/interactions", 201), summary="Stores a new interaction in a queue."),
        Operation(name="interaction.submit_batch", request=SubmitBatch, answer=SubmittedBatch, right=("interaction", "create"), client_kinds=WORKING_KINDS, idempotency="key", size_class="large", http=HttpRoute("POST", "/v1/interactions/batch", 200), summary="Stores several interactions; each succeeds or fails for itself."),
        Operation(name="interaction.get", request=Ref, answer=Interaction, right=("interaction", "read"), idempotency="by_nature", http=HttpRoute("GET", _I), summary="All properties of an interaction, finished ones included until their retention ends."),
        Operation(name="interaction.change", request=ChangeProperties, answer=StateAnswer, right=("interaction", "change"), client_kinds=WORKING_KINDS, idempotency="key", http=HttpRoute("PATCH", _I), summary="Adds, changes and deletes properties."),
        Operation(name="interaction.find", request=Find, answer=Found, right=("interaction", "read"), idempotency="by_nature", http=HttpRoute("POST", "/v1/interactions/find"), summary="Interactions that meet a condition, in an order, page by page."),
        Operation(name="interaction.place_in_queue", request=PlaceInQueue, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, idempotency="key", http=HttpRoute("POST", _I + "/place-in-queue"), summary="Puts it into a queue, or back into the one it came from."),
        Operation(name="interaction.enter_virtual_queue", request=EnterVirtualQueue, answer=StateAnswer, right=_EXECUTE, client_kinds=frozenset({"router", "proxy"}), idempotency="by_nature", http=HttpRoute("POST", _I + "/enter-virtual-queue"), summary="Enters a virtual queue."),
        Operation(name="interaction.leave_virtual_queue", request=LeaveVirtualQueue, answer=StateAnswer, right=_EXECUTE, client_kinds=frozenset({"router", "proxy"}), idempotency="by_nature", http=HttpRoute("POST", _I + "/leave-virtual-queue"), summary="Leaves its virtual queue."),
        Operation(name="interaction.deliver", request=Deliver, answer=Delivered, right=_EXECUTE, client_kinds=frozenset({"router", "proxy"}), idempotency="key", http=HttpRoute("POST", _I + "/deliver"), summary="Offers it to an agent."),
        Operation(name="interaction.accept", request=Accept, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, idempotency="by_nature", http=HttpRoute("POST", _I + "/accept"), summary="The invited agent takes it; the one who has it already gets the same answer."),
        Operation(name="interaction.reject", request=Reject, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, idempotency="key", http=HttpRoute("POST", _I + "/reject"), summary="The invited agent refuses it."),
        Operation(name="interaction.revoke", request=Revoke, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, idempotency="key", http=HttpRoute("POST", _I + "/revoke"), summary="Takes an unanswered offer back."),
        Operation(name="interaction.abandon", request=Abandon, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, idempotency="by_nature", http=HttpRoute("POST", _I + "/abandon"), summary="The visitor has left."),
        Operation(name="interaction.stop", request=Stop, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, idempotency="by_nature", http=HttpRoute("POST", _I + "/stop"), summary="Ends its processing."),
        Operation(name="interaction.transfer", request=Transfer, answer=Delivered, right=_EXECUTE, client_kinds=_DESKS, since="1.1", idempotency="key", http=HttpRoute("POST", _I + "/transfer"), summary="Hands it to another agent, who is invited."),
        Operation(name="interaction.conference", request=Conference, answer=Delivered, right=_EXECUTE, client_kinds=_DESKS, since="1.1", idempotency="key", http=HttpRoute("POST", _I + "/conference"), summary="Invites another agent to take part."),
        Operation(name="interaction.intrude", request=Intrude, answer=StateAnswer, right=_EXECUTE, client_kinds=_DESKS, since="1.1", idempotency="key", http=HttpRoute("POST", _I + "/intrude"), summary="Asks the agent who has it to let another one take part; answered with the agent's answer."),
        Operation(name="interaction.leave", request=Leave, answer=StateAnswer, right=_EXECUTE, client_kinds=_DESKS, since="1.1", idempotency="by_nature", http=HttpRoute("POST", _I + "/leave"), summary="A party takes part no longer."),
        Operation(name="interaction.hold", request=Flag, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, since="1.1", idempotency="by_nature", http=HttpRoute("POST", _I + "/hold"), summary="No view shows it until it is resumed."),
        Operation(name="interaction.resume", request=Flag, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, since="1.1", idempotency="by_nature", http=HttpRoute("POST", _I + "/resume"), summary="Ends a hold."),
        Operation(name="interaction.lock", request=Flag, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, since="1.1", idempotency="by_nature", http=HttpRoute("POST", _I + "/lock"), summary="Locks a waiting interaction: no view shows it and nobody can pull it."),
        Operation(name="interaction.unlock", request=Flag, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, since="1.1", idempotency="by_nature", http=HttpRoute("POST", _I + "/unlock"), summary="Ends a lock; one of a snapshot ends with its snapshot only."),
        Operation(name="interaction.children", request=Children, answer=Found, right=("interaction", "read"), since="1.1", idempotency="by_nature", http=HttpRoute("GET", _I + "/children"), summary="Interactions that name this one as their parent."),
        Operation(name="view.pull", request=Pull, answer=Pulled, right=_EXECUTE, client_kinds=WORKING_KINDS, idempotency="key", http=HttpRoute("POST", "/v1/views/{view}/pull"), summary="Takes the next interactions of a view, in its order."),
        Operation(name="queue.list", request=QueueList, answer=QueuePage, right=("interaction", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/queues"), summary="Interaction queues with depth and oldest."),
        Operation(name="view.list", request=QueueList, answer=ViewPage, right=("interaction", "read"), idempotency="by_nature", http=HttpRoute("GET", "/v1/views"), summary="Views with their depth."),
    )
)  # fmt: skip
