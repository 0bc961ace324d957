"""Operations of the Interaction Server for routers that are pushed to: attach with credit, detach."""

from typing import Annotated

import msgspec

from paceline.wire.operation import (
    Answer,
    ClientKind,
    Done,
    HttpRoute,
    Operation,
    Request,
    Verb,
    collect,
)
from paceline.wire.operations.interaction import Interaction

Credit = Annotated[int, msgspec.Meta(ge=1, le=50_000)]
"""The range of the documented max-submitted-interactions."""


class Attach(Request, frozen=True, kw_only=True):
    """A router asks to be pushed interactions of these views while it holds fewer than `credit`.

    Again: other views or another credit from now on. What it holds by pulling counts too.
    """

    views: tuple[str, ...]
    credit: Credit
    tenant: int | None = None


class Attached(Answer, frozen=True, kw_only=True):
    """The router is attached; `held` are what it holds already."""

    views: tuple[str, ...]
    credit: int
    held: int


class Detach(Request, frozen=True, kw_only=True):
    """Nothing more is pushed; what the router holds stays with it until it is routed."""


class RouteRequest(Answer, frozen=True, kw_only=True):
    """Notice to an attached router: EventRouteRequest. It holds the interaction from now."""

    view: str
    interaction: Interaction


_EXECUTE: tuple[str, Verb] = ("interaction", "execute")
_ROUTERS: frozenset[ClientKind] = frozenset({"router", "proxy"})

OPERATIONS = collect(
    (
        Operation(name="router.attach", request=Attach, answer=Attached, right=_EXECUTE, client_kinds=_ROUTERS, since="1.1", idempotency="by_nature", http=HttpRoute("POST", "/v1/routers/attach"), summary="Interactions of views are pushed to this session, up to its credit."),
        Operation(name="router.detach", request=Detach, answer=Done, right=_EXECUTE, client_kinds=_ROUTERS, since="1.1", idempotency="by_nature", http=HttpRoute("POST", "/v1/routers/detach"), summary="Nothing more is pushed to this session."),
    )
)  # fmt: skip
NOTICES: dict[str, type[Answer]] = {"router.route_request": RouteRequest}
