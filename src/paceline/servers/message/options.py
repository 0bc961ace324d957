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
        Option(
            "requests",
            "idempotency-key-retention",
            Kind.DURATION,
            "1h",
            "How long an idempotency key makes a repeated request give the first one's answer.",
            unit="s",
            low="1min",
            high="30d",
            time="machine",
        ),
    ),
)
"""Ours (chosen): a month of messages is what an operator looks back on."""
