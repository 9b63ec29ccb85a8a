"""The command group."""

import errno
import gc
import os
import signal
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import cast

import click

from .. import __version__
from ..extras import DISTRIBUTION, explain

_GC_THRESHOLD = 200_000
"""Allocations between garbage collections. Most objects of a command live until it ends, and collections take time."""
_WRITE_ERRORS = (errno.ENOSPC, errno.EBADF, errno.EIO)
"""The errors of an output that cannot be written."""
_PROGRAM = "python -m provider"

SECTIONS = {
    "Before a deployment": ("validate", "plan", "rehearse", "preflight"),
    "With a deployed provider": ("verify",),
    "Write and convert": ("skeleton", "convert", "export"),
    "With the ledger": ("owners", "drift", "record"),
    "Without a stack": ("update-distribution-configuration", "invoke", "emulate"),
    "Reference": ("schema", "docs", "completion"),
}
"""The commands as --help lists them. The module of `update-distribution-configuration` is `update_command`, and the
function in it is `update`, and so on.
"""


class LazyCommands(Mapping[str, click.Command]):
    """The commands by name, imported on first use. Their examples show the program name that the user typed."""

    program = _PROGRAM

    def __getitem__(self, name: str) -> click.Command:
        if name not in list(self):
            raise KeyError(name)
        verb = name.partition("-")[0]
        found: click.Command = getattr(import_module(f".{verb}_command", __package__), verb)
        found.epilog = self.with_program(found.epilog)
        return found

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(SECTIONS.values())

    def __len__(self) -> int:
        return sum(map(len, SECTIONS.values()))

    def with_program(self, text: str | None) -> str:
        """A text whose examples show the program name that the user typed."""
        return (text or "").replace(_PROGRAM, self.program)


_commands = LazyCommands()


def _show_version(context: click.Context, _: click.Parameter, requested: bool) -> None:
    if requested and not context.resilient_parsing:
        import platform
        from importlib.metadata import version

        python = platform.python_version()
        click.echo(f"{DISTRIBUTION} {__version__} (botocore {version('botocore')}, Python {python})")
        context.exit()


def _warn_about_botocore() -> None:
    if botocore := sys.modules.get("botocore"):
        from .botocore_version import warning

        if text := warning(botocore.__version__):
            click.echo(text, err=True)


EPILOG = """\b
Check a template, compare it with the live configurations, and rehearse its lifecycle:
  python -m provider validate stack.yaml
  python -m provider plan stack.yaml
  python -m provider rehearse stack.yaml
Run the AWS CLI's command with all checks before the call:
  python -m provider update-distribution-configuration --cli-input-json file://input.json

\b
Exit status, unless the command's own help says more:
  0    success, no problems found
  1    problems found, or a deployment would fail
  2    the command is wrong, or a file cannot be read or written
  130  Ctrl-C
"""


class CommandGroup(click.Group):
    """The command group. Its --help lists the commands in sections.

    After a command that used botocore, it warns if its version is not the deployed one.
    """

    def invoke(self, ctx: click.Context) -> object:
        """Run a command. Ctrl-C ends it with the exit status that shells use."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise SystemExit(128 + signal.SIGINT) from None
        finally:
            _warn_about_botocore()

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click calls it with the context
        """Write a list for each section."""
        for title, names in SECTIONS.items():
            width = max(map(len, names))
            rows = [(name, self.commands[name].get_short_help_str(formatter.width - width - 6)) for name in names]
            with formatter.section(title):
                formatter.write_dl(rows, col_max=width + 2)


@click.group(
    _PROGRAM,
    CommandGroup,
    commands=cast(MutableMapping[str, click.Command], _commands),
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version,
              help="Show the versions of the provider, botocore, and Python.")  # fmt: skip
def main() -> None:
    """Write, check, plan, and rehearse EC2 Image Builder distribution configurations for CloudFormation.

    Most commands work offline and without credentials; plan, preflight, verify, export, owners, drift, record,
    update-distribution-configuration, and invoke --live call the service. For details, run COMMAND --help.
    """


def run() -> None:
    """The entry point of the console script.

    Prints no traceback if the output cannot be written, or if the command needs a package that is not installed.
    """
    gc.set_threshold(_GC_THRESHOLD)
    with Path(os.devnull).open("w", encoding="utf-8") as null:
        # If the shell closed a stream (`>&-`), it is None.
        sys.stdout, sys.stderr = sys.stdout or null, sys.stderr or null
        program = Path(sys.argv[0]).stem
        # The package has two names: see setup.py.
        package = __name__.partition(".")[0]
        _commands.program = f"python -m {package}" if program == "__main__" else program
        main.epilog = _commands.with_program(EPILOG)
        try:
            main()
        except ModuleNotFoundError as error:
            sentence = explain(error)
            if not sentence:
                raise
            sys.stderr.write(f"Error: {sentence}\n")
            sys.exit(2)
        except OSError as error:
            if error.errno not in _WRITE_ERRORS:
                raise
            # Otherwise, Python would flush the output again at exit and print a second error.
            os.dup2(null.fileno(), sys.stdout.fileno())
            sys.stderr.write(f"Error: cannot write the output: {error.strerror}\n")
            sys.exit(2)
        finally:
            # Skip the garbage collection at exit: the process ends anyway.
            gc.freeze()
