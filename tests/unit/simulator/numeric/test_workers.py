"""Processes of a simulation that is killed."""

import subprocess
import sys

import pytest

PARENT = """
from paceline.simulator.numeric.replicate import run
from paceline.simulator.numeric.scenario import Cell

if __name__ == "__main__":
    cell = Cell(agents=20, replications=3000)
    run([cell], policy="position", seed=1, processes=2, progress=lambda _: print("works", flush=True))
"""


@pytest.mark.slow
def test_workers_end_when_the_command_is_killed() -> None:
    """Standard output, which the workers hold too, ends soon after the parent was killed in mid-work."""
    script = [sys.executable, "-c", PARENT]
    with subprocess.Popen(script, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "works\n"
        parent.kill()
        parent.communicate(timeout=20)
