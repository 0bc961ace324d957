"""Custom properties: columns added while the node works, filled, and used by views, orders and searches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import BusinessAttribute, Options, View
from paceline.model.custom_properties import ATTRIBUTE
from paceline.runtime.times import Times, real_times, virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.access_point import from_url
from paceline.storage.database import Database
from paceline.storage.opening import open_database
from paceline.units.quantities import Millis
from tests.databases import postgres_server, postgres_url
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import Node, running_node, small_site

__all__ = ["postgres_server", "postgres_url"]

START = Millis(1_000_000_000_000)
VIEW = "Own view"
SECOND_S = 1.0


def _to(name: str, kind: str = "string") -> Options:
    return {"translation": {"translate-to": name, "type": kind}}


THREE = {
    "Tier": _to("tier"),
    "OrderTotal": _to("order_total", "number"),
    "Due at": _to("due_at", "timestamp"),
}


def _site(properties: dict[str, Options] | None = None, **fields: object) -> SnapshotBuilder:
    site = small_site()
    view = View(business_process="Service", queue="Chats", **fields)  # type: ignore[arg-type]  # as the test names them
    site.add("scripts", VIEW, view)
    if properties is not None:
        body = BusinessAttribute(values=tuple(properties), value_options=properties)
        site.add("business-attributes", ATTRIBUTE, body)
    return site


async def _submit(media: InteractionServerClient, name: str, **user_data: object) -> str:
    answer = await media.interaction.submit(
        media_type="chat",
        queue="Chats",
        external_id=name,
        user_data=msgspec.Raw(msgspec.json.encode(user_data)),
    )
    return answer.interaction_id


async def _pull(router: InteractionServerClient, count: int = 10) -> list[str | None]:
    pulled = await router.view.pull(view=VIEW, count=count)
    return [item.external_id for item in pulled.interactions]


async def _usable(node: Node) -> None:
    """Waits until the node has no finding about its view."""
    while any(finding.object == f"view '{VIEW}'" for finding in node.server.findings()):
        await node.served.times.machine.sleep(0.05)


@asynccontextmanager
async def running(
    times: Times, site: SnapshotBuilder, *, database: Database | None = None, epoch: int = 1
) -> AsyncIterator[tuple[Node, InteractionServerClient, InteractionServerClient]]:
    """A node with a media server and a router, its view usable."""
    async with running_node(times, site=site, database=database, epoch=epoch) as node:
        await _usable(node)
        yield node, await node.client("chat"), await node.client("router", "router")


def test_a_view_selects_and_orders_by_custom_properties() -> None:
    """Text, number and instant from user data; absent and unfit values are NULL."""

    async def scenario() -> None:
        view = {
            "condition": "Tier = 'gold' AND _time_to(\"Due at\") > 60",
            "order": "OrderTotal DESC",
        }
        async with running(virtual_times(START), _site(THREE, **view)) as (_, media, router):
            due = "2001-09-09 01:50:00"
            await _submit(media, "none")
            await _submit(media, "iron", Tier="iron", OrderTotal=5, **{"Due at": due})
            await _submit(media, "small", Tier="gold", OrderTotal=5, **{"Due at": due})
            await _submit(media, "text", Tier="gold", OrderTotal="70.5", **{"Due at": due + "Z"})
            await _submit(media, "unfit", Tier="gold", OrderTotal=[1], **{"Due at": due})
            await _submit(media, "late", Tier="gold", **{"Due at": "2001-09-09T01:00:00Z"})
            await _submit(media, "no date", Tier="gold", **{"Due at": 7})
            assert await _pull(router) == ["text", "small", "unfit"]

    run_virtual(scenario())


def test_a_changed_key_changes_the_property() -> None:
    """Setting, changing and deleting the key moves the interaction in and out of the view."""

    async def scenario() -> None:
        site = _site(THREE, condition="Tier IS NOT NULL", order="Tier")
        async with running(virtual_times(START), site) as (_, media, router):
            first = await _submit(media, "a", Tier="x")
            second = await _submit(media, "b")
            third = await _submit(media, "c", Tier="z")
            change = media.interaction.change
            await change(interaction_id=second, added={"Tier": msgspec.Raw(b'"y"')})
            await change(interaction_id=first, changed={"Tier": msgspec.Raw(b'"zz"')})
            await change(interaction_id=third, deleted=("Tier",))
            found = await media.interaction.find(condition="Tier > 'y'", order="tier DESC")
            assert [i.external_id for i in found.interactions] == ["a"]
            assert await _pull(router) == ["b", "a"]

    run_virtual(scenario())


def test_a_segment_may_be_a_custom_property() -> None:
    """Text and number segment; interactions without a value are a segment of their own."""

    async def scenario() -> None:
        for key, values in (("Tier", ("x", "y")), ("OrderTotal", (1.5, 2))):
            site = _site(THREE, segment_by=key, segment_limit=1)
            async with running(virtual_times(START), site) as (_, media, router):
                for value in (*values, *values):
                    await _submit(media, str(value), **{key: value})
                await _submit(media, "none")
                await _submit(media, "none")
                assert await _pull(router) == [str(values[0]), str(values[1]), "none"]

    run_virtual(scenario())


def test_existing_interactions_are_filled_in_steps() -> None:
    """Added to the configuration later: until all have their value the view is a finding, then it is exact."""

    async def scenario() -> None:
        times = virtual_times(START)
        async with running(times, _site(order="Priority")) as (node, media, router):
            for count in range(450):
                await _submit(media, f"{count:03}", Tier=f"{999 - count}")
            node.configuration.change(_site(THREE, order="Tier").build())
            (finding,) = [f for f in node.server.findings() if f.object == f"view '{VIEW}'"]
            assert "Tier is being added to the database" in finding.consequence
            with pytest.raises(PacelineError, match="is being added"):
                await media.interaction.find(condition="Tier = 'x'")
            await _usable(node)
            await _submit(media, "first", Tier="0")
            assert await _pull(router, 3) == ["first", "449", "448"]

    run_virtual(scenario())


def test_a_restart_knows_the_columns() -> None:
    """The next process uses filled columns at once; a removed property is forgotten, an added one filled."""

    async def scenario() -> None:
        times = virtual_times(START)
        store = open_database(from_url("sqlite://"), times=times, inline=True)
        async with running(times, _site(THREE, order="Tier"), database=store) as (_, media, _r):
            await _submit(media, "b", Tier="b", OrderTotal=1)
            await _submit(media, "a", Tier="a", OrderTotal=2)
        async with running_node(
            times, database=store, epoch=2, site=_site(THREE, order="Tier")
        ) as node:
            assert node.server.findings() == ()
            router = await node.client("router", "router")
            assert await _pull(router, 1) == ["a"]
            only_total = {"OrderTotal": THREE["OrderTotal"]}
            node.configuration.change(_site(only_total, order="Tier").build())
            await times.machine.sleep(1)
            (finding,) = node.server.findings()
            assert "there is no property Tier" in finding.consequence
            other_key = {"Rank": _to("tier"), **only_total}
            node.configuration.change(_site(other_key, condition="Rank IS NULL").build())
            await _usable(node)
            assert await _pull(router) == ["b"]

    run_virtual(scenario())


def test_a_database_that_is_away_delays_the_column_only() -> None:
    """The node works on; the column comes when the database answers again."""

    async def scenario() -> None:
        times = virtual_times(START)
        store = FailingDatabase()
        async with running(times, _site(), database=store) as (node, media, router):
            store.refusals = 1
            node.configuration.change(_site(THREE, condition="Tier = 'x'").build())
            await times.machine.sleep(1)
            await _submit(media, "a", Tier="x")
            await _usable(node)
            assert await _pull(router) == ["a"]

    run_virtual(scenario())


def test_what_makes_no_property_is_refused_by_name() -> None:
    """A value without a fit column name or type leaves the rest usable; unknown names say what is near."""

    async def scenario() -> None:
        properties = {**THREE, "Bad": _to("1; drop"), "Odd": _to("odd", "blob")}
        async with running(virtual_times(START), _site(properties)) as (_, media, _router):
            with pytest.raises(PacelineError, match="no property Teir; did you mean Tier"):
                await media.interaction.find(condition="Teir = 'x'")
            with pytest.raises(PacelineError, match="no property Bad"):
                await media.interaction.find(condition="Bad = 'x'")
            assert (await media.interaction.find(condition="Tier = 'x'")).interactions == ()

    run_virtual(scenario())


def test_columns_are_added_online_on_postgresql(postgres_url: str) -> None:
    """Submissions go on while column and index come; finished interactions keep their values."""

    async def scenario() -> None:
        times = real_times()
        store = open_database(from_url(postgres_url), times=times)
        async with running(times, _site(), database=store) as (node, media, router):
            for count in range(5):
                await _submit(media, f"{count}", Tier=f"{9 - count}", OrderTotal=count)
            first = await _pull(router, 1)  # leaves prepared statements behind
            assert first == ["0"]
            node.configuration.change(
                _site(THREE, order="Tier", condition="OrderTotal >= 1").build()
            )
            late = [asyncio.ensure_future(_submit(media, "new", Tier="0", OrderTotal=7))]
            await _usable(node)
            await asyncio.gather(*late)
            assert await _pull(router, 3) == ["new", "4", "3"]
            key = await _submit(media, "stopped", Tier="s")
            await media.interaction.change(
                interaction_id=key, changed={"Tier": msgspec.Raw(b'"t"')}
            )
            await media.interaction.stop(interaction_id=key)
        indexes = await store.fetch(
            "SELECT indexrelid::regclass::text, indisvalid FROM pg_index "
            "WHERE indrelid = to_regclass('interaction.interactions')"
        )
        valid = {row[0] for row in indexes if row[1]}
        assert {f"interaction.interactions_string_{n}" for n in ("tier",)} <= valid
        assert "interaction.interactions_timestamp_due_at" in valid
        kept = await store.fetch("SELECT string_tier FROM interaction.finished_interactions")
        assert [row[0] for row in kept] == ["t"]
        await store.close()

    asyncio.run(scenario())
