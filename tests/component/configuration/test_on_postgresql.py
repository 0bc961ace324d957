"""The Configuration Server on PostgreSQL: the same statements, the same outcome."""

import asyncio

import pytest

from paceline.runtime.times import real_times
from paceline.storage.access_point import from_url
from paceline.storage.opening import open_database
from paceline.wire.operations.configuration import ChangesNotice, StreamChanges
from tests.component.configuration.site import (
    PASSWORD,
    SERVER,
    actions,
    delete,
    opened,
    put,
    small_site,
)
from tests.component.configuration.test_changes import replayed
from tests.databases import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

pytestmark = pytest.mark.integration


def test_apply_rename_delete_login_stream_and_restart(postgres_url: str) -> None:
    """One life of a site: what the stream told is what a restarted server loads."""

    async def main() -> None:
        times = real_times()
        database = open_database(from_url(postgres_url), times=times)
        async with opened(database, times) as site:
            admin, server = await site.client(), await site.client(SERVER)
            notices: list[ChangesNotice] = []
            server.configuration.subscribe(lambda: StreamChanges(after=0), notices.append)
            stat = put("applications", "stat", application_type="stat_server", secret="s")
            await admin.configuration.apply(changes=(*small_site(), stat))
            again = await admin.configuration.apply(changes=(*small_site(), stat))
            assert set(actions(again.items)) == {"unchanged"}
            [switch] = (await admin.object.list(type="switches")).items
            await admin.object.change(type="switches", id=switch.id, name="voice")
            await admin.configuration.apply(changes=(delete("agent-groups", "Chat"),))
            await server.application.report_status(application="stat", status="started")
            await server.application.report_status(application="stat", status="unavailable")
            token = await admin.session.login(user="admin", password=PASSWORD)
            who = await site.client(site.server.verify(token.token))
            await who.session.logout()
            while not notices or notices[-1].seq < site.server.snapshot.seq:
                await times.machine.sleep(0.01)
        async with opened(database, times) as site:
            objects = dict(site.server.snapshot.objects)
            notices = [
                ChangesNotice(
                    items=tuple(c for c in notice.items if c.type != "revocations"), seq=notice.seq
                )
                for notice in notices
            ]
            assert replayed(notices) == objects
            [status] = (await (await site.client()).application.status()).items
            assert status.status == "unavailable"
            keys = await (await site.client()).token.keys()
            assert len(keys.revoked) == 1
        await database.close()

    asyncio.run(main())
