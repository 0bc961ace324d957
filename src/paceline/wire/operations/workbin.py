"""Operations of the Interaction Server on workbins: personal and group holding places."""

from typing import Literal

import msgspec

from paceline.model.configuration import OwnerType
from paceline.wire.operation import (
    Answer,
    Done,
    HttpRoute,
    Operation,
    ReasonCode,
    Request,
    Verb,
    collect,
)
from paceline.wire.operations.interaction import (
    WORKING_KINDS,
    Interaction,
    Pulled,
    QueueList,
    StateAnswer,
)

Change = Literal["placed", "taken"]


class PlaceInWorkbin(Request, frozen=True, kw_only=True):
    """Puts an interaction into the workbin of an owner, who must be of the workbin's owner type.

    Properties change in the same step. `agent`: who must have it.
    """

    interaction_id: str
    workbin: str
    owner: str
    added: dict[str, msgspec.Raw] = {}
    changed: dict[str, msgspec.Raw] = {}
    deleted: tuple[str, ...] = ()
    agent: str | None = None
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class WorkbinContent(Request, frozen=True, kw_only=True):
    """What is in an owner's workbin, filtered by a condition, in an order, page by page.

    With a view of the workbin only what that selects, in its order unless another one is given.
    """

    workbin: str
    owner: str
    owner_type: OwnerType | None = None
    view: str | None = None
    condition: str = ""
    order: str = ""
    limit: int = 100
    continuation: str | None = None
    tenant: int | None = None


class Content(Answer, frozen=True, kw_only=True):
    """One page of a workbin's content in the order asked for."""

    interactions: tuple[Interaction, ...]
    continuation: str | None = None
    complete: bool = True
    missing_nodes: tuple[str, ...] = ()


class PullFromWorkbin(Request, frozen=True, kw_only=True):
    """An agent takes interactions out of a workbin, in any order: these, or the oldest ones in it.

    With a view of the workbin the first ones of what that selects.
    """

    workbin: str
    owner: str
    agent: str
    view: str | None = None
    interaction_ids: tuple[str, ...] = ()
    count: int = 1
    reason: str | None = None
    reason_code: ReasonCode | None = None
    tenant: int | None = None


class WorkbinRow(Answer, frozen=True, kw_only=True):
    """A workbin: its owner type, its private queue, and how many interactions are in it for all owners."""

    name: str
    owner_type: OwnerType
    queue: str
    business_process: str
    depth: int
    owners: int


class WorkbinPage(Answer, frozen=True, kw_only=True):
    """Workbins by name."""

    items: tuple[WorkbinRow, ...]
    continuation: str | None = None
    complete: bool = True


class WorkbinStatistics(Request, frozen=True, kw_only=True):
    """Counts the content of an agent's workbins: the agent's own, and those of its groups and place."""

    agent: str
    tenant: int | None = None


class WorkbinCount(Answer, frozen=True, kw_only=True):
    """How many interactions are in one owner's workbin, and since when the oldest one waits there."""

    workbin: str
    owner_type: OwnerType
    owner: str
    depth: int
    oldest_at: str | None = None


class WorkbinCounts(Answer, frozen=True, kw_only=True):
    """Workbins that have any content, by name and owner."""

    items: tuple[WorkbinCount, ...]


class Watch(Request, frozen=True, kw_only=True):
    """Subscribes to changes of an owner's workbin."""

    workbin: str
    owner: str
    tenant: int | None = None


class Unwatch(Request, frozen=True, kw_only=True):
    """Ends a subscription of this session."""

    subscription: int


class Watching(Answer, frozen=True, kw_only=True):
    """The subscription's number in the notices."""

    subscription: int


class WorkbinContentChanged(Answer, frozen=True, kw_only=True):
    """Notice to subscribers: EventWorkbinContentChanged."""

    interaction_id: str
    workbin: str
    owner_type: OwnerType
    owner: str
    change: Change


_EXECUTE: tuple[str, Verb] = ("interaction", "execute")
_READ: tuple[str, Verb] = ("interaction", "read")
_W = "/v1/workbins/{workbin}"

OPERATIONS = collect(
    (
        Operation(name="interaction.place_in_workbin", request=PlaceInWorkbin, answer=StateAnswer, right=_EXECUTE, client_kinds=WORKING_KINDS, since="1.1", idempotency="key", http=HttpRoute("POST", "/v1/interactions/{interaction_id}/place-in-workbin"), summary="Puts it into an owner's workbin."),
        Operation(name="workbin.content", request=WorkbinContent, answer=Content, right=_READ, since="1.1", idempotency="by_nature", http=HttpRoute("GET", _W), summary="What is in an owner's workbin."),
        Operation(name="workbin.pull", request=PullFromWorkbin, answer=Pulled, right=_EXECUTE, client_kinds=WORKING_KINDS, since="1.1", idempotency="key", http=HttpRoute("POST", _W + "/pull"), summary="An agent takes interactions out of a workbin."),
        Operation(name="workbin.list", request=QueueList, answer=WorkbinPage, right=_READ, since="1.1", idempotency="by_nature", http=HttpRoute("GET", "/v1/workbins"), summary="Workbins with their owner types and depth."),
        Operation(name="workbin.statistics", request=WorkbinStatistics, answer=WorkbinCounts, right=_READ, since="1.1", idempotency="by_nature", http=HttpRoute("GET", "/v1/agents/{agent}/workbins"), summary="Content of the workbins that an agent may look into."),
        Operation(name="workbin.stream", request=Watch, answer=Watching, right=_READ, since="1.1", stream=True, http=HttpRoute("WS", "/v1/workbins/stream"), summary="Changes of an owner's workbin, told to this session."),
        Operation(name="workbin.stop_stream", request=Unwatch, answer=Done, right=_READ, since="1.1", idempotency="by_nature", summary="Ends a subscription of this session to a workbin."),
    )
)  # fmt: skip
NOTICES: dict[str, type[Answer]] = {"workbin.stream": WorkbinContentChanged}
