"""All checks of a site's configuration in one.

Called by the Configuration Server after each change, by `config check` and by `doctor`.
"""

from paceline.checks.capacity import check_capacity
from paceline.checks.connections import check_connections
from paceline.checks.expressions import check_expressions
from paceline.checks.virtual_queues import check_virtual_queues
from paceline.model.options import Finding
from paceline.model.snapshot import ConfigurationSnapshot


def check_configuration(snapshot: ConfigurationSnapshot) -> tuple[Finding, ...]:
    """Every mistake that the configuration alone shows, in a stable order."""
    checks = (check_virtual_queues, check_capacity, check_connections, check_expressions)
    return tuple(finding for check in checks for finding in check(snapshot))
