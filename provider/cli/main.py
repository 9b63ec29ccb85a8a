"""The command group."""

from __future__ import annotations

import errno
import os
import platform
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from provider.cli.emulate import emulate
from provider.cli.invoke import invoke
from provider.cli.rehearse import rehearse
from provider.cli.schema import schema

_UNWRITABLE = (errno.ENOSPC, errno.EBADF, errno.EIO)
"""What the system says where no more can be written."""
_DISTRIBUTION = "image-builder-distribution-provider"


def _version(context: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not context.resilient_parsing:
        python = platform.python_version()
        click.echo(f"{_DISTRIBUTION} {_own_version()} (botocore {version('botocore')}, Python {python})")
        context.exit()


def _own_version() -> str:
    try:
        return version(_DISTRIBUTION)
    except PackageNotFoundError:
        # Run from a checkout that is not installed.
        project = Path(__file__).parents[2] / "pyproject.toml"
        return str(tomllib.loads(project.read_text("utf-8"))["project"]["version"])


EPILOG = """\b
A stack's whole life, from template to deletion:
  python -m provider rehearse examples/cloudformation/golden-image.yaml
One event, as CloudFormation would send it:
  python -m provider invoke events/create-own.json
"""


@click.group(epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show versions.")
def main() -> None:
    """Try the distribution configuration provider: offline, without AWS credentials."""


def run() -> None:
    """The console's entry: the commands, and no traceback where their output has nowhere to go."""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        # A stream that the shell closed (`>&-`) is None.
        sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
        try:
            main()
        except OSError as error:
            if error.errno not in _UNWRITABLE:
                raise
            # Or Python would try once more to write out what is left, and complain.
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
            sys.stderr.write(f"Error: cannot write the output: {error.strerror}\n")
            sys.exit(2)


main.add_command(rehearse)
main.add_command(invoke)
main.add_command(emulate)
main.add_command(schema)
