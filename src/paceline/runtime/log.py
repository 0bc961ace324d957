"""The log: JSON lines on standard error or in a file, with levels of the field and numbers.

Every room takes `get_log(name)`; assembly calls `configure_log` at start and on option changes.
Lines carry the context bound to the task (request_id, server, application). No secret is written.
"""

import logging
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Final, TextIO

import msgspec
import structlog
from structlog.contextvars import bound_contextvars, merge_contextvars

from paceline.model.instant import to_text
from paceline.model.options import Kind, Option, OptionTable
from paceline.runtime.times import MachineTime

_LEVELS: Final = ("none", "standard", "interaction", "trace", "debug", "all")
_DEPTH: Final = {name: depth for depth, name in enumerate(_LEVELS)}
_CONCEALED: Final = frozenset({"password", "secret", "client_secret", "token", "authorization"})

LOG_OPTIONS: Final = OptionTable(
    "log",
    (
        Option(
            "log",
            "verbose",
            Kind.ENUM,
            "standard",
            "Which messages are written: standard ones, also those about interactions, also the "
            "trace, also debugging; all and debug are the same, none writes nothing.",
            choices=("standard", "interaction", "trace", "debug", "all", "none"),
        ),
        Option(
            "log",
            "all",
            Kind.TEXT,
            "stderr",
            "Where messages go: stderr, stdout or the path of a file, which is appended to.",
        ),
    ),
)
"""Options every server has beside its own; the documented names of the [log] section."""


class _Output:
    """Where lines go, and how many errors were among the messages."""

    def __init__(self) -> None:
        self.depth = _DEPTH["standard"]
        self.error_count = 0
        self._target = "stderr"
        self._file: TextIO | None = None

    def direct_to(self, target: str) -> None:
        file = None
        if target not in ("stderr", "stdout"):
            file = open(target, "a", encoding="utf-8", buffering=1)  # noqa: SIM115 - kept open
        if self._file is not None:
            self._file.close()
        self._target, self._file = target, file

    def write(self, line: str) -> None:
        stream = self._file or (sys.stdout if self._target == "stdout" else sys.stderr)
        stream.write(line + "\n")


_output: Final = _Output()
_machine: Final = MachineTime()


def _stamp(_logger: Any, level: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    return {"at": to_text(_machine.now()), "level": level, **event}


def _conceal(
    _logger: Any, _level: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key in _CONCEALED.intersection(event):
        event[key] = "***"
    return event


def _render(_logger: Any, _level: str, event: MutableMapping[str, Any]) -> str:
    try:
        return msgspec.json.encode(event, enc_hook=str).decode()
    except (TypeError, ValueError, OverflowError):  # a value JSON has no form for
        texts = {key: str(value) for key, value in event.items()}
        clean = {key: text.encode(errors="replace").decode() for key, text in texts.items()}
        return msgspec.json.encode(clean).decode()


_PROCESSORS: Final = (
    merge_contextvars,
    structlog.processors.format_exc_info,
    _conceal,
    _stamp,
    _render,
)


class Log(structlog.BoundLoggerBase):
    """Writes messages of one part of the program; `number` is the documented or our number."""

    def error(self, event: str, number: int | None = None, **fields: object) -> None:
        """Something failed that somebody must look at; counted."""
        _output.error_count += 1
        self._write("standard", "error", event, number, fields)

    def alarm_message(self, event: str, number: int, **fields: object) -> None:
        """A message that raises or clears an alarm: the alarm counts it, the log only shows it."""
        self._write("standard", "alarm", event, number, fields)

    def warning(self, event: str, number: int | None = None, **fields: object) -> None:
        """Something is not as it should be, and work goes on."""
        self._write("standard", "warning", event, number, fields)

    def standard(self, event: str, number: int | None = None, **fields: object) -> None:
        """What an operator wants to know: starts, stops, changes of role."""
        self._write("standard", "standard", event, number, fields)

    def interaction(self, event: str, number: int | None = None, **fields: object) -> None:
        """What happens to one interaction."""
        self._write("interaction", "interaction", event, number, fields)

    def trace(self, event: str, number: int | None = None, **fields: object) -> None:
        """Requests and links."""
        self._write("trace", "trace", event, number, fields)

    def debug(self, event: str, number: int | None = None, **fields: object) -> None:
        """Inner workings; never leaves the process but to its own log."""
        self._write("debug", "debug", event, number, fields)

    def _write(
        self, needed: str, level: str, event: str, number: int | None, fields: dict[str, object]
    ) -> None:
        if _output.depth < _DEPTH[needed]:
            return
        if number is not None:
            fields["number"] = number
        (line,), _ = self._process_event(level, event, fields)
        _output.write(line)


class _FromLibraries(logging.Handler):
    """Brings what libraries log through the standard module into our lines, warnings and up."""

    def emit(self, record: logging.LogRecord) -> None:
        log = get_log(record.name)
        write = log.error if record.levelno >= logging.ERROR else log.warning
        write(record.getMessage(), exc_info=record.exc_info)


_from_libraries: Final = _FromLibraries(logging.WARNING)


def get_log(name: str) -> Log:
    """The log of one part of the program, such as `interaction.committer`."""
    return Log(_output, _PROCESSORS, {"log": name})


def configure_log(*, verbose: str, output: str) -> None:
    """Set level and place of all lines of this process, ours and those of libraries.

    May be repeated, for options that change.

    Raises
    ------
    OSError
        When the file cannot be opened; lines then go where they went before.
    """
    _output.direct_to(output)
    _output.depth = _DEPTH[verbose]
    root = logging.getLogger()
    if _from_libraries not in root.handlers:
        root.addHandler(_from_libraries)


def log_context(**fields: object) -> AbstractContextManager[None]:
    """Put fields on every line inside a `with`, and of the tasks that are started in it."""
    return bound_contextvars(**fields)


@contextmanager
def log_silenced() -> Iterator[None]:
    """Neither write nor count anything inside a `with`: for what a simulation throws away."""
    depth, count = _output.depth, _output.error_count
    _output.depth = -1
    try:
        yield
    finally:
        _output.depth, _output.error_count = depth, count


def log_error_count() -> int:
    """How many errors this process has logged, whether or not the level showed them."""
    return _output.error_count
