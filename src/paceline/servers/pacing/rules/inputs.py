"""Which statistics feed the pacer, per target: the table of pacing-service.md §3.8 as a sum matrix.

Built anew when the targets change; `values @ sums` then gives every field of a cycle at once, and
a statistic that is not known leaves exactly the targets that need it unknown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from paceline.model.target import PacingTarget, comma_list
from paceline.wire.operations.statistic import Definition, OpenStatistic

Array = NDArray[np.float64]

PROACTIVE = "PACS_Proactive_Interaction"
"""Filter of proactive interactions (§3.1)."""

REACTIVE = '~PairExists("Proactive","1")'
"""Its negation, inline: the filter's key and value are fixed (§4.1)."""

Field = Literal[
    "accepted",
    "abandoned",
    "reactive_arrived",
    "reactive_abandoned",
    "served",
    "waiting",
    "answered",
]
FIELDS: tuple[Field, ...] = (
    "accepted",
    "abandoned",
    "reactive_arrived",
    "reactive_abandoned",
    "served",
    "waiting",
    "answered",
)
"""Fields of a cycle's input, and `answered` (PACS_VQ_Accepted), which only people look at."""


@dataclass(frozen=True, slots=True)
class InputPlan:
    """What to open and how to add it up. `groups` are watched for their agents' states.

    `users` are the targets that need each of `wanted`, by their places.
    """

    wanted: tuple[OpenStatistic, ...]
    users: tuple[frozenset[int], ...]
    groups: tuple[OpenStatistic, ...]
    sums: Mapping[Field, sparse.csr_array]

    def add_up(self, values: Array) -> dict[Field, Array]:
        """Every field per target, shape (n,), from the values of `wanted`; NaN = not known."""
        return {field: np.asarray(matrix @ values) for field, matrix in self.sums.items()}


def plan_inputs(targets: Sequence[PacingTarget], *, tenant: int) -> InputPlan:
    """The statistics of these targets; one that several need is opened once."""
    places: dict[OpenStatistic, int] = {}
    users: list[set[int]] = []
    cells: dict[Field, tuple[list[int], list[int]]] = {field: ([], []) for field in FIELDS}
    for row, target in enumerate(targets):
        for field, statistics in _statistics_of(target, tenant).items():
            rows, columns = cells[field]
            for statistic in statistics:
                place = places.setdefault(statistic, len(places))
                if place == len(users):
                    users.append(set())
                users[place].add(row)
                rows.append(row)
                columns.append(place)
    shape = (len(targets), len(places))
    sums = {
        field: sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        for field, (rows, columns) in cells.items()
    }
    names = sorted({group for target in targets for group in target.agent_groups})
    groups = tuple(group_state(name, tenant) for name in names)
    needing = tuple(frozenset(rows) for rows in users)
    return InputPlan(wanted=tuple(places), users=needing, groups=groups, sums=sums)


def group_state(group: str, tenant: int) -> OpenStatistic:
    """The stream of the states of a group's agents: ready and busy slots."""
    return OpenStatistic(
        object_kind="GroupAgents",
        object=group,
        definition=Definition(category="CurrentTargetState", subject="AgentStatus"),
        notification="ChangesBased",
        tenant=tenant,
    )


def _statistics_of(target: PacingTarget, tenant: int) -> dict[Field, list[OpenStatistic]]:
    def own(stat_type: str, *, is_total: bool = True) -> OpenStatistic:
        return OpenStatistic(
            object_kind="Queue",
            object=target.virtual_queue,
            stat_type=stat_type,
            filter=PROACTIVE,
            profile="Ever" if is_total else None,
            tenant=tenant,
        )

    answered, abandoned = own("PACS_VQ_Accepted"), own("PACS_VQ_Abandoned")
    left = _total(target.virtual_queue, "CallCleared,CallDistributedToQueue", PROACTIVE, tenant)
    return {
        "accepted": [answered, abandoned, own("PACS_VQ_Current", is_total=False), left],
        "abandoned": [abandoned],
        "answered": [answered],
        "reactive_arrived": [
            _total(queue, "CallEntered", REACTIVE, tenant) for queue in target.queues
        ],
        "reactive_abandoned": [
            _total(queue, "CallAbandoned,CallAbandonedFromRinging", REACTIVE, tenant)
            for queue in target.queues
        ],
        "waiting": [_waiting(queue, tenant) for queue in target.queues],
        "served": [_served(target, tenant)],
    }


def _total(queue: str, mask: str, only: str, tenant: int) -> OpenStatistic:
    return OpenStatistic(
        object_kind="Queue",
        object=queue,
        definition=Definition(category="TotalNumber", main_mask=mask, filter=only, profile="Ever"),
        tenant=tenant,
    )


def _waiting(queue: str, tenant: int) -> OpenStatistic:
    return OpenStatistic(
        object_kind="Queue",
        object=queue,
        definition=Definition(category="CurrentNumber", main_mask="CallWait"),
        tenant=tenant,
    )


def _served(target: PacingTarget, tenant: int) -> OpenStatistic:
    """Releases of the target's agents, its groups united: an agent in two of them counts once."""
    return OpenStatistic(
        object_kind="GroupAgents",
        object=comma_list(target.agent_groups),
        definition=Definition(
            category="TotalNumber",
            main_mask="CallReleased,ACWCompleted",
            media_type=target.media_type,
            profile="Ever",
            once_per_interaction=True,
        ),
        tenant=tenant,
    )
