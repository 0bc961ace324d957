"""Messages and alarms: batches, detect, cancel, clear, timeout, retention, restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.alarm_conditions import SHIPPED_ALARM_CONDITIONS
from paceline.model.configuration import AlarmCondition, Application
from paceline.runtime.metrics import Metrics
from paceline.runtime.settings import LiveSettings
from paceline.runtime.times import Times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.message import MessageServerClient
from paceline.servers.message.options import OPTIONS
from paceline.servers.message.server import MessageServer
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.migrate import upgrade
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from paceline.wire.operations.message import Logged
from tests.fakes.configuration import FixedConfiguration, SnapshotBuilder
from tests.fakes.served import Served

START = Millis(1_763_683_200_000)
FAILED, HEALED = 100603, 100604


class Desk:
    """A Message Server under test with one client."""

    def __init__(self, database: Database, times: Times, options: dict[str, str]) -> None:
        self.database = database
        self.times = times
        self.builder = SnapshotBuilder()
        self.pacing = self.builder.add(
            "applications", "pacing", Application(application_type="pacing_server")
        )
        for name, condition in SHIPPED_ALARM_CONDITIONS.items():
            self.builder.add("alarm-conditions", name, condition)
        self.configuration = FixedConfiguration(self.builder.build())
        self.server = MessageServer(
            name="message",
            settings=LiveSettings(OPTIONS, {"messages": options}),
            times=times,
            configuration=self.configuration,
            database=database,
            metrics=Metrics("message"),
        )
        self.served = Served("message", self.server.handlers, times)
        self.client: MessageServerClient

    async def log(self, number: int, subject: str = "", application: str = "pacing") -> Logged:
        """Logs a message with this number."""
        return await self.client.message.log(
            application=application, number=number, text=f"message {number}", subject=subject
        )

    async def active(self) -> list[tuple[str, str]]:
        """Condition and subject of the alarms that stand."""
        page = await self.client.alarm.list()
        return [(alarm.condition, alarm.subject) for alarm in page.items]


def memory() -> Database:
    """An empty database in memory."""
    return open_database(from_url("sqlite://"), times=virtual_times(START), inline=True)


@asynccontextmanager
async def opened(
    database: Database | None = None, times: Times | None = None, **options: str
) -> AsyncIterator[Desk]:
    """A started server; on a given database, with what is in it."""
    own = database or memory()
    await upgrade(own, ("message",))
    desk = Desk(own, times or virtual_times(START), options)
    async with desk.server:
        desk.client = MessageServerClient(await desk.served.connect("tester"))
        yield desk
        await desk.served.close()
    if database is None:
        await own.close()


def test_messages_come_back_newest_first_in_pages() -> None:
    """Every stored message is listed once, by number and application too."""

    async def main() -> None:
        async with opened() as desk:
            for number in (1, 2, 1, 3, 1):
                await desk.log(number)
            await desk.log(1, application="stat")
            seen: list[int] = []
            continuation, complete = None, False
            while not complete:
                page = await desk.client.message.list(limit=4, continuation=continuation)
                seen += [row.number for row in page.items]
                continuation, complete = page.continuation, page.complete
            assert seen == [1, 1, 3, 1, 2, 1]
            only = await desk.client.message.list(number=1, application="pacing")
            assert [row.number for row in only.items] == [1, 1, 1]
            assert only.items[0].at == "2025-11-21T00:00:00.000Z"

    run_virtual(main())


def test_messages_that_arrive_together_share_a_transaction() -> None:
    """A hundred messages at once are stored in order with far fewer commits than messages."""

    class Counting:
        """Counts the transactions of a database."""

        def __init__(self, database: Database) -> None:
            self._database = database
            self.count = 0

        def __getattr__(self, name: str) -> object:
            return getattr(self._database, name)

        async def transaction(self, work: object) -> object:
            self.count += 1
            return await self._database.transaction(work)  # type: ignore[arg-type]  # passed on

    async def main() -> None:
        database = memory()
        await upgrade(database, ("message",))
        counting = Counting(database)
        async with opened(counting) as desk:  # type: ignore[arg-type]  # has all of its methods
            before = counting.count
            answers = await asyncio.gather(*(desk.log(n) for n in range(100)))
            assert [answer.message_id for answer in answers] == list(range(1, 101))
            assert counting.count - before <= 5
        await database.close()

    run_virtual(main())


def test_a_detect_event_raises_one_alarm_until_its_cancel_event() -> None:
    """Repeated detection raises nothing more; the cancel event clears; then it may rise again."""

    async def main() -> None:
        async with opened() as desk:
            first = await desk.log(FAILED)
            assert first.detected is not None
            assert (await desk.log(FAILED)).detected is None
            assert await desk.active() == [("PacingRequestsFailed", "")]
            assert (await desk.log(HEALED)).cleared == first.detected
            assert await desk.active() == []
            second = await desk.log(FAILED)
            assert second.detected not in (None, first.detected)
            page = await desk.client.alarm.list(all=True)
            assert [(a.id, a.cleared_by) for a in page.items] == [
                (second.detected, None),
                (first.detected, "cancel event"),
            ]
            assert page.items[0].category == "Major"

    run_virtual(main())


def test_detect_and_cancel_of_one_batch_leave_nothing_standing() -> None:
    """Raised, cleared and raised again within one transaction: one alarm stands, two are kept."""

    async def main() -> None:
        async with opened() as desk:
            await asyncio.gather(*(desk.log(n) for n in (FAILED, HEALED, FAILED, FAILED)))
            assert len(await desk.active()) == 1
            assert len((await desk.client.alarm.list(all=True)).items) == 2

    run_virtual(main())


def test_alarms_are_apart_by_application_and_subject() -> None:
    """A cancel event clears the alarm of its own application and subject only."""

    async def main() -> None:
        async with opened() as desk:
            await desk.log(100605, subject="chat")
            await desk.log(100605, subject="email")
            await desk.log(100605, subject="chat", application="other")
            assert len(await desk.active()) == 3
            await desk.log(100606, subject="chat")
            assert sorted(await desk.active()) == [
                ("PacingResponseTargetError", "chat"),
                ("PacingResponseTargetError", "email"),
            ]

    run_virtual(main())


def test_a_person_clears_an_alarm_by_hand() -> None:
    """It is cleared in the person's name; again is fine; an unknown alarm is not found."""

    async def main() -> None:
        async with opened() as desk:
            raised = (await desk.log(FAILED)).detected
            assert raised is not None
            await desk.client.alarm.clear(id=raised)
            await desk.client.alarm.clear(id=raised)
            [alarm] = (await desk.client.alarm.list(all=True)).items
            assert alarm.cleared_by == "tester"
            with pytest.raises(PacelineError, match="not_found"):
                await desk.client.alarm.clear(id=raised + 1)

    run_virtual(main())


def test_an_alarm_ends_after_its_clearance_timeout() -> None:
    """86,400 business seconds after detection the alarm is cleared, not before."""

    async def main() -> None:
        async with opened() as desk:
            await desk.log(FAILED)
            await desk.times.business.sleep(86_399)
            assert len(await desk.active()) == 1
            await desk.times.business.sleep(3)
            assert await desk.active() == []
            [alarm] = (await desk.client.alarm.list(all=True)).items
            assert alarm.cleared_by == "clearance timeout"

    run_virtual(main())


def test_only_enabled_conditions_in_the_configuration_act() -> None:
    """A disabled condition raises nothing; a new one acts on the next message."""

    async def main() -> None:
        async with opened() as desk:
            assert (await desk.log(7)).detected is None
            desk.builder.add("alarm-conditions", "Mine", AlarmCondition(detect_event=7))
            off = AlarmCondition(detect_event=8, state="disabled")
            desk.builder.add("alarm-conditions", "Off", off)
            desk.configuration.change(desk.builder.build())
            assert (await desk.log(7)).detected is not None
            assert (await desk.log(8)).detected is None

    run_virtual(main())


def test_a_renamed_application_still_clears_its_alarm() -> None:
    """The alarm is known by the application's id; it shows the name of its detection."""

    async def main() -> None:
        async with opened() as desk:
            await desk.log(FAILED)
            old = desk.configuration.snapshot
            item = old.objects["applications", desk.pacing]
            renamed = type(item)(
                type=item.type, id=item.id, tenant=1, name="pacing 2", body=item.body
            )
            desk.configuration.change(old.with_changes((renamed,), (), seq=99))
            await desk.log(HEALED, application="pacing 2")
            assert await desk.active() == []

    run_virtual(main())


def test_a_restart_keeps_alarms_and_goes_on_counting() -> None:
    """After a restart the alarm stands, its cancel event clears it, numbers go on above."""

    async def main() -> None:
        database = memory()
        async with opened(database) as desk:
            first = await desk.log(FAILED)
            times = desk.times
        async with opened(database, times) as desk:
            assert await desk.active() == [("PacingRequestsFailed", "")]
            healed = await desk.log(HEALED)
            assert healed.cleared == first.detected
            assert healed.message_id == first.message_id + 1
        await database.close()

    run_virtual(main())


def test_old_messages_and_cleared_alarms_are_deleted() -> None:
    """Past their retention they are gone; an alarm that stands stays."""

    async def main() -> None:
        async with opened(retention="2h") as desk:
            await desk.log(FAILED)
            await desk.log(HEALED)
            await desk.log(FAILED)
            await desk.times.business.sleep(4 * 3600)
            assert (await desk.client.message.list()).items == ()
            [alarm] = (await desk.client.alarm.list(all=True)).items
            assert alarm.cleared_at is None

    run_virtual(main())


def test_a_failed_batch_raises_no_alarm() -> None:
    """While the database is away messages are refused and no alarm stands; then all goes on."""

    class Away:
        """A database whose transactions can be made to fail."""

        def __init__(self, database: Database) -> None:
            self._database = database
            self.is_away = False

        def __getattr__(self, name: str) -> object:
            return getattr(self._database, name)

        async def transaction(self, work: object) -> object:
            if self.is_away:
                raise PacelineError("database_unavailable", "it is away")
            return await self._database.transaction(work)  # type: ignore[arg-type]  # passed on

    async def main() -> None:
        database = memory()
        await upgrade(database, ("message",))
        away = Away(database)
        async with opened(away) as desk:  # type: ignore[arg-type]  # has all of its methods
            away.is_away = True
            with pytest.raises(PacelineError, match="database_unavailable"):
                await desk.log(FAILED)
            away.is_away = False
            assert await desk.active() == []
            assert (await desk.log(FAILED)).detected == 1
        await database.close()

    run_virtual(main())


@pytest.mark.parametrize(("field", "value"), [("number", -1), ("number", 2**31), ("text", "a\0b")])
def test_what_cannot_be_stored_is_refused_by_name(field: str, value: object) -> None:
    """A wrong field is named and nothing is stored."""

    async def main() -> None:
        async with opened() as desk:
            given = {"application": "pacing", "number": 1, "text": "x", field: value}
            with pytest.raises(PacelineError) as caught:
                await desk.client.message.log(**given)  # type: ignore[arg-type]  # wrong on purpose
            assert caught.value.field == field
            assert (await desk.client.message.list()).items == ()

    run_virtual(main())
