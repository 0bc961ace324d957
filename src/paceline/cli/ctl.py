"""`paceline ctl`: looks at a running system: servers, alarms, pacing targets, queues, agents."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import typer

from paceline.cli.output import AsJson, print_json, print_table
from paceline.cli.running import run
from paceline.cli.site import DataDir, Host, OpenSite, PasswordFile, Port, User, door, open_site
from paceline.sdk import InteractionServerClient, MessageServerClient, PacingServerClient
from paceline.wire.operation import Answer

LIMIT = 1000
"""The most that a list gives at once."""

app = typer.Typer(
    no_args_is_help=True,
    help="Look at a running system. The site is found by its data folder, or by --host and --port "
    "of its Configuration Server.",
)

Ask = Callable[[OpenSite], Awaitable[Sequence[Answer]]]


def _show(title: str, columns: Sequence[str], ask: Ask, help_: str) -> Callable[..., None]:
    """A command that shows these fields of what the site answers."""

    def command(
        data_dir: DataDir = None,
        host: Host = None,
        port: Port = None,
        user: User = None,
        password_file: PasswordFile = None,
        as_json: AsJson = False,
    ) -> None:
        async def answer() -> Sequence[Answer]:
            async with open_site(door(data_dir, host, port, user, password_file)) as site:
                return await ask(site)

        items = run(answer())
        if as_json:
            print_json(items)
        else:
            print_table(title, columns, [[_cell(item, c) for c in columns] for item in items])

    command.__doc__ = help_
    return command


def _cell(item: Any, column: str) -> object:
    value = getattr(item, column)
    if isinstance(value, dict):
        return " ".join(map(str, value.values()))
    if isinstance(value, tuple):
        return ", ".join(_word(part) for part in value)
    return value


def _word(part: Any) -> str:
    if hasattr(part, "media_type"):
        return f"{part.media_type} {'ready' if part.ready else 'not ready'}"
    return str(part)


async def _statuses(site: OpenSite) -> Sequence[Answer]:
    return tuple((await site.directory.statuses()).values())


async def _alarms(site: OpenSite) -> Sequence[Answer]:
    client = MessageServerClient(await site.connect_type("message_server"))
    return (await client.alarm.list(limit=LIMIT)).items


async def _targets(site: OpenSite) -> Sequence[Answer]:
    client = PacingServerClient(await site.connect_type("pacing_server"))
    return (await client.target.list(limit=LIMIT)).items


async def _queues(site: OpenSite) -> Sequence[Answer]:
    client = InteractionServerClient(await site.connect_type("interaction_server"))
    return (await client.queue.list(limit=LIMIT)).items


async def _agents(site: OpenSite) -> Sequence[Answer]:
    client = InteractionServerClient(await site.connect_type("interaction_server"))
    return (await client.agent.list(limit=LIMIT)).items


for _name, _title, _columns, _ask, _help in (
    (
        "status",
        "Servers",
        ("application", "application_type", "status", "mode", "urls", "pid", "reason"),
        _statuses,
        "Show every application with its status and address, as it last reported itself.",
    ),
    (
        "alarms",
        "Active alarms",
        ("id", "category", "condition", "application", "subject", "detected_at", "text"),
        _alarms,
        "Show the active alarms of the Message Server.",
    ),
    (
        "targets",
        "Pacing targets",
        (
            "name",
            "permits",
            "reason_text",
            "ready",
            "busy",
            "waiting",
            "pending",
            "abandonment_percent",
            "goal_percent",
        ),
        _targets,
        "Show the pacing targets with their permits of the last cycle, and why so many.",
    ),
    (
        "queues",
        "Interaction queues",
        ("name", "business_process", "depth", "oldest_at"),
        _queues,
        "Show how many interactions wait in each queue, and since when the oldest.",
    ),
    (
        "agents",
        "Logged-in agents",
        ("agent", "place", "login_at", "is_connected", "media", "handling"),
        _agents,
        "Show the agents that are logged in, their media and what they handle.",
    ),
):
    app.command(_name)(_show(_title, _columns, _ask, _help))
