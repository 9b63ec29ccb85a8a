"""The command line as a whole: --help, errors, and the modules that it imports at start."""

import subprocess
import sys
from collections.abc import Callable

import click
import pytest

from provider.cli.main import SECTIONS, main
from provider.emulator.emulator import Emulator
from tests.cli.commands import EXAMPLES, ROOT, command, process

NEVER = ("asyncio", "boto3", "cfnlint", "difflib", "provider.handler", "ruamel", "tomllib")
HEAVY = ("asyncio", "boto3", "botocore", "cfnlint", "importlib.metadata", "ruamel", "tomllib", "urllib3", "yaml")


def test_start_up_is_light() -> None:
    """At startup, the command line imports no module that only some commands need."""
    program = "import sys; before = set(sys.modules); import provider.cli.main; print(*set(sys.modules) - before)"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {name for name in ended.stdout.split() if name.startswith(HEAVY)}


def update(emulator: Emulator) -> tuple[str, ...]:
    distributions = '[{"region":"us-east-1","amiDistributionConfiguration":{"name":"a {{ imagebuilder:buildDate }}"}}]'
    target = ("--distribution-configuration-arn", emulator.seed(name="images", distributions=[]))
    return ("update-distribution-configuration", *target, "--distributions", distributions)


def plan(_: Emulator) -> tuple[str, ...]:
    return ("plan", str(EXAMPLES / "golden-image.yaml"))


@pytest.mark.parametrize(
    ("arguments", "status", "others"),
    [
        (update, 0, ("provider.lint", "provider.emulator", "provider.stack_engine", "provider.template", "yaml")),
        (plan, 3, ("provider.cli.function", "provider.lint.resource_check", "provider.lint.template_check")),
    ],
)
def test_a_call_imports_what_it_needs(
    arguments: Callable[[Emulator], tuple[str, ...]], status: int, others: tuple[str, ...], emulator: Emulator
) -> None:
    """An update imports no module that reads templates, and a plan none that lints them or runs the function."""
    ended = process(*arguments(emulator), PYTHONPROFILEIMPORTTIME="1", **emulator.environment())
    assert ended.status == status, ended.stderr
    imported = {name.strip() for _, bar, name in (line.rpartition("|") for line in ended.stderr.splitlines()) if bar}
    assert "botocore.session" in imported
    assert not {name for name in imported if name.startswith((*NEVER, *others))}


@pytest.mark.parametrize("arguments", [("--help",), ("schema",), ("plan", "no such file")])
def test_no_garbage_collection_at_exit(arguments: tuple[str, ...]) -> None:
    """However a command ends, Python does not collect garbage at exit."""
    end = "atexit.register(lambda: print(gc.get_freeze_count(), file=sys.stderr))"
    program = f"import atexit, gc, sys; from provider.cli.main import run; {end}; sys.argv[1:] = {arguments!r}; run()"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert int(ended.stderr.splitlines()[-1]) > 0


def test_each_command_is_in_one_section() -> None:
    """--help lists every command once."""
    listed = [name for names in SECTIONS.values() for name in names]
    assert sorted(listed) == sorted(main.commands)


def test_help_of_the_group() -> None:
    """--help, or no argument, shows a description, the commands in sections, examples, and exit statuses."""
    shown = command("--help").stdout
    for part in ("Before a deployment:", "Reference:", "Exit status", "python -m provider plan stack.yaml"):
        assert part in shown
    assert command().stderr == shown


@pytest.mark.parametrize("name", sorted(main.commands))
def test_help_of_each_command(name: str) -> None:
    """--help and -h of each command begin with its usage and a sentence, and describe every option."""
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
    ("arguments", "message"),
    [
        (("rehaerse",), "Did you mean 'rehearse'?"),
        (("plna",), "Did you mean 'plan'?"),
        (("plan", "--regoin", "x"), "Did you mean '--region'?"),
        (("--versoin",), "Did you mean '--version'?"),
    ],
)
def test_misspelled_commands(arguments: tuple[str, ...], message: str) -> None:
    """A misspelled command or option is an error, with a suggestion on standard error."""
    ended = command(*arguments)
    assert (ended.status, ended.stdout) == (2, "")
    assert message in ended.stderr


def test_version() -> None:
    """--version shows the versions of the package and of botocore."""
    ended = process("--version")
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout.startswith("image-builder-distribution-provider ")
    assert "botocore" in ended.stdout


@pytest.mark.parametrize("name", ["validate", "plan"])
def test_json_output_has_two_spellings(name: str) -> None:
    """--format json and --output json mean the same."""
    options = {spelling for one in main.commands[name].params for spelling in one.opts}
    assert {"--format", "--output"} <= options
