"""The example configuration `contact-centre.yaml`: what a new site of `demo` and `up` begins with."""

from pathlib import Path

from paceline.assembly.configuration_file import read_configuration
from paceline.errors.failure import PacelineError
from paceline.wire.operations.configuration import Change

_NAME = "contact-centre.yaml"
_PLACES = (Path(__file__).with_name(_NAME), Path(__file__).parents[3] / "examples" / _NAME)
"""In an installed package beside this file, in a checkout among the examples."""


def example_changes() -> tuple[Change, ...]:
    """The example's objects.

    Raises
    ------
    PacelineError
        `start_refused` when this installation lacks it.
    """
    for path in _PLACES:
        if path.exists():
            return read_configuration(path.read_text(encoding="utf-8"))
    raise PacelineError(
        "start_refused",
        f"this installation has no {_NAME}; give a configuration with --config",
        field="config",
    )


def read_changes(path: Path) -> tuple[Change, ...]:
    """The objects of a configuration file.

    Raises
    ------
    PacelineError
        `configuration_mistake` naming file, line, object and field.
    """
    try:
        return read_configuration(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise PacelineError(
            "configuration_mistake", f"configuration file {path}: {why}", field="config"
        ) from None
    except PacelineError as mistake:
        raise PacelineError(
            mistake.name, f"{path}: {mistake.message}", field=mistake.field
        ) from None
