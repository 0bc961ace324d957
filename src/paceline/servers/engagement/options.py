"""Options of the reference engagement engine."""

from paceline.model.options import Kind, Option, OptionTable


def _queue(medium: str, what: str) -> Option:
    return Option(
        "queues",
        medium,
        Kind.TEXT,
        "",
        f"Interaction queue into which {what} go. Without one they cannot be accepted.",
    )


OPTIONS = OptionTable(
    "engagement",
    (
        Option(
            "invitation",
            "life",
            Kind.DURATION,
            45,
            "How long a visitor may answer an invitation.",
            unit="s",
            low=1,
            high="1h",
            time="business",
        ),
        Option(
            "visitor",
            "tokenLife",
            Kind.DURATION,
            60,
            "How long the token of a visitor's page is good.",
            unit="min",
            low=1,
            high="24h",
            time="machine",
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
        _queue("chat", "accepted chats"),
        _queue("email", "accepted e-mails"),
        _queue("voice", "accepted callbacks"),
        _queue("other", "accepted interactions of any other medium"),
    ),
)

MEDIA_WITH_QUEUE = frozenset({"chat", "email", "voice"})
"""Media with an option of their own in the section `queues`."""
