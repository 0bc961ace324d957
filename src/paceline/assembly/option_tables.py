"""The option tables of all servers in one place: for the manual, the checks and the secrets.

Called by the Configuration Server's host and the generator of the manual. Loads the tables only,
which are pure and light; never a server.
"""

from typing import Final

from paceline.assembly.general_options import GENERAL_OPTIONS
from paceline.model.options import Name, OptionTable, join_tables
from paceline.runtime.log import LOG_OPTIONS
from paceline.servers.configuration.options import OPTIONS as CONFIGURATION
from paceline.servers.console.options import OPTIONS as CONSOLE
from paceline.servers.engagement.options import OPTIONS as ENGAGEMENT
from paceline.servers.interaction.options import OPTIONS as INTERACTION
from paceline.servers.message.options import OPTIONS as MESSAGE
from paceline.servers.pacing.options import OPTIONS as PACING
from paceline.servers.router.options import OPTIONS as ROUTER
from paceline.servers.stat.options import OPTIONS as STAT

SERVER_TABLES: Final = (
    CONFIGURATION,
    MESSAGE,
    INTERACTION,
    STAT,
    ROUTER,
    PACING,
    ENGAGEMENT,
    CONSOLE,
)


def whole_table(own: OptionTable) -> OptionTable:
    """A server's own options with those every server has."""
    return join_tables(own.server, own, LOG_OPTIONS, GENERAL_OPTIONS)


def secret_options() -> frozenset[Name]:
    """Section and key of every option that some table marks as secret."""
    return frozenset(
        (option.section, option.key)
        for table in SERVER_TABLES
        for option in table.options
        if option.secret
    )
