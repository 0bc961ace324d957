"""docs/reference/views.md: its examples are read, its list of fields is the view's."""

import re
from pathlib import Path

import msgspec
import pytest
from ruamel.yaml import YAML

from paceline.expressions.properties import KnownProperties
from paceline.expressions.view_parse import parse_condition, parse_order
from paceline.model.configuration import BusinessAttribute, ConfigurationObject, View
from paceline.model.custom_properties import ATTRIBUTE, custom_properties
from paceline.model.snapshot import ConfigurationSnapshot

PAGE = (Path(__file__).parents[3] / "docs/reference/views.md").read_text()
VIEW, ATTRIBUTE_FILE = (
    YAML(typ="safe").load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)
)
TABLES = PAGE[PAGE.index("## Conditions") : PAGE.index("| function")]
EXAMPLES = [
    text
    for line in TABLES.splitlines()
    if line.startswith("|")
    for text in re.findall(r"`([^`]+)`", line.split("|", 2)[2])
]


def known() -> KnownProperties:
    body = msgspec.convert(ATTRIBUTE_FILE, BusinessAttribute)
    item = ConfigurationObject(
        type="business-attributes", id=1, tenant=1, name=ATTRIBUTE, body=body
    )
    good, bad = custom_properties(ConfigurationSnapshot([item]), 1)
    assert not bad
    return KnownProperties(good)


@pytest.mark.parametrize("text", EXAMPLES)
def test_each_condition_is_read(text: str) -> None:
    """Every example of the table of forms is a condition."""
    parse_condition(text)


def test_the_example_view_and_its_fields_are_the_views() -> None:
    """The sample is read with the sample's custom properties; the table names each field once."""
    view = msgspec.convert({k: v for k, v in VIEW.items() if k != "name"}, View)
    parse_condition(view.condition, known=known())
    parse_order(view.order, known=known())
    table = PAGE[PAGE.index("| field") : PAGE.index("An interaction with")]
    named = re.findall(
        r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line)
    )
    given = {"script_type", "state", "options", "folder", "business_process", "queue"}
    assert sorted(named) == sorted(set(View.__struct_fields__) - given)
