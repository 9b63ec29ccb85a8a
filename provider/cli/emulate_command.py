"""`emulate`: runs the emulator of Image Builder and STS in the foreground."""

import shlex
import threading
from contextlib import suppress

import click

from .emulation import account_option, choose_location, emulator_at, region_option
from .files import UserError

EPILOG = """\b
Example, in one terminal:
  python -m provider emulate --port 8099
In another terminal, after you paste the lines that it prints:
  aws imagebuilder list-distribution-configurations
  aws imagebuilder list-distribution-configurations --region eu-west-1
  aws sts assume-role --role-arn arn:aws:iam::111122223333:role/any \\
    --role-session-name me
"""


@click.command(epilog=EPILOG, short_help="Run the Image Builder emulator for the AWS CLI.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port to listen on.  [default: a free port]")
@region_option
@account_option
def emulate(port: int, region: str | None, account: str | None) -> None:
    """Run the Image Builder emulator on 127.0.0.1 until Ctrl-C, for the AWS CLI or any SDK.

    It prints the environment variables that clients need, as shell commands. They direct only calls of Image Builder
    and STS to the emulator, and their credentials do not work for any other service. Paste them into a new shell, and
    close that shell when you are done. When the emulator stops, its configurations are lost.

    The emulator serves all Regions of the partition, and all accounts. --region and --account are those of the printed
    variables. For another Region, use the client's own option, such as --region of the AWS CLI. For another account,
    assume any role in it with STS (see the example), or use a profile with role_arn and credential_source=Environment.
    """
    from .environment import offline

    with offline():
        emulator = emulator_at(choose_location(region, account, []), port)
        try:
            emulator.start()
        except OSError as error:
            raise UserError(f"cannot listen on port {port}: {error.strerror}") from error
        try:
            for name, value in emulator.environment().items():
                click.echo(f"export {name}={shlex.quote(value)}")
            click.echo(
                f"# The emulator listens at {emulator.url}; press Ctrl-C to stop it.\n"
                "# Paste the export lines into a new shell. They redirect only Image Builder and STS, and all others\n"
                "# reject these credentials, which are not real. To undo this, close that shell.\n"
                "# All Regions and accounts are served: for another Region, use --region of the AWS CLI; for another\n"
                "# account, assume any role in it (aws sts assume-role).",
                err=True,
            )
            with suppress(KeyboardInterrupt):
                threading.Event().wait()
        finally:
            emulator.stop()
