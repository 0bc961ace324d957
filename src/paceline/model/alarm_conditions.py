"""The alarm conditions that come with the pacing service, ready to be created in a tenant.

Read by provisioning and by tests. Only conditions in the configuration act; these are none of
themselves.
"""

from typing import Final

from paceline.model.configuration import AlarmCondition

ALARM_FOLDER: Final = "PacingService"
"""Folder of alarm conditions in which they stand (pacing-service.md §1.1)."""


def _condition(description: str, detect: int, cancel: int) -> AlarmCondition:
    return AlarmCondition(
        description=description,
        category="Major",
        detect_event=detect,
        cancel_event=cancel,
        clearance_timeout=86_400,
        folder=ALARM_FOLDER,
    )


SHIPPED_ALARM_CONDITIONS: Final[dict[str, AlarmCondition]] = {
    "GC Latency": _condition(
        "Defines the garbage collection latency threshold: raised while collections of a pacing "
        "node take longer than metrics.GcLatency.threshold",
        10005,
        10006,
    ),
    "Heap Memory Usage": _condition(
        "Defines the heap memory usage threshold: raised while a pacing node uses a larger share "
        "of its memory than metrics.HeapMemoryUsage.threshold",
        10001,
        10002,
    ),
    "PacingRequestsFailed": _condition(
        "Indicates that error occurs during pacing request: the engagement engine cannot be "
        "reached, does not answer in time or refuses, and no visitor is invited",
        100603,
        100604,
    ),
    "PacingResponseTargetError": _condition(
        "Triggers if response contains error of a pacing target: the engagement engine took the "
        "request but not the target that the alarm names",
        100605,
        100606,
    ),
    "PacingResponseValidationError": _condition(
        "Triggers if response contains invalid data: the engagement engine's answer has unknown, "
        "missing or impossible values and is not used",
        100607,
        100608,
    ),
}
"""By name; texts begin as documented and end in our words (pacing-service.md §5)."""
