"""What expires goes, however much has gathered; what has not stays."""

import pytest

from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.servers.interaction.tasks import clean_up
from paceline.units.quantities import Millis
from tests.fakes.site import running_node

START = Millis(1_000_000_000_000)


def test_expired_tokens_and_old_batches_go_in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a step's worth: all expired ones are gone after one round, younger ones are there."""
    monkeypatch.setattr(clean_up, "STEP", 3)

    async def scenario() -> None:
        times = virtual_times(START)
        options = {"settings": {"client-token-retention": "1h"}}
        async with running_node(times, options=options) as node:
            media = await node.client("chat")
            database = node.server._database

            async def count(table: str) -> int:
                return int(
                    (await database.fetch(f"SELECT count(*) FROM interaction.{table}"))[0][0]
                )

            for number in range(8):
                await media.interaction.submit(
                    media_type="chat", queue="Chats", client_token=f"old {number}"
                )
            await times.machine.sleep(3000)
            await media.interaction.submit(media_type="chat", queue="Chats", client_token="young")
            assert (await count("client_tokens"), await count("batch")) == (9, 9)
            await times.machine.sleep(600 + 2 * clean_up.CLEAN_UP_S)
            assert (await count("client_tokens"), await count("batch")) == (1, 1)

    run_virtual(scenario())
