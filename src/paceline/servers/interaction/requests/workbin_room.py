"""The option max-workbin-interactions, as the requests that place something into a workbin obey it."""

from typing import NamedTuple

from paceline.errors.failure import PacelineError
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.workbin_watchers import Bin
from paceline.servers.interaction.live.workbins import workbin_of
from paceline.servers.interaction.requests.lane import NodeLane

OPTION = "max-workbin-interactions"


class Room(NamedTuple):
    """The limit when the request came, and the workbins to count for it: none without a limit."""

    most: int = 0
    bins: tuple[Bin, ...] = ()

    @classmethod
    def of(cls, lane: NodeLane, tenant: int, workbin: str, owner: str) -> "Room":
        """For a request that places something into the workbin of an owner."""
        most = lane.settings.current.integer("settings", OPTION)
        if not most:
            return NO_LIMIT
        return cls(most, (Bin(tenant, *workbin_of(lane.node, tenant, workbin, owner)),))

    def has_room(self, node: NodeState, place: Bin) -> bool:
        """Whether one more may be placed there."""
        return node.workbin_room.has_room(place, self.most)

    def check(self, node: NodeState, place: Bin) -> None:
        """Refuses when nothing more may be placed there.

        Raises
        ------
        PacelineError
            `limit_reached`, field workbin.
        """
        if not self.has_room(node, place):
            raise PacelineError(
                "limit_reached",
                f"the workbin of '{node.names.get(place.owner_id)}' holds {self.most} interactions, "
                f"the most that {OPTION} allows",
                field="workbin",
            )


NO_LIMIT = Room()
