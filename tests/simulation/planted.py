"""Mistakes that are planted into the servers at run time, one function each; undone with the monkeypatch."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from paceline.cluster.lease import Lease
from paceline.model.interaction import Row
from paceline.runtime.chance import Stream
from paceline.servers.engagement.live.permits import Permits
from paceline.servers.interaction.event_log import store as log_store
from paceline.servers.interaction.live import committer
from paceline.servers.interaction.live.committer import Committer
from paceline.servers.interaction.live.view_head import ViewHead
from paceline.simulator.whole import faults
from paceline.simulator.whole.site import SimulatedSite
from paceline.storage.batch_outcome import Fence
from paceline.storage.database import Transaction
from paceline.storage.lane import Lane
from paceline.units.quantities import Millis


def answer_before_commit(patch: pytest.MonkeyPatch) -> None:
    """An interaction node answers when it has decided, before the decision is durable."""
    attempt = Lane._attempt

    async def hasty(self: Any, batch: Any) -> Any:
        owner = self._owner
        if not isinstance(owner, Committer):
            return await attempt(self, batch)

        def apply(works: Any) -> Any:
            outcomes = Committer.apply(owner, works)
            for (_, answer, _), outcome in zip(batch, outcomes, strict=True):
                if not answer.done() and not isinstance(outcome, Exception):
                    answer.set_result(outcome)
            return outcomes

        owner.apply = apply  # type: ignore[method-assign]  # planted
        owner.undelivered = lambda work, outcome: None  # type: ignore[method-assign]  # it was
        return await attempt(self, batch)

    patch.setattr(Lane, "_attempt", hasty)


def trust_as_long_as_the_lease(patch: pytest.MonkeyPatch) -> None:
    """The holder trusts itself to the very end of the lease, and the store's fence does not help.

    Visible when a holder stood still for longer than its lease: it wakes, still trusts itself until
    its next renewal is refused, and writes what another one has written meanwhile.
    """
    init = Lease.__init__

    def trusting(self: Lease, *args: Any, **options: Any) -> None:
        init(self, *args, **options)
        self._trust_s = self._lease_s

    made = Fence.__post_init__

    def anyones(self: Fence) -> None:
        made(self)
        assert " AND epoch = $2" in self._update
        object.__setattr__(self, "_update", self._update.replace("epoch = $2", "$2 > 0"))

    patch.setattr(Lease, "__init__", trusting)
    patch.setattr(Fence, "__post_init__", anyones)


def holders_stand_still(patch: pytest.MonkeyPatch) -> None:
    """Nothing goes wrong but this, once a minute: whoever serves the node is paused past its lease."""

    def pause(site: SimulatedSite, chance: Stream) -> faults.Applied | None:
        working = [name for name in ("interaction-a", "interaction-b") if _serves(site, name)]
        if not working:
            return None
        process = site.processes[working[0]]
        process.pause()
        return faults.Applied(working[0], "stands still", chance.uniform(5, 20), process.resume)

    patch.setattr(faults, "_KINDS", (faults._Kind(pause, 60, 60),))


def _serves(site: SimulatedSite, name: str) -> bool:
    return site.places[name].is_working


def head_skips_a_newcomer(patch: pytest.MonkeyPatch) -> None:
    """A view's head leaves out every tenth newcomer, as if it stood beyond its floor."""
    offer = ViewHead.offer

    def skipping(self: ViewHead, row: Row, now: int) -> bool:
        return False if row.submit_seq % 10 == 0 else offer(self, row, now)

    patch.setattr(ViewHead, "offer", skipping)


def permits_add_up(patch: pytest.MonkeyPatch) -> None:
    """A newer sequence adds its permits to what is left of the one before."""
    apply = Permits.apply

    def adding(self: Permits, reporter: Any, report: Any, received_at: Millis) -> None:
        left = {
            target: grants[reporter].unspent
            for target, grants in self._grants.items()
            if reporter in grants and grants[reporter].sequence < report.sequence
        }
        apply(self, reporter, report, received_at)
        for target, unspent in left.items():
            if reporter in self._grants.get(target, {}):
                self._grants[target][reporter].unspent += unspent

    patch.setattr(Permits, "apply", adding)


def events_apart_from_state(patch: pytest.MonkeyPatch) -> None:
    """The events of a batch are written in a transaction of their own, after that of the state."""
    write = Lane._write
    append = log_store.append
    late: list[Any] = []

    async def keep(transaction: Transaction, parts: Sequence[Any], at: int) -> None:
        late.append((list(parts), at))

    async def write_both(self: Any, works: Any) -> Any:
        late.clear()
        outcomes = await write(self, works)
        told = [*late]
        late.clear()
        for parts, at in told:
            await self._database.transaction(partial(_append, append, parts, at))
        return outcomes

    patch.setattr(committer.log_store, "append", keep)
    patch.setattr(Lane, "_write", write_both)


async def _append(append: Any, parts: Any, at: int, transaction: Transaction) -> None:
    await append(transaction, parts, at)
