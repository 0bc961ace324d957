"""The log: JSON lines, levels, context, counts, and nothing secret."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paceline.model.options import SecretSource
from paceline.runtime.log import (
    LOG_OPTIONS,
    configure_log,
    get_log,
    log_context,
    log_error_count,
    log_silenced,
)
from paceline.runtime.secret import Secret

LOG = get_log("test.part")


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """A file all lines go to, at the level of interactions."""
    file = tmp_path / "log.jsonl"
    configure_log(verbose="interaction", output=str(file))
    yield file
    configure_log(verbose="standard", output="stderr")
    root = logging.getLogger()
    for handler in [one for one in root.handlers if type(one).__module__.startswith("paceline")]:
        root.removeHandler(handler)


def lines(file: Path) -> list[dict[str, Any]]:
    """The lines as objects."""
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_has_instant_level_part_number_and_fields(log_file: Path) -> None:
    """One JSON object a line."""
    LOG.standard("connected to {x}", number=27_126, url="http://é")
    (line,) = lines(log_file)
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "standard",
        "log": "test.part",
        "event": "connected to {x}",
        "number": 27_126,
        "url": "http://é",
    }


def test_levels_show_what_is_at_or_above_them(log_file: Path) -> None:
    """At `interaction`, traces and debugging are not written."""
    for write in (LOG.error, LOG.warning, LOG.standard, LOG.interaction, LOG.trace, LOG.debug):
        write("x")
    assert [line["level"] for line in lines(log_file)] == [
        "error",
        "warning",
        "standard",
        "interaction",
    ]


def test_context_is_on_every_line_inside(log_file: Path) -> None:
    """A request's id stands on its lines and on no others."""
    with log_context(request_id="r-1", server="interaction"):
        LOG.standard("inside")
    LOG.standard("outside")
    inside, outside = lines(log_file)
    assert (inside["request_id"], inside["server"]) == ("r-1", "interaction")
    assert "request_id" not in outside


def test_errors_are_counted_and_alarm_messages_are_not(log_file: Path) -> None:
    """Errors count even when the level hides them; an alarm's message is the alarm's to count."""
    before = log_error_count()
    LOG.error("broken")
    LOG.alarm_message("the engine does not answer", 100_603)
    LOG.warning("odd")
    configure_log(verbose="none", output=str(log_file))
    LOG.error("broken, unseen")
    assert log_error_count() - before == 2
    assert [line["level"] for line in lines(log_file)] == ["error", "alarm", "warning"]


def test_errors_of_libraries_come_in_and_count(log_file: Path) -> None:
    """What a library logs through the standard module is a line of ours."""
    before = log_error_count()
    logging.getLogger("some.library").error("it %s", "broke")
    logging.getLogger("some.library").info("chatter")
    (line,) = lines(log_file)
    assert (line["log"], line["level"], line["event"]) == ("some.library", "error", "it broke")
    assert log_error_count() == before + 1


def test_no_secret_is_written(log_file: Path) -> None:
    """Neither a Secret, nor its source, nor a field of a telling name."""
    LOG.standard(
        "x",
        a=Secret("sesame"),
        b=SecretSource("value", "sesame"),
        c=[{"d": Secret("sesame")}],
        password="sesame",
    )
    assert "sesame" not in log_file.read_text()
    assert lines(log_file)[0]["password"] == "***"


def test_any_value_can_be_logged(log_file: Path) -> None:
    """A value JSON has no form for, even a broken text, never makes the caller fail."""
    LOG.standard("x", big=10**30, odd={(1, 2): object}, error=ValueError("v"))
    LOG.standard("y", name="\ud800", error=ValueError("v"))
    first, second = lines(log_file)
    assert str(first["big"]) == str(10**30)
    assert first["error"] == second["error"] == "v"


def test_a_file_that_cannot_be_opened_leaves_the_log_where_it_was(
    log_file: Path, tmp_path: Path
) -> None:
    """The error comes through; lines go on into the old file."""
    with pytest.raises(OSError, match="No such file"):
        configure_log(verbose="debug", output=str(tmp_path / "absent" / "x"))
    LOG.standard("still here")
    assert lines(log_file)[-1]["event"] == "still here"


def test_every_level_of_the_option_is_known(log_file: Path) -> None:
    """Each choice of log.verbose can be configured."""
    for choice in LOG_OPTIONS.by_name()["log", "verbose"].choices:
        configure_log(verbose=choice, output=str(log_file))


def test_nothing_is_written_or_counted_while_silenced(capsys: pytest.CaptureFixture[str]) -> None:
    """What a simulation throws away leaves no line and no count; afterwards all is as before."""
    log, before = get_log("test"), log_error_count()
    with log_silenced():
        log.error("thrown away")
    assert capsys.readouterr().err == ""
    assert log_error_count() == before
    log.error("kept")
    assert "kept" in capsys.readouterr().err
