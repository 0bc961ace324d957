"""Signals: the first one asks to stop, and afterwards all is as before."""

import asyncio
import os
import signal

import pytest

from paceline.runtime.signals import stop_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_sets_the_event_and_handlers_are_given_back(number: signal.Signals) -> None:
    """The process goes on to stop in order; a second signal has its usual effect again."""

    async def main() -> None:
        with stop_signals() as stop:
            os.kill(os.getpid(), number)
            async with asyncio.timeout(60):
                await stop.wait()
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL

    asyncio.run(main())
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
