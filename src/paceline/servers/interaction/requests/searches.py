"""Texts of searches parsed for a tenant: shared by find, workbin content and snapshots."""

from paceline.errors.failure import PacelineError
from paceline.expressions.tree import Condition, OrderTerm
from paceline.expressions.view_parse import bind_names, parse_condition, parse_order
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane


def parsed(
    node: NodeState, tenant: int, condition: str, order: str
) -> tuple[Condition, tuple[OrderTerm, ...]]:
    """A condition with its names bound to ids, and the terms of an order.

    Raises
    ------
    PacelineError
        `invalid_attribute` with the place of the mistake.
    """
    known = node.custom.known(tenant)
    tree = bind_names(
        parse_condition(condition, known=known),
        lambda referred, name: node.snapshot.id_named(tenant, referred, name),
    )
    return tree, parse_order(order, known=known)


def smaller(lane: NodeLane, asked: int, option: str) -> int:
    """The smaller of a request's limit and an option's.

    Raises
    ------
    PacelineError
        `invalid_attribute` when nothing is asked for.
    """
    if asked < 1:
        raise PacelineError("invalid_attribute", "limit is at least 1", field="limit")
    return min(asked, lane.settings.current.integer("settings", option))
