"""The exception of Paceline: one row of the error table with what went wrong this time.

Raised by every room, translated once at a request's edge (wire/server), raised again by the SDK.
"""

from paceline.errors.table import ERRORS, Outcome


class PacelineError(Exception):
    """A request or an action that was refused or failed.

    The message names the object, the field and the fix. `outcome` is "not_done" when nothing
    happened, "unknown" when it may have happened and the caller must ask or repeat with its token.

    Raises
    ------
    KeyError
        When the name is not in the error table.
    """

    def __init__(
        self,
        name: str,
        message: str,
        *,
        field: str | None = None,
        retry_after_s: float | None = None,
        outcome: Outcome | None = None,
        details: dict[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        spec = ERRORS[name]
        self.name = name
        self.message = message
        self.field = field
        self.retry_after_s = retry_after_s
        self.outcome: Outcome = outcome or spec.outcome
        self.details = details
        self.number = spec.number
        self.http_status = spec.http_status

    def __str__(self) -> str:
        return f"{self.name} ({self.number}): {self.message}"
