"""Idempotency keys: what makes a repeated request give the first one's answer instead of a second effect.

The edge checks a key's form; a server that stores what an operation did keeps the answer under
`Once` in the same transaction (storage/kept_answers.py) and gives it again through `again`.
"""

from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from paceline.errors.failure import PacelineError
from paceline.wire.call import Call
from paceline.wire.frames import encode
from paceline.wire.schema import lenient_decoder

LONGEST_KEY = 255
"""Characters of a key (chosen: as others in the field allow)."""


class Once(NamedTuple):
    """A key in its scope: tenant, caller and operation (INTERFACES: idempotency)."""

    tenant_id: int
    caller: str
    operation: str
    key: str


class KeptAnswer(msgspec.Struct, frozen=True):
    """What the first request with a key asked and was answered."""

    body_hash: bytes
    answer: str


def checked_key(key: str | None) -> str | None:
    """A key of a request, nothing when it has none or an empty one.

    Raises
    ------
    PacelineError
        `invalid_attribute` (field idempotency_key) when it is too long or has unprintable characters.
    """
    if not key:
        return None
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise PacelineError(
            "invalid_attribute",
            f"an idempotency key has 1 to {LONGEST_KEY} printable characters",
            field="idempotency_key",
        )
    return key


def once_of(call: Call, operation: str) -> Once | None:
    """The key of a request in its scope; None without one."""
    if call.idempotency_key is None:
        return None
    return Once(call.tenant, call.principal.name, operation, call.idempotency_key)


def body_hash(request: Any) -> bytes:
    """By which two requests with one key are told apart."""
    return blake2b(encode(request), digest_size=16).digest()


def kept(request: Any, answer: Any) -> KeptAnswer:
    """What is to be kept of a request and its answer."""
    return KeptAnswer(body_hash(request), encode(answer).decode())


def again(known: KeptAnswer, request: Any, kind: Any, *, field: str = "idempotency_key") -> Any:
    """The first answer, for a request with the same key and body; `field` is where the key came in.

    Raises
    ------
    PacelineError
        `idempotency_key_reused` when the body is another one.
    """
    if known.body_hash != body_hash(request):
        raise PacelineError(
            "idempotency_key_reused",
            f"this {field} was used with another body; use a new one",
            field=field,
        )
    return lenient_decoder(kind).decode(known.answer)
