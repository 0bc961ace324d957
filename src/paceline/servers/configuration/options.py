"""Options of the Configuration Server. Pure."""

from typing import Final

from paceline.model.options import Kind, Option, OptionTable

OPTIONS: Final = OptionTable(
    "configuration",
    (
        Option(
            "auth",
            "failure-delay",
            Kind.DURATION,
            "1s",
            "How long a name is refused after its first wrong password; each further one doubles it.",
            unit="s",
            low="0s",
            high="60s",
            time="machine",
        ),
        Option(
            "auth",
            "longest-failure-delay",
            Kind.DURATION,
            "60s",
            "Where the doubling of failure-delay ends.",
            unit="s",
            low="0s",
            high="1h",
            time="machine",
        ),
    ),
)
"""Both are ours (chosen): the documented server locks accounts instead, which lets anyone lock any."""
