"""Subscribing to changes of statistics."""

from collections.abc import Callable, Coroutine
from typing import Any

from paceline.runtime.times import Times
from paceline.servers.stat.live.centre import Centre
from paceline.servers.stat.live.statistics import Statistic
from paceline.servers.stat.live.subscriptions import NOTICE, Subscriptions, Watch
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.statistic import StatisticsSubscribed, StreamStatistics


class StreamRequests:
    """Requests whose answer goes on with notices.

    Parameters
    ----------
    find
        Gives an open statistic that the caller may see.
    background
        Runs a coroutine as a task of the server.
    """

    def __init__(
        self,
        *,
        centre: Centre,
        subscriptions: Subscriptions,
        find: Callable[[Call, int], Statistic],
        background: Callable[[str, Coroutine[Any, Any, object]], object],
        times: Times,
    ) -> None:
        self._centre = centre
        self._subscriptions = subscriptions
        self._find = find
        self._background = background
        self._times = times

    @property
    def handlers(self) -> Handlers:
        """Operation names and what answers them."""
        return {NOTICE: self.stream}

    async def stream(self, call: Call, request: StreamStatistics) -> StatisticsSubscribed:
        """Follow the ChangesBased ones among the ids."""
        peer = call.needs_peer(NOTICE)
        found = [self._find(call, each) for each in dict.fromkeys(request.ids)]
        watch = Watch(peer, [statistic for statistic in found if statistic.is_changes_based])
        watch.number = peer.open_subscription(lambda: self._subscriptions.end(watch))
        self._background("begin subscription", self._begin(watch))
        return StatisticsSubscribed(subscription=watch.number, position=self._centre.positions.text)

    async def _begin(self, watch: Watch) -> None:
        # The answer goes out first: until then the client does not know the subscription's number.
        await self._times.machine.sleep(0)
        self._subscriptions.begin(watch)
