"""Ids: their form, whose they are, and the clock they do not depend on."""

import pytest

from paceline.runtime.ids import (
    InteractionIds,
    batch_id,
    is_client_id,
    is_generated,
    node_code_of,
    request_id,
)
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.units.quantities import Millis

NOW = Millis(1_767_600_000_000)


def ids_of_a_stopped_clock(node_code: int, last_id_ms: int = 0, count: int = 3) -> list[str]:
    """Ids made within one millisecond."""

    async def main() -> list[str]:
        ids = InteractionIds(node_code, virtual_times(NOW), last_id_ms)
        return [ids.next() for _ in range(count)]

    return run_virtual(main())


def test_an_id_is_node_code_milliseconds_and_counter() -> None:
    """16 characters of Crockford base32: 2 node, 9 ms, 5 counter."""
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

    def number(text: str) -> int:
        value = 0
        for character in text:
            value = value * 32 + alphabet.index(character)
        return value

    made = ids_of_a_stopped_clock(1023)
    assert [len(one) for one in made] == [16] * 3
    assert [number(one[:2]) for one in made] == [1023] * 3
    assert [number(one[2:11]) for one in made] == [NOW] * 3
    assert [number(one[11:]) for one in made] == [0, 1, 2]


def test_ids_of_the_next_process_are_above_those_of_the_last() -> None:
    """With the last process's last ms, even one ahead of the clock, every new id is above."""

    async def main() -> tuple[str, str]:
        before = InteractionIds(3, virtual_times(Millis(NOW + 5_000)))
        last = [before.next() for _ in range(2000)][-1]
        after = InteractionIds(3, virtual_times(NOW), before.last_ms)
        return last, after.next()

    last, new = run_virtual(main())
    assert last < new


def test_a_full_counter_goes_on_in_the_next_millisecond() -> None:
    """The 2²⁵ ids of one millisecond are followed by ids of the next."""

    async def main() -> tuple[str, str, int]:
        ids = InteractionIds(1, virtual_times(NOW))
        first = ids.next()
        ids._counter = 1 << 25
        return first, ids.next(), ids.last_ms

    first, after, last_ms = run_virtual(main())
    assert first < after
    assert (after[11:], last_ms) == ("00000", NOW + 1)


@pytest.mark.parametrize("code", [-1, 1024])
def test_a_node_code_out_of_range_is_refused(code: int) -> None:
    """Node codes are 0 to 1023."""
    with pytest.raises(ValueError, match="from 0 to 1023"):
        InteractionIds(code, virtual_times(NOW))


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("order-17.a_b~C", True),
        ("x" * 64, True),
        ("", False),
        ("x" * 65, False),
        ("a/b", False),
        ("a b", False),
        ("é", False),
        ("a\n", False),
        ("0000000000000000", False),
        ("051M7YZHSZ40009I", True),
    ],
)
def test_what_a_client_may_bring_as_an_id(text: str, may: bool) -> None:
    """1 to 64 of the documented characters, never of the generated form."""
    assert is_client_id(text) is may


def test_the_owner_of_an_id_is_known_from_the_id() -> None:
    """A generated id names its node; a client-made one names none."""
    assert [node_code_of(ids_of_a_stopped_clock(code)[0]) for code in (0, 31, 32, 777)] == [
        0,
        31,
        32,
        777,
    ]
    assert node_code_of("order-17") is None
    assert not is_generated("order-17")


def test_request_and_batch_ids_are_not_repeated() -> None:
    """No two are the same."""
    assert len({request_id() for _ in range(1000)}) == 1000
    assert len({batch_id() for _ in range(1000)}) == 1000
