"""The router's rules: which virtual queue and groups, and what is wrong with a strategy."""

import msgspec
import pytest

from paceline.model.configuration import AgentGroup, Dn, InteractionQueue, Options, Strategy, View
from paceline.model.snapshot import ConfigurationSnapshot
from paceline.servers.router.rules.choose_queue import (
    Choice,
    PacingKeys,
    choose,
    group_names,
    medium_of,
    read_keys,
    serving_groups,
)
from paceline.servers.router.rules.strategy_findings import strategy_findings, strategy_of_view
from tests.fakes.configuration import SnapshotBuilder


def site() -> ConfigurationSnapshot:
    """Two chat queues, one served by two groups, one voice queue and one that is disabled."""
    builder = SnapshotBuilder()
    for number, medium in (("Chat", "chat"), ("Sales, chat", "chat"), ("Call", "voice")):
        dn = Dn(switch="main", number=number, options={"pacing": {"media": medium}})
        builder.add("dns", number, dn)
    builder.add("dns", "Off", Dn(switch="main", number="Off", state="disabled"))
    for name, listed in (("A", ("Chat",)), ("B, C", ("Chat@main",)), ("D", ("Sales, chat",))):
        builder.add("agent-groups", name, AgentGroup(origination_dns=listed))
    builder.add("agent-groups", "Gone", AgentGroup(origination_dns=("Chat",), state="disabled"))
    builder.add("agent-groups", "Other", AgentGroup(origination_dns=("Chat@elsewhere",)))
    return builder.build()


def chosen(strategy_queue: str | None, media_type: str = "chat", **keys: str) -> Choice:
    """The choice for an interaction with these keys."""
    return choose(
        site(),
        tenant=1,
        media_type=media_type,
        strategy_queue=strategy_queue,
        keys=PacingKeys(**keys),
    )


def test_without_keys_the_strategy_decides() -> None:
    """Its virtual queue, and every enabled group that lists it by number or number@switch."""
    assert chosen("Chat") == Choice("Chat", frozenset({"A", "B, C"}))


def test_the_key_names_queue_and_groups() -> None:
    """Only the named groups, a comma inside a name escaped."""
    choice = chosen("Sales, chat", virtual_queue="Chat", agent_groups=r"B\, C")
    assert choice == Choice("Chat", frozenset({"B, C"}))
    assert chosen(None, virtual_queue="Sales, chat") == Choice("Sales, chat", frozenset({"D"}))


@pytest.mark.parametrize("number", ["Nowhere", "Call", "Off"])
def test_a_key_that_does_not_fit_gives_way_to_the_strategy_and_is_named(number: str) -> None:
    """Unknown, of another medium, or disabled; without a strategy's queue it cannot be routed."""
    choice = chosen("Chat", virtual_queue=number)
    assert (choice.virtual_queue, choice.field) == ("Chat", "PacingVirtualQueue")
    assert number in choice.problem
    assert chosen(None, virtual_queue=number).virtual_queue is None


def test_groups_that_do_not_serve_the_queue_give_way_to_those_that_do() -> None:
    """It is delivered outside the named groups, and said so."""
    choice = chosen("Chat", virtual_queue="Chat", agent_groups="D,Unknown")
    assert choice.groups == {"A", "B, C"}
    assert choice.field == "PacingAgentGroups"
    assert "D, Unknown" in choice.problem


@pytest.mark.parametrize("number", [None, "Nowhere", "Call", "Off"])
def test_a_strategy_without_a_fitting_queue_routes_nothing(number: str | None) -> None:
    """The problem names the field of the strategy."""
    choice = chosen(number)
    assert choice.virtual_queue is None
    assert choice.field == "virtual_queue"
    assert choice.problem


@pytest.mark.parametrize(
    ("options", "medium"),
    [
        ({"pacing": {"media": "chat"}, "statserver": {"media-type": "email"}}, "chat"),
        ({"statserver": {"media-type": "email"}}, "email"),
        ({}, None),
        ({"pacing": {"media": "chat,email"}}, None),
    ],
)
def test_the_medium_of_a_virtual_queue(options: Options, medium: str | None) -> None:
    """`pacing.media` first; a list is none, so that such a queue takes any medium."""
    assert medium_of(Dn(switch="main", number="Q", options=options)) == medium


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("A", ("A",)),
        ("A,B", ("A", "B")),
        (r"A\, B,C", ("A, B", "C")),
        (" A , B ", ("A", "B")),
        (r"back\\slash", (r"back\slash",)),
        ("", ()),
        (",,", ()),
        ("end\\", ("end",)),
    ],
)
def test_names_of_a_comma_list(text: str, names: tuple[str, ...]) -> None:
    r"""A comma inside a name is written `\,`."""
    assert group_names(text) == names


@pytest.mark.parametrize("user_data", [b"{}", b'{"PacingVirtualQueue":7}', b"[]", b""])
def test_keys_that_are_no_texts_are_absent(user_data: bytes) -> None:
    """Whatever the user data holds, reading it does not fail."""
    assert read_keys(msgspec.Raw(user_data)) == PacingKeys()


def test_groups_of_an_unknown_queue() -> None:
    """Nobody serves what does not exist, and the other tenant's groups are not ours."""
    assert serving_groups(site(), 1, "Nowhere") == frozenset()
    assert serving_groups(site(), 2, "Chat") == frozenset()


def test_findings_of_strategies() -> None:
    """An unknown view, a view of another strategy, an unknown queue, a queue nobody serves."""
    builder = SnapshotBuilder()
    builder.add("scripts", "q", InteractionQueue(business_process="p"))
    builder.add("scripts", "v", View(business_process="p", queue="q"))
    builder.add("dns", "Lonely", Dn(switch="main", number="Lonely"))
    first = Strategy(business_process="p", views=("v", "w"), virtual_queue="Lonely")
    second = Strategy(business_process="p", views=("v",), virtual_queue="None such")
    off = Strategy(business_process="p", views=("v",), state="disabled")
    for name, strategy in (("first", first), ("second", second), ("a disabled one", off)):
        builder.add("scripts", name, strategy)
    snapshot = builder.build()
    assert strategy_of_view(snapshot) == {(1, "v"): "first"}
    found = {
        name: [(f.object, f.field) for f in strategy_findings(snapshot, 1, name, strategy)]
        for name, strategy in (("first", first), ("second", second), ("a disabled one", off))
    }
    assert found == {
        "first": [
            ("strategy 'first'", "views"),
            ("virtual queue 'Lonely'", "origination_dns"),
        ],
        "second": [("strategy 'second'", "views"), ("strategy 'second'", "virtual_queue")],
        "a disabled one": [],
    }
