"""Idempotency keys of operations whose repeat would change something twice; submissions have tokens.

Refusals are not kept: they changed nothing. Pulls have their own way (pulled.py): what they give may
go back, and user data are not kept twice.
"""

import asyncio
from typing import Any

from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane, coded
from paceline.wire.call import Call
from paceline.wire.once import Once, again, kept, once_of
from paceline.wire.operation import Answer, Request


def keep_until(lane: NodeLane, node: NodeState) -> int:
    """The business instant up to which an answer given now is kept (the option is machine time)."""
    life_s = lane.settings.current.seconds("requests", "idempotency-key-retention")
    return node.now + int(1000 * life_s * node.times.business.speed)


def once(
    lane: NodeLane,
    call: Call,
    operation: str,
    request: Request,
    work: Work,
    kind: type[Answer],
    *,
    part: int | None = None,
) -> Work:
    """The work, done once for the request's key: its answer is written with the change and given again.

    Work that is done in several parts has a key for each `part`.
    """
    key = once_of(call, operation)
    if key is None:
        return work
    if part is not None:
        key = key._replace(key=f"{key.key}#{part}")
    return work.doing(lambda node: _once(lane, node, key, request, work, kind), tokens=(key,))


def _once(
    lane: NodeLane, node: NodeState, key: Once, request: Request, work: Work, kind: type[Answer]
) -> Answer:
    known = node.token(key)
    if known is not None:
        found: Answer = again(known, request, kind)
        return found
    answer: Answer = work.apply(node)
    node.use_token(key, kept(request, answer), keep_until(lane, node))
    return answer


def submit_once(
    lane: NodeLane,
    call: Call,
    operation: str,
    request: Request,
    work: Work,
    kind: type[Answer],
) -> "asyncio.Future[Any]":
    """Puts the work of a request into the lane, with its coded reason, done once for its key."""
    work.reason = coded(request)
    return lane.submit(call, once(lane, call, operation, request, work, kind))


async def answered(
    lane: NodeLane, call: Call, operation: str, request: Request, kind: type[Answer]
) -> Any:
    """The answer that the request's key stands for; None when it has none, or is a new one.

    For requests that read or refuse before they reach the lane.
    """
    key = once_of(call, operation)
    if key is None:
        return None
    known = await lane.submit(call, Work(lambda node: node.token(key), tokens=(key,)))
    return None if known is None else again(known, request, kind)
