"""Which access group may do what: the shipped groups' rights, checked at the edge for every operation."""

from paceline.errors.failure import PacelineError
from paceline.model.configuration import (
    ADMINISTRATOR,
    AGENT,
    AUDITOR,
    OPERATOR,
    SERVER,
    SUPERVISOR,
)
from paceline.wire.call import Principal
from paceline.wire.operation import ClientKind, Operation

VISITOR = "visitor"
"""Access group in a visitor's token: may only answer invitations."""

ENGAGEMENT_CLIENT = "engagement_client"
"""Access group in an OAuth token of the engagement engine: may only report pacing."""

_EVERYTHING = ("*", "*")
_READ_ALL = ("*", "read")

RIGHTS: dict[str, frozenset[tuple[str, str]]] = {
    ADMINISTRATOR: frozenset({_EVERYTHING}),
    SERVER: frozenset({_EVERYTHING}),
    OPERATOR: frozenset(
        {
            _READ_ALL,
            ("session", "execute"),
            ("interaction", "*"),
            ("agent", "execute"),
            ("pacing", "execute"),
            ("message", "execute"),
        }
    ),
    SUPERVISOR: frozenset(
        {
            _READ_ALL,
            ("session", "execute"),
            ("interaction", "*"),
            ("agent", "execute"),
        }
    ),
    AGENT: frozenset(
        {
            ("session", "*"),
            ("server", "read"),
            ("interaction", "*"),
            ("agent", "read"),
            ("agent", "execute"),
        }
    ),
    AUDITOR: frozenset({_READ_ALL, ("session", "execute")}),
    VISITOR: frozenset({("invitation", "create")}),
    ENGAGEMENT_CLIENT: frozenset({("pacing_report", "create")}),
}
"""Group to its (domain, verb) pairs; `*` stands for all."""


def may(principal: Principal, operation: Operation) -> bool:
    """Whether one of the principal's groups grants the operation's right."""
    if operation.right is None:
        return True
    domain, verb = operation.right
    wanted = {(domain, verb), (domain, "*"), ("*", verb), _EVERYTHING}
    return any(
        not wanted.isdisjoint(RIGHTS.get(group, frozenset())) for group in principal.access_groups
    )


def may_as(kind: ClientKind, principal: Principal) -> bool:
    """Whether a principal may present itself as this kind of client.

    Infrastructure kinds are for applications, operators and administrators; a person who is only
    an agent or a visitor stays an agent.
    """
    if kind in ("agent", "operator"):
        return True
    return not {ADMINISTRATOR, SERVER, OPERATOR}.isdisjoint(principal.access_groups)


def is_bound_agent(principal: Principal) -> bool:
    """Whether the principal is an agent and nothing more, so that it may act for itself only."""
    return AGENT in principal.access_groups and {
        ADMINISTRATOR,
        SERVER,
        OPERATOR,
        SUPERVISOR,
    }.isdisjoint(principal.access_groups)


def require_own_agent(principal: Principal, request: object) -> None:
    """For bound agents: the agent that a request names is the caller.

    Raises
    ------
    PacelineError
        `not_allowed` (field agent) when it names another one.
    """
    named = getattr(request, "agent", None)
    if named is not None and named != principal.name:
        raise PacelineError(
            "not_allowed", f"'{principal.name}' may not act for agent '{named}'", field="agent"
        )
