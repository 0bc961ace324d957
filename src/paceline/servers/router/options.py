"""Options of the Router, from which parsing, the manual and the application template come.

Read by server.py and its tasks through LiveSettings. Never reads anything itself.
"""

from typing import Final

from paceline.model.options import Kind, Option, OptionTable

OPTIONS: Final = OptionTable(
    "router",
    (
        Option(
            "router",
            "credit",
            Kind.INTEGER,
            500,
            "How many interactions the router holds at most; the views share it equally, so that "
            "one without agents cannot starve the others.",
            low=1,
            high=50_000,
        ),
        Option(
            "router",
            "pull-hold-timeout",
            Kind.DURATION,
            "10s",
            "How long a pull from an empty view waits for work before it is asked again.",
            unit="s",
            low="0s",
            high="600s",
            time="machine",
        ),
        Option(
            "router",
            "exclusion-timeout",
            Kind.DURATION,
            "5s",
            "How long an agent who could not take an offer gets none in that medium, and how long "
            "an agent who rejected an interaction is not offered the same one again.",
            unit="s",
            low="100ms",
            high="1h",
            time="business",
        ),
        Option(
            "router",
            "settle-timeout",
            Kind.DURATION,
            "1s",
            "How long an agent who accepted is not offered more in that medium while the Stat "
            "Server has not shown the acceptance.",
            unit="s",
            low="10ms",
            high="60s",
            time="machine",
        ),
        Option(
            "router",
            "problem-pause",
            Kind.DURATION,
            "10s",
            "How long what cannot be routed is held before it is placed back, and how long a view "
            "or statistic that was refused is left alone.",
            unit="s",
            low="100ms",
            high="1h",
            time="machine",
        ),
    ),
)
"""Names, ranges and defaults are ours: the reference documents a router's push, not its pull."""
