"""Whole numbers of requests: 64 bits at most, or what the field itself says."""

import pytest

from paceline.errors.failure import PacelineError
from paceline.wire.operations.interaction import SubmitBatch
from paceline.wire.operations.message import AlarmRef
from paceline.wire.schema import decode_request


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0])
def test_every_number_of_64_bits_is_taken(number: int) -> None:
    """What a database can hold comes through."""
    assert decode_request(AlarmRef, b'{"id":%d}' % number).id == number


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_a_longer_number_is_refused_with_its_field(number: int) -> None:
    """No database would take it; the caller is told which field it is."""
    with pytest.raises(PacelineError) as refused:
        decode_request(AlarmRef, b'{"id":%d}' % number)
    assert (refused.value.name, refused.value.field) == ("invalid_attribute", "id")


def test_a_fields_own_limit_stands_also_inside_a_list() -> None:
    """A priority has 32 bits, in a batch too."""
    body = b'{"interactions":[{"media_type":"chat","queue":"q","priority":2147483648}]}'
    with pytest.raises(PacelineError) as refused:
        decode_request(SubmitBatch, body)
    assert refused.value.field == "interactions[0].priority"
