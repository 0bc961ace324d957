"""View conditions and orders: what is read, what is refused, and where the mistake is."""

from operator import attrgetter, itemgetter
from types import SimpleNamespace

import pytest

from paceline.errors.failure import PacelineError
from paceline.expressions.grammar import MAX_DEPTH, MAX_LENGTH
from paceline.expressions.predicate import predicate
from paceline.expressions.properties import KnownProperties, property_named
from paceline.expressions.tree import OrderTerm
from paceline.expressions.view_parse import (
    MAX_ORDER_TERMS,
    bind_names,
    parse_condition,
    parse_order,
    parse_segment,
)
from paceline.model.custom_properties import CustomProperty, PropertyType

NOW = 1_000_000
ROW = {
    "interaction_id": "0000000000000001",
    "state": 0,
    "media_type": "chat",
    "external_id": None,
    "priority": 7,
    "is_online": True,
    "received_at": NOW - 30_000,
    "queued_at": NOW - 5_500,
    "queue_id": 11,
    "scheduled_at": None,
    "number_order_total": 100.0,
    "string_tier": "gold",
    "timestamp_due": NOW + 3_600_000,
}
KNOWN = KnownProperties(
    (
        CustomProperty("OrderTotal", "order_total", PropertyType.NUMBER),
        CustomProperty("Customer-Tier", "tier", PropertyType.STRING),
        CustomProperty("Due", "due", PropertyType.TIMESTAMP),
    )
)


def evaluate(text: str) -> bool | None:
    """Answer of a condition about the interaction above."""
    condition = bind_names(
        parse_condition(text, known=KNOWN), lambda _kind, name: {"in": 11}.get(name)
    )
    return predicate(condition, itemgetter)(ROW, NOW)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("", True),
        ("  \n", True),
        ("Priority >= 7", True),
        ("priority = 7.0", True),
        ("7 < PRIORITY", False),
        ("MediaType = 'chat' AND Priority > 8", False),
        ("MediaType = 'chat' OR Priority > 8 AND State = 1", True),
        ("(MediaType = 'chat' OR Priority > 8) AND State = 1", False),
        ("NOT MediaType <> 'email'", False),
        ("ExternalId = 'x'", None),
        ("NOT ExternalId = 'x'", None),
        ("ExternalId = 'x' OR Priority = 7", True),
        ("ExternalId = 'x' AND Priority = 8", False),
        ("ExternalId IS NULL", True),
        ("external_id is not null", False),
        ("IsOnline = 1", True),
        ("is_online != TRUE", False),
        ("MediaType IN ('email', 'chat')", True),
        ("MediaType NOT IN ('email')", True),
        ("Priority BETWEEN 7 AND 9 AND State = 0", True),
        ("Priority NOT BETWEEN 7 AND 9", False),
        ("MediaType LIKE 'c%t'", True),
        ("MediaType LIKE 'C%'", False),
        ("MediaType NOT LIKE '____'", False),
        ("_age() >= 30", True),
        ("_age_in_queue() > 5.5", False),
        ("ReceivedAt < _current_time()", True),
        ("ReceivedAt = _timestamp('1970-01-01T00:16:10Z')", True),
        ("ReceivedAt = _timestamp('1970-01-01 00:16:10')", True),
        ("Queue = 'in'", True),
        ("queue_id NOT IN ('in')", False),
        ("Priority + 1 = 8", True),
        ("Priority -1 = 6 AND Priority - -1 = 8", True),
        ("2 * Priority - 4 / 2 = 12", True),
        ("(2 * (Priority - 4)) / 4 < 1.6", True),
        ("-Priority = -7 AND +Priority = +7", True),
        ("Priority / (Priority - 7) > 1", None),
        ("Priority > 60 * 60", False),
        ("_current_time() - ReceivedAt = 30", True),
        ("ReceivedAt + 30 = _current_time()", True),
        ("0.5 * 60 + ReceivedAt <= _current_time() - 0", True),
        ("ReceivedAt - 5 < _timestamp('1970-01-01 00:16:10')", True),
        ("_time_to(ReceivedAt) = -30", True),
        ("_time_to(ScheduledAt) > 0", None),
        ("_age() - 24.5 > _age_in_queue()", False),
        (
            "ReceivedAt IN (_timestamp('1970-01-01T00:16:10Z'), _timestamp('1971-01-01 00:00:00'))",
            True,
        ),
        ("Priority IN (-7, 7)", True),
        ("OrderTotal > 99.5 AND order_total * 2 = 200", True),
        ("\"Customer-Tier\" = 'gold'", True),
        ("_time_to(due) / 3600 >= 1", True),
        ("Due IS NULL", False),
    ],
)
def test_conditions_mean_what_they_say(text: str, answer: bool | None) -> None:
    """Each operator, function and spelling of a property has SQL's meaning, unknown included."""
    assert evaluate(text) is answer


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Priorty = 1", "line 1, column 1: there is no property Priorty; did you mean Priority?"),
        ("Priority =", "column 10: found the end, expected"),
        ("Priority = 1\nAND MediaType > ?", "line 2, column 17: found '?'"),
        (
            "Priority 1",
            "found '1', expected BETWEEN or IN or IS or LIKE or NOT or a comparison or a sign",
        ),
        ("Priority = 'x'", "whole number expected, not 'x'"),
        ("Priority = 2.5", "whole number expected, not 2.5"),
        ("Priority = TRUE", "whole number expected, not TRUE"),
        ("MediaType = 5", "text expected, not 5"),
        (
            "ReceivedAt > 5",
            "instant expected, not 5; write it like _timestamp('2026-01-31T08:00:00Z')",
        ),
        ("MediaType == 'chat'", "column 12: found '=', expected"),
        ("MediaType == 'chat'", "; write one ="),
        ("Priority = 1 && State = 0", "column 14: found '&', expected"),
        ("Priority = 1 || State = 0", "; write OR"),
        ("MediaType = \u2018chat\u2019", "; write the straight quote '"),
        ('MediaType = "chat"', "no property chat; texts stand in single quotes"),
        ("MediaType + 1 = 2", "column 11: text + number has no meaning"),
        ("ReceivedAt * 2 > 1", "instant * number has no meaning"),
        ("ReceivedAt + ReceivedAt > 1", "instant + instant has no meaning"),
        ("5 - ReceivedAt > 1", "number - instant has no meaning"),
        ("Priority + 'x' > 1", "number or instant expected, not 'x'"),
        ("Priority + TRUE > 1", "number or instant expected, not TRUE"),
        ("Priority + 1e-300 > 1", "too large or too small to reckon with"),
        ("Priority * 1e300 > 1", "too large or too small to reckon with"),
        ("1" + "+ 1" * 8 + " > Priority", "more than 8 numbers are combined"),
        (
            "_time_to(Priority) > 1",
            "column 10: Priority is a whole number; _time_to takes an instant",
        ),
        ("_time_to('x') > 1", "_time_to takes the name of an instant"),
        ("_time_to() > 1", "_time_to takes the name of an instant"),
        ("Priority IN (State)", "IN takes constants"),
        ("ordertotal > 1", "there is no property ordertotal; did you mean OrderTotal?"),
        ("Due > 1", "instant expected, not 1"),
        ("_timestamp('2026-01-31 08:00:00') + 1e17", "found the end"),
        ("ReceivedAt > Priority", "instant does not compare with whole number"),
        ("IsOnline > 0", "truth value compares only with = and !="),
        ("IsOnline = 2", "truth value expected, not 2"),
        ("Queue < 'a'", "name compares only with = and !="),
        ("Queue = VirtualQueue", "Queue compares only with a name in quotes"),
        ("Priority LIKE '1%'", "LIKE takes a text, not a whole number"),
        ("MediaType LIKE 'a\\'", "middle of an escape"),
        ("Priority = NULL", "write IS NULL"),
        ("Priority IN (1, NULL)", "write IS NULL"),
        ("1 = 1", "a constant stands where a property belongs"),
        ("_agee() > 1", "there is no function _agee; did you mean _age?"),
        ("_age('x') > 1", "_age takes nothing between its parentheses"),
        ("ReceivedAt > _timestamp()", "_timestamp takes an instant in quotes"),
        ("ReceivedAt > _timestamp('noon')", "'noon' is not an instant"),
        ("_age() < 1e400", "too large"),
        ("Priority = 9223372036854775808", "at most 64 bits"),
        ("MediaType = 'x", "column 13: found '''"),
        ("MediaType = 'a\0b'", "U+0000"),
        ("MediaType = '\ud800'", "U+D800"),
        ("Priority = 1; DROP TABLE x", "found ';'"),
        ("Queue = 'out'", "queue 'out' does not exist"),
        ("NOT " * (MAX_DEPTH + 1) + "Priority = 1", f"{MAX_DEPTH + 1} levels"),
        ("Priority = 1 OR " * 1000 + "Priority = 1", f"allowed are {MAX_LENGTH}"),
    ],
)
def test_mistakes_are_named_with_their_place(text: str, said: str) -> None:
    """Hostile or wrong text is `invalid_attribute`, saying where it is and what may stand there."""
    with pytest.raises(PacelineError) as refused:
        evaluate(text)
    assert refused.value.name == "invalid_attribute"
    assert refused.value.field == "condition"
    assert said in refused.value.message


def test_deep_nesting_is_no_recursion_error() -> None:
    """Parentheses cost no depth, and thousands of NOT are refused like 33."""
    deep = "(" * 3000 + "Priority = 7" + ")" * 3000
    assert evaluate(deep) is True
    with pytest.raises(PacelineError):
        parse_condition("NOT " * 1900 + "Priority = 1")


def test_predicates_read_attributes_too() -> None:
    """A struct is evaluated with attrgetter as a mapping is with itemgetter."""
    test = predicate(parse_condition("Priority = 7"), attrgetter)
    assert test(SimpleNamespace(priority=7), NOW) is True


def test_unbound_names_are_a_programming_error() -> None:
    """A predicate of names that nobody bound is refused when it is built, not when it runs."""
    with pytest.raises(ValueError, match="not bound"):
        predicate(parse_condition("Queue = 'in'"), itemgetter)


def test_like_takes_linear_time() -> None:
    """Many wildcards on a text that almost fits do not blow up."""
    row = {"media_type": "a" * 2000 + "c"}
    pattern = "%a" * 40 + "%b"
    test = predicate(parse_condition(f"MediaType LIKE '{pattern}'"), itemgetter)
    assert test(row, NOW) is False


def test_orders_are_read() -> None:
    """Direction and the place of absent values are kept; an empty order has no terms."""
    priority, external = property_named("Priority"), property_named("external_id")
    assert priority is not None and external is not None
    assert parse_order("") == ()
    assert parse_order("Priority DESC, externalid asc nulls first") == (
        OrderTerm(priority, descending=True),
        OrderTerm(external, nulls_first=True),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Prio", "there is no property Prio"),
        ("Priority,", "found the end, expected a name"),
        ("Queue", "Queue gives no order"),
        ("Priority UP", "found 'UP'"),
        (", ".join(["Priority"] * (MAX_ORDER_TERMS + 1)), "allowed are 8"),
    ],
)
def test_wrong_orders_are_named(text: str, said: str) -> None:
    """A wrong order is `invalid_attribute` on field order."""
    with pytest.raises(PacelineError) as refused:
        parse_order(text)
    assert refused.value.field == "order"
    assert said in refused.value.message


def test_a_segment_is_one_property() -> None:
    """System and custom properties segment a view; instants, as documented, do not."""
    found = parse_segment(" order_total ", known=KNOWN)
    assert found is not None and found.column == "number_order_total"
    assert parse_segment("") is None
    for text, said in (
        ("Due", "Due is an instant, which cannot segment"),
        ("Priority, MediaType", "found ','"),
        ("Nothing", "there is no property Nothing"),
    ):
        with pytest.raises(PacelineError) as refused:
            parse_segment(text, known=KNOWN)
        assert refused.value.field == "segment_by"
        assert said in refused.value.message
