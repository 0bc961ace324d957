"""Agents of a group counted by medium: who is ready, who is busy, who is neither.

Called by links/agents.py with what the Stat Server says of each logged-in member.
"""

from typing import Literal

import msgspec

from paceline.wire.operations.statistic import MediaCapacity, TargetState


class AgentRow(msgspec.Struct, frozen=True, kw_only=True):
    """Logged-in agents of one group in one medium. `handling` counts interactions, the rest agents.

    `group` None stands for all groups together, in which an agent counts once.
    """

    group: str | None
    media_type: str
    ready: int
    busy: int
    not_ready: int
    handling: int


Activity = Literal["ready", "busy", "not_ready"]


def activity(capacity: MediaCapacity) -> Activity:
    """Ready: may get one more now. Busy: has some and may not. Not ready: neither."""
    if capacity.routable:
        return "ready"
    return "busy" if capacity.current > 0 else "not_ready"


def agent_rows(group: str | None, state: TargetState) -> tuple[AgentRow, ...]:
    """One row for each medium in which a member is logged in, by the medium's name."""
    media: dict[str, list[MediaCapacity]] = {}
    for agent in state.agents:
        for media_type, capacity in agent.media.items():
            media.setdefault(media_type, []).append(capacity)
    return tuple(_row(group, name, media[name]) for name in sorted(media))


def _row(group: str | None, media_type: str, capacities: list[MediaCapacity]) -> AgentRow:
    activities = [activity(capacity) for capacity in capacities]
    return AgentRow(
        group=group,
        media_type=media_type,
        ready=activities.count("ready"),
        busy=activities.count("busy"),
        not_ready=activities.count("not_ready"),
        handling=sum(capacity.current for capacity in capacities),
    )
