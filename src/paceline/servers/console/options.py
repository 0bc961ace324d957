"""Options of the console, from which parsing, the manual and the application template come.

Read by server.py and its parts through LiveSettings. Never reads anything itself.
"""

from typing import Final

from paceline.model.options import Kind, Option, OptionTable

OPTIONS: Final = OptionTable(
    "console",
    (
        Option(
            "console",
            "session-timeout",
            Kind.DURATION,
            "12h",
            "How long a browser stays logged in; a disabled person is out at once.",
            unit="s",
            low="1min",
            high="30d",
            time="machine",
        ),
        Option(
            "console",
            "link-timeout",
            Kind.DURATION,
            "10min",
            "How long a one-time link that logs a browser in can be used.",
            unit="s",
            low="10s",
            high="1d",
            time="machine",
        ),
        Option(
            "console",
            "secure-cookie",
            Kind.BOOLEAN,
            "false",
            "Browsers send the cookie only over HTTPS; set it where the page is reached that way.",
        ),
    ),
)
"""Names, ranges and defaults are ours (INTERFACES fixes only the one-time link)."""
