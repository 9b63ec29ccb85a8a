"""Creates the service's client from the AWS CLI's options, environment, and configuration files."""

import re
from dataclasses import dataclass
from typing import Any, Final

from botocore.session import Session

from ...schema.model import SERVICE
from .session import cli_session, load_credentials

_LOGGERS: Final = ("botocore", "urllib3")
_LOGGERS_OF_CREDENTIALS: Final = ("botocore.credentials", "botocore.parsers", "botocore.tokens")
"""Loggers that write whole responses with credentials at debug level."""
_STS_SECRETS: Final = re.compile(
    r"(?P<name>(?:WebIdentityToken|SAMLAssertion|TokenCode|ExternalId)(?!\w)[\\'\"]*\s*(?:[:=,]|%3D)\s*b?)"
    r"(?:'[^']*'|\"[^\"]*\"|[^\s&'\"}]+)",
    re.IGNORECASE,
)
"""These names with their values in a Python dictionary, in JSON, or in a form."""


@dataclass(frozen=True)
class Connection:
    """The connection options. None means the setting in the environment or the configuration files.

    Timeouts are in seconds; 0 means no limit.
    """

    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None
    ca_bundle: str | None = None
    no_verify_ssl: bool = False
    no_sign_request: bool = False
    cli_read_timeout: int = 60
    cli_connect_timeout: int = 60

    def session(self) -> Session:
        """A session with the settings of the environment and the configuration files."""
        return cli_session(self.profile, self.region)

    def client(self, session: Session) -> Any:
        """A client of the service, whose credentials are loaded.

        Raises botocore's errors, CredentialsError, and ValueError for an invalid endpoint URL.
        """
        from botocore import UNSIGNED
        from botocore.config import Config

        if not self.no_sign_request:
            load_credentials(session)
        return session.create_client(
            SERVICE,
            region_name=self.region,
            endpoint_url=self.endpoint_url,
            verify=False if self.no_verify_ssl else self.ca_bundle,
            config=Config(
                signature_version=UNSIGNED if self.no_sign_request else None,
                read_timeout=self.cli_read_timeout or None,
                connect_timeout=self.cli_connect_timeout or None,
            ),
        )


def without_sts_secrets(text: str) -> str:
    """A log line without what proves the caller's identity to STS: web identity tokens, MFA codes, external IDs."""
    return _STS_SECRETS.sub(lambda found: f"{found['name']}(removed)", text)


def enable_debug_log() -> None:
    """Log botocore's activity to standard error, without signatures and credentials."""
    import logging

    from ...cloudformation.redaction import redact

    class RedactingFormatter(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return redact(without_sts_secrets(super().format(record)))

    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter("%(asctime)s - %(threadName)s - %(name)s - %(levelname)s - %(message)s"))
    for name in _LOGGERS_OF_CREDENTIALS:
        logging.getLogger(name).setLevel(logging.INFO)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
