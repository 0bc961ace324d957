"""Clients of a node that goes away again and again; they remember what they were told."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable
from typing import Any, TypeVar

from paceline.bench.failover_site import FailoverSite, an_object
from paceline.errors.failure import PacelineError
from paceline.runtime.times import Times
from paceline.sdk import Connection, InteractionServerClient
from paceline.simulator.whole.history import History, record
from paceline.wire.operation import ClientKind
from paceline.wire.operations.event import EventNotice, StreamEvents
from paceline.wire.operations.interaction import Invite

T = TypeVar("T")
CHATS, MAILS, DRAFTS = "Chats", "E-mails", "Drafts"
AGENTS = ("agent1", "agent2")
MOST_IN_HAND = 5
PROCESS = "Service"

SITE = [
    an_object("business-processes", PROCESS),
    *(
        an_object("scripts", name, script_type="interaction_queue", business_process=PROCESS)
        for name in (CHATS, MAILS)
    ),
    *(
        an_object(
            "scripts",
            f"{name} view",
            script_type="interaction_queue_view",
            business_process=PROCESS,
            queue=name,
        )
        for name in (CHATS, MAILS)
    ),
    an_object(
        "scripts", DRAFTS, script_type="workbin", business_process=PROCESS, owner_type="agent"
    ),
    *(an_object("persons", name, is_agent=True) for name in AGENTS),
]
"""What the traffic needs: nothing is held or locked in the chats' queue, so that its order is exact."""


class Traffic:
    """Everybody at work until `end`. Chance only from the seed; real time decides the rest."""

    def __init__(self, site: FailoverSite, times: Times, seed: int) -> None:
        self.submitted: dict[str, str] = {}
        self.pulled: Counter[str] = Counter()
        self.stopped: set[str] = set()
        self.refused: Counter[str] = Counter()
        self.history = History(times.machine.monotonic, lambda _line: None)
        self.late: list[str] = []
        self.seen = 0
        self.is_seen_in_order = True
        self._position: str | None = None
        self._site = site
        self._machine = times.machine
        self._seed = seed
        self._is_over = False
        self._works: list[asyncio.Task[None]] = []
        self._connections: list[Connection] = []
        self.history.on_end(
            lambda asked: (
                self.late.append(asked.line) if (asked.ended_at or 0) > asked.due_at else None
            )
        )

    def begin(self) -> None:
        """Opens the clients and sets them to work."""
        for number in range(4):
            client = self._client(f"submitter {number}", "media_server")
            self._start(self._submit_again_and_again(client, number))
        for number in range(2):
            self._start(self._route(self._client(f"router {number}", "router"), number))
        for number in range(len(AGENTS)):
            self._start(self._work(self._client(f"desk {number}", "agent"), number))
        self._start(self._sort(self._client("sorter", "media_server")))
        follower = self._client("follower", "reporting")
        follower.event.subscribe(lambda: StreamEvents(after=self._position), self._see)

    async def end(self) -> None:
        """Lets everybody finish what is under way; those who watch go on."""
        self._is_over = True
        await asyncio.gather(*self._works)

    async def close(self) -> None:
        """Ends the clients: what routers still had goes back to its queue."""
        for connection in self._connections:
            await self._site.disconnect(connection)

    def _client(self, name: str, kind: ClientKind) -> InteractionServerClient:
        connection, client = self._site.connect(name, kind)
        record(connection, self.history, name)
        self._connections.append(connection)
        return client

    def _start(self, work: Any) -> None:
        self._works.append(asyncio.ensure_future(work))

    def _see(self, notice: EventNotice) -> None:
        for event in notice.items:
            self.is_seen_in_order &= event.event_id == self.seen + 1
            self.seen = event.event_id
        self._position = notice.position

    async def _told(self, request: Awaitable[T]) -> T | None:
        """The answer; None when it was refused, lost or came too late."""
        try:
            return await request
        except PacelineError as error:
            self.refused[f"{error.name} ({error.outcome})"] += 1
            return None

    async def _pause(self, dice: random.Random) -> None:
        await self._machine.sleep(dice.uniform(0.005, 0.06))

    # --- media servers --------------------------------------------------------------------------

    async def _submit_again_and_again(self, client: InteractionServerClient, number: int) -> None:
        """Each with a token of its own, repeated until it is acknowledged."""
        dice = random.Random(f"{self._seed} submitter {number}")
        count = 0
        while not self._is_over:
            count += 1
            token = f"{self._seed}-{number}-{count}"
            queue, priority = dice.choice((CHATS, CHATS, MAILS)), dice.randrange(3)
            answer = None
            while answer is None and not self._is_over:
                answer = await self._told(
                    client.interaction.submit(
                        media_type="chat" if queue == CHATS else "email",
                        queue=queue,
                        priority=priority,
                        external_id=token,
                        client_token=token,
                    )
                )
                await self._pause(dice)
            if answer is not None:
                self.submitted[token] = answer.interaction_id

    async def _sort(self, client: InteractionServerClient) -> None:
        """Freezes some mails and moves them: into a workbin, back, or to their end."""
        dice = random.Random(f"{self._seed} sorter")
        while not self._is_over:
            await self._machine.sleep(dice.uniform(0.1, 0.4))
            frozen = await self._told(
                client.snapshot.take(view=f"{MAILS} view", lock=True, max_interactions=5)
            )
            if frozen is None:
                continue
            ref = frozen.snapshot_id
            where = dice.choice(
                ({"workbin": DRAFTS, "owner": AGENTS[0]}, {"stop": True}, {"queue": MAILS}, None)
            )
            if where is not None:
                await self._told(client.snapshot.move(snapshot_id=ref, **where))
            await self._told(client.snapshot.release(snapshot_id=ref))

    # --- routers --------------------------------------------------------------------------------

    async def _route(self, client: InteractionServerClient, number: int) -> None:
        """Pulls chats in order; ends most, gives some back, keeps some until its session is lost."""
        dice = random.Random(f"{self._seed} router {number}")
        while not self._is_over:
            pulled = await self._told(
                client.view.pull(
                    view=f"{CHATS} view", count=dice.randint(1, 6), hold_s=0.2, for_strategy=True
                )
            )
            await self._pause(dice)
            for item in pulled.interactions if pulled is not None else ():
                key = item.interaction_id
                self.pulled[key] += 1
                fate = dice.random()
                if fate < 0.85:
                    await self._stop(client, key)
                elif fate < 0.97:
                    await self._told(
                        client.interaction.place_in_queue(interaction_id=key, queue="__BACK__")
                    )

    async def _stop(
        self, client: InteractionServerClient, key: str, agent: str | None = None
    ) -> None:
        stopped = await self._told(client.interaction.stop(interaction_id=key, agent=agent))
        if stopped is not None:
            self.stopped.add(key)

    # --- agents ---------------------------------------------------------------------------------

    async def _work(self, client: InteractionServerClient, number: int) -> None:
        """An agent's desk: takes mails, holds them, keeps them in its workbin, hands them on, ends them."""
        dice = random.Random(f"{self._seed} desk {number}")
        me, other = AGENTS[number], AGENTS[1 - number]
        invites: list[Invite] = []
        client.connection.on_notice("interaction.invite", invites.append)
        await self._told(client.agent.login(agent=me, media=("email",), ready=True))
        mine: list[str] = []
        while not self._is_over:
            await self._pause(dice)
            if invites:
                invite = invites.pop()
                key = invite.interaction.interaction_id
                if await self._told(
                    client.interaction.accept(interaction_id=key, ticket=invite.ticket, agent=me)
                ):
                    mine.append(key)
                continue
            if len(mine) < dice.randint(1, MOST_IN_HAND):
                mine += await self._fetch(client, me, dice)
                continue
            key = mine.pop(dice.randrange(len(mine)))
            if await self._handle(client, key, me, other, dice):
                mine.append(key)
        await self._told(client.agent.logout(agent=me))

    async def _fetch(
        self, client: InteractionServerClient, me: str, dice: random.Random
    ) -> list[str]:
        """What it takes from the view or its workbin; after a refusal it logs in again."""
        if dice.random() < 0.7:
            pulled = await self._told(client.view.pull(view=f"{MAILS} view", agent=me))
        else:
            pulled = await self._told(client.workbin.pull(workbin=DRAFTS, owner=me, agent=me))
        if pulled is None:
            await self._told(client.agent.login(agent=me, media=("email",), ready=True))
            return []
        keys = [item.interaction_id for item in pulled.interactions]
        self.pulled.update(keys)
        return keys

    async def _handle(
        self,
        client: InteractionServerClient,
        key: str,
        me: str,
        other: str,
        dice: random.Random,
    ) -> bool:
        """One act on what it handles; whether it still has it then."""
        work = client.interaction
        act = dice.randrange(10)
        if act < 4:
            await self._stop(client, key, me)
            return False
        if act < 6:
            await self._told(
                work.place_in_workbin(interaction_id=key, workbin=DRAFTS, owner=me, agent=me)
            )
            return False
        if act < 8:
            flag = work.hold if act == 6 else work.resume
            return await self._told(flag(interaction_id=key, agent=me)) is not None
        if act == 8:
            await self._told(work.transfer(interaction_id=key, agent=me, to_agent=other))
            return False
        await self._told(work.place_in_queue(interaction_id=key, queue=MAILS, hold=False, agent=me))
        return False
