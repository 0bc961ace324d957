"""SIGTERM and SIGINT of the main process become one event to wait for.

Used by the command line around everything that serves. A second signal ends the process at once.
"""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager

_STOPPING = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that is set by the first signal; main thread and running loop only."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def release() -> None:
        for number in _STOPPING:
            loop.remove_signal_handler(number)

    def received() -> None:
        stop.set()
        release()

    for number in _STOPPING:
        loop.add_signal_handler(number, received)
    try:
        yield stop
    finally:
        release()
