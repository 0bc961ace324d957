"""Reading targets, stopping and resuming them."""

from collections.abc import Awaitable, Callable

from paceline.errors.failure import PacelineError
from paceline.servers.pacing.live.picture import CycleView, Picture
from paceline.servers.pacing.live.reporter import Identity
from paceline.servers.pacing.live.stops import Stops
from paceline.servers.pacing.requests.cluster import Mastership, check_tenant
from paceline.wire.call import Call, Handlers
from paceline.wire.operation import Done
from paceline.wire.operations.pacing import (
    Everything,
    History,
    TargetDetail,
    TargetList,
    TargetPage,
    TargetRef,
    TargetRow,
)
from paceline.wire.page import checked_limit


class TargetRequests:
    """Handlers of everything but the stream.

    Parameters
    ----------
    store
        Stores the stops; a stop is answered when it cannot be forgotten any more.
    """

    def __init__(
        self,
        *,
        identity: Identity,
        picture: Picture,
        stops: Stops,
        mastership: Mastership,
        store: Callable[[], Awaitable[None]],
    ) -> None:
        self._identity = identity
        self._picture = picture
        self._stops = stops
        self._mastership = mastership
        self._store = store

    @property
    def handlers(self) -> Handlers:
        """Operations of this module."""
        return {
            "target.list": self.list,
            "target.get": self.get,
            "target.history": self.history,
            "target.stop": self.stop,
            "target.resume": self.resume,
            "pacing.stop": self.stop_all,
            "pacing.resume": self.resume_all,
        }

    async def list(self, call: Call, request: TargetList) -> TargetPage:
        """Targets by name."""
        check_tenant(call, request.tenant, self._identity)
        view = self._picture.last
        if view is None:
            return TargetPage(items=())
        limit = checked_limit(request.limit)
        first = view.after(request.continuation) if request.continuation else 0
        items = view.rows[first : first + limit]
        is_last = first + limit >= len(view.rows)
        return TargetPage(
            items=items,
            continuation=None if is_last or not items else items[-1].name,
            complete=is_last,
            epoch=view.epoch,
            sequence=view.sequence,
        )

    async def get(self, call: Call, request: TargetRef) -> TargetDetail:
        """One target with inputs and diagnostics."""
        view, row = self._find(call, request)
        return TargetDetail(
            target=row,
            inputs=view.inputs(row.name),
            diagnostics=view.diagnostics(row.name),
            epoch=view.epoch,
            sequence=view.sequence,
        )

    async def history(self, call: Call, request: TargetRef) -> History:
        """Past cycles of a target."""
        _, row = self._find(call, request)
        return History(items=self._picture.history(row.name))

    async def stop(self, call: Call, request: TargetRef) -> Done:
        """No permits for one target, from the next cycle on and over restarts.

        It stops even when that cannot be stored: the error's outcome is then unknown.
        """
        _, row = self._find(call, request)
        self._needs_master()
        self._stops.stop(row.name)
        await self._store_stop()
        return Done()

    async def resume(self, call: Call, request: TargetRef) -> Done:
        """Permits for one target again; after an error it is stopped as before."""
        check_tenant(call, request.tenant, self._identity)
        self._needs_master()
        if request.name not in self._stops.targets:
            self._find(call, request)
            return Done()
        self._stops.resume(request.name)
        try:
            await self._store()
        except PacelineError:
            self._stops.stop(request.name)
            raise
        return Done()

    async def stop_all(self, call: Call, request: Everything) -> Done:
        """No permits for any target, from the next cycle on and over restarts; see `stop`."""
        check_tenant(call, request.tenant, self._identity)
        self._needs_master()
        self._stops.is_all = True
        await self._store_stop()
        return Done()

    async def resume_all(self, call: Call, request: Everything) -> Done:
        """Permits again, but for targets that are stopped themselves; see `resume`."""
        check_tenant(call, request.tenant, self._identity)
        self._needs_master()
        if self._stops.is_all:
            self._stops.is_all = False
            try:
                await self._store()
            except PacelineError:
                self._stops.is_all = True
                raise
        return Done()

    async def _store_stop(self) -> None:
        try:
            await self._store()
        except PacelineError as error:
            raise PacelineError(
                error.name,
                f"it is stopped on this node but not stored, repeat it: {error.message}",
                retry_after_s=error.retry_after_s,
                outcome="unknown",
            ) from error

    def _find(self, call: Call, request: TargetRef) -> tuple[CycleView, TargetRow]:
        check_tenant(call, request.tenant, self._identity)
        view = self._picture.last
        row = None if view is None else view.by_name.get(request.name)
        if view is None or row is None:
            raise PacelineError(
                "not_found",
                f"there is no pacing target '{request.name}'; GET /v1/targets lists all",
                field="name",
            )
        return view, row

    def _needs_master(self) -> None:
        if not self._mastership.is_master():
            raise PacelineError(
                "owner_unavailable",
                f"node '{self._identity.node}' is not the master; GET /v1/cluster of each node tells which is",
                retry_after_s=1.0,
            )
