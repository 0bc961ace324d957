"""The table of a server's operations with their handlers, and the checks before a handler runs.

Shared by HTTP routes and sessions: unknown operation, right, client kind, body. Never does I/O.
"""

import difflib
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from paceline.errors.failure import PacelineError
from paceline.wire.access import may
from paceline.wire.call import Handler, Handlers, Principal
from paceline.wire.operation import SIZE_LIMITS, ClientKind, Operation
from paceline.wire.schema import decode_request, strict_decoder


class Entry(NamedTuple):
    """An operation that this server answers."""

    operation: Operation
    handler: Handler


class Dispatch:
    """All operations of one server.

    Raises
    ------
    ValueError
        When an operation has no handler, or a handler no operation.
    """

    def __init__(self, operations: Mapping[str, Operation], handlers: Handlers) -> None:
        without = sorted(set(operations) - set(handlers))
        unknown = sorted(set(handlers) - set(operations))
        if without or unknown:
            raise ValueError(
                f"operations without handler: {without}; handlers without operation: {unknown}"
            )
        self.entries = {
            name: Entry(operation, handlers[name]) for name, operation in operations.items()
        }
        for operation in operations.values():
            strict_decoder(operation.request)

    def entry(self, name: str) -> Entry:
        """The entry of an operation.

        Raises
        ------
        PacelineError
            `unsupported_operation` with the nearest known name.
        """
        found = self.entries.get(name)
        if found is None:
            near = difflib.get_close_matches(name, self.entries, n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise PacelineError(
                "unsupported_operation", f"this server has no operation '{name}'{hint}", field="op"
            )
        return found

    def allowed(self, principal: Principal, kind: ClientKind) -> dict[str, Entry]:
        """The entries that this caller may use; computed once per session."""
        return {
            name: entry
            for name, entry in self.entries.items()
            if kind in entry.operation.client_kinds and may(principal, entry.operation)
        }

    def refusal(self, name: str, principal: Principal, kind: ClientKind) -> PacelineError:
        """Why the caller may not use an operation."""
        try:
            operation = self.entry(name).operation
        except PacelineError as error:
            return error
        if kind not in operation.client_kinds:
            kinds = ", ".join(sorted(operation.client_kinds))
            return PacelineError(
                "not_allowed",
                f"{name} is for client kinds {kinds}, not {kind}",
                field="client_kind",
            )
        domain, verb = operation.right or ("", "read")
        return PacelineError(
            "not_allowed",
            f"'{principal.name}' lacks the right to {verb} {domain}; its access groups are "
            f"{', '.join(principal.access_groups) or 'none'}",
        )


def decode_body(entry: Entry, body: bytes | msgspec.Raw) -> Any:
    """The typed request.

    Raises
    ------
    PacelineError
        `frame_too_large` or `invalid_attribute`.
    """
    limit = SIZE_LIMITS[entry.operation.size_class]
    size = len(memoryview(body))
    if size > limit:
        raise PacelineError(
            "frame_too_large", f"{entry.operation.name} takes at most {limit} bytes, not {size}"
        )
    return decode_request(entry.operation.request, body)
