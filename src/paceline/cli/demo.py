"""`paceline demo`: the whole loop with made-up people, on an embedded database."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from paceline.assembly.all_in_one import AllInOne
from paceline.assembly.data_folder import DataFolder, default_folder
from paceline.assembly.example import example_changes
from paceline.cli.output import duration, print_json, print_table
from paceline.cli.running import run, serve_until_stopped
from paceline.cli.up import DEFAULT_PORT, tell_entry
from paceline.runtime.log import configure_log
from paceline.runtime.times import real_times
from paceline.simulator.demo_run import DemoRun
from paceline.simulator.summary import DemoSummary


class Policy(StrEnum):
    """How permits are computed."""

    POSITION = "position"
    PROGRESSIVE = "progressive"
