"""Scenario files."""

import re
from pathlib import Path

import pytest

from paceline.errors.failure import PacelineError
from paceline.simulator.numeric.scenario import SHIPPED, Cell, Change, load, parse


def test_every_shipped_scenario_can_be_read() -> None:
    """Each has a title and cells of distinct names."""
    for name in SHIPPED:
        cells = load(name).cells()
        assert load(name).title
        assert len({cell.name for cell in cells}) == len(cells) > 0


def test_an_unknown_key_is_refused_with_the_nearest_one() -> None:
    """Wherever it stands: in the file, in a cell, in a change of a cell."""
    for text, near in (
        ("titel = 'x'", "title"),
        ("title = 'x'\n[[cell]]\nagentz = 3", "agents"),
        ("title = 'x'\n[[cell]]\nchange = [{ at_min = 1, aceptance = 0.5 }]", "acceptance"),
    ):
        with pytest.raises(PacelineError, match=f"did you mean '{near}'"):
            parse(text)


@pytest.mark.parametrize(
    "line",
    [
        "acceptance = 1.5",
        "acceptance = 0.0",
        "slots = 5",
        "agents = -1",
        "patience_s = 0",
        "hours = 1\nwarm_up_min = 60",
        "pools = [{ agents = 1, reaches = [2] }]",
        "agents = 'many'",
    ],
)
def test_a_value_that_cannot_be_is_refused(line: str) -> None:
    """The field at fault is named."""
    with pytest.raises(PacelineError) as refusal:
        parse(f"title = 'x'\n[[cell]]\n{line}")
    assert refusal.value.name == "invalid_attribute"
    assert refusal.value.field


def test_a_grid_makes_every_combination_of_every_cell() -> None:
    """Cells are named after what makes them differ; the grid wins over the defaults."""
    text = """
        title = "x"
        defaults = { agents = 7, world = "R" }
        [grid]
        agents = [5, 20]
        acceptance = [0.1, 0.3]
        [[cell]]
        name = "a"
        [[cell]]
        name = "b"
        """
    cells = parse(text).cells()
    assert [cell.name for cell in cells[:2]] == ["a N=5 p=0.1", "a N=5 p=0.3"]
    assert len(cells) == 8
    assert {cell.agents for cell in cells} == {5, 20}
    assert {cell.world for cell in cells} == {"R"}


def test_neither_file_nor_shipped_name() -> None:
    """The refusal lists the shipped names."""
    with pytest.raises(PacelineError, match="bank-day"):
        load("no such scenario")


def test_the_manual_page_names_every_key_and_its_scenario_can_be_read() -> None:
    """docs/how-to/simulate.md: its example parses, its table has each key of a cell and each shipped name."""
    page = (Path(__file__).parents[4] / "docs" / "how-to" / "simulate.md").read_text()
    example = page.split("```toml\n")[1].split("```")[0]
    assert len(parse(example).cells()) == 4
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    words = set(re.findall(r"`([^`]+)`", prose))
    assert words >= {*Cell.__struct_fields__, *Change.__struct_fields__, *SHIPPED}
