"""`emulate`: the Image Builder emulator in the foreground."""

from __future__ import annotations

import shlex
import threading
from contextlib import suppress

import click

from .mistakes import Mistake
from .scene import account_option, emulator_at, home, region_option

EPILOG = """\b
Example, in one terminal:
  python -m provider emulate --port 8099
and in another, after pasting the lines that it prints:
  aws imagebuilder list-distribution-configurations
"""


@click.command(epilog=EPILOG, short_help="Run the Image Builder emulator for the AWS CLI.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Listen here.  [default: a free port]")
@region_option
@account_option
def emulate(port: int, region: str | None, account: str | None) -> None:
    """Run the Image Builder emulator on 127.0.0.1 until Ctrl-C, for the AWS CLI or any SDK.

    It prints the environment that its clients need, as lines for a shell. They lead calls of Image Builder to
    the emulator and nothing else, with credentials that no other service takes; so paste them into a shell of
    their own, and close it when you are done. What the emulator holds is gone when it ends.
    """
    from .function import offline

    with offline():
        emulator = emulator_at(home(region, account, []), port)
        try:
            emulator.start()
        except OSError as error:
            raise Mistake(f"cannot listen on port {port}: {error.strerror}") from error
        try:
            for name, value in emulator.environment().items():
                click.echo(f"export {name}={shlex.quote(value)}")
            click.echo(
                f"# The emulator listens at {emulator.url}; Ctrl-C ends it.\n"
                "# Paste the export lines into a new shell: only Image Builder is redirected, and every other service\n"
                "# refuses these credentials, which are no real ones. To undo it, close that shell.",
                err=True,
            )
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
        finally:
            emulator.stop()
