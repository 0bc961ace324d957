"""GET /v1/cluster: every node of a cluster tells of all of them, whichever is asked."""

from collections.abc import Awaitable, Callable

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application, Connection
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import PacingServerClient
from paceline.servers.pacing.server import PacingServer
from paceline.units.quantities import Millis
from paceline.wire.operations.pacing import Cluster
from tests.component.pacing.site import FakeLease, Site, site
from tests.fakes.served import Served

START = Millis(1_763_683_200_000)


class _Away(FakeLease):
    """Of a store that cannot be reached."""

    async def is_taken(self) -> bool:
        raise PacelineError("database_unavailable", "the test takes it away")


def _run(test: Callable[[Site], Awaitable[None]]) -> None:
    async def main() -> None:
        async with site(virtual_times(START)) as made:
            cluster = (Connection(server="Pacing"),)
            for name in ("node 1", "node 2", "node 3"):
                body = Application(application_type="pacing_server", connections=cluster)
                made.builder.add("applications", name, body)
            stranger = Application(
                application_type="pacing_server", connections=(Connection(server="Other"),)
            )
            made.builder.add("applications", "stranger", stranger)
            made.change()
            await test(made)

    run_virtual(main())


async def _asked(made: Site, server: PacingServer) -> Cluster:
    face = Served("pacing", server.handlers, made.times)
    client = PacingServerClient(await face.connect("console"))
    try:
        return await client.cluster.get()
    finally:
        await face.close()


def _masters(cluster: Cluster) -> list[str]:
    return [node.name for node in cluster.nodes if node.is_master]


def test_the_master_lists_all_nodes_of_its_cluster() -> None:
    """Itself first, then the others of the configuration; a node of another cluster is none of them."""

    async def test(made: Site) -> None:
        async with made.server() as server:
            await made.cycles(2)
            found = await _asked(made, server)
            assert [node.name for node in found.nodes] == ["node 1", "node 2", "node 3"]
            assert _masters(found) == ["node 1"]
            assert (found.nodes[0].epoch, found.nodes[0].sequence) == (100, 2)

    _run(test)


def test_a_standby_tells_who_the_master_is() -> None:
    """Name, epoch, sequence and stop of what the master saved, while somebody holds the lease."""

    async def test(made: Site) -> None:
        async with made.server() as master:
            await made.cycles(12)
            told = await _asked(made, master)
            lease = made.lease
            made.lease = FakeLease()
            made.lease.held, made.lease.taken_by_another = False, True
            async with made.server(node="node 2") as standby:
                found = await _asked(made, standby)
                assert found.nodes[0].name == "node 2"
                assert _masters(found) == _masters(told) == ["node 1"]
                assert (found.epoch, found.sequence) == (told.epoch, told.sequence) == (100, 12)
                assert found.last_cycle_at is not None
                made.lease.taken_by_another = False
                assert _masters(await _asked(made, standby)) == []
            made.lease = lease

    _run(test)


def test_a_stop_is_seen_on_every_node() -> None:
    """Stopped at the master, which stores it: a standby says so too."""

    async def test(made: Site) -> None:
        async with made.server() as master:
            await made.cycles(1)
            face = Served("pacing", master.handlers, made.times)
            await PacingServerClient(await face.connect("console")).pacing.stop()
            made.lease = FakeLease()
            made.lease.held, made.lease.taken_by_another = False, True
            async with made.server(node="node 3") as standby:
                assert (await _asked(made, standby)).is_stopped
            await face.close()

    _run(test)


def test_without_the_store_a_standby_answers_what_it_knows() -> None:
    """All nodes by name, no master known, and no error."""

    async def test(made: Site) -> None:
        made.lease = _Away()
        made.lease.held = False
        async with made.server() as standby:
            found = await _asked(made, standby)
            assert len(found.nodes) == 3
            assert _masters(found) == []

    _run(test)
