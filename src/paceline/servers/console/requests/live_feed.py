"""The live feed: the picture of this second, and the trails behind it, for whoever may watch.

Open routes of the console. The page asks once a second; the same picture is answered with 304.
"""

from paceline.servers.console.live.board import Board
from paceline.servers.console.requests.answers import JSON, answer, tagged
from paceline.servers.console.requests.guard import Guard
from paceline.wire.open_route import OpenRequest, OpenResponse, OpenRoute


class LiveFeed:
    """Gives out what the board has published."""

    def __init__(self, guard: Guard, board: Board) -> None:
        self._guard = guard
        self._board = board

    def routes(self) -> tuple[OpenRoute, ...]:
        """The open routes of this family."""
        return (
            OpenRoute(method="GET", path="/live.json", handler=self.picture),
            OpenRoute(method="GET", path="/trails.json", handler=self.trails),
        )

    async def picture(self, request: OpenRequest) -> OpenResponse:
        """The last picture."""
        self._guard.require(request)
        return tagged(request, self._board.picture, JSON, self._board.etag)

    async def trails(self, request: OpenRequest) -> OpenResponse:
        """Permits of the last two minutes; asked once, then the page goes on by itself."""
        self._guard.require(request)
        return answer(self._board.trails(), JSON)
