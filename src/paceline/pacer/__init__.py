"""The pacing algorithm: one cycle's numbers in, permits and reasons out; pure, importable alone.

The fixed door of this room: `Pacer`, `CycleInput`, `CycleOutput`, `PermitReason`.
"""

from paceline.pacer.inputs import CycleInput, CycleOutput
from paceline.pacer.pacer import Pacer
from paceline.pacer.reasons import PermitReason

__all__ = ["CycleInput", "CycleOutput", "Pacer", "PermitReason"]
