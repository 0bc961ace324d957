"""The command `paceline`: every command of the other files in one tree, and how failures are told.

Called by `python -m paceline` and the entry point. Exit status 0 ok, 1 failed, 2 wrong usage; a
failure is one line on standard error.
"""

import sys
from typing import NoReturn

import typer
from typer.exceptions import TyperException

from paceline.cli import bench, config, ctl, db, demo, doctor, rehearse, serve, simulate, up
from paceline.errors.failure import PacelineError

FAILED, WRONG_USAGE = 1, 2

app = typer.Typer(
    name="paceline",
    help="Contact-centre software: stores, routes, measures and paces digital interactions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # its paragraphs are wrapped as wide as the terminal is
)
app.command("demo")(demo.demo)
app.command("up")(up.up)
app.command("serve")(serve.serve)
app.add_typer(config.app, name="config")
app.command("doctor")(doctor.doctor)
app.command("simulate")(simulate.simulate)
app.add_typer(rehearse.app, name="rehearse")
app.add_typer(ctl.app, name="ctl")
app.add_typer(db.app, name="db")
app.add_typer(bench.app, name="bench")


@app.callback()
def _root() -> None:
    """Contact-centre software: stores, routes, measures and paces digital interactions.

    `paceline demo` shows the whole loop at work; `paceline up` runs a small site; `paceline serve`
    runs one server of a larger one. A running site is looked at with `ctl` and `doctor` and
    configured with `config`.
    """


def main() -> NoReturn:
    """Run the command line."""
    try:
        status = app(standalone_mode=False)
    except PacelineError as failure:
        _end(failure.message, FAILED)
    except TyperException as misuse:
        if not str(misuse):  # no command: its help is printed already
            sys.exit(WRONG_USAGE)
        _end(_in_words(misuse), getattr(misuse, "exit_code", WRONG_USAGE))
    except (typer.Abort, KeyboardInterrupt):
        _end("interrupted", FAILED)
    except BrokenPipeError:  # whoever read the output has enough
        sys.stderr.close()
        sys.exit(FAILED)
    sys.exit(status if isinstance(status, int) else 0)


def _in_words(misuse: TyperException) -> str:
    said = getattr(misuse, "format_message", lambda: str(misuse))()
    context = getattr(misuse, "ctx", None)
    command = getattr(context, "command_path", "paceline")
    return f"{' '.join(str(said).split())}; see {command} --help"


def _end(message: str, status: int) -> NoReturn:
    print(f"paceline: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)
