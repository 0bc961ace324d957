"""What the processes of a simulation have in common.

Called first thing in every worker of replicate.py and study.py.
"""

import os
from multiprocessing import parent_process
from threading import Thread


def end_with_parent() -> None:
    """End this process when the one that started it is gone: a killed command would leave it waiting for work."""
    Thread(target=_wait_and_end, name="parent watch", daemon=True).start()


def _wait_and_end() -> None:
    parent = parent_process()
    if parent is None:
        return
    parent.join()
    os._exit(1)  # no clean-up: nobody is left to hear of it
