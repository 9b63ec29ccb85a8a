"""Runs the AWS CLI and this command with the same arguments, each against its own emulator."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from provider.emulator.emulator import Emulator
from tests.cli.commands import ROOT

AWS = (sys.executable, str(Path(sys.executable).with_name("aws")), "imagebuilder", "update-distribution-configuration")
OURS = (sys.executable, "-m", "provider", "update-distribution-configuration")

NAME = "golden {{ imagebuilder:buildDate }}"
DISTRIBUTIONS = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}]
ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden"

_MADE_UP = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Run(NamedTuple):
    """How a command ended, and its requests: operation and body, with generated IDs made equal."""

    status: int
    stdout: str
    stderr: str
    requests: list[tuple[str, str]]


def run(
    command: tuple[str, ...],
    arguments: tuple[str, ...],
    home: Path,
    order: Callable[[Emulator], object] = lambda _: None,
    environment: Mapping[str, str | None] | None = None,
) -> Run:
    """Run a command with `home` as home and working directory, where ARN exists and `order` has prepared the emulator.

    `environment` sets variables in addition to those for the emulator; None removes a variable.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with Emulator() as emulator:
        emulator.seed(name="golden", description="was there", distributions=DISTRIBUTIONS)
        order(emulator)
        settings = {
            **clean,
            "HOME": str(home),
            "PYTHONPATH": str(ROOT),
            **emulator.environment(),
            **(environment or {}),
        }
        ended = subprocess.run(
            [*command, *arguments],
            cwd=home,
            env={name: value for name, value in settings.items() if value is not None},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        sent = [(one.operation, _MADE_UP.sub("(an ID)", one.body.decode())) for one in emulator.requests]
        # Version 1 ends every piece of colored text with resets, and has no empty line before some errors.
        stdout, stderr = ended.stdout.replace("\x1b[0m", ""), ended.stderr.lstrip("\n")
        return Run(ended.returncode, _MADE_UP.sub("(an ID)", stdout), _MADE_UP.sub("(an ID)", stderr), sent)
