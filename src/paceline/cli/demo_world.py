"""The made-up people of `paceline demo` around a running site, and what must outlive a restart.

Used by demo.py.
"""

import asyncio
from pathlib import Path

import msgspec

from paceline.assembly.all_in_one import AllInOne
from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.runtime.chance import Chance
from paceline.runtime.times import real_times
from paceline.sdk import (
    ConfigurationFollower,
    EngagementEngineClient,
    InteractionServerClient,
    MessageServerClient,
    PacingServerClient,
    StatServerClient,
)
from paceline.sdk.listing import listed
from paceline.simulator.summary import DemoSummary, SiteClients
from paceline.simulator.whole_site import DemoWorld
from paceline.units.quantities import Millis

DAY_MS = 24 * 3600 * 1000
OPENING_MS = 8 * 3600 * 1000
"""The bank opened at 08:00; the demo's day begins there, on the day of its first start (UTC)."""


class DemoState(msgspec.Struct, frozen=True):
    """What a restart on the same folder needs: the same chance and the same day."""

    seed: int
    opening: int


def demo_state(path: Path, seed: int | None) -> DemoState:
    """The state kept in a file, made when there is none; a given seed is kept instead.

    Raises
    ------
    PacelineError
        `start_refused` when the file is damaged.
    """
    now = real_times().machine.now()
    known = DemoState(Chance(seed).seed, now - now % DAY_MS + OPENING_MS)
    if path.exists():
        try:
            known = msgspec.json.decode(path.read_bytes(), type=DemoState)
        except msgspec.DecodeError as error:
            raise PacelineError(
                "start_refused",
                f"file {path} is damaged ({error}); choose another --data-dir or remove the folder",
                field="data_dir",
            ) from None
    state = known if seed is None else DemoState(seed, known.opening)
    path.write_bytes(msgspec.json.encode(state))
    return state


async def choose_policy(site: AllInOne, policy: str) -> None:
    """Make every pacing cluster compute its permits this way."""
    client = site.client
    body = msgspec.Raw(msgspec.json.encode({"options": {"pacing": {"algorithm": policy}}}))
    async for item in listed(client, "applications"):
        application = msgspec.json.decode(item.body, type=Application)
        if application.application_type == "application_cluster":
            await client.object.change(type=item.type, id=item.id, tenant=item.tenant, body=body)


async def live(
    site: AllInOne, state: DemoState, stop: asyncio.Event, duration_s: float | None
) -> DemoSummary:
    """Let the made-up people live for so long, or until told to stop; what the servers counted."""
    source = ConfigurationFollower(site.client)
    await source.start()
    world = DemoWorld(
        clients=SiteClients(
            media=InteractionServerClient(site.connect("interaction", "media_server")),
            desk=InteractionServerClient(site.connect("interaction", "agent")),
            engagement=EngagementEngineClient(site.connect("engagement", "operator")),
            stat=StatServerClient(site.connect("stat", "operator")),
            pacing=PacingServerClient(site.connect("pacing", "operator")),
            message=MessageServerClient(site.connect("message", "operator")),
        ),
        configuration=source,
        times=site.times,
        chance=Chance(state.seed),
        opening=Millis(state.opening),
    )
    async with world:
        try:
            async with asyncio.timeout(duration_s):
                await stop.wait()
        except TimeoutError:
            pass
    return await world.summary()
