"""The failures of a command, with the texts and return codes of the AWS CLI."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click


class Failure(click.ClickException):
    """A failure, printed to standard error. Subclasses have other return codes; this one is for all other causes.

    The return codes are those of the AWS CLI, version 2:
    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-returncodes.html
    """

    exit_code = 255

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message after an empty line, as the AWS CLI does."""
        click.echo(f"\n{self.message}", file=file, err=True)


class Invalid(Failure):
    """A value is invalid; nothing was called."""

    exit_code = 252


class Misused(click.UsageError):
    """The command is invalid; nothing was called."""

    exit_code = Invalid.exit_code


class Misconfigured(Failure):
    """The Region, the credentials, or the configuration are missing or invalid; nothing was called."""

    exit_code = 253


class Refused(Failure):
    """The service returned an error."""

    exit_code = 254


@contextmanager
def failures() -> Iterator[None]:
    """Turn botocore's exceptions into a Failure, and Ctrl-C into the exit status that shells use."""
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
        # ValueError: the endpoint is not a URL, or the query does not fit the response.
        raise Failure(str(error)) from error
    except KeyboardInterrupt:
        raise SystemExit(128 + signal.SIGINT) from None
