"""Random bytes from a given source: whatever is made of them repeats."""

from contextvars import copy_context

from paceline.runtime.chance import Chance
from paceline.runtime.entropy import Entropy, use_entropy
from paceline.runtime.ids import batch_id, request_id
from paceline.runtime.secret import new_secret


def _made() -> list[str | int]:
    use_entropy(Entropy(Chance(7).stream("process").randbytes))
    return [request_id(), request_id(), batch_id(), new_secret().reveal(), Chance().seed]


def test_a_source_of_its_own_repeats_every_id_secret_and_seed() -> None:
    """Two contexts with equal sources make equal ids, secrets and seeds; requests count from 1."""
    first, second = copy_context().run(_made), copy_context().run(_made)
    assert first == second
    assert len(set(first)) == len(first)
    assert str(first[0]).endswith("-1") and str(first[1]).endswith("-2")


def test_a_source_ends_with_its_context() -> None:
    """Outside of that context the system's randomness is used."""
    repeated = copy_context().run(_made)
    assert batch_id() not in repeated
    assert batch_id() != batch_id()
