"""Definitions: names resolved, one id per meaning, and refusals that name the fix."""

from typing import Any

import pytest

from paceline.errors.failure import PacelineError
from paceline.model.configuration import AgentGroup
from paceline.servers.stat.options import OPTIONS, is_site_section
from paceline.servers.stat.rules.definitions import StatisticKey, key_of, resolve
from paceline.servers.stat.rules.stat_types import Catalogue, catalogue
from paceline.wire.operations.statistic import Definition, OpenStatistic
from tests.unit.stat.story import site

SNAPSHOT = site().build()


def key(kind: Any = "Queue", name: str = "VQ1", **wanted: Any) -> StatisticKey:
    request = OpenStatistic(object_kind=kind, object=name, **wanted)
    return resolve(request, 1, Catalogue(), SNAPSHOT)


def test_same_meaning_same_id() -> None:
    """A stat type and its definition written out, or a filter by name and by text, are one."""
    named = key(stat_type="PACS_VQ_Abandoned", filter="PACS_Proactive_Interaction", profile="Ever")
    inline = key(
        definition=Definition(
            category="TotalNumber",
            main_mask="CallAbandonedFromRinging, CallAbandoned",
            profile="Ever",
        ),
        filter='PairExists("Proactive","1")',
    )
    assert named == inline and named.id == inline.id
    assert named.id != key(stat_type="PACS_VQ_Abandoned", profile="Ever").id


def test_id_survives_and_stays_exact() -> None:
    """The stored text gives the key back; ids are exact as JSON numbers and do not change."""
    found = key(stat_type="PACS_VQ_Current")
    assert key_of(found.text) == found
    assert 0 < found.id < 2**53
    assert found.id == 174200752279534  # stored in databases: a new value would lose totals


def test_current_numbers_have_no_profile() -> None:
    """A current number is the same whatever profile it is asked with."""
    assert key(stat_type="PACS_VQ_Current", profile="Ever") == key(stat_type="PACS_VQ_Current")


def test_negated_filter_name() -> None:
    """`~` before a filter's name negates what it stands for."""
    found = key(stat_type="PACS_VQ_Current", filter="~PACS_Proactive_Interaction")
    assert found.filter == '~(PairExists("Proactive","1"))'


def test_mask_star_is_what_the_category_counts() -> None:
    """`*` stands for the actions that the category can count, less those with `~`."""
    found = key(definition=Definition(category="CurrentNumber", main_mask="*,~CallRinging"))
    assert found.actions == ("CallWait",)


def test_united_groups_in_any_order() -> None:
    """Groups in a list are united, whatever their order; a comma in a name is written with `\\`."""
    builder = site()
    builder.add("agent-groups", "a,b", AgentGroup())
    snapshot = builder.build()
    definition = Definition(category="TotalNumber", main_mask="CallReleased")

    def objects(name: str) -> tuple[str, ...]:
        request = OpenStatistic(object_kind="GroupAgents", object=name, definition=definition)
        return resolve(request, 1, Catalogue(), snapshot).objects

    assert objects("right, left") == objects("left,right") == ("left", "right")
    assert objects("a,b") == ("a,b",)
    assert objects("a\\,b,left") == ("a,b", "left")


TOTAL = Definition(category="TotalNumber", main_mask="CallEntered")


@pytest.mark.parametrize(
    ("kind", "name", "wanted", "said"),
    [
        ("Queue", "VQ9", {"definition": TOTAL}, "no virtual queue with number 'VQ9'"),
        ("Queue", "Support", {"definition": TOTAL}, "open '77'"),
        ("Agent", "nobody", {"definition": TOTAL}, "no agent 'nobody'"),
        ("GroupAgents", "left,none", {"definition": TOTAL}, "no agent group 'none'"),
        ("Workbin", "w", {"definition": TOTAL}, "use Agent, GroupAgents or Queue"),
        ("Queue", "VQ1", {}, "either stat_type or definition"),
        ("Queue", "VQ1", {"stat_type": "PACS"}, "no stat type 'PACS'; known are PACS_VQ_Abandoned"),
        ("Agent", "a1", {"stat_type": "PACS_VQ_Current"}, "is for Queue, not Agent"),
        ("Queue", "VQ1", {"definition": TOTAL, "filter": 'PairExists("Age","1")'}, "'Age'"),
        ("Queue", "VQ1", {"definition": TOTAL, "filter": "DNIS=7"}, "cannot read 'DNIS'"),
        ("Queue", "VQ1", {"definition": TOTAL, "filter": "MediaType="}, "expected"),
        (
            "Queue",
            "VQ1",
            {"definition": Definition(category="TotalNumber", main_mask="CallWait")},
            "TotalNumber does not count CallWait; it counts CallAbandoned",
        ),
        (
            "Queue",
            "VQ1",
            {"definition": Definition(category="TotalNumber", main_mask="CallEnterd")},
            "did you mean CallEntered?",
        ),
        (
            "Queue",
            "VQ1",
            {
                "definition": Definition(
                    category="TotalNumber", main_mask="CallEntered,~CallEntered"
                )
            },
            "leaves no action",
        ),
        (
            "Queue",
            "VQ1",
            {"definition": Definition(category="TotalNumber", once_per_interaction=True)},
            "once_per_interaction is for Agent",
        ),
        ("Queue", "VQ1", {"definition": Definition(category="CurrentTargetState")}, "not Queue"),
        ("Agent", "a1", {"definition": Definition(category="CurrentNumber")}, "is for Queue"),
        (
            "Agent",
            "a1",
            {"definition": Definition(category="CurrentTargetState", filter="MediaType=chat")},
            "no interactions to filter",
        ),
        (
            "Agent",
            "a1",
            {"definition": Definition(category="TotalNumber", subject="AgentStatus")},
            "set subject to DNAction",
        ),
    ],
)
def test_refusals_name_object_and_fix(
    kind: str, name: str, wanted: dict[str, Any], said: str
) -> None:
    """Whatever cannot be opened is refused with what is wrong and what to do."""
    with pytest.raises(PacelineError) as refused:
        key(kind, name, **wanted)
    assert said in refused.value.message
    assert refused.value.name in ("statistic_not_available", "invalid_attribute")


def test_stat_types_of_the_options() -> None:
    """Sections with Category are stat types; one mistake spoils its own stat type alone."""
    made = catalogue(
        "stat",
        {
            "statistics": {"retention": "1h"},
            "Answered": {
                "Objects": "Agent, GroupAgents",
                "Category": "TotalNumber",
                "Subject": "DNAction",
                "MainMask": "CallAnswered",
                "Formula": "DistByConnID",
            },
            "Wrong": {"Objects": "Queue", "Category": "TotalTime"},
            "PACS_VQ_Accepted": {"Category": "TotalNumber"},
            "Filters": {"Chats": "MediaType=chat"},
        },
    )
    assert made.types["Answered"].objects == {"Agent", "GroupAgents"}
    assert {"Wrong", "PACS_VQ_Accepted"}.isdisjoint(made.types)
    assert made.filters["Chats"] == "MediaType=chat"
    assert "PACS_Proactive_Interaction" in made.filters
    assert sorted(finding.field for finding in made.findings) == [
        "Answered.Formula",
        "PACS_VQ_Accepted",
        "Wrong",
    ]


def test_site_sections_are_told_from_own_options() -> None:
    """Stat types and filters are the site's; the option table's sections are not taken for them."""
    assert is_site_section("PACS_VQ_Current", {"Category": "CurrentNumber"})
    assert is_site_section("Filters", {})
    assert not any(is_site_section(option.section, {option.key: ""}) for option in OPTIONS.options)
