"""All operations by server kind and by name: read by dispatch, SDK generator, manual and tests."""

from paceline.wire.operation import Answer, Operation
from paceline.wire.operations import (
    agent,
    client_session,
    configuration,
    engagement,
    event,
    everywhere,
    interaction,
    message,
    pacing,
    privacy,
    push,
    router,
    snapshot,
    statistic,
    topic,
    workbin,
)

OPERATIONS_OF: dict[str, dict[str, Operation]] = {
    "configuration": {**everywhere.OPERATIONS, **configuration.OPERATIONS},
    "message": {**everywhere.OPERATIONS, **message.OPERATIONS},
    "interaction": {
        **everywhere.OPERATIONS,
        **interaction.OPERATIONS,
        **workbin.OPERATIONS,
        **push.OPERATIONS,
        **snapshot.OPERATIONS,
        **agent.OPERATIONS,
        **client_session.OPERATIONS,
        **event.OPERATIONS,
        **privacy.OPERATIONS,
        **topic.OPERATIONS,
    },
    "stat": {**everywhere.OPERATIONS, **statistic.OPERATIONS},
    "router": {**everywhere.OPERATIONS, **router.OPERATIONS},
    "pacing": {**everywhere.OPERATIONS, **pacing.OPERATIONS},
    "engagement": {**everywhere.OPERATIONS, **engagement.OPERATIONS},
    "console": dict(everywhere.OPERATIONS),
}
"""Server kind to its operations by name."""

NOTICES: dict[str, type[Answer]] = {
    **interaction.NOTICES,
    **workbin.NOTICES,
    **push.NOTICES,
    **agent.NOTICES,
    **event.NOTICES,
    **topic.NOTICES,
    **configuration.NOTICES,
    **statistic.NOTICES,
    **pacing.NOTICES,
}
"""Notice name to the struct of its body."""
