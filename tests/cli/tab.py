"""Presses the Tab key in real shells."""

import os
import pty
import re
import select
import shutil
import subprocess
from pathlib import Path

import pytest

from provider.cli.completion_command import EPILOG
from tests.cli.commands import ROOT

_PROMPT = b"ready> "
_SET_UP = {"bash": "", "zsh": "autoload -Uz compinit && compinit -u\nbindkey -e\n"}
_SHOW = "printf '<%s>\\n' "
"""A prefix that makes the shell print the words of a line instead of running them."""
_ELSEWHERE = ("ZDOTDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
"""The variables that make a shell read its files from outside the home folder."""


def after_tab(shell: str, script: Path, line: str, home: Path) -> str:
    """The last word of a typed line after Tab has completed it.

    `home` is an empty folder. Completion is set up there as `completion --help` describes.
    """
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    environment = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    environment |= {"PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    environment |= {"HOME": str(home), "TERM": "dumb"}

    def run(*arguments: str) -> str:
        command = [program, *arguments]
        ended = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        assert ended.stderr == ""
        return ended.stdout

    if shell != "fish":
        (home / f".{shell}rc").write_text(f"PS1='{_PROMPT.decode()}'\n{_SET_UP[shell]}")
    run(
        "-c", next(message.split(maxsplit=1)[1] for message in EPILOG.splitlines() if message.startswith(f"  {shell} "))
    )
    if shell == "fish":
        (offered,) = run("-c", "complete --do-complete $argv", line).splitlines()
        return offered.partition("\t")[0]
    # ^A goes to where the line begins. What is typed ahead waits until Tab has done its work.
    shown = _at_terminal([program, "-i"], environment, f"{line}\t\x01{_SHOW}\nexit\n".encode())
    return str(re.findall(r"^<(.*)>\r?$", shown, re.MULTILINE)[-1])


def _at_terminal(command: list[str], environment: dict[str, str], typed: bytes) -> str:
    """The output of a terminal until the command ends. `typed` is typed at the first prompt."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as shell:
        os.close(theirs)
        shown = b""
        while part := _read(ours):
            if _PROMPT in shown + part and _PROMPT not in shown:
                os.write(ours, typed)
            shown += part
        shell.kill()
    os.close(ours)
    return shown.decode()


def _read(terminal: int) -> bytes:
    """The next output; empty after a minute without output."""
    try:
        return os.read(terminal, 65536) if select.select([terminal], [], [], 60)[0] else b""
    except OSError:  # as Linux says that nobody is at the other end
        return b""
