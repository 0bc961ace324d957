"""Filters and masks of statistics."""

import pytest

from paceline.errors.failure import PacelineError
from paceline.expressions.filter_parse import (
    filter_keys,
    filter_predicate,
    parse_filter,
    parse_mask,
)

ATTRIBUTES = {"MediaType": "chat", "ThisQueue": "Sales EU", "Waited": 12}
USER_DATA = {"Proactive": "1", "Segment": "gold-plus", "Empty": ""}


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("", True),
        ('PairExists("Proactive","1")', True),
        ('~PairExists("Proactive", "1")', False),
        ('PairExists("Proactive","2")', False),
        ('PairExists("Proactive","*")', True),
        ('PairExists("Missing","*")', False),
        ('PairExists("Empty","")', True),
        ('PairExists("Segment","gold*")', True),
        ('PairExists("Segment","*-plus") & MediaType = chat', True),
        ("MediaType=email | MediaType=chat", True),
        ("MediaType=email|MediaType=chat & Waited > 20", False),
        ("(MediaType=email | MediaType=chat) & Waited > 5.5", True),
        ('ThisQueue = "Sales EU"', True),
        ("ThisQueue = Sales*", True),
        ("MediaType != chat", False),
        ("Missing = x", False),
        ("Missing != x", False),
        ("~Missing = x", True),
        ("Missing < 5", False),
        ("Waited <= 12", True),
        ("MediaType > 3", False),
    ],
)
def test_filters_mean_what_they_say(text: str, passes: bool) -> None:
    """What an event does not carry makes a comparison false; `*` fits any text."""
    assert filter_predicate(parse_filter(text))(ATTRIBUTES, USER_DATA) is passes


def test_a_filter_tells_its_keys() -> None:
    """The keys that events must carry are those of PairExists."""
    found = parse_filter('PairExists("A","1") | ~(MediaType=chat & PairExists("B","*"))')
    assert filter_keys(found) == {"A", "B"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('PairExists("A")', "found ')', expected ','"),
        ("MediaType", "expected a comparison"),
        ("MediaType > chat", "> compares numbers"),
        ("MediaType = chat &", "found the end"),
        ("~" * 40 + "A = b", "40 levels"),
    ],
)
def test_wrong_filters_are_named(text: str, said: str) -> None:
    """A wrong filter is `invalid_attribute` on the caller's field."""
    with pytest.raises(PacelineError) as refused:
        parse_filter(text, field="PACS_Proactive_Interaction")
    assert refused.value.field == "PACS_Proactive_Interaction"
    assert said in refused.value.message


def test_masks_are_sets() -> None:
    """`*` is every action, `~` takes one away wherever it stands."""
    known = ("LoggedIn", "LoggedOut", "NotMonitored", "WaitForNextCall")
    assert parse_mask("*,~LoggedOut, ~NotMonitored", known) == {"LoggedIn", "WaitForNextCall"}
    assert parse_mask("~LoggedOut,LoggedOut,LoggedIn", known) == {"LoggedIn"}
    with pytest.raises(PacelineError, match="did you mean LoggedOut"):
        parse_mask("*,~LogedOut", known)
