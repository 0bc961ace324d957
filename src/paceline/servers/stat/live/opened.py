"""Who has which statistic open, and how long one that nobody has open goes on being counted.

Called by requests/statistics and the server's retention. A current number or target state is
dropped with its last user; a total goes on until the retention ends, so that it can be continued.
"""

from paceline.errors.failure import PacelineError
from paceline.servers.stat.live.centre import Centre
from paceline.servers.stat.live.statistics import Statistic
from paceline.servers.stat.rules.definitions import StatisticKey


class Opened:
    """The statistics as their users see them."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre

    def open(self, key: StatisticKey, user: str, *, now: int, at: str, maximum: int) -> Statistic:
        """The statistic of this definition, counted from now on if it was not before.

        Raises
        ------
        PacelineError
            `limit_reached` when there are `maximum` already.
        """
        statistics = self._centre.statistics
        statistic = statistics.by_id.get(key.id)
        if statistic is None:
            if len(statistics.by_id) >= maximum:
                raise PacelineError(
                    "limit_reached",
                    f"{maximum} statistics are counted already; close some, or raise the option "
                    "statistics.maximum",
                )
            statistic = Statistic(key, since=at, used_at=now)
            if key.category == "CurrentNumber":
                statistic.value = self._centre.count_now(statistic)
            statistics.add(statistic)
        statistic.openers.add(user)
        statistic.used_at = now
        return statistic

    def used(self, statistic_id: int, now: int) -> Statistic:
        """An open statistic, used now.

        Raises
        ------
        PacelineError
            `not_found` when it is not open.
        """
        statistic = self._centre.statistics.by_id.get(statistic_id)
        if statistic is None:
            raise PacelineError(
                "not_found",
                f"statistic {statistic_id} is not open here; open it with statistic.open",
                field="id",
            )
        statistic.used_at = now
        return statistic

    def close(self, statistic: Statistic, user: str) -> None:
        """A user needs it no longer."""
        statistic.openers.discard(user)
        is_unused = not statistic.openers and not statistic.watch_count
        if is_unused and statistic.key.category != "TotalNumber":
            self._centre.statistics.drop(statistic)

    def close_all(self, user: str) -> None:
        """A user is gone."""
        for statistic in tuple(self._centre.statistics.by_id.values()):
            if user in statistic.openers:
                self.close(statistic, user)

    def expire(self, before: int) -> None:
        """Drop what nobody follows and nobody has used since an instant."""
        for statistic in tuple(self._centre.statistics.by_id.values()):
            if statistic.used_at < before and not statistic.watch_count:
                self._centre.statistics.drop(statistic)
