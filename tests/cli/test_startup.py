"""The command line before any command: what --help shows, how mistakes end, and what a start may import."""

import subprocess
import sys

import click
import pytest

from provider.cli.main import SECTIONS, main
from tests.cli.commands import ROOT, command, process

HEAVY = ("asyncio", "boto3", "botocore", "cfnlint", "importlib.metadata", "ruamel", "tomllib", "urllib3", "yaml")


def test_start_up_is_light() -> None:
    """Before a command is chosen, nothing is imported that only some commands need."""
    program = "import sys; before = set(sys.modules); import provider.cli.main; print(*set(sys.modules) - before)"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {name for name in ended.stdout.split() if name.startswith(HEAVY)}


def test_each_command_is_in_one_section() -> None:
    """--help lists every command once."""
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == sorted(main.commands)


def test_help_of_the_group() -> None:
    """--help says what this is, lists commands in sections, and has examples and exit statuses; so does no argument."""
    shown = command("--help").stdout
    for part in ("Before a deployment:", "Reference:", "Exit status", "python -m provider plan stack.yaml"):
        assert part in shown
    assert command().stderr == shown


@pytest.mark.parametrize("name", sorted(main.commands))
def test_help_of_each_command(name: str) -> None:
    """--help and -h of each command begin with its usage and a sentence, and explain every option."""
    shown = command(name, "--help").stdout
    assert shown.startswith(f"Usage: python -m provider {name} ")
    assert command(name, "-h").stdout == shown
    assert shown.split("\n\n")[1].strip()[0].isupper()
    summary = main.commands[name].get_short_help_str(60)
    assert summary.endswith(".")
    assert not summary.endswith("...")
    options = [one for one in main.commands[name].params if isinstance(one, click.Option)]
    assert [one.opts[0] for one in options if not one.help] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rehaerse",), "Did you mean 'rehearse'?"),
        (("plna",), "Did you mean 'plan'?"),
        (("plan", "--regoin", "x"), "Did you mean '--region'?"),
        (("--versoin",), "Did you mean '--version'?"),
    ],
)
def test_slips(arguments: tuple[str, ...], said: str) -> None:
    """A command or option with a slip is a mistake, told on standard error with what was meant."""
    ended = command(*arguments)
    assert (ended.status, ended.stdout) == (2, "")
    assert said in ended.stderr


def test_version() -> None:
    """--version names the package and what its knowledge of the API rests on."""
    ended = process("--version")
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith("image-builder-distribution-provider ")
    assert "botocore" in ended.stdout


@pytest.mark.parametrize("name", ["validate", "plan"])
def test_a_report_for_programs_is_asked_for_alike(name: str) -> None:
    """What people read is had as JSON by --format json and by --output json, whichever comes to mind."""
    options = {spelling for one in main.commands[name].params for spelling in one.opts}
    assert {"--format", "--output"} <= options
