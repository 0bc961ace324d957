"""The command `paceline`: every command of the other files in one tree.

Called by `python -m paceline` and the entry point. Never does work of its own.
"""

import typer

app = typer.Typer(
    name="paceline",
    help="Contact-centre software: stores, routes, measures and paces digital interactions.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Contact-centre software: stores, routes, measures and paces digital interactions."""


def main() -> None:
    """Run the command line."""
    app()
