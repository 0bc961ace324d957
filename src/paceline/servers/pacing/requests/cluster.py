"""The state of the whole cluster, as any of its nodes tells it: what the master does, what it saved last."""

from typing import NamedTuple, Protocol

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.model.instant import to_text
from paceline.runtime.log import get_log
from paceline.sdk import ConfigurationSource
from paceline.servers.pacing.live.picture import Picture
from paceline.servers.pacing.live.reporter import Identity
from paceline.servers.pacing.live.round_trips import RoundTrips
from paceline.servers.pacing.live.stops import Stops
from paceline.servers.pacing.store.pacer_state import PacerStateStore, StoredCycle
from paceline.units.quantities import Millis
from paceline.wire.call import Call, Handlers
from paceline.wire.operations.pacing import Cluster, Everything, PacingNode

_log = get_log("pacing.cluster")


class Mastership(Protocol):
    """Whether this node sends, under which epoch and which sequence it sent last."""

    def is_master(self) -> bool:
        """Whether this node sends now."""
        ...

    @property
    def epoch(self) -> int:
        """Epoch of the last report."""
        ...

    @property
    def sequence(self) -> int:
        """Sequence of the last report."""
        ...


class Lease(Protocol):
    """What the store says of the cluster's lease."""

    async def is_taken(self) -> bool:
        """Whether any node holds it now."""
        ...


class Known(NamedTuple):
    """What this node knows of its own work."""

    picture: Picture
    stops: Stops
    round_trips: RoundTrips
    mastership: Mastership


class ClusterRequests:
    """Handler of `cluster.get`."""

    def __init__(
        self,
        identity: Identity,
        configuration: ConfigurationSource,
        known: Known,
        lease: Lease,
        store: PacerStateStore,
    ) -> None:
        self._identity = identity
        self._configuration = configuration
        self._known = known
        self._mastership = known.mastership
        self._lease = lease
        self._store = store

    @property
    def handlers(self) -> Handlers:
        """By operation name."""
        return {"cluster.get": self.cluster}

    async def cluster(self, call: Call, request: Everything) -> Cluster:
        """This node first, then the others by name; while the store is away no other is shown as master."""
        check_tenant(call, request.tenant, self._identity)
        if self._mastership.is_master():
            return self._of_its_master()
        try:
            return self._by_the_store(await self._store.load(), await self._lease.is_taken())
        except PacelineError as error:
            _log.warning("the state of the other nodes is not known now", why=error.message)
            return self._by_the_store(StoredCycle(), False)

    def _of_its_master(self) -> Cluster:
        view = self._known.picture.last
        return Cluster(
            cluster=self._identity.cluster,
            epoch=self._mastership.epoch,
            sequence=self._mastership.sequence,
            is_stopped=self._known.stops.is_all,
            last_cycle_at=None if view is None else to_text(view.at),
            last_round_trip_ms=self._known.round_trips.last_ms,
            nodes=(self._own_node(), *(_idle(name) for name in self._others())),
        )

    def _by_the_store(self, stored: StoredCycle, is_taken: bool) -> Cluster:
        """What the last master saved; it is still the master while anybody holds the lease."""
        others = tuple(
            PacingNode(name=name, is_master=is_taken, epoch=stored.epoch, sequence=stored.sequence)
            if name == stored.node
            else _idle(name)
            for name in self._others()
        )
        return Cluster(
            cluster=self._identity.cluster,
            epoch=max(stored.epoch, self._mastership.epoch),
            sequence=stored.sequence,
            is_stopped=stored.state.is_stopped,
            last_cycle_at=to_text(Millis(stored.saved_at)) if stored.saved_at else None,
            nodes=(self._own_node(), *others),
        )

    def _own_node(self) -> PacingNode:
        return PacingNode(
            name=self._identity.node,
            is_master=self._mastership.is_master(),
            epoch=self._mastership.epoch,
            sequence=self._mastership.sequence,
        )

    def _others(self) -> list[str]:
        """The other pacing servers that are connected to the cluster."""
        return sorted(
            item.name
            for item, body in self._configuration.snapshot.all_of(Application)
            if body.application_type == "pacing_server"
            and item.name != self._identity.node
            and any(link.server == self._identity.cluster for link in body.connections)
        )


def _idle(name: str) -> PacingNode:
    return PacingNode(name=name, is_master=False, epoch=0, sequence=0)


def check_tenant(call: Call, asked: int | None, identity: Identity) -> None:
    """Refuses what is about another tenant than the one that this node paces.

    Raises
    ------
    PacelineError
        `not_found`, field tenant.
    """
    tenant = call.tenant_of(asked)
    if tenant != identity.tenant:
        raise PacelineError(
            "not_found",
            f"this server paces tenant {identity.tenant}, not {tenant}",
            field="tenant",
        )
