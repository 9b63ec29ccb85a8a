"""Where the commands' output goes, and what becomes of them where it has nowhere to go."""

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
    """Run a command of ours with what a shell understands after it."""
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
    """Where standard output is closed, a command does its work unheard."""
    ended = shell(arguments, ">&-")
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", [REHEARSE, INVOKE, HELP], ids=lambda each: each[0])
def test_full_disk(arguments: tuple[str | Path, ...]) -> None:
    """Where the output cannot be written, the last word is why, and the status is 2."""
    ended = shell(arguments, ">/dev/full")
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1].startswith("Error: cannot write the output: ")
    assert "Traceback" not in ended.stderr


def test_reader_that_leaves() -> None:
    """A reader that has seen enough ends the command without a word."""
    assert shell(REHEARSE, "| head -n 1").stderr == ""


def test_closed_input() -> None:
    """Standard input that is closed is a mistake, said as such."""
    ended = shell(("rehearse", "-"), "<&-")
    assert (ended.returncode, ended.stderr) == (2, "Error: standard input is closed\n")
