"""Discovery of pacing targets (A05-A09, A11)."""

import pytest

from paceline.model.configuration import AgentGroup, Dn, Options, OptionValue
from paceline.model.target import Discovery, comma_list, discover
from tests.fakes.configuration import SnapshotBuilder


def queue(
    builder: SnapshotBuilder,
    number: str,
    pacing: dict[str, OptionValue] | None = None,
    *,
    alias: str | None = None,
    switch: str = "S1",
    medium: str | None = None,
) -> int:
    """A virtual queue with a `pacing` section, or a medium told to the Stat Server."""
    sections: Options = {}
    if pacing is not None:
        sections["pacing"] = pacing
    if medium is not None:
        sections["statserver"] = {"media-type": medium}
    body = Dn(switch=switch, number=number, options=sections)
    return builder.add("dns", number if alias is None else alias, body)


def group(builder: SnapshotBuilder, name: str, *listed: str) -> int:
    """An agent group that lists virtual queues."""
    return builder.add("agent-groups", name, AgentGroup(origination_dns=listed))


def mistakes(found: Discovery) -> dict[str, str]:
    """Why each misconfigured target is one."""
    return {target.name: target.mistake for target in found.misconfigured}


def test_a_target_is_a_queue_with_its_groups_on_any_switch() -> None:
    """Queues of all switches count; the name is `queue - media`; groups are those that list it."""
    builder = SnapshotBuilder()
    queue(builder, "Chat", {"media": "chat"})
    queue(builder, "Mail", {"media": "email"}, switch="S2")
    group(builder, "B", "Chat", "Mail@S2")
    group(builder, "A", "Chat")
    found = discover(builder.build())
    assert [(t.name, t.agent_groups) for t in found.targets] == [
        ("Chat - chat", ("A", "B")),
        ("Mail - email", ("B",)),
    ]
    assert found.misconfigured == ()


@pytest.mark.parametrize(
    ("alias", "options", "listed", "word"),
    [
        ("Other", {"media": "chat"}, True, "alias"),
        ("", {"media": "chat"}, True, "alias"),
        (None, {"optimizationGoal": 3}, True, "missing"),
        (None, {"media": "chat,email"}, True, "list"),
        (None, {"media": "chat"}, False, "lists"),
    ],
)
def test_each_mistake_is_told_and_spoils_its_own_queue_alone(
    alias: str | None, options: dict[str, OptionValue], listed: bool, word: str
) -> None:
    """A misconfigured queue comes with its reason; a sound one beside it stays a target."""
    builder = SnapshotBuilder()
    queue(builder, "Bad", options, alias=alias)
    queue(builder, "Good", {"media": "chat"})
    group(builder, "G", "Good", *(["Bad"] if listed else []))
    found = discover(builder.build())
    assert [target.name for target in found.targets] == ["Good - chat"]
    assert [word in why for why in mistakes(found).values()] == [True]


def test_a_queue_without_a_pacing_section_is_ignored_but_competes() -> None:
    """It is no target, yet its traffic counts when the same groups list it and its medium is known."""
    builder = SnapshotBuilder()
    queue(builder, "Chat", {"media": "chat"})
    queue(builder, "Reactive", medium="chat")
    queue(builder, "Unknown")
    queue(builder, "Mail", medium="email")
    group(builder, "G", "Chat", "Reactive", "Unknown", "Mail")
    found = discover(builder.build())
    assert [target.queues for target in found.targets] == [("Chat", "Reactive")]
    assert found.without_medium == ("Unknown",)


def test_two_switches_with_the_same_number_and_medium_are_told_apart() -> None:
    """A name stands for one target; the second queue is told, not merged."""
    builder = SnapshotBuilder()
    queue(builder, "Chat", {"media": "chat"})
    queue(builder, "Chat", {"media": "chat"}, switch="S2")
    group(builder, "G", "Chat")
    found = discover(builder.build())
    assert [target.name for target in found.targets] == ["Chat - chat"]
    assert list(mistakes(found)) == ["Chat - chat (S2)"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [(None, 5.0), (0, 0.0), (100, 100.0), ("3.5", 3.5), (-1, 7.0), (101, 7.0), ("x", 7.0), (True, 7.0)],
)  # fmt: skip
def test_the_queues_goal_goes_before_the_clusters_and_a_wrong_one_keeps_the_last(
    written: OptionValue | None, expected: float
) -> None:
    """0 and 100 are taken; -1, 101 and text keep the last good value; none leaves the cluster's."""
    builder = SnapshotBuilder()
    options: dict[str, OptionValue] = {"media": "chat"}
    if written is not None:
        options["optimizationGoal"] = written
    number = queue(builder, "Chat", options)
    group(builder, "G", "Chat")
    found = discover(builder.build(), default_goal=5.0, last_goals={number: 7.0})
    assert [target.goal_percent for target in found.targets] == [expected]


def test_a_wrong_goal_that_was_never_good_falls_back_to_the_cluster() -> None:
    """Precedence: virtual queue, cluster option, 3."""
    builder = SnapshotBuilder()
    queue(builder, "Chat", {"media": "chat", "optimizationGoal": "high"})
    group(builder, "G", "Chat")
    assert discover(builder.build(), default_goal=4.0).targets[0].goal_percent == 4.0
    assert discover(builder.build()).targets[0].goal_percent == 3.0


def test_a_comma_inside_a_name_is_escaped() -> None:
    """The comma list can be taken apart again."""
    assert comma_list(["a", "b,c"]) == "a,b\\,c"
