"""`POST /v1/privacy/erase` (INTERFACES: personal data): values go everywhere, ids and counts stay."""

import json

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import BusinessAttribute, Options
from paceline.model.custom_properties import ATTRIBUTE
from paceline.model.events import CUSTOM_REPORTING, DATA_ERASED
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.servers.interaction.live.committer import Work
from paceline.units.quantities import Millis
from paceline.wire.call import Principal
from tests.fakes.served import Served
from tests.fakes.site import Node, running_node, small_site

START = Millis(1_000_000_000_000)


def _data(**values: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps(values).encode())


async def _people(client: InteractionServerClient) -> dict[str, str]:
    """Interactions of Ann, one finished, and one of Bob."""
    ids = {}
    for name, data in (
        ("waiting", _data(customer="ann@example.org", Proactive="1", age=7)),
        ("finished", _data(customer="ann@example.org")),
        ("other", _data(customer="bob@example.org")),
    ):
        answer = await client.interaction.submit(media_type="chat", queue="Chats", user_data=data)
        ids[name] = answer.interaction_id
    await client.interaction.stop(interaction_id=ids["finished"])
    return ids


async def _user_data(client: InteractionServerClient, key: str) -> object:
    return json.loads(bytes((await client.interaction.get(interaction_id=key)).user_data))


def test_a_person_named_by_a_value_is_erased_everywhere() -> None:
    """In work and finished: only the filter keys stay; others are untouched; each has its event."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            client = await node.client("office", "operator")
            ids = await _people(client)
            answer = await client.privacy.erase(key="customer", value="ann@example.org")
            assert (answer.interactions, answer.finished) == (1, 1)
            assert await _user_data(client, ids["waiting"]) == {"Proactive": "1"}
            assert await _user_data(client, ids["finished"]) == {}
            assert await _user_data(client, ids["other"]) == {"customer": "bob@example.org"}
            page = await client.event.read(event_filter_by_id=DATA_ERASED)
            assert {e.interaction_id for e in page.items} == {ids["waiting"], ids["finished"]}
            whole = await client.event.read(limit=1000)
            assert not any(b"example.org" in bytes(e.data) for e in whole.items)
            assert len((await client.interaction.find(condition="")).interactions) == 2

    run_virtual(scenario())


def test_erasing_again_changes_nothing() -> None:
    """By value and by id: the repeat counts nothing and writes no event."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            client = await node.client("office", "operator")
            ids = await _people(client)
            chosen = (ids["other"], ids["finished"], "never-existed")
            first = await client.privacy.erase(interaction_ids=chosen)
            assert (first.interactions, first.finished) == (1, 1)
            events = len((await client.event.read(limit=1000)).items)
            again = await client.privacy.erase(interaction_ids=chosen)
            assert (again.interactions, again.finished, again.events) == (0, 0, 0)
            assert len((await client.event.read(limit=1000)).items) == events

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("key", "value", "given"),
    [
        ("age", "7", {"age": 7}),
        ('od"d.key $', "x", {'od"d.key $': "x"}),
        ("name", "Zoë 😀", {"name": "Zoë 😀"}),
    ],
)
def test_values_are_compared_as_text(key: str, value: str, given: dict[str, object]) -> None:
    """Numbers, odd key names and any script are found."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            client = await node.client("office", "operator")
            await client.interaction.submit(
                media_type="chat", queue="Chats", user_data=_data(**given)
            )
            answer = await client.privacy.erase(key=key, value=value)
            assert answer.interactions == 1

    run_virtual(scenario())


def test_personal_data_in_stored_events_are_erased(monkeypatch: pytest.MonkeyPatch) -> None:
    """A custom event's payload goes; the event, its position and what else it holds stay."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            client = await node.client("office", "operator")
            ids = await _people(client)
            await _report(node, ids["waiting"])
            before = (await client.event.read(limit=1000)).items
            answer = await client.privacy.erase(key="customer", value="ann@example.org")
            assert answer.events == 1
            after = (await client.event.read(limit=1000)).items
            assert [e.position for e in after[: len(before)]] == [e.position for e in before]
            [custom] = [e for e in after if e.name == CUSTOM_REPORTING]
            assert json.loads(bytes(custom.data)) == {"media_type": "chat", "event": 7}

    run_virtual(scenario())


async def _report(node: Node, key: str) -> None:
    """A custom event with a payload, as RequestDistributeEvent writes it."""
    lane = node.server._lane
    assert lane is not None
    await lane.submit(
        Work(
            lambda state: state.event(
                CUSTOM_REPORTING,
                "test",
                row=state.row((1, key)),
                data={"event": 7, "payload": {"mail": "ann@example.org"}},
            ),
            keys=((1, key),),
        )
    )


def test_who_asks_names_one_person_in_one_way() -> None:
    """Neither, both or half of key and value: refused before anything changes."""

    async def scenario() -> None:
        async with running_node(virtual_times(START)) as node:
            client = await node.client("office", "operator")
            for request in (
                {},
                {"key": "customer"},
                {"value": "x"},
                {"key": "customer", "value": "x", "interaction_ids": ("a",)},
            ):
                with pytest.raises(PacelineError, match="interaction_ids"):
                    await client.privacy.erase(**request)  # type: ignore[arg-type]  # made wrong on purpose
            with pytest.raises(PacelineError, match="limit_reached"):
                await client.privacy.erase(interaction_ids=tuple(map(str, range(1001))))

    run_virtual(scenario())


@pytest.mark.parametrize("group", ["agent", "supervisor", "operator", "auditor"])
def test_only_an_administrator_erases(group: str) -> None:
    """Everyone else is refused."""

    async def scenario() -> None:
        times = virtual_times(START)
        async with running_node(times) as node:
            who = Principal(name="someone", kind="person", access_groups=(group,))
            served = Served("interaction", node.server.handlers, times, principal=who)
            client = InteractionServerClient(await served.connect("desk", "operator"))
            with pytest.raises(PacelineError, match="not_allowed"):
                await client.privacy.erase(key="customer", value="x")
            await served.close()

    run_virtual(scenario())


def test_logged_user_data_are_erased_from_the_log() -> None:
    """With log-userdata events carry the user data; switched off new ones do not; erased old ones lose them."""

    async def scenario() -> None:
        options = {"event-filtering": {"log-userdata": "true"}}
        async with running_node(virtual_times(START), options=options) as node:
            client = await node.client("office", "operator")
            ids = await _people(client)
            await client.interaction.change(
                interaction_id=ids["waiting"], added={"phone": msgspec.Raw(b'"+44"')}
            )
            logged = (await client.event.read(limit=1000)).items
            carrying = [e for e in logged if b"user_data" in bytes(e.data)]
            assert [e.name for e in carrying] == [
                *["EventInteractionSubmitted"] * 3,
                "EventPropertiesChanged",
            ]
            assert json.loads(bytes(carrying[-1].data))["user_data"]["phone"] == "+44"
            hidden = (await client.event.read(limit=1000, log_userdata=False)).items
            assert not any(b"example.org" in bytes(e.data) for e in hidden)
            answer = await client.privacy.erase(key="customer", value="ann@example.org")
            assert answer.events == 3
            after = (await client.event.read(limit=1000)).items
            assert not any(b"ann@" in bytes(e.data) or b"+44" in bytes(e.data) for e in after)
            assert any(b"bob@" in bytes(e.data) for e in after)
            node.server._settings.update({})
            await client.interaction.submit(
                media_type="chat", queue="Chats", user_data=_data(customer="cy@example.org")
            )
            last = (await client.event.read(after=after[-1].position)).items
            assert not any(b"cy@" in bytes(e.data) for e in last)

    run_virtual(scenario())


def test_columns_of_custom_properties_lose_their_values_too() -> None:
    """What a custom property copied out of user data goes with it, in work and finished."""
    site = small_site()
    options: Options = {"translation": {"translate-to": "customer_mail", "type": "string"}}
    body = BusinessAttribute(values=("customer",), value_options={"customer": options})
    site.add("business-attributes", ATTRIBUTE, body)

    async def scenario() -> None:
        times = virtual_times(START)
        async with running_node(times, site=site) as node:
            await times.machine.sleep(5)
            client = await node.client("office", "operator")
            await _people(client)

            async def values() -> set[str | None]:
                [column] = node.server._node.shape.custom  # type: ignore[union-attr]  # it runs
                found = set()
                for table in ("interactions", "finished_interactions"):
                    rows = await node.server._database.fetch(
                        f"SELECT {column} FROM interaction.{table}"
                    )
                    found |= {row[0] for row in rows}
                return found

            assert await values() == {"ann@example.org", "bob@example.org"}
            await client.privacy.erase(key="customer", value="ann@example.org")
            assert await values() == {None, "bob@example.org"}

    run_virtual(scenario())
