"""An interaction as a client sees it, in work or finished; called by the requests that show one by its id."""

from paceline.servers.interaction.live import parties
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.rules.wire_form import wire_form
from paceline.servers.interaction.store.node import Key
from paceline.wire.operations.interaction import Interaction


def shown(node: NodeState, key: Key) -> Interaction | None:
    """All properties as they are now, with user data; None past its retention. Loaded before."""
    data = node.user_data(key)
    done = node.finished(key)
    if done is not None:
        return wire_form(
            done.row, node.names, data, stopped_at=done.stopped_at, stop_reason=done.stop_reason
        )
    row = node.known(key)
    if row is None:
        return None
    return wire_form(row, node.names, data, parties=parties.names_of(node, row))
