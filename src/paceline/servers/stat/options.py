"""Options of the Stat Server, and which sections of its application are not options of its own.

Sections that define stat types, and `[Filters]`, belong to the site: rules/stat_types reads them.
"""

from collections.abc import Mapping
from typing import Final

from paceline.model.options import Kind, Option, OptionTable

OPTIONS: Final = OptionTable(
    "stat",
    (
        Option(
            "statistics",
            "checkpoint-interval",
            Kind.DURATION,
            "2s",
            "How often positions, totals and what is open are saved. A restart takes the events "
            "since the last checkpoint once more, without counting any twice.",
            unit="s",
            low="100ms",
            high="5min",
            time="machine",
        ),
        Option(
            "statistics",
            "retention",
            Kind.DURATION,
            "30d",
            "How long a total that nobody has open goes on being counted; then it is dropped, and "
            "whoever opens it later begins at zero.",
            unit="d",
            low="1h",
            high="3650d",
            time="business",
        ),
        Option(
            "statistics",
            "maximum",
            Kind.INTEGER,
            100_000,
            "Most statistics that are counted at once: ten for each of 10,000 pacing targets.",
            low=1,
            high=10_000_000,
        ),
    ),
)

FILTERS: Final = "Filters"
"""Section whose keys are names of filters (pacing-service: 3.4)."""


def is_site_section(section: str, keys: Mapping[str, object]) -> bool:
    """Whether a section defines a stat type or filters, so that its keys are not ours to know."""
    return section == FILTERS or "Category" in keys
