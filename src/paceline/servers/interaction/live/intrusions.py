"""Who waits for the answer to an intrusion. Memory only: the question itself is a party of the interaction.

Registered by requests/parties.py, told by live/parties.py.
"""

from collections.abc import Callable
from typing import NamedTuple

from paceline.wire.operations.interaction import PartyRequestResult


class Intrusion(NamedTuple):
    """One that waits: `keep` keeps its answer under its key, in the transaction of the acceptance."""

    answer: Callable[[PartyRequestResult], None]
    keep: Callable[[], None]
