"""Makes the calls that checks need, with botocore. All of them read; AssumeRole only returns credentials."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
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


Keys = tuple[str | None, str | None, str | None]
"""The access key's ID, the secret access key, and the session token; all None for the caller's credentials."""

_CALLER: Keys = (None, None, None)


class CachingReader:
    """Makes each call once. `session` has the caller's credentials.

    `assume` returns the credentials of the configuration's role. It raises DeniedError or ReadError if that fails.
    `endpoint_urls` are by botocore's names of services.
    """

    def __init__(
        self,
        session: Session,
        context: Context,
        assume: Callable[[], Keys] = lambda: _CALLER,
        endpoint_urls: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._session, self._context = session, context
        self._assume, self._endpoint_urls = assume, endpoint_urls
        self._clients: dict[tuple[str, str, str, bool], Any] = {}
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
            client = self._client(service, read)
            if client.can_paginate(method):
                pages: Mapping[str, Any] = client.get_paginator(method).paginate(**read.parameters).build_full_result()
                return pages
            response: Mapping[str, Any] = getattr(client, method)(**read.parameters)
        except ClientError as error:
            return error
        except (BotoCoreError, ResponseParserError) as error:
            return ReadError(_failed(read, error))
        return response

    def _client(self, service: str, read: Read) -> Any:
        key = service, read.region, read.account, read.by_caller
        if key not in self._clients:
            key_id, secret, token = _CALLER if read.by_caller else self._credentials(read.account)
            self._clients[key] = self._session.create_client(
                service,
                read.region,
                endpoint_url=self._endpoint_urls.get(service),
                config=_CONFIG,
                aws_access_key_id=key_id,
                aws_secret_access_key=secret,
                aws_session_token=token,
            )
        return self._clients[key]

    def _credentials(self, account: str) -> Keys:
        """The credentials of the cross-account role in an account; without one, those of the configuration's role."""
        if not account:
            return self._assume()
        read = assume_role(self._context, account)
        assumed = self(read)
        if assumed is None:
            raise DeniedError(action_of(read.operation))
        found = assumed["Credentials"]
        return found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]


def _failed(read: Read, error: Exception) -> str:
    """A message about a failed call, in one line: a proxy may respond with a page."""
    return f"{action_of(read.operation)} failed: {' '.join(str(error).split())[:_LONGEST_MESSAGE]}"
