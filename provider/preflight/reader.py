"""Makes the calls that checks need, with botocore. All of them read; AssumeRole only returns credentials."""

from collections.abc import Mapping
from typing import Any

from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from botocore.session import Session

from .interface import Context, DeniedError, Read, ReadError, action_of, assume_role

_DENIED = frozenset(
    {
        "403",  # of a HEAD request, which has no body
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationException",
        "Forbidden",
        "ForbiddenException",
        "UnauthorizedOperation",
    }
)
_DISABLED = frozenset({"AuthFailure", "InvalidClientTokenId", "OptInRequired", "UnrecognizedClientException"})
"""Errors of a Region that the account has not enabled."""
_CONFIG = Config(
    connect_timeout=5,
    read_timeout=20,
    retries={"mode": "standard", "total_max_attempts": 3},
    parameter_validation=False,  # the service's error codes say more
)
_LONGEST_MESSAGE = 300


class CachingReader:
    """Makes each call once. `session` has the caller's credentials."""

    def __init__(self, session: Session, context: Context) -> None:
        self._session, self._context = session, context
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._responses: dict[str, Mapping[str, Any] | ClientError | ReadError] = {}

    def __call__(self, read: Read) -> Mapping[str, Any] | None:
        """The response, all pages of it; None if its error code is in `absent`. Raises DeniedError and ReadError."""
        key = repr(read._replace(absent=()))
        if key not in self._responses:
            self._responses[key] = self._call(read)
        response = self._responses[key]
        if isinstance(response, ReadError):
            raise response
        if not isinstance(response, ClientError):
            return response
        code = str(response.response.get("Error", {}).get("Code"))
        if code in read.absent:
            return None
        if code in _DENIED:
            raise DeniedError(action_of(read.operation))
        hint = f"; {read.region} may be disabled for the account" if code in _DISABLED else ""
        raise ReadError(f"{_failed(read, response)}{hint}")

    def close(self) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def _call(self, read: Read) -> Mapping[str, Any] | ClientError | ReadError:
        service, _, operation = read.operation.partition(":")
        method = xform_name(operation)
        try:
            client = self._client(service, read.region, read.account)
            if client.can_paginate(method):
                pages: Mapping[str, Any] = client.get_paginator(method).paginate(**read.parameters).build_full_result()
                return pages
            response: Mapping[str, Any] = getattr(client, method)(**read.parameters)
        except ClientError as error:
            return error
        except (BotoCoreError, ResponseParserError) as error:
            return ReadError(_failed(read, error))
        return response

    def _client(self, service: str, region: str, account: str) -> Any:
        key = service, region, account
        if key not in self._clients:
            keys = self._credentials(account)
            found = self._session.create_client(
                service,
                region,
                config=_CONFIG,
                aws_access_key_id=keys.get("AccessKeyId"),
                aws_secret_access_key=keys.get("SecretAccessKey"),
                aws_session_token=keys.get("SessionToken"),
            )
            self._clients[key] = found
        return self._clients[key]

    def _credentials(self, account: str) -> Mapping[str, str]:
        """The credentials of the cross-account role in an account; empty for the caller's account."""
        if not account:
            return {}
        read = assume_role(self._context, account)
        assumed = self(read)
        if assumed is None:
            raise DeniedError(action_of(read.operation))
        credentials: Mapping[str, str] = assumed["Credentials"]
        return credentials


def _failed(read: Read, error: Exception) -> str:
    """A message about a failed call, in one line: a proxy may respond with a page."""
    return f"{action_of(read.operation)} failed: {' '.join(str(error).split())[:_LONGEST_MESSAGE]}"
