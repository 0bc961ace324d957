"""Strict and lenient decoding from one struct."""

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.wire.frames import error_from
from paceline.wire.operation import Request
from paceline.wire.operations.catalogue import OPERATIONS_OF
from paceline.wire.schema import decode_request, known_fields, strict_decoder


class Inner(Request, frozen=True, kw_only=True):
    """A part."""

    size: int
    colour: str = "red"


class Outer(Request, frozen=True, kw_only=True):
    """A whole with parts in every kind of place."""

    first: Inner
    maybe: Inner | None = None
    many: tuple[Inner, ...] = ()
    named: dict[str, Inner] = {}


@pytest.mark.parametrize(
    "body",
    [
        b'{"first":{"size":1},"thrid":1}',
        b'{"first":{"size":1,"thrid":1}}',
        b'{"first":{"size":1},"maybe":{"size":1,"thrid":1}}',
        b'{"first":{"size":1},"many":[{"size":1,"thrid":1}]}',
        b'{"first":{"size":1},"named":{"a":{"size":1,"thrid":1}}}',
    ],
)
def test_unknown_fields_are_refused_at_every_depth_or_ignored(body: bytes) -> None:
    """A server refuses them by name, a client of an older version goes on without them."""
    with pytest.raises(PacelineError, match="unknown field 'thrid'"):
        decode_request(Outer, body)
    assert decode_request(Outer, body, strict=False).first.size == 1


def test_the_nearest_field_may_stand_inside() -> None:
    """A slip in a part is compared with the part's fields."""
    assert known_fields(Outer) == ("first", "maybe", "many", "named", "size", "colour")
    with pytest.raises(PacelineError, match="did you mean 'colour'"):
        decode_request(Outer, b'{"first":{"size":1,"color":"blue"}}')


def test_a_strict_request_is_one_of_its_struct() -> None:
    """With the defaults of the struct, so that handlers see no difference."""
    strict = decode_request(Outer, b'{"first":{"size":1}}')
    assert isinstance(strict, Outer) and isinstance(strict.first, Inner)
    assert (strict.maybe, strict.many, strict.named, strict.first.colour) == (None, (), {}, "red")


@pytest.mark.parametrize("kind", sorted(OPERATIONS_OF))
def test_every_request_can_be_decoded_strictly(kind: str) -> None:
    """A declaration that cannot is found here and not at a server's start."""
    for operation in OPERATIONS_OF[kind].values():
        with pytest.raises(msgspec.ValidationError):
            strict_decoder(operation.request).decode(b'{"no such field":1}')


def test_an_error_of_a_newer_peer_is_still_an_error() -> None:
    """An unknown name does not break the client."""
    assert error_from({"name": "brand_new", "message": "?"}).name == "internal_error"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"first":{"size":1,"colour":"a\\u0000"}}', "first"),
        (b'{"first":{"size":1},"named":{"\\u0000":{"size":1}}}', "named"),
    ],
)
def test_no_text_has_the_character_that_no_database_takes(body: bytes, field: str) -> None:
    """U+0000 is refused with its field; the six characters of an escaped backslash are a text."""
    with pytest.raises(PacelineError, match=r"U\+0000") as refused:
        decode_request(Outer, body)
    assert refused.value.field == field
    kept = decode_request(Outer, b'{"first":{"size":1,"colour":"a\\\\u0000"}}')
    assert kept.first.colour == "a\\u0000"
