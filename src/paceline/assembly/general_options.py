"""Options that every server has beside its own and the log's.

Joined to each server's table by kinds.py. Never reads anything.
"""

from typing import Final

from paceline.model.options import Kind, Option, OptionTable

GENERAL_OPTIONS: Final = OptionTable(
    "general",
    (
        Option(
            "general",
            "statusInterval",
            Kind.DURATION,
            5,
            "How often the server reports its status and addresses to the Configuration Server, "
            "and asks it for the keys of tokens.",
            unit="s",
            low="100ms",
            high="10s",
            time="machine",
        ),
    ),
)
"""The interval of pacing-service.md §6.2; three silent ones are taken as unknown."""
