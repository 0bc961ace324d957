"""A busy hour with everything that may go wrong: whatever is drawn, the router keeps its promises."""

from collections import Counter

import pytest

from paceline.runtime.chance import Chance
from paceline.runtime.virtual_loop import run_virtual
from tests.component.router.neighbours import interaction
from tests.component.router.site import Site, running_site

AGENTS = {f"agent{n}": 1 + n % 3 for n in range(6)}
"""Name and capacity."""


class Hour:
    """Agents who answer, refuse, let ring and finish at random; visitors who leave."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.chance = Chance(seed).stream("hour")
        self.accepted: Counter[str] = Counter()
        self.left: set[str] = set()
        self.handled: Counter[str] = Counter()
        self.worst = 0.0

    def tell(self, agent: str) -> None:
        """The Stat Server shows the agent's load."""
        rings = sum(one == agent for one in self.site.interactions.ringing.values())
        load = self.handled[agent] + rings
        self.worst = max(self.worst, load / AGENTS[agent])
        self.site.statistics.show("Chat agents", agent, current=load, maximum=AGENTS[agent])

    async def turn(self) -> None:
        """A little time and a few events."""
        await self.site.pass_s(self.chance.uniform(0.01, 0.2))
        for agent in AGENTS:
            self.tell(agent)
        for name in tuple(self.site.interactions.owned):
            self.decide(name)
        for agent in AGENTS:
            if self.handled[agent] and self.chance.random() < 0.4:
                self.handled[agent] -= 1
                self.tell(agent)
        drawn = self.chance.random()
        if drawn < 0.02:
            await self.site.break_interaction_link()
        elif drawn < 0.04:
            await self.site.break_stat_link()

    def decide(self, name: str) -> None:
        """What becomes of one interaction that the router holds: often nothing yet."""
        server = self.site.interactions
        ringing_at = server.ringing.get(name)
        drawn = self.chance.random()
        if drawn > 0.99:
            self.left.add(name)
            server.answer(name, "abandoned")
        elif ringing_at is None or drawn > 0.7:
            return
        elif drawn < 0.5:
            self.accepted[name] += 1
            self.handled[ringing_at] += 1
            server.answer(name, "accepted")
        else:
            server.answer(name, self.chance.choice(("rejected", "revoked")))
        if ringing_at is not None:
            self.tell(ringing_at)


@pytest.mark.parametrize("seed", range(5))
def test_every_interaction_is_handled_once_or_left(seed: int) -> None:
    """None is lost or handled twice, no agent gets more than the capacity, all is drained."""

    async def run() -> None:
        async with running_site(exclusion_timeout="1s") as site:
            hour = Hour(site, seed)
            for number in range(120):
                one = interaction(f"i{number}", priority=number % 3, submit_seq=number)
                site.interactions.submit("all chats", one)
                if number % 4 == 0:
                    await hour.turn()
            for _ in range(600):
                if len(hour.accepted) + len(hour.left) == 120:
                    break
                await hour.turn()
            assert set(hour.accepted) | hour.left == {f"i{number}" for number in range(120)}
            assert set(hour.accepted) & hour.left == set()
            assert max(hour.accepted.values()) == 1
            assert hour.worst <= 1.0
            await site.pass_s()
            rows = (await site.virtual_queues()).items
            assert [(row.waiting, row.ringing) for row in rows] == [(0, 0)] * 3

    run_virtual(run())
