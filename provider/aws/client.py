"""Creates API clients by service and Region, calls their operations, and translates errors into ProviderError."""

import os
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache, partial
from http.client import HTTPException
from io import BytesIO
from types import MappingProxyType
from typing import Any, Final, cast

import botocore
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.httpsession import get_cert_path
from botocore.parsers import ResponseParserError
from botocore.session import Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import NewConnectionError

from .. import __version__
from ..errors import Outcome, ProviderError, api_error
from ..schema.model import SERVICES, loader
from .tls import shipped, tls_context
from .transport import Transport

_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 15
_MAX_CLIENTS: Final = 16
_USER_AGENT: Final = f"image-builder-distribution-provider/{__version__} Botocore/{botocore.__version__}"
"""CloudTrail shows it. botocore would build its own twice per call."""
_PREFIXES: Final = ("AWS_", "REQUESTS_CA_BUNDLE")
"""The environment variables that affect botocore, besides those of proxies."""
_CHECK_SETTINGS: Final = "Check the Region, the credentials, and the other AWS_ settings of the provider's function"
_REDEPLOY: Final = "The outcome is unknown. Redeploying is safe"
_ADD_CA: Final = (
    "Add the CA that signed the certificate (possibly a proxy's) to the bundle that the function's AWS_CA_BUNDLE "
    "variable points to"
)
_CHECK_NETWORK: Final = (
    "Check the function's network path to the endpoint (in a VPC: its subnets, security groups, NAT, or VPC endpoint), "
    "then deploy again"
)
_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
_NO_TUNNEL: Final = "Tunnel connection failed"
_UNREACHABLE: Final = (EndpointConnectionError, ConnectTimeoutError)
_NO_RESPONSE: Final = (HTTPClientError, SSLError, ProxyConnectionError, *_UNREACHABLE, ResponseParserError)

before_send: ContextVar[Callable[[], None]] = ContextVar("before_send", default=lambda: None)
"""Called before each attempt, including botocore's retries. It raises ProviderError to stop them."""

_chosen: ContextVar[Session | None] = ContextVar("session", default=None)
"""The session of `using_session`."""

_endpoint_urls: ContextVar[Mapping[str, str]] = ContextVar("endpoint_urls", default=MappingProxyType({}))
"""The endpoints of `using_session`."""

_reached: ContextVar[bool] = ContextVar("reached", default=False)
"""Whether an attempt of the current call may have reached the service."""


Credentials = tuple[str, str, str]
"""The access key's ID, the secret access key, and the session token."""

_Client = tuple[Any, Transport | None]
"""An API client and its transport, which is None if botocore sends the requests itself."""


def client(service: str, region: str | None, credentials: Credentials | None = None) -> Any:
    """Return the API client of a service in a Region (None: the Region that botocore's settings name).

    Without `credentials`, it uses those of the session. Clients are cached until botocore's settings in the environment
    change. Raises ProviderError if the settings are invalid.
    """
    api, _ = _client_and_transport(service, region, credentials)
    return api


def connect(service: str, region: str | None) -> None:
    """Open a connection for the first call of `client`. Raises ProviderError and the errors of Transport."""
    api, transport = _client_and_transport(service, region)
    if transport is not None:
        transport.connect(api.meta.endpoint_url, _CONNECT_SECONDS)


def session() -> Session:
    """Return the session of all clients. Sharing it avoids resolving credentials twice, which may run a slow program.

    Raises botocore's errors if the settings are invalid.
    """
    return _chosen.get() or _session(_settings())


@contextmanager
def using_session(chosen: Session, endpoint_urls: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """Use another session for all clients in a `with` block, and these endpoints, by botocore's names of services.

    Other threads use it only if they run in a copy of this context (`copy_context().run`), as the handler's work does.
    """
    before = _chosen.set(chosen), _endpoint_urls.set(endpoint_urls)
    try:
        yield
    finally:
        _chosen.reset(before[0])
        _endpoint_urls.reset(before[1])


def _settings() -> frozenset[tuple[str, str]]:
    names = [name for name in os.environ if name.startswith(_PREFIXES) or name.lower().endswith("_proxy")]
    return frozenset((name, os.environ.get(name, "")) for name in names)


@lru_cache(maxsize=1)
def _session(_: frozenset[tuple[str, str]]) -> Session:
    return light_session()


def _client_and_transport(service: str, region: str | None, credentials: Credentials | None = None) -> _Client:
    try:
        return _client(service, region, session(), _endpoint_urls.get().get(service), credentials)
    except (BotoCoreError, OSError, ValueError) as error:
        raise ProviderError(
            f"could not create the API client of {service}: {error}", remediation=_CHECK_SETTINGS
        ) from error


@lru_cache(maxsize=_MAX_CLIENTS)
def _client(
    service: str, region: str | None, session: Session, endpoint_url: str | None, credentials: Credentials | None
) -> _Client:
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        user_agent=_USER_AGENT,
        parameter_validation=False,  # `schema` has validated the parameters against the same model
    )
    if "AWS_RETRY_MODE" not in os.environ:
        config = config.merge(Config(retries={"mode": "standard"}))
    key, secret, token = credentials or (None, None, None)
    api = session.create_client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        config=config,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )
    api.meta.events.register(f"before-send.{service}", lambda **_: before_send.get()())
    api.meta.events.register(f"needs-retry.{service}", _note_attempt)
    endpoint = api.meta.endpoint_url
    if not endpoint.startswith("https:") or get_environ_proxies(endpoint):
        return api, None
    configured = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    bundle = str(configured or shipped() or get_cert_path(True))
    transport = Transport(partial(_ssl_context, bundle))
    api.meta.events.register(f"before-send.{service}", _sender(transport))
    return api, transport


def light_session(**settings: Any) -> Session:
    """Return a botocore session with only the event handlers of our services, because registering all is slow.

    `settings` are the arguments of botocore's `Session`.
    """
    session = Session(include_builtin_handlers=False, **settings)
    session.register_component("data_loader", loader())
    events = session.get_component("event_emitter")
    register = {None: events.register, REGISTER_FIRST: events.register_first, REGISTER_LAST: events.register_last}
    for event, handler, *order in BUILTIN_HANDLERS:
        if is_for_our_services(event):
            register[next(iter(order), None)](event, handler)
    return session


def is_for_our_services(event: str) -> bool:
    """Return whether a botocore event (such as "before-call.sts.AssumeRole") can occur for our services."""
    _, *service = event.split(".")
    return not service or service[0] in SERVICES


def _ssl_context(bundle: str) -> ssl.SSLContext:
    try:
        return tls_context(bundle)
    except OSError as error:
        raise ProviderError(f"the CAs in {bundle} cannot be read: {error}", remediation=_CHECK_SETTINGS) from error


def _sender(transport: Transport) -> Any:
    """Return an event handler that sends botocore's requests through our transport.

    botocore's own transport supports proxies, but reads the whole CA bundle again for each connection.
    """

    def send(request: Any, **_: object) -> Any:
        url = request.url
        try:
            connection = transport.connection(url, _CONNECT_SECONDS)
        except ssl.SSLError as error:
            raise SSLError(endpoint_url=url, error=error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(endpoint_url=url, error=error) from error
        except (OSError, HTTPException) as error:
            raise EndpointConnectionError(endpoint_url=url, error=error) from error
        try:
            headers = dict(request.headers.items())
            reply = transport.exchange(connection, request.method, headers, request.body, _READ_SECONDS)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=url, error=error) from error
        except (OSError, HTTPException) as error:
            raise ConnectionClosedError(endpoint_url=url, error=error, request=request) from error
        response: Any = AWSResponse(url, reply.status, cast(Any, reply.headers), _Body(reply.body))
        return response

    return send


def _note_attempt(caught_exception: Exception | None = None, **_: object) -> None:
    """Record after each attempt of a call whether it may have reached the service."""
    if not _is_unsent(caught_exception):
        _reached.set(True)


def _is_unsent(error: Exception | None) -> bool:
    """Return whether an attempt certainly sent nothing: `before_send` stopped it, or no connection was established."""
    if isinstance(error, ProxyConnectionError):
        # botocore also raises this error for connections that broke later.
        cause = getattr(error.kwargs.get("error"), "original_error", None)
        return isinstance(cause, NewConnectionError) or _NO_TUNNEL in str(cause)
    return isinstance(error, (*_UNREACHABLE, ProviderError)) or (
        isinstance(error, SSLError) and _UNTRUSTED in str(error)
    )


def _outcome() -> Outcome:
    """Return the outcome of a call whose last attempt was not sent."""
    return Outcome.UNKNOWN if _reached.get() else Outcome.REFUSED


class _Body(BytesIO):
    """A response body with the interface that botocore expects."""

    def stream(self) -> Iterator[bytes]:
        """Yield the whole body."""
        yield self.read()


def call(api: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call an operation of the API. Raises ProviderError, and whatever `before_send` raises."""
    _reached.set(False)
    try:
        response: dict[str, Any] = getattr(api, xform_name(operation))(**parameters)
    except ProviderError as error:
        if not _reached.get():
            raise
        problem = f"{error.problem}, after an attempt that may have taken effect"
        raise ProviderError(problem, remediation=_REDEPLOY, outcome=Outcome.UNKNOWN) from error
    except BaseException as error:  # even after SystemExit or MemoryError, the call may have taken effect
        raise _translated(operation, error) from error
    return response


def _translated(operation: str, error: BaseException) -> ProviderError:
    """Translate an error of botocore."""
    if isinstance(error, ClientError):
        return _rejected(operation, error)
    if isinstance(error, _NO_RESPONSE):
        return _no_usable_response(operation, error)
    if isinstance(error, BotoCoreError):
        problem = f"{operation} could not be called: {error}"
        return ProviderError(problem, remediation=_CHECK_SETTINGS, outcome=_outcome())
    problem = f"{operation} failed inside the client ({type(error).__name__}: {error})"
    return ProviderError(problem, remediation=_REDEPLOY, outcome=Outcome.UNKNOWN)


def _rejected(operation: str, error: ClientError) -> ProviderError:
    """Translate an error response of the API, or of a credential provider if the operation is another one."""
    if error.operation_name != operation:
        return ProviderError(f"could not obtain credentials: {error}", remediation=_CHECK_SETTINGS, outcome=_outcome())
    details, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    rejection = api_error(
        operation,
        str(details.get("Code", "")),
        str(details.get("Message", "")),
        int(meta.get("HTTPStatusCode", 0)),
        str(meta.get("RequestId", "")),
    )
    if rejection.outcome in (Outcome.REFUSED, Outcome.DENIED) and meta.get("RetryAttempts"):
        rejection.outcome = Outcome.UNKNOWN  # an earlier attempt may have taken effect
    return rejection


def _no_usable_response(operation: str, error: Exception) -> ProviderError:
    if _is_unsent(error) and not _reached.get():
        # A network may recover, but an untrusted certificate stays untrusted.
        untrusted = isinstance(error, SSLError)
        return ProviderError(
            f"{operation} could not be sent: {str(error).rstrip('.')}",
            remediation=_ADD_CA if untrusted else _CHECK_NETWORK,
            outcome=Outcome.REFUSED if untrusted else Outcome.UNSENT,
        )
    cause = error.kwargs.get("error", error) if isinstance(error, BotoCoreError) else error
    problem = f"{operation} returned no usable response ({type(cause).__name__})"
    return ProviderError(problem, remediation=_REDEPLOY, outcome=Outcome.UNKNOWN)
