"""Measures how long an interaction node is away when its process dies, and when it is stopped.

Two processes of one node on one database; one works, the other waits for its lease. Callers go on through
it all and note how long each call took. Used by `paceline bench failover`.
"""

import signal
from collections import Counter
from collections.abc import Callable

import msgspec

from paceline.bench.failover_site import QUEUE, VIEW, FailoverSite
from paceline.bench.fill import fill
from paceline.bench.spread import Spread, spread
from paceline.cluster.lease import LEASE_S
from paceline.errors.failure import PacelineError
from paceline.runtime.tasks import TaskGroup
from paceline.runtime.times import Times
from paceline.sdk import InteractionServerClient

CLIENTS, CALLERS = 4, 16
"""Connections and the callers that share them: enough to be in the middle of everything (chosen)."""

CALM_S = 1.0
"""Time to settle before each fault: the standby waits, the callers work (chosen)."""

IMPATIENCE_S = 0.3
"""After so long without a session the prober connects anew, so that no pause of the sdk's adds to
what is measured (chosen: its first pauses add up to that)."""

ASK_S = 0.01
"""How often the prober looks for another process (chosen: the precision of what is measured)."""

PATIENCE_S = 60.0
"""A node that does not answer by then never will (chosen)."""


class Failover(msgspec.Struct, frozen=True):
    """Result of a measurement, in seconds.

    `takeover_s`: from kill -9 to the first pull that the standby answered; `hand_over_s`: from the
    signal of a graceful stop. `waited_…_s`: the longest call of each round, which includes the
    sdk's pause before it connects again. `refused`: what callers were told, by name and outcome.
    """

    takeover_s: Spread
    hand_over_s: Spread
    waited_takeover_s: Spread
    waited_hand_over_s: Spread
    refused: dict[str, int]
    lease_s: float
    waiting: int
    rounds: int


class _Callers:
    """Cycles without end; the longest call since `begin`, and what was refused."""

    def __init__(self, times: Times) -> None:
        self._machine = times.machine
        self._longest_s = 0.0
        self.refused: Counter[str] = Counter()

    def take_longest(self) -> float:
        """The longest call that has ended since the last question."""
        longest, self._longest_s = self._longest_s, 0.0
        return longest

    async def run(self, client: InteractionServerClient) -> None:
        """Pull, submit, stop: what waits stays as much as it is."""
        while True:
            begun = self._machine.monotonic()
            try:
                pulled = await client.view.pull(view=VIEW)
                self._note(begun)
                begun = self._machine.monotonic()
                await client.interaction.submit(media_type="chat", queue=QUEUE)
                self._note(begun)
                for item in pulled.interactions:
                    begun = self._machine.monotonic()
                    await client.interaction.stop(interaction_id=item.interaction_id)
                    self._note(begun)
            except PacelineError as error:
                self._note(begun)
                self.refused[f"{error.name} ({error.outcome})"] += 1
            await self._machine.sleep(0.01)

    def _note(self, begun: float) -> None:
        self._longest_s = max(self._longest_s, self._machine.monotonic() - begun)


async def measure_failover(
    times: Times, *, waiting: int, rounds: int, progress: Callable[[str], None]
) -> Failover:
    """Each round kills the process that works and then stops the other one; both come back."""
    tasks = TaskGroup("callers", progress)
    async with FailoverSite.running(times) as site:
        await site.begin_node("first")
        await site.line("first")
        clients = [site.connect(f"load {number}")[1] for number in range(CLIENTS)]
        await fill(clients, QUEUE, waiting, progress)
        await site.begin_standby("second")
        callers = _Callers(times)
        for number in range(CALLERS):
            tasks.start("caller", callers.run(clients[number % CLIENTS]))
        found: list[tuple[float, float, float, float]] = []
        for number in range(1, rounds + 1):
            killed = await _change(site, times, callers, ("first", "second"), signal.SIGKILL)
            stopped = await _change(site, times, callers, ("second", "first"), signal.SIGTERM)
            found.append((*killed, *stopped))
            progress(
                f"round {number} of {rounds}: takeover {killed[0]:.2f} s (longest call "
                f"{killed[1]:.2f} s), hand-over {stopped[0]:.2f} s (longest call "
                f"{stopped[1]:.2f} s)"
            )
        await tasks.aclose()
    takeover, waited_takeover, hand_over, waited_hand_over = zip(*found, strict=True)
    return Failover(
        takeover_s=spread(takeover),
        hand_over_s=spread(hand_over),
        waited_takeover_s=spread(waited_takeover),
        waited_hand_over_s=spread(waited_hand_over),
        refused=dict(sorted(callers.refused.items())),
        lease_s=LEASE_S,
        waiting=waiting,
        rounds=rounds,
    )


async def _change(
    site: FailoverSite,
    times: Times,
    callers: _Callers,
    pair: tuple[str, str],
    number: signal.Signals,
) -> tuple[float, float]:
    """Seconds until the second of the pair answered after the first got a signal; the longest call."""
    old, new = pair
    machine = times.machine
    await machine.sleep(CALM_S)
    callers.take_longest()
    old_url = await site.node_url()
    begun = machine.monotonic()
    site.send(old, number)
    await _answered(site, times, old_url)
    took = machine.monotonic() - begun
    await site.line(new)
    await site.end(old, number)
    await machine.sleep(LEASE_S)  # every caller is back by then: the sdk pauses 2 s at most
    longest = callers.take_longest()
    await site.begin_standby(old)
    return took, longest


async def _answered(site: FailoverSite, times: Times, old_url: str) -> None:
    """Returns when another process than the old one has answered a pull."""
    give_up_at = times.machine.monotonic() + PATIENCE_S
    while times.machine.monotonic() < give_up_at:
        await times.machine.sleep(ASK_S)
        try:
            if await site.node_url() == old_url:
                continue
        except PacelineError:
            continue
        connection, client = site.connect("prober")
        try:
            await connection.wait_connected(IMPATIENCE_S)
            pulled = await client.view.pull(view=VIEW)
            await client.interaction.stop(interaction_id=pulled.interactions[0].interaction_id)
            return
        except PacelineError:
            continue
        finally:
            await site.disconnect(connection)
    raise PacelineError("owner_unavailable", f"nobody took the node over in {PATIENCE_S:g} s")
