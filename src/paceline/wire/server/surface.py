"""What a server shows to its edge: operations, who may call, limits, and how faults are told.

Made once per server by assembly or a test; shared by its HTTP routes and sessions.
"""

from collections.abc import Callable, Sequence

from paceline.errors.failure import PacelineError
from paceline.errors.table import ERRORS
from paceline.runtime.log import get_log
from paceline.runtime.metrics import Metrics
from paceline.runtime.times import Times
from paceline.wire.admission import Admission
from paceline.wire.call import ANYONE, Handlers, Peer, Principal
from paceline.wire.open_route import OpenRoute
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.server.dispatch import Dispatch

_log = get_log("wire")


def ignored(_peer: Peer) -> None:
    """For servers that do not care who connects."""


class Surface:
    """One server's face.

    Parameters
    ----------
    kind
        Server kind of the catalogue, such as `interaction`.
    name
        The application's name, shown in the welcome of sessions.
    verify
        Gives the principal of a token or raises `unauthenticated`.
    on_session
        Told of each session that began; must not fail.
    """

    def __init__(
        self,
        *,
        kind: str,
        name: str,
        handlers: Handlers,
        verify: Callable[[str], Principal],
        times: Times,
        metrics: Metrics,
        open_routes: Sequence[OpenRoute] = (),
        on_session: Callable[[Peer], None] = ignored,
    ) -> None:
        self.kind = kind
        self.name = name
        self.dispatch = Dispatch(OPERATIONS_OF[kind], handlers)
        self.times = times
        self.metrics = metrics
        self.open_routes = tuple(open_routes)
        self.sessions: set[Peer] = set()
        self.admission = Admission(lambda: len(self.sessions))
        self.on_session = on_session
        self._verify = verify

    def principal(self, token: str) -> Principal:
        """The caller behind a token; without one, anyone (who may use open operations only).

        Raises
        ------
        PacelineError
            `unauthenticated` when a token is given and not valid.
        """
        return self._verify(token) if token else ANYONE

    def refused(self, operation: str, request_id: str, error: PacelineError) -> None:
        """Logs a refusal that has a documented number; others are the caller's matter alone."""
        number = ERRORS[error.name].log_number
        if number is not None:
            _log.interaction(
                f"{operation} refused: {error.message}",
                number,
                request_id=request_id,
                server=self.name,
                error=error.name,
            )

    def internal_error(
        self, operation: str, request_id: str, failure: BaseException
    ) -> PacelineError:
        """Logs a fault of the server and gives what the caller is told."""
        _log.error(f"{operation} failed", request_id=request_id, server=self.name, exc_info=failure)
        return PacelineError(
            "internal_error", f"{operation} failed in the server; its log has {request_id}"
        )
