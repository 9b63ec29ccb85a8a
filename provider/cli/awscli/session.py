"""Sessions with the AWS CLI's settings, and their credentials."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from getpass import GetPassWarning
from io import StringIO
from pathlib import Path
from typing import Any, Final

from botocore.credentials import create_credential_resolver
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from botocore.utils import JSONFileCache

from ...aws.client import light_session

_SETTINGS: Final = {
    "profile": (None, ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"], None, None),
    "region": ("region", ["AWS_REGION", "AWS_DEFAULT_REGION"], None, None),
    "output": ("output", "AWS_DEFAULT_OUTPUT", "json", None),
}
"""Settings that the AWS CLI reads and botocore does not, or in another order: setting -> configuration name, variables,
default, type.
"""
_TRACEBACK: Final = "Traceback (most recent call last)"
_MAX_MESSAGE: Final = 500
"""Characters of an error message that may quote the output of a credential helper."""


class CredentialsError(Exception):
    """Credentials could not be loaded. The message is one line."""


def cli_session(profile: str | None = None, region: str | None = None) -> Session:
    """A session with the settings of the environment and the configuration files, as in the AWS CLI, version 2.

    Credentials of roles are read from and stored in the AWS CLI's cache.
    """
    session = light_session(session_vars=_SETTINGS, profile=profile)
    if region:
        session.set_config_variable("region", region)
    cache: Any = _RoleCache(str(Path("~/.aws/cli/cache").expanduser()))
    session.lazy_register_component("credential_provider", lambda: create_credential_resolver(session, cache=cache))
    return session


def load_credentials(session: Session) -> bool:
    """Load the session's credentials before the first call; return whether there are any.

    Assuming a role may call STS and ask for an MFA code. Raises botocore's errors if the settings are invalid or STS
    rejects the call, and CredentialsError for any other failure.
    """
    # Without a terminal, the MFA code is read from standard input, which is None if the shell has closed it.
    sys.stdin = sys.stdin or StringIO()
    with _one_line_errors(), warnings.catch_warnings():
        warnings.simplefilter("ignore", GetPassWarning)
        credentials = session.get_credentials()
        if credentials is not None:
            credentials.get_frozen_credentials()
        return credentials is not None


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """Convert unexpected exceptions, such as those for a credential helper's invalid output, to CredentialsError."""
    try:
        yield
    except ClientError:
        raise
    except BotoCoreError as error:
        if str(error) == one_line(str(error)):
            raise
        text = one_line(str(error))
        raise CredentialsError(
            f"{text} the program printed no error message" if text.endswith(":") else text
        ) from error
    except EOFError as error:
        text = "Cannot read the MFA code: standard input has ended. Run the command on a terminal"
        raise CredentialsError(text) from error
    except Exception as error:  # botocore does not catch the errors of helpers, such as a missing program
        text = one_line(str(error)) or type(error).__name__
        raise CredentialsError(f"Cannot load the credentials: {text}") from error


def one_line(text: str) -> str:
    """A message on one line. Of a traceback, only the exception."""
    before, traceback, after = text.partition(_TRACEBACK)
    lines = [line.strip() for line in (after if traceback else text).splitlines() if line.strip()]
    shown = f"{' '.join(before.split())} {lines[-1] if lines else ''}" if traceback else " ".join(lines)
    shown = re.sub(r"[^\S ]|[\x00-\x1f\x7f]", " ", shown).strip()
    return shown if len(shown) <= _MAX_MESSAGE else f"{shown[:_MAX_MESSAGE]}..."


class _RoleCache(JSONFileCache):
    """The AWS CLI's cache of role credentials. Files that cannot be used count as missing."""

    def __contains__(self, key: str) -> bool:
        with suppress(KeyError):
            return self[key] is not None
        return False

    def __getitem__(self, key: str) -> Any:
        entry: Any = super().__getitem__(key)
        credentials = entry.get("Credentials") if isinstance(entry, dict) else None
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
        if not isinstance(credentials, dict) or not all(isinstance(credentials.get(name), str) for name in names):
            raise KeyError(key)
        return entry

    def __setitem__(self, key: str, value: Any) -> None:
        # Without a cache, the next command only has to assume the role again.
        with suppress(OSError):
            super().__setitem__(key, value)
