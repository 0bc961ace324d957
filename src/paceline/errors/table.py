"""The error table: every error a caller may see, with its name, number, HTTP status and outcome.

Read by the exception (failure.py), the wire, the manual and the tests. Numbers 2000-2006 are the
documented ones and never change; ours begin at 2100 (blocks: 21xx common, 22xx configuration,
23xx message, 24xx stat, 25xx interaction, 26xx proxy, 27xx router, 28xx pacing, 29xx engagement).
"""

from typing import Literal, NamedTuple

Outcome = Literal["not_done", "unknown"]


class ErrorSpec(NamedTuple):
    """One row of the error table.

    `outcome` tells whether the work may have happened; `repeat` tells a client what to do next;
    `log_number` is the documented number of the log line that goes with a refusal, if there is one.
    """

    name: str
    number: int
    http_status: int
    outcome: Outcome
    trigger: str
    repeat: str
    log_number: int | None = None


_ROWS = (
    ErrorSpec(
        "unsupported_operation", 2000, 404, "not_done",
        "operation or capability unknown to the peer", "no",
    ),
    ErrorSpec(
        "no_server_accepts", 2001, 503, "not_done",
        "no node accepts this tenant and media type, or none that does is reachable",
        "after retry_after_s when it is given",
    ),
    ErrorSpec(
        "connection_lost", 2002, 502, "unknown",
        "the link broke after the request was passed on and before its answer",
        "with the same client token or idempotency key",
    ),
    ErrorSpec(
        "owner_unavailable", 2003, 503, "not_done",
        "the node that owns the interaction is down", "after retry_after_s",
    ),
    ErrorSpec(
        "operation_in_progress", 2004, 409, "not_done",
        "the same client token, snapshot or agent login is still in work", "after retry_after_s",
    ),
    ErrorSpec(
        "ambiguous_owner", 2005, 409, "not_done",
        "two nodes hold the id: only with foreign or restored data", "no",
    ),
    ErrorSpec(
        "snapshot_not_accessible", 2006, 404, "not_done",
        "the snapshot is unknown, released, expired or another client's", "take a new one",
    ),
    ErrorSpec(
        "not_found", 2100, 404, "not_done",
        "it never existed or is past its retention; said only by the owner of the id", "no",
    ),
    ErrorSpec(
        "duplicate_interaction_id", 2101, 409, "not_done",
        "the client-made interaction id is already used in this tenant", "no",
    ),
    ErrorSpec(
        "invalid_attribute", 2102, 400, "not_done",
        "a field is missing, unknown, of the wrong type or has a wrong value", "no",
    ),
    ErrorSpec(
        "not_allowed", 2103, 403, "not_done",
        "client kind, rights, business process or disabled media type forbid it", "no",
    ),
    ErrorSpec(
        "limit_reached", 2104, 409, "not_done",
        "a limit on seats, queue, workbin or size is reached", "when freed",
    ),
    ErrorSpec(
        "stale_epoch", 2105, 409, "not_done",
        "the caller or the server acts under an older epoch", "ask the new holder",
    ),
    ErrorSpec(
        "back_pressure", 2106, 429, "not_done",
        "the event log or a sink is full and submitters are slowed", "after retry_after_s",
    ),
    ErrorSpec(
        "overloaded", 2107, 429, "not_done",
        "the admission queue is beyond its bound", "after retry_after_s",
    ),
    ErrorSpec(
        "idempotency_key_reused", 2108, 422, "not_done",
        "the same key or token came with another body", "no",
    ),
    ErrorSpec(
        "unauthenticated", 2109, 401, "not_done",
        "the token is missing, revoked or expired beyond its grace", "log in",
    ),
    ErrorSpec(
        "deadline_exceeded", 2110, 503, "not_done",
        "the request's timeout_s passed before its work began", "with a longer timeout_s",
    ),
    ErrorSpec(
        "internal_error", 2111, 500, "unknown",
        "a fault in the server; its log has the request_id",
        "with the same client token or idempotency key",
    ),
    ErrorSpec(
        "frame_too_large", 2112, 413, "not_done",
        "a request or frame is larger, deeper or holds more messages than the limit", "smaller",
    ),
    ErrorSpec(
        "database_unavailable", 2113, 503, "not_done",
        "the server's database cannot be reached or refuses work", "after retry_after_s",
    ),
    ErrorSpec(
        "outcome_unknown", 2114, 503, "unknown",
        "the database's connection broke during commit and could not be asked afterwards",
        "with the same client token or idempotency key",
    ),
    ErrorSpec(
        "shutting_down", 2115, 503, "not_done",
        "the server is stopping and takes no new work", "after retry_after_s",
    ),
    ErrorSpec(
        "start_refused", 2116, 503, "not_done",
        "a server cannot start with what it was given: folder, port, database, option", "after the fix",
    ),
    ErrorSpec(
        "configuration_mistake", 2201, 409, "not_done",
        "a configuration object or file contradicts itself", "after the fix",
    ),
    ErrorSpec(
        "object_exists", 2202, 409, "not_done",
        "an object of this type and name exists in the tenant", "no",
    ),
    ErrorSpec(
        "object_in_use", 2203, 409, "not_done",
        "other objects refer to the one to be deleted", "after removing the references",
    ),
    ErrorSpec(
        "stale_sequence", 2204, 409, "not_done",
        "expected_seq is not the configuration's last change", "after reading it again",
    ),
    ErrorSpec(
        "statistic_not_available", 2401, 409, "not_done",
        "the statistic's object, type or filter cannot be opened", "after the fix",
    ),
    ErrorSpec(
        "not_owner", 2501, 409, "not_done",
        "the client does not own the interaction", "no", 23017,
    ),
    ErrorSpec(
        "media_not_logged_in", 2502, 409, "not_done",
        "the agent is not logged in with this media type", "no", 23039,
    ),
    ErrorSpec(
        "media_already_added", 2503, 409, "not_done",
        "the agent has this media type already", "no", 23040,
    ),
    ErrorSpec(
        "already_ready", 2504, 409, "not_done",
        "the agent is ready for this media type already", "no", 23043,
    ),
    ErrorSpec(
        "already_not_ready", 2505, 409, "not_done",
        "the agent is not ready for this media type already", "no", 23044,
    ),
    ErrorSpec(
        "place_occupied", 2506, 409, "not_done",
        "another agent is logged in at the place", "no", 23004,
    ),
    ErrorSpec(
        "agent_elsewhere", 2507, 409, "not_done",
        "the agent is logged in at another place", "no", 23084,
    ),
    ErrorSpec(
        "place_in_logout", 2508, 409, "not_done",
        "the place is being logged out", "no", 23087,
    ),
    ErrorSpec(
        "invalid_target", 2509, 409, "not_done",
        "the agent of a delivery is not logged in with this media type", "no", 23101,
    ),
    ErrorSpec(
        "already_accepted", 2510, 409, "not_done",
        "another agent has accepted the interaction", "no", 23400,
    ),
    ErrorSpec(
        "ticket_expired", 2511, 409, "not_done",
        "the invitation of this ticket is over", "no",
    ),
    ErrorSpec(
        "agent_busy", 2512, 409, "not_done",
        "the agent has an outstanding invitation in this media type", "no",
    ),
    ErrorSpec(
        "not_waiting", 2513, 409, "not_done",
        "the interaction is not in the state that the operation needs", "no",
    ),
    ErrorSpec(
        "no_permit", 2901, 409, "not_done",
        "the pacing target has no unspent, living permit", "with the next report",
    ),
    ErrorSpec(
        "unknown_base", 2902, 409, "not_done",
        "a delta report names a base sequence that the engine does not hold", "send the full set",
    ),
    ErrorSpec(
        "invitation_closed", 2903, 409, "not_done",
        "the invitation was answered or has expired", "no",
    ),
)  # fmt: skip

ERRORS: dict[str, ErrorSpec] = {row.name: row for row in _ROWS}
"""The table by name; unknown names are programming errors and raise KeyError."""
