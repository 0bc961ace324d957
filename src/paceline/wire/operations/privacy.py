"""Operations of privacy: the erasure of a person's data."""

from paceline.wire.operation import Answer, HttpRoute, Operation, Request, collect


class Erase(Request, frozen=True, kw_only=True):
    """Erases the user data of a person's interactions: of those with a value under a key, or of those named.

    Values are compared as text. Ids, properties and counts stay, and the values of the declared
    filter keys, which are never personal.
    """

    key: str | None = None
    value: str | None = None
    interaction_ids: tuple[str, ...] = ()
    tenant: int | None = None


class Erased(Answer, frozen=True, kw_only=True):
    """How many interactions in work, finished interactions and stored events lost data with this request."""

    interactions: int
    finished: int
    events: int


OPERATIONS = collect(
    (
        Operation(name="privacy.erase", request=Erase, answer=Erased, right=("privacy", "execute"), idempotency="by_nature", audited=True, http=HttpRoute("POST", "/v1/privacy/erase"), summary="Erases a person's user data in interactions, finished ones and events."),
    )
)  # fmt: skip
