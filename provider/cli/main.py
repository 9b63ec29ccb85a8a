"""The command group."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from pathlib import Path
from typing import cast

import click

_ALLOCATIONS = 200_000
"""Between two garbage collections: what a command loads stays until it ends, and looking it over takes time."""
_UNWRITABLE = (errno.ENOSPC, errno.EBADF, errno.EIO)
"""What the system says where no more can be written."""
_PROGRAM = "python -m provider"
_DISTRIBUTION = "image-builder-distribution-provider"

SECTIONS = {
    "Before a deployment": {"validate": "validate", "plan": "plan", "rehearse": "rehearse"},
    "Write and convert": {"skeleton": "skeleton", "convert": "convert.command", "export": "export"},
    "Without a stack": {"update-distribution-configuration": "update", "invoke": "invoke", "emulate": "emulate"},
    "Reference": {"schema": "schema", "docs": "docs", "completion": "completion"},
}
"""The commands as --help lists them, each with the module here that has it, called as the module or its package."""


class OnDemand(Mapping[str, click.Command]):
    """The commands by their names, each imported when it is asked for; its examples call it as the user did."""

    def __init__(self) -> None:
        self.program = _PROGRAM
        self._modules = {name: module for section in SECTIONS.values() for name, module in section.items()}

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"provider.cli.{self._modules[name]}")
        found: click.Command = getattr(module, self._modules[name].partition(".")[0])
        found.epilog = self.spoken(found.epilog)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def spoken(self, text: str | None) -> str:
        """A text with its examples as the user calls the program: as the console script, or as they are written."""
        return (text or "").replace(_PROGRAM, self.program)


_commands = OnDemand()


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """Write a list for each section."""
        for title, names in SECTIONS.items():
            width = max(map(len, names))
            rows = [(name, self.commands[name].get_short_help_str(formatter.width - width - 6)) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows, col_max=width + 2)


@click.group(
    _PROGRAM,
    Commands,
    commands=cast(MutableMapping[str, click.Command], _commands),
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show versions.")
def main() -> None:
    """Write, check, plan and rehearse distribution configurations of EC2 Image Builder for CloudFormation.

    Most commands work offline and without credentials; plan, export, update-distribution-configuration and
    invoke --live call the service. COMMAND --help says what each does.
    """


def run() -> None:
    """The console's entry: the commands, and no traceback where their output has nowhere to go."""
    gc.set_threshold(_ALLOCATIONS)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        # A stream that the shell closed (`>&-`) is None.
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
        program = Path(sys.argv[0]).stem
        _commands.program = _PROGRAM if program == "__main__" else program
        main.epilog = _commands.spoken(EPILOG)
        try:
            main()
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            # Or Python would try once more to write out what is left, and complain.
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
            sys.stderr.write(f"Error: cannot write the output: {error.strerror}\n")
            sys.exit(2)
        finally:
            # Or Python would look all that was loaded over for what to free, before the process ends anyway.
            gc.freeze()
