"""Timers of an interaction node: offers that end unanswered, handling and routing that take too long."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from paceline.model import events
from paceline.servers.interaction.live.committer import Work
from paceline.servers.interaction.live.deadlines import Deadlines, Group, Key, Length
from paceline.servers.interaction.live.node import NodeState
from paceline.servers.interaction.live.transitions import (
    HANDLING,
    ROUTING,
    leave_virtual_queue,
    return_to_queue,
    take_away,
    tell_taken,
)
from paceline.servers.interaction.requests.delivery import DeliveryRequests, Offers
from paceline.servers.interaction.requests.lane import NodeLane

SHORTEST_WAIT_S = 0.01

HANDLING_TIMEOUT = "handling-timeout"
ROUTING_TIMEOUT = "routing-timeout"


class _Ends(Protocol):
    on_earlier: Callable[[], None]


async def run_offer_ends(lane: NodeLane, offers: Offers, delivery: DeliveryRequests) -> None:
    """Revokes offers whose delivering-timeout is over; runs until cancelled."""

    def act(now: int) -> None:
        for key, ticket in offers.ended(now):
            delivery.end_offer(key, ticket)

    await _run(lane, offers, offers.next_end, act)


async def run_handling_ends(lane: NodeLane) -> None:
    """Takes away what an agent makes no request about for too long; runs until cancelled."""

    def length(group: Group) -> int:
        own = group if isinstance(group, int) else _media_minutes(lane, *group)
        if own is not None:
            return own * 60_000
        return int(lane.settings.current.seconds("settings", HANDLING_TIMEOUT) * 1000)

    await _run_deadlines(lane, lane.node.running.handling, length, _end_handling)


async def run_routing_ends(lane: NodeLane) -> None:
    """Takes away what a router does not deliver for too long; runs until cancelled."""

    def length(_group: Group) -> int:
        return int(lane.settings.current.seconds("settings", ROUTING_TIMEOUT) * 1000)

    await _run_deadlines(lane, lane.node.running.routing, length, _end_routing)


def _media_minutes(lane: NodeLane, tenant: int, media_type: str) -> int | None:
    options = lane.node.media_options.get((tenant, media_type))
    return options.handling_min if options is not None else None


async def _run_deadlines(
    lane: NodeLane,
    deadlines: Deadlines,
    length: Length,
    end: Callable[[Key, int], Work],
) -> None:
    def act(now: int) -> None:
        for key, since in deadlines.ended(now, length):
            lane.submit_own(end(key, since))

    lane.settings.watch(lambda _old, _new: deadlines.on_earlier())
    await _run(lane, deadlines, lambda: deadlines.next_end(length), act)


async def _run(
    lane: NodeLane, ends: _Ends, next_end: Callable[[], int | None], act: Callable[[int], None]
) -> None:
    business = lane.node.times.business
    earlier = asyncio.Event()
    ends.on_earlier = earlier.set
    while True:
        act(business.now())
        earlier.clear()
        end = next_end()
        if end is None:
            await earlier.wait()
            continue
        wait_s = business.machine_seconds((end - business.now()) / 1000)
        try:
            async with asyncio.timeout(max(SHORTEST_WAIT_S, wait_s)):
                await earlier.wait()
        except TimeoutError:
            continue


def _end_handling(key: Key, since: int) -> Work:
    def apply(node: NodeState) -> None:
        row = node.known(key)
        if row is None or row.state != HANDLING:
            return
        if (row.assigned_at or 0) > since:  # another agent has it meanwhile: its time runs
            node.running.follow(row, node.now, node.user_data)
            return
        take_away(node, row, "server", HANDLING_TIMEOUT)

    return Work(apply, keys=(key,), reads_data=True)


def _end_routing(key: Key, since: int) -> Work:
    def apply(node: NodeState) -> None:
        row = node.known(key)
        if row is None or row.state != ROUTING or row.ticket:
            return
        if (row.assigned_at or 0) > since:  # another router has it meanwhile: its time runs
            node.running.follow(row, node.now, node.user_data)
            return
        left = leave_virtual_queue(
            node, row, "server", events.VIRTUAL_QUEUE_CLEARED, reason=ROUTING_TIMEOUT
        )
        if left is not row:
            node.put(row, left)
        tell_taken(node, row, ROUTING_TIMEOUT)
        return_to_queue(node, left, "server", ROUTING_TIMEOUT)

    return Work(apply, keys=(key,), reads_data=True)
