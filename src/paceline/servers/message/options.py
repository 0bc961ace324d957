"""Options of the Message Server. Pure."""

from typing import Final

from paceline.model.options import Kind, Option, OptionTable

OPTIONS: Final = OptionTable(
    "message",
    (
        Option(
            "messages",
            "retention",
            Kind.DURATION,
            "30d",
            "How long messages and cleared alarms are kept.",
            unit="d",
            low="1h",
            high="3650d",
            time="business",
        ),
    ),
)
"""Ours (chosen): a month of messages is what an operator looks back on."""
