"""The SDK's lasting connection against the real session code."""

from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk import InteractionServerClient
from paceline.sdk.connection import Connection
from paceline.units.quantities import Millis
from paceline.wire.call import Call, Principal
from paceline.wire.operations.event import EventNotice, StreamEvents, Subscribed
from tests.fakes.served import Served


def test_a_new_token_comes_into_the_open_session() -> None:
    """When the keeper has a new token the session gets it and goes on; nothing reconnects."""

    async def scenario() -> None:
        times = virtual_times(Millis(1_000_000_000_000))
        seen: list[str] = []

        def verify(token: str) -> Principal:
            seen.append(token)
            return Principal(name="me", kind="application", access_groups=("server",))

        served = Served("interaction", {}, times, verify=verify)
        tokens = ["first"]

        async def token() -> str:
            return tokens[-1]

        changes: list[bool] = []
        connection = Connection(
            served.link, times=times, client="me", client_kind="router", token=token
        )
        connection.watch_connection(changes.append)
        connection.start()
        await connection.wait_connected()
        await times.machine.sleep(100)
        tokens.append("second")
        await times.machine.sleep(100)
        assert seen[0] == "first"
        assert seen[-1] == "second"
        assert changes == [True]
        assert len(served.links) == 1
        await connection.close()
        await served.close()

    run_virtual(scenario())


def test_a_mistake_of_a_notices_taker_costs_the_session_only() -> None:
    """The connection opens another session and its streams again; it does not stay away for ever."""

    async def scenario() -> None:
        times = virtual_times(Millis(1_000_000_000_000))
        opened: list[int] = []

        async def stream(call: Call, request: StreamEvents) -> Subscribed:
            peer = call.needs_peer("event.stream")
            number = peer.open_subscription(lambda: None)
            opened.append(number)
            peer.notify("event.stream", EventNotice(items=(), position="1.1"), subscription=number)
            return Subscribed(subscription=number)

        served = Served("interaction", {"event.stream": stream}, times)
        connection = await served.connect("me")
        taken: list[str] = []

        def take(notice: EventNotice) -> None:
            taken.append(notice.position)
            if len(taken) == 1:
                raise KeyError("a mistake")

        InteractionServerClient(connection).event.subscribe(StreamEvents, take)
        await times.machine.sleep(10)
        assert connection.is_connected
        assert len(opened) == 2
        assert taken == ["1.1", "1.1"]
        await served.close()

    run_virtual(scenario())
