"""The Router's lists: strategies, and virtual queues with what waits in them.

Handlers of `strategy.list` and `virtual_queue.list`. Read only; a page continues after a name.
"""

from collections.abc import Callable, Iterable, Mapping

from paceline.model.instant import optional_text
from paceline.sdk.configuration_follower import ConfigurationSource
from paceline.servers.router.live.problems import Problems
from paceline.servers.router.live.waiting import Held
from paceline.servers.router.rules.choose_queue import medium_of, serving_groups
from paceline.servers.router.rules.strategy_findings import strategy_findings
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.router import (
    ListRequest,
    StrategyPage,
    StrategyRow,
    VirtualQueuePage,
    VirtualQueueRow,
)
from paceline.wire.page import page_after


class Lists:
    """What the router routes and where it waits."""

    def __init__(
        self,
        configuration: ConfigurationSource,
        problems: Problems,
        held: Callable[[], Iterable[Held]],
        routed: Mapping[tuple[int, str], int],
    ) -> None:
        self._configuration = configuration
        self._problems = problems
        self._held = held
        self._routed = routed

    def handlers(self) -> Handlers:
        """The operations by name."""
        return {"strategy.list": self.strategies, "virtual_queue.list": self.virtual_queues}

    async def strategies(self, call: Call, request: ListRequest) -> StrategyPage:
        """Strategies of the tenant by name."""
        tenant = call.tenant_of(request.tenant)
        snapshot = self._configuration.snapshot
        names = sorted(name for of, name in snapshot.strategies if of == tenant)
        page, continuation = page_after(names, request.continuation, request.limit, str)
        return StrategyPage(
            items=tuple(self._strategy(tenant, name) for name in page),
            continuation=continuation,
            complete=continuation is None,
        )

    async def virtual_queues(self, call: Call, request: ListRequest) -> VirtualQueuePage:
        """Virtual queues of the tenant by number."""
        tenant = call.tenant_of(request.tenant)
        held: dict[str, list[Held]] = {}
        for one in self._held():
            if one.tenant == tenant:
                held.setdefault(one.virtual_queue, []).append(one)
        numbers = sorted(n for of, n in self._configuration.snapshot.virtual_queues if of == tenant)
        page, continuation = page_after(numbers, request.continuation, request.limit, str)
        return VirtualQueuePage(
            items=tuple(self._virtual_queue(tenant, n, held.get(n, [])) for n in page),
            continuation=continuation,
            complete=continuation is None,
        )

    def _strategy(self, tenant: int, name: str) -> StrategyRow:
        snapshot = self._configuration.snapshot
        _, strategy = snapshot.strategies[tenant, name]
        found = next(strategy_findings(snapshot, tenant, name, strategy), None)
        finding = found or self._problems.about(f"strategy '{name}'")
        return StrategyRow(
            name=name,
            views=strategy.views,
            virtual_queue=strategy.virtual_queue,
            routed=self._routed.get((tenant, name), 0),
            problem=finding.consequence if finding is not None else None,
        )

    def _virtual_queue(self, tenant: int, number: str, held: list[Held]) -> VirtualQueueRow:
        snapshot = self._configuration.snapshot
        waiting = [one.entered_at for one in held if one.is_waiting]
        return VirtualQueueRow(
            number=number,
            media_type=medium_of(snapshot.virtual_queues[tenant, number][1]),
            waiting=len(waiting),
            ringing=sum(one.agent is not None for one in held),
            oldest_at=optional_text(min(waiting, default=None)),
            agent_groups=tuple(sorted(serving_groups(snapshot, tenant, number))),
        )
