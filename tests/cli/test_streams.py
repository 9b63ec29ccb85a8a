"""The commands' output streams, and what happens if they are closed or full."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import EVENTS, EXAMPLES, ROOT

REHEARSE = ("rehearse", EXAMPLES / "golden-image.yaml")
INVOKE = ("invoke", EVENTS / "create-own.json")
HELP = ("--help",)


def shell(arguments: tuple[str | Path, ...], after: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the provider, followed by shell syntax."""
    command = shlex.join([sys.executable, "-m", "provider", *map(str, arguments)])
    return subprocess.run(
        ["/bin/bash", "-c", f"set -o pipefail; {command} {after}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("arguments", [REHEARSE, INVOKE, HELP], ids=lambda each: each[0])
def test_closed_output(arguments: tuple[str | Path, ...]) -> None:
    """If standard output is closed, a command still does its work."""
    ended = shell(arguments, ">&-")
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", [REHEARSE, INVOKE, HELP], ids=lambda each: each[0])
def test_full_disk(arguments: tuple[str | Path, ...]) -> None:
    """If the output cannot be written, the message says why, and the status is 2."""
    ended = shell(arguments, ">/dev/full")
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("Error: cannot write the output: ")
    assert "Traceback" not in ended.stderr


def test_reader_that_leaves() -> None:
    """If the reader closes the pipe, the command ends without a message."""
    assert shell(REHEARSE, "| head -n 1").stderr == ""


def test_closed_input() -> None:
    """Closed standard input is reported as an error."""
    ended = shell(("rehearse", "-"), "<&-")
    assert (ended.returncode, ended.stderr) == (2, "Error: standard input is closed\n")
