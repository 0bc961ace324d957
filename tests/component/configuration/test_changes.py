"""History and stream of changes: apply(snapshot, changes) == fetch, whole transactions, no gap."""

import asyncio
from typing import Any

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import ConfigurationObject
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.configuration_follower import ConfigurationFollower, object_of
from paceline.wire.operations.configuration import OPERATIONS, ChangesNotice, StreamChanges
from tests.component.configuration.site import (
    ADMIN,
    SERVER,
    Site,
    delete,
    new_server,
    opened,
    put,
    small_site,
)

Objects = dict[tuple[str, int], ConfigurationObject]


def replayed(notices: list[ChangesNotice]) -> Objects:
    """The objects after all changes, from nothing."""
    objects: Objects = {}
    for notice in notices:
        for change in notice.items:
            if change.object is None:
                objects.pop((change.type, change.id), None)
            else:
                objects[change.type, change.id] = object_of(change.object)
    return objects


async def settle(site: Site) -> None:
    """Lets everything that is ready run."""
    await site.times.machine.sleep(0.1)


def test_changes_from_the_beginning_make_the_whole_site() -> None:
    """Creating, renaming and deleting, replayed from the stream, give what the server has."""

    async def main() -> None:
        async with opened() as site:
            admin, server = await site.client(), await site.client(SERVER)
            await admin.configuration.apply(changes=small_site())
            notices: list[ChangesNotice] = []
            server.configuration.subscribe(lambda: StreamChanges(after=0), notices.append)
            await settle(site)
            [switch] = (await admin.object.list(type="switches")).items
            await admin.object.change(type="switches", id=switch.id, name="voice")
            await admin.configuration.apply(changes=(delete("agent-groups", "Chat"),))
            await settle(site)
            assert replayed(notices) == dict(site.server.snapshot.objects)
            assert notices[-1].seq == site.server.snapshot.seq

    run_virtual(main())


def test_a_follower_that_loads_while_others_change_ends_with_the_same() -> None:
    """Twenty applies at once around a follower's start: its snapshot is the server's, no gap."""

    async def main() -> None:
        async with opened() as site:
            admin, server = await site.client(), await site.client(SERVER)

            async def change(number: int) -> None:
                await site.times.machine.sleep(0.01 * (number % 5))
                await admin.configuration.apply(
                    changes=(
                        put("skills", f"S{number % 7}", options={"a": {"n": number}}),
                        put("places", f"P{number}"),
                        delete("places", f"P{number - 3}"),
                    )
                )

            follower = ConfigurationFollower(server)
            await asyncio.gather(*(change(n) for n in range(20)), follower.start())
            await settle(site)
            assert dict(follower.snapshot.objects) == dict(site.server.snapshot.objects)
            assert follower.snapshot.seq == site.server.snapshot.seq

    run_virtual(main())


def test_a_stream_goes_on_after_its_position_and_keeps_transactions_whole() -> None:
    """From a position on, each transaction comes once and is never split between notices."""

    async def main() -> None:
        async with opened() as site:
            admin, server = await site.client(), await site.client(SERVER)
            await admin.configuration.apply(changes=small_site())
            after = site.server.snapshot.seq
            notices: list[ChangesNotice] = []
            server.configuration.subscribe(lambda: StreamChanges(after=after), notices.append)
            for n in range(5):
                await admin.configuration.apply(
                    changes=(put("skills", f"A{n}"), put("skills", f"B{n}"))
                )
            await settle(site)
            seqs = [change.seq for notice in notices for change in notice.items]
            assert seqs == [seq for n in range(1, 6) for seq in (after + n,) * 2]
            assert all(notice.items[-1].seq == notice.seq for notice in notices)

    run_virtual(main())


def test_pages_of_changes_end_with_a_transaction() -> None:
    """A page of limit 1 holds the whole first transaction and says where to go on."""

    async def main() -> None:
        async with opened() as site:
            admin = await site.client()
            await admin.configuration.apply(changes=small_site())
            seen: list[Any] = []
            seq, complete = 0, False
            while not complete:
                page = await admin.configuration.changes(after=seq, limit=1)
                seen += page.items
                assert {item.seq for item in page.items} == {page.seq}
                seq, complete = page.seq, page.complete
            assert len(seen) == len(site.server.snapshot.objects)
            assert {item.principal for item in seen} == {"bootstrap", "admin"}
            with pytest.raises(PacelineError) as caught:
                await admin.configuration.changes(after=0, limit=0)
            assert caught.value.field == "limit"

    run_virtual(main())


def test_a_position_from_the_future_is_refused() -> None:
    """After a restored database a follower that is ahead is told to read everything again."""

    async def main() -> None:
        async with opened() as site:
            connection = await site.connect(SERVER)
            with pytest.raises(PacelineError, match="stale_sequence"):
                await connection.call(OPERATIONS["configuration.stream"], StreamChanges(after=99))

    run_virtual(main())


def test_another_tenants_changes_are_not_told() -> None:
    """A stream of a caller of tenant 2 has the changes of tenant 2 only."""

    async def main() -> None:
        async with opened() as site:
            admin = await site.client()
            empty = msgspec.Raw(b"{}")
            second = await admin.object.create(type="tenants", name="Second", body=empty)
            caller = msgspec.structs.replace(ADMIN, tenants=(second.id,))
            client = await site.client(caller)
            notices: list[ChangesNotice] = []
            client.configuration.subscribe(lambda: StreamChanges(after=0), notices.append)
            await admin.configuration.apply(
                changes=(put("skills", "A"), put("skills", "B", tenant=second.id))
            )
            await settle(site)
            assert [item.name for notice in notices for item in notice.items] == ["B"]

    run_virtual(main())


def test_two_servers_on_one_database_never_write_the_same_change() -> None:
    """The second writer of a sequence number is refused, reads the first's change and goes on."""

    async def main() -> None:
        async with opened() as site, opened(site.database, site.times) as other:
            first, second = await site.client(), await other.client()
            await first.configuration.apply(changes=(put("skills", "A"),))
            with pytest.raises(PacelineError) as caught:
                await second.configuration.apply(changes=(put("skills", "B"),))
            assert caught.value.name == "stale_sequence"
            await second.configuration.apply(changes=(put("skills", "B"),))
            names = {o.name for o in other.server.snapshot.objects.values() if o.type == "skills"}
            assert names == {"A", "B"}

    run_virtual(main())


def test_a_restart_has_everything() -> None:
    """A new server on the database has the same objects, sequence and signing key."""

    async def main() -> None:
        async with opened() as site:
            admin = await site.client()
            await admin.configuration.apply(changes=small_site())
            async with opened(site.database, site.times) as again:
                assert dict(again.server.snapshot.objects) == dict(site.server.snapshot.objects)
                assert again.server.snapshot.seq == site.server.snapshot.seq
                keys = await (await again.client()).token.keys()
                assert keys == await admin.token.keys()

    run_virtual(main())


def test_another_site_key_does_not_open_the_database() -> None:
    """Started with the wrong key, the server says so in one line instead of losing secrets."""

    async def main() -> None:
        async with opened() as site:
            server = new_server(site.database, site.times, site_key=bytes(32))
            with pytest.raises(PacelineError) as caught:
                await server.start()
            assert caught.value.name == "start_refused"
            assert caught.value.field == "site_key"

    run_virtual(main())
