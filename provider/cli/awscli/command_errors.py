"""Errors that end a command with the messages and return codes of the AWS CLI."""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import click


class CommandError(click.ClickException):
    """An error that ends the command. Subclasses have other return codes; this one is for all other causes.

    The return codes are those of the AWS CLI, version 2:
    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html
    """

    exit_code = 255

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message to standard error after an empty line, as the AWS CLI does."""
        click.echo(f"\n{self.message}", file=file, err=True)


class InvalidParameterError(CommandError):
    """A value is invalid. No call was made."""

    exit_code = 252


class InvalidUsageError(click.UsageError):
    """The command is invalid. No call was made."""

    exit_code = InvalidParameterError.exit_code


class ConfigurationError(CommandError):
    """The Region, the credentials, or the configuration are missing or invalid. No call was made."""

    exit_code = 253


class RejectedByServiceError(CommandError):
    """The service returned an error."""

    exit_code = 254


@contextmanager
def exit_statuses() -> Iterator[None]:
    """End the command with the AWS CLI's exit status if its output cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EBADF, errno.EIO):
            raise CommandError(str(error)) from error
        _discard_output()
        if error.errno == errno.EPIPE:
            # Only the output goes to a pipe, and it is written after the call. So the call succeeded.
            raise SystemExit(0) from None
        raise CommandError(f"Cannot write the output: {error.strerror}") from error


def _discard_output() -> None:
    """Prevent Python from flushing the output again at exit, which would fail again."""
    with Path(os.devnull).open("w", encoding="utf-8") as null, suppress(OSError):
        os.dup2(null.fileno(), sys.stdout.fileno())


@contextmanager
def command_errors() -> Iterator[None]:
    """Convert botocore's exceptions to a CommandError."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    from .session import CredentialsError

    try:
        yield
    except ClientError as error:
        raise RejectedByServiceError(str(error)) from error
    except NoRegionError as error:
        text = f'{error} You can also configure your region by running "aws configure".'
        raise ConfigurationError(text) from error
    except NoCredentialsError as error:
        text = f'{error}. You can configure credentials by running "aws configure".'
        raise ConfigurationError(text) from error
    except (BotoCoreError, CredentialsError, ValueError) as error:
        # ValueError: the endpoint is not a URL, or the query does not fit the response.
        raise CommandError(str(error)) from error
