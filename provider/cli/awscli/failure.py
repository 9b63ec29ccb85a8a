"""How a command ends that did not do its work: as the AWS CLI does, with its text and its return codes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click


class Failure(click.ClickException):
    """The end of a command, told on standard error; as such, of any kind, such as a service out of reach.

    The return codes are those of the AWS CLI, version 2:
    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html
    """

    exit_code = 255

    def show(self, file: IO[Any] | None = None) -> None:
        """Tell it as the AWS CLI does, after an empty line."""
        click.echo(f"\n{self.message}", file=file, err=True)


class Invalid(Failure):
    """A value is wrong, so nothing was called."""

    exit_code = 252


class Misused(click.UsageError):
    """The command itself is wrong, so nothing was called."""

    exit_code = Invalid.exit_code


class Misconfigured(Failure):
    """The command may be right, but Region, credentials or the configuration are not; nothing was called."""

    exit_code = 253


class Refused(Failure):
    """The service was called and answered with an error."""

    exit_code = 254


@contextmanager
def told() -> Iterator[None]:
    """Turn what botocore raises into a Failure, and Ctrl-C into the status that a shell gives it."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        yield
    except ClientError as error:
        raise Refused(str(error)) from error
    except NoRegionError as error:
        text = f'{error} You can also configure your region by running "aws configure".'
        raise Misconfigured(text) from error
    except NoCredentialsError as error:
        text = f'{error}. You can configure credentials by running "aws configure".'
        raise Misconfigured(text) from error
    except (BotoCoreError, ValueError) as error:
        # ValueError is an endpoint that is no URL, or a query that does not fit the answer.
        raise Failure(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None
