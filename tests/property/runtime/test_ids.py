"""Laws of interaction ids."""

from hypothesis import given
from hypothesis import strategies as st

from paceline.runtime.ids import InteractionIds, is_client_id, is_generated, node_code_of
from paceline.runtime.times import MachineTime, Times, virtual_times
from paceline.units.quantities import Millis


class SetClock(MachineTime):
    """A machine whose clock somebody sets at will, also back."""

    instant = Millis(0)

    def now(self) -> Millis:
        """What it was set to."""
        return self.instant


@given(
    node_code=st.integers(0, 1023),
    clock=st.lists(st.integers(0, 2**45 - 2**20), min_size=1, max_size=50),
    restarts=st.sets(st.integers(0, 49)),
)
def test_order_of_ids_is_order_of_submission(
    node_code: int, clock: list[int], restarts: set[int]
) -> None:
    """Whatever the clock does and whenever the process is replaced, each id is above the last."""
    machine = SetClock()
    times = Times(machine, virtual_times(Millis(0)).business)
    machine.instant = Millis(clock[0])
    ids = InteractionIds(node_code, times)
    made = list[str]()
    for step, instant in enumerate(clock):
        machine.instant = Millis(instant)
        if step in restarts:
            ids = InteractionIds(node_code, times, ids.last_ms)
        made += [ids.next(), ids.next()]
    assert made == sorted(set(made))
    assert all(node_code_of(one) == node_code for one in made)


@given(
    st.text("09AZilou-_é/", min_size=0, max_size=70)
    | st.text("0123ABCXYZ", min_size=15, max_size=17)
)
def test_an_id_is_of_one_kind_at_most(text: str) -> None:
    """Nothing is both generated and client-made; a generated one has a node."""
    assert not (is_generated(text) and is_client_id(text))
    assert (node_code_of(text) is not None) is is_generated(text)
