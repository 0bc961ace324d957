"""kill -9 of the whole demo at random moments: nothing acknowledged is lost, everything open is finished."""

import asyncio
import random
import signal
from pathlib import Path

import pytest

from paceline.errors.failure import PacelineError
from paceline.model import events as names
from paceline.runtime.times import MachineTime
from paceline.sdk import InteractionServerClient
from paceline.wire.operations.event import Event
from tests.fault.site import clients_of, open_interactions, wait_ready, whole_log
from tests.integration.cli.processes import open_folder, running, stop

SPEED = 240
"""A service of the bank lasts an hour at most: fifteen seconds at this speed."""

FINISH_S = 240.0


async def _record(client: InteractionServerClient, acknowledged: list[str], seed: int) -> None:
    """Submits chats with client tokens until the link breaks; remembers what was acknowledged."""
    dice = random.Random(seed)
    machine = MachineTime()
    while True:
        token = f"fault-{seed}-{dice.getrandbits(64):x}"
        try:
            answer = await client.interaction.submit(
                media_type="chat", queue="Chats", client_token=token, timeout_s=5
            )
        except PacelineError:
            return
        acknowledged.append(answer.interaction_id)
        await machine.sleep(0.05)


async def _rounds(folder: Path, rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    machine = MachineTime()
    acknowledged: list[str] = []
    opened: set[str] = set()
    arguments = ("demo", "--headless", "--speed", SPEED, "--seed", seed, "--data-dir", folder)
    for number in range(rounds):
        with running(*arguments) as demo:
            run = await wait_ready(folder, demo)
            async with clients_of(run) as clients:
                opened |= await open_interactions(clients.interaction)
                recorder = asyncio.ensure_future(
                    _record(clients.interaction, acknowledged, seed * 1000 + number)
                )
                await machine.sleep(dice.uniform(0.5, 3.0))
                demo.send_signal(signal.SIGKILL)
                demo.wait()
                await recorder
    with running(*arguments) as demo:
        run = await wait_ready(folder, demo)
        async with clients_of(run) as clients:
            await _check(clients.interaction, acknowledged, opened)
        assert stop(demo).status == 0


async def _check(
    client: InteractionServerClient, acknowledged: list[str], opened: set[str]
) -> None:
    machine = MachineTime()
    opened |= await open_interactions(client)
    before = await whole_log(client)
    for key in acknowledged:
        assert (await client.interaction.get(interaction_id=key)).interaction_id == key
    until = machine.monotonic() + FINISH_S
    left = opened
    while left and machine.monotonic() < until:
        await machine.sleep(0.5)
        left = left & await open_interactions(client)
    assert not left, f"{len(left)} of {len(opened)} that were open at a kill are not finished"
    log = await whole_log(client)
    assert [event.event_id for event in log] == list(range(1, len(log) + 1))
    submitted = {e.interaction_id for e in log if e.name == names.INTERACTION_SUBMITTED}
    stopped = {e.interaction_id for e in log if e.name == names.PROCESSING_STOPPED}
    assert set(acknowledged) <= submitted
    assert opened <= stopped
    while not any(map(_is_proactive, log[len(before) :])):
        assert machine.monotonic() < until, "no invitation was accepted after the last restart"
        await machine.sleep(0.5)
        log = await whole_log(client)


def _is_proactive(event: Event) -> bool:
    return event.name == names.INTERACTION_SUBMITTED and b'"Proactive"' in bytes(event.data)


@pytest.mark.integration
def test_three_kills_lose_nothing() -> None:
    """Three rounds: acknowledged submissions are there, open work is finished, the loop goes on."""
    with open_folder() as folder:
        asyncio.run(_rounds(folder / "demo", rounds=3, seed=random.randrange(1000)))


@pytest.mark.fault
def test_twenty_kills_lose_nothing() -> None:
    """The same with twenty rounds; run by `make fault`."""
    with open_folder() as folder:
        asyncio.run(_rounds(folder / "demo", rounds=20, seed=random.randrange(1000)))
