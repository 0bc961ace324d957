"""Push beside pull: credit, rate, cap, order, and what a lost router held; pulls of chosen ones."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import Application
from paceline.runtime.times import virtual_times
from paceline.runtime.virtual_loop import run_virtual
from paceline.sdk.interaction import InteractionServerClient
from paceline.storage.database import Transaction
from paceline.wire.operations.interaction import Submit
from paceline.wire.operations.push import RouteRequest
from tests.acceptance.interaction.cast import START, VIEW, Cast, cast
from tests.fakes.configuration import SnapshotBuilder
from tests.fakes.failing_database import FailingDatabase
from tests.fakes.site import running_node, small_site

T = TypeVar("T")


def _site(**options: str | int) -> SnapshotBuilder:
    """A site whose router object has these options in the section of the server's name."""
    site = small_site()
    body = Application(application_type="router", options={"node": dict(options)})
    site.add("applications", "router", body)
    return site


class _Pushed:
    """A router that is pushed to; remembers what came."""

    def __init__(self, client: InteractionServerClient) -> None:
        self.client = client
        self.all: list[RouteRequest] = []
        client.connection.on_notice("router.route_request", self.all.append)

    @property
    def ids(self) -> list[str]:
        """Ids in the order of arrival."""
        return [pushed.interaction.interaction_id for pushed in self.all]


async def _waiting(scene: Cast, count: int, **fields: Any) -> list[str]:
    return [await scene.submitted(priority=-number, **fields) for number in range(count)]


def test_push_up_to_the_credit_in_the_views_order() -> None:
    """Never more than credit out; routing, placing or returning one frees its place."""

    async def scenario() -> None:
        async with cast() as scene:
            keys = await _waiting(scene, 6)
            router = _Pushed(scene.router)
            attached = await scene.router.router.attach(views=(VIEW,), credit=3)
            assert (attached.credit, attached.held) == (3, 0)
            await scene.settle(1)
            assert router.ids == keys[:3]
            assert router.all[0].view == VIEW
            ticket = (
                await scene.router.interaction.deliver(interaction_id=keys[0], agent="agent1")
            ).ticket
            await scene.settle(1)
            assert router.ids == keys[:3]  # ringing is still held
            await scene.desk1.interaction.accept(
                interaction_id=keys[0], ticket=ticket, agent="agent1"
            )
            await scene.router.interaction.place_in_queue(interaction_id=keys[1], queue="E-mails")
            await scene.settle(1)
            assert router.ids == keys[:5]
            await scene.router.router.attach(views=(VIEW,), credit=4)
            await scene.settle(1)
            assert router.ids == keys

    run_virtual(scenario())


def test_a_newcomer_is_pushed_at_once_and_the_best_goes_first() -> None:
    """An arrival wakes the push; with one place free the best of those waiting gets it."""

    async def scenario() -> None:
        async with cast() as scene:
            router = _Pushed(scene.router)
            await scene.router.router.attach(views=("E-mails view", VIEW), credit=1)
            first = await scene.submitted()
            await scene.settle(0.05)
            assert router.ids == [first]
            await scene.submitted(priority=1)
            best = await scene.submitted(priority=5)
            await scene.media.interaction.stop(interaction_id=first)
            await scene.settle(0.05)
            assert router.ids == [first, best]

    run_virtual(scenario())


def test_detach_ends_it_and_pull_goes_on() -> None:
    """Nothing more is pushed; both kinds may serve one view."""

    async def scenario() -> None:
        async with cast() as scene:
            keys = await _waiting(scene, 4)
            router = _Pushed(scene.router)
            await scene.router.router.attach(views=(VIEW,), credit=1)
            await scene.settle()
            other = await scene.node.client("other", "router")
            pulled = await other.view.pull(view=VIEW)
            assert (router.ids, pulled.interactions[0].interaction_id) == (keys[:1], keys[1])
            await scene.router.router.detach()
            await scene.media.interaction.stop(interaction_id=keys[0])
            await scene.settle(1)
            assert router.ids == keys[:1]

    run_virtual(scenario())


def test_what_a_lost_router_held_is_offered_again() -> None:
    """The session ends: within a second another attached router has it, in order."""

    async def scenario() -> None:
        async with cast() as scene:
            keys = await _waiting(scene, 3)
            await scene.router.router.attach(views=(VIEW,), credit=5)
            await scene.settle()
            other = _Pushed(await scene.node.client("other", "router"))
            await other.client.router.attach(views=(VIEW,), credit=5)
            await scene.settle()
            assert other.ids == []
            await scene.router.connection.close()
            await scene.settle(1)
            assert sorted(other.ids) == sorted(keys)

    run_virtual(scenario())


@pytest.mark.parametrize("is_default", [False, True])
def test_max_submission_rate(is_default: bool) -> None:
    """2/second over 60 s within 5 %, of the router's object, else the server's default."""

    async def scenario() -> None:
        rate = "2/second"
        site = _site() if is_default else _site(**{"max-submission-rate": rate})
        options = {"settings": {"default-max-submission-rate": rate if is_default else "1/hour"}}
        async with cast(site=site, options=options) as scene:
            items = tuple(Submit(media_type="chat", queue="Chats") for _ in range(200))
            await scene.media.interaction.submit_batch(interactions=items)
            router = _Pushed(scene.router)
            await scene.router.router.attach(views=(VIEW,), credit=5000)
            await scene.settle(60)
            assert 114 <= len(router.ids) <= 126

    run_virtual(scenario())


def test_max_submitted_interactions_is_a_cap_below_the_credit() -> None:
    """Lowered it pauses pushing until the count falls; 0 disables it."""

    async def scenario() -> None:
        async with cast(options={"settings": {"default-max-submitted-per-router": 3}}) as scene:
            keys = await _waiting(scene, 8)
            router = _Pushed(scene.router)
            await scene.router.router.attach(views=(VIEW,), credit=6)
            await scene.settle()
            assert router.ids == keys[:3]
            option = {"default-max-submitted-per-router": 2}
            scene.node.settings.update({"settings": option})
            await scene.media.interaction.stop(interaction_id=keys[0])
            await scene.settle()
            assert router.ids == keys[:3]
            scene.node.settings.update({"settings": {"default-max-submitted-per-router": 0}})
            await scene.settle()
            assert len(router.ids) == 7  # one was stopped, six are held

    run_virtual(scenario())


def test_only_routers_attach() -> None:
    """not_allowed naming the role."""

    async def scenario() -> None:
        async with cast() as scene:
            with pytest.raises(PacelineError, match="not agent") as refused:
                await scene.desk1.router.attach(views=(VIEW,), credit=1)
            assert refused.value.name == "not_allowed"
            with pytest.raises(PacelineError, match="view 'None' does not exist"):
                await scene.router.router.attach(views=("None",), credit=1)

    run_virtual(scenario())


def test_pull_of_held_and_of_named_interactions() -> None:
    """ignore_hold takes held ones too, in the view's order; by id only what the view selects."""

    async def scenario() -> None:
        async with cast() as scene:
            keys = await _waiting(scene, 4)
            await scene.media.interaction.hold(interaction_id=keys[0])
            await scene.media.interaction.lock(interaction_id=keys[1])
            pulled = await scene.router.view.pull(view=VIEW, count=2, ignore_hold=True)
            assert [i.interaction_id for i in pulled.interactions] == [keys[0], keys[2]]
            named = await scene.desk1.view.pull(
                view=VIEW, agent="agent1", interaction_ids=(keys[3], keys[1], keys[0])
            )
            assert [(i.interaction_id, i.state) for i in named.interactions] == [
                (keys[3], "handling")
            ]

    run_virtual(scenario())


def test_find_goes_on_behind_the_last_one_in_an_order_of_its_own() -> None:
    """Ties, absent values and both directions: every interaction once, though others come and go."""

    async def scenario() -> None:
        async with cast() as scene:
            keys = [
                await scene.submitted(priority=n % 2, external_id=f"x{n % 3}" if n % 4 else None)
                for n in range(17)
            ]
            for order in ("", "Priority DESC", "ExternalId", "ExternalId DESC, Priority"):
                seen: list[str] = []
                continuation = None
                while True:
                    page = await scene.media.interaction.find(
                        order=order, limit=4, continuation=continuation
                    )
                    seen += [i.interaction_id for i in page.interactions]
                    continuation = page.continuation
                    if continuation is None:
                        break
                    await scene.media.interaction.stop(interaction_id=await scene.submitted())
                assert len(seen) == len(set(seen)), order
                assert set(seen) == set(keys), order
            with pytest.raises(PacelineError, match="no continuation"):
                await scene.media.interaction.find(order="Priority", continuation="AAAA")

    run_virtual(scenario())


MANY = 100
"""More transactions than the test needs (some 10); a task that spins would never let time pass."""


class _Counted(FailingDatabase):
    """Counts transactions."""

    def __init__(self) -> None:
        super().__init__()
        self.transactions = 0

    async def transaction(self, work: Callable[[Transaction], Awaitable[T]]) -> T:
        self.transactions += 1
        if self.transactions > MANY:
            raise RuntimeError("it spins")
        return await super().transaction(work)


def test_an_attached_router_with_nothing_to_do_costs_nothing() -> None:
    """Once the view is empty no transaction is made until something arrives, another credit or not."""

    async def scenario() -> None:
        times, store = virtual_times(START), _Counted()
        async with running_node(times, database=store, site=small_site()) as node:
            media, router = await node.client("chat"), await node.client("router", "router")
            await media.interaction.submit(media_type="chat", queue="Chats")
            for credit in (3, 4):
                await router.router.attach(views=(VIEW,), credit=credit)
                await times.machine.sleep(1)
            await times.machine.sleep(5)
            assert store.transactions < MANY

    run_virtual(scenario())
