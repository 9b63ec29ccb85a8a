"""The command group."""

from __future__ import annotations

import errno
import gc
import os
import sys
from pathlib import Path

import click

from provider.cli.completion import completion
from provider.cli.convert.command import convert
from provider.cli.docs import docs
from provider.cli.emulate import emulate
from provider.cli.export import export
from provider.cli.invoke import invoke
from provider.cli.plan import plan
from provider.cli.rehearse import rehearse
from provider.cli.schema import schema
from provider.cli.skeleton import skeleton
from provider.cli.update import update
from provider.cli.validate import validate

_ALLOCATIONS = 200_000
"""Between two garbage collections: what a command loads stays until it ends, and looking it over takes time."""
_UNWRITABLE = (errno.ENOSPC, errno.EBADF, errno.EIO)
"""What the system says where no more can be written."""
_DISTRIBUTION = "image-builder-distribution-provider"

SECTIONS = {
    "Before a deployment": ("validate", "plan", "rehearse"),
    "Write and convert": ("skeleton", "convert", "export"),
    "Without a stack": ("update-distribution-configuration", "invoke", "emulate"),
    "Reference": ("schema", "docs", "completion"),
}
"""The commands as --help lists them."""


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        import platform
        from importlib.metadata import version

        python = platform.python_version()
        click.echo(f"{_DISTRIBUTION} {_own_version()} (botocore {version('botocore')}, Python {python})")
        context.exit()


def _own_version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:
        # Run from a checkout that is not installed.
        import tomllib

        project = Path(__file__).parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])


EPILOG = """\b
A template, checked, compared with what is live, and its whole life rehearsed:
  python -m provider validate stack.yaml
  python -m provider plan stack.yaml
  python -m provider rehearse stack.yaml
The AWS CLI's command, with all findings before the call:
  python -m provider update-distribution-configuration --cli-input-json file://input.json

\b
Exit status of all commands, where their own help says no more:
  0  done, or nothing found
  1  the answer is no: something was found, or would fail
  2  a mistake in the command or a file
"""


class Commands(click.Group):
    """The commands, in sections."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a list for each section."""
        there = self.list_commands(ctx)
        for title, names in SECTIONS.items():
            listed = [name for name in names if name in there]
            width = max(map(len, listed), default=0)
            rows = [(name, self.commands[name].get_short_help_str(formatter.width - width - 6)) for name in listed]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=width + 2)


@click.group("python -m provider", Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show versions.")
def main() -> None:
    """Write, check, plan and rehearse distribution configurations of EC2 Image Builder for CloudFormation.

    Most commands work offline and without credentials; plan, export, update-distribution-configuration and
    invoke --live call the service. COMMAND --help says what each does.
    """


def _speak_as(program: str) -> None:
    """Let examples be as the user called: with the console script's name, else as they are written."""
    for command in (main, *main.commands.values()) if program != "__main__" else ():
        command.epilog = (command.epilog or "").replace("python -m provider", program)


def run() -> None:
    """The console's entry: the commands, and no traceback where their output has nowhere to go."""
    gc.set_threshold(_ALLOCATIONS)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        # A stream that the shell closed (`>&-`) is None.
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
        _speak_as(Path(sys.argv[0]).stem)
        try:
            main()
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            # Or Python would try once more to write out what is left, and complain.
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
            sys.stderr.write(f"Error: cannot write the output: {error.strerror}\n")
            sys.exit(2)


main.add_command(plan)
main.add_command(rehearse)
main.add_command(invoke)
main.add_command(emulate)
main.add_command(schema)
main.add_command(docs)
main.add_command(skeleton)
main.add_command(convert)
main.add_command(export)
main.add_command(update)
main.add_command(validate)
main.add_command(completion)
