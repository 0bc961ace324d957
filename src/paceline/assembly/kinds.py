"""The kinds of servers: which file builds each, and how to load it.

Called by the hosts of this room and by the command line. A kind is loaded only when it is needed:
the libraries of all together take a second.
"""

from importlib import import_module  # noqa: TID251 - assembly may; see the module

from paceline.assembly.parts import Kind
from paceline.errors.failure import PacelineError

HOSTED = ("message", "interaction", "stat", "engagement", "router", "pacing", "console")
"""Kinds that follow a Configuration Server, in the order of their connections: who is asked first."""

APPLICATION_TYPES = {
    "configuration": "configuration_server",
    "message": "message_server",
    "interaction": "interaction_server",
    "stat": "stat_server",
    "engagement": "engagement_engine",
    "router": "router",
    "pacing": "pacing_server",
    "console": "console",
}
"""Server kind to the type of its applications."""


def load_kind(name: str) -> Kind:
    """The kind with this name.

    Raises
    ------
    PacelineError
        `start_refused` with the known kinds.
    """
    if name not in HOSTED:
        raise PacelineError(
            "start_refused", f"there is no server kind '{name}'; use {', '.join(HOSTED)}"
        )
    module = import_module(f"paceline.assembly.{name}")
    kind: Kind = module.KIND
    return kind
