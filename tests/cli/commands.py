"""Runs a command, either in its own process, as a user does, or in this process, which is faster."""

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from click.testing import CliRunner

from provider.cli.main import main

ROOT = Path(__file__).parents[2]
EVENTS = ROOT / "events"
EXAMPLES = ROOT / "examples" / "cloudformation"


class Ended(NamedTuple):
    """The exit status and the output of a command."""

    status: int
    stdout: str
    stderr: str


def process(*arguments: str | Path, stdin: str = "", **environment: str) -> Ended:
    """Run the command line in a process whose environment has only the given AWS variables."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        [sys.executable, "-m", "provider", *map(str, arguments)],
        cwd=ROOT,
        env={**clean, **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def command(*arguments: str | Path, stdin: str = "") -> Ended:
    """Run the command line in this process. Raises the errors that it does not handle."""
    result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=stdin)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Ended(result.exit_code, result.stdout, result.stderr)
