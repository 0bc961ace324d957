"""Idempotency keys of operations whose repeat would change something twice; submissions have tokens."""

from typing import Any

from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.requests.lane import NodeLane
from paceline.wire.call import Call
from paceline.wire.once import again, kept, once_of
from paceline.wire.operation import Answer, Request


def once(
    lane: NodeLane, call: Call, operation: str, request: Request, work: Work, kind: type[Answer]
) -> Work:
    """The work, done once for the request's key: its answer is written with the change and given again."""
    key = once_of(call, operation)
    if key is None:
        return work

    def apply(node: NodeState) -> Any:
        known = node.token(key)
        if known is not None:
            return again(known, request, kind)
        answer = work.apply(node)
        life_s = lane.settings.current.seconds("requests", "idempotency-key-retention")
        until = node.now + int(1000 * life_s * node.times.business.speed)
        node.use_token(key, kept(request, answer), until)
        return answer

    return Work(
        apply,
        keys=work.keys,
        reads_data=work.reads_data,
        tokens=(key,),
        on_undelivered=work.on_undelivered,
    )
