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
"""Between garbage collections: most objects of a command live until it ends, and collections take time."""
_UNWRITABLE = (errno.ENOSPC, errno.EBADF, errno.EIO)
"""The errors of an output that cannot be written."""
_PROGRAM = "python -m provider"
_DISTRIBUTION = "image-builder-distribution-provider"

SECTIONS = {
    "Before a deployment": {"validate": "validate", "plan": "plan", "rehearse": "rehearse", "preflight": "preflight"},
    "Write and convert": {"skeleton": "skeleton", "convert": "convert.command", "export": "export"},
    "Without a stack": {"update-distribution-configuration": "update", "invoke": "invoke", "emulate": "emulate"},
    "Reference": {"schema": "schema", "docs": "docs", "completion": "completion"},
}
"""The commands as --help lists them, each with its module; the function has the name of the module or package."""


class OnDemand(Mapping[str, click.Command]):
    """The commands by name, each imported on first use. Their examples show the program name that the user typed."""

    def __init__(self) -> None:
        self.program = _PROGRAM
        self._modules = {name: module for section in SECTIONS.values() for name, module in section.items()}

    def __getitem__(self, name: str) -> click.Command:
        module = import_module(f"provider.cli.{self._modules[name]}")
        found: click.Command = getattr(module, self._modules[name].partition(".")[0])
        found.epilog = self.with_program(found.epilog)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def with_program(self, text: str | None) -> str:
        """A text with the program name in its examples replaced by the one that the user typed."""
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
        # In a checkout, the package is not installed.
        import tomllib

        project = Path(__file__).parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])


EPILOG = """\b
Check a template, compare it with the live configurations, and rehearse its lifecycle:
  python -m provider validate stack.yaml
  python -m provider plan stack.yaml
  python -m provider rehearse stack.yaml
Run the AWS CLI's command with all checks before the call:
  python -m provider update-distribution-configuration --cli-input-json file://input.json

\b
Exit status, unless the command's own help says more:
  0  success, no problems found
  1  problems found, or a deployment would fail
  2  a mistake in the command or a file
"""


class Commands(click.Group):
    """The commands, in sections."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
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
    """Write, check, plan, and rehearse EC2 Image Builder distribution configurations for CloudFormation.

    Most commands work offline and without credentials; plan, preflight, export, update-distribution-configuration,
    and invoke --live call the service. For details, run COMMAND --help.
    """


def run() -> None:
    """The entry point of the console script: prints no traceback if the output cannot be written."""
    gc.set_threshold(_ALLOCATIONS)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        # If the shell closed a stream (`>&-`), it is None.
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
        program = Path(sys.argv[0]).stem
        _commands.program = _PROGRAM if program == "__main__" else program
        main.epilog = _commands.with_program(EPILOG)
        try:
            main()
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            # Otherwise Python would try again to flush the output, and print an error.
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
            sys.stderr.write(f"Error: cannot write the output: {error.strerror}\n")
            sys.exit(2)
        finally:
            # Skip the final garbage collection: the process ends anyway.
            gc.freeze()
