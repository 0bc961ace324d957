"""A rehearsal repeats itself byte for byte."""

import os
import subprocess
import sys

import pytest

from paceline.simulator.whole.plan import Plan
from paceline.simulator.whole.run import rehearse


@pytest.mark.slow
def test_the_same_seed_repeats_the_log_in_any_process() -> None:
    """Two processes with different hash seeds write the same bytes."""
    code = (
        "import sys; from paceline.simulator.whole.run import rehearse; "
        "from paceline.simulator.whole.plan import Plan; "
        "print(rehearse(Plan(seed=3, duration_s=300.0)).digest)"
    )
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": str(seed)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for seed in (1, 2)
    ]
    digests = [run.communicate()[0].strip() for run in runs]
    assert len(digests[0]) == 64
    assert digests[0] == digests[1]


def test_the_same_seed_repeats_the_log_in_one_process() -> None:
    """Nothing is left over from an earlier run; another seed writes other bytes."""
    first, again, other = (rehearse(Plan(seed=seed, duration_s=30.0)).digest for seed in (5, 5, 6))
    assert first == again != other
