"""What a builder gets to make its server from, and what it gives back.

Filled by hosted_server.py, used by the builders of each kind (one file per kind).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.model.options import Finding
from paceline.runtime.life_cycle import State
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times
from paceline.sdk import Connection
from paceline.storage.access_point import AccessPoint
from paceline.storage.database import Database
from paceline.wire.call import Handlers, Principal
from paceline.wire.open_route import OpenRoute
from paceline.wire.operation import ClientKind

from paceline.assembly.access import access_point_of, open_store, resolve
from paceline.assembly.leadership import Leadership
from paceline.assembly.site_link import SiteLink

Release = Callable[[], Awaitable[None]]


class Server(Protocol):
    """What every `server.py` offers beside its own things."""

    @property
    def state(self) -> State: ...
