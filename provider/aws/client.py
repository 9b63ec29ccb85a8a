"""The client of EC2 Image Builder's API: made once an environment, its errors turned into ours."""

import os
import ssl
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache, partial
from http.client import HTTPException
from io import BytesIO
from typing import Any, Final, NamedTuple, cast

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

from ..errors import Outcome, ProviderError, api_error
from ..schema.model import FOR_CREDENTIALS, SERVICE, loader
from .tls import shipped, tls_context
from .transport import Transport

_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 15
_USER_AGENT: Final = f"image-builder-distribution-provider Botocore/{botocore.__version__}"
"""What CloudTrail shows. botocore's own is made up anew, twice a call."""
_PREFIXES: Final = ("AWS_", "REQUESTS_CA_BUNDLE")
_CHECK_SETTINGS: Final = "Check the Region, the credentials and the other AWS_ settings of the provider's function"
_DEPLOY_AGAIN: Final = "The outcome is unknown. Redeploying is safe"
_TRUST_IT: Final = (
    "Put the CA that signed the certificate (a proxy's, perhaps) into the bundle that AWS_CA_BUNDLE"
    " of the provider's function names"
)
_FIND_A_WAY: Final = (
    "Check the function's network path to the endpoint (in a VPC: its subnets, security groups, NAT or VPC endpoint), "
    "then deploy again"
)
_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
_NO_TUNNEL: Final = "Tunnel connection failed"
_NO_WAY: Final = (EndpointConnectionError, ConnectTimeoutError)

before_send: ContextVar[Callable[[], None]] = ContextVar("before_send", default=lambda: None)
"""Called before each attempt to send, botocore's own retries included; it raises to stop them."""


_reached: ContextVar[bool] = ContextVar("reached", default=False)
"""Whether an attempt of the call that goes on may have reached the service."""


class _Made(NamedTuple):
    """A client, and what sends its requests; None where botocore does that itself."""

    api: Any
    transport: Transport | None


def client() -> Any:
    """The API client, made once an environment and anew only where botocore's settings in it have changed.

    Raises ProviderError where the settings allow for none.
    """
    return _current().api


def connect() -> None:
    """Have a connection to the API ready for the first call. Raises ProviderError, and what the transport raises."""
    api, transport = _current()
    if transport is not None:
        transport.connect(api.meta.endpoint_url, _CONNECT_SECONDS)


def session() -> Session:
    """The client's session, made as often as it: what gives credentials may be a program that takes its time.

    Raises botocore's errors where the settings allow for none.
    """
    return _session(_settings())


def _settings() -> frozenset[tuple[str, str]]:
    names = [name for name in os.environ if name.startswith(_PREFIXES) or name.lower().endswith("_proxy")]
    return frozenset((name, os.environ.get(name, "")) for name in names)


@lru_cache(maxsize=1)
def _session(_: frozenset[tuple[str, str]]) -> Session:
    return light_session()


def _current() -> _Made:
    try:
        return _made(_settings())
    except (BotoCoreError, OSError, ValueError) as error:
        raise ProviderError(
            f"could not create the Image Builder client: {error}", remediation=_CHECK_SETTINGS
        ) from error


@lru_cache(maxsize=1)
def _made(settings: frozenset[tuple[str, str]]) -> _Made:
    session = _session(settings)
    config = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        user_agent=_USER_AGENT,
        parameter_validation=False,  # what comes here was judged by the same shapes
    )
    if "AWS_RETRY_MODE" not in os.environ:
        config = config.merge(Config(retries={"mode": "standard"}))
    api = session.create_client(SERVICE, region_name=os.environ.get("AWS_REGION"), config=config)
    api.meta.events.register(f"before-send.{SERVICE}", lambda **_: before_send.get()())
    api.meta.events.register(f"needs-retry.{SERVICE}", _note_reach)
    endpoint = api.meta.endpoint_url
    if not endpoint.startswith("https:") or get_environ_proxies(endpoint):
        return _Made(api, None)
    named = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
    bundle = str(named or shipped() or get_cert_path(True))
    transport = Transport(partial(_trust, bundle))
    api.meta.events.register(f"before-send.{SERVICE}", _sender(transport))
    return _Made(api, transport)


def light_session(**settings: Any) -> Session:
    """A botocore session with those of its handlers that concern us: registering all takes longer than the rest.

    `settings` are what botocore's own `Session` takes.
    """
    session = Session(include_builtin_handlers=False, **settings)
    session.register_component("data_loader", loader())
    events = session.get_component("event_emitter")
    register = {None: events.register, REGISTER_FIRST: events.register_first, REGISTER_LAST: events.register_last}
    for event, handler, *order in BUILTIN_HANDLERS:
        if concerns_us(event):
            register[next(iter(order), None)](event, handler)
    return session


def concerns_us(event: str) -> bool:
    """Whether one of botocore's events ("before-call", "before-call.sts.AssumeRole") is one of the services we use."""
    _, *service = event.split(".")
    return not service or service[0] in (SERVICE, *FOR_CREDENTIALS)


def _trust(bundle: str) -> ssl.SSLContext:
    try:
        return tls_context(bundle)
    except OSError as error:
        raise ProviderError(f"the CAs in {bundle} cannot be read: {error}", remediation=_CHECK_SETTINGS) from error


def _sender(transport: Transport) -> Any:
    """What sends botocore's requests in place of its own transport, which reads the whole CA bundle anew for each
    connection; proxies are left to that.
    """

    def send(request: Any, **_: object) -> Any:
        url = request.url
        try:
            line = transport.reach(url, _CONNECT_SECONDS)
        except (OSError, HTTPException) as error:
            raise _unconnected(error)(endpoint_url=url, error=error, proxy_url="") from error
        try:
            headers = dict(request.headers.items())
            answer = transport.exchange(line, request.method, headers, request.body, _READ_SECONDS)
        except TimeoutError as error:
            raise ReadTimeoutError(endpoint_url=url, error=error) from error
        except (OSError, HTTPException) as error:
            raise ConnectionClosedError(endpoint_url=url, error=error, request=request) from error
        response: Any = AWSResponse(url, answer.status, cast(Any, answer.headers), _Body(answer.body))
        return response

    return send


def _unconnected(error: OSError | HTTPException) -> type[BotoCoreError]:
    """What botocore calls it that there is no connection."""
    if isinstance(error, ssl.SSLError):
        return SSLError
    return ConnectTimeoutError if isinstance(error, TimeoutError) else EndpointConnectionError


def _note_reach(caught_exception: Exception | None = None, **_: object) -> None:
    """Note, after each attempt of a call, whether it was sent as far as is known."""
    if not _is_unsent(caught_exception):
        _reached.set(True)


def _is_unsent(error: Exception | None) -> bool:
    """Whether an attempt ended before anything was sent. A certificate is verified before; so is the time looked at."""
    if isinstance(error, ProxyConnectionError):
        # botocore also says so where the connection broke later.
        cause = getattr(error.kwargs.get("error"), "original_error", None)
        return isinstance(cause, NewConnectionError) or _NO_TUNNEL in str(cause)
    return isinstance(error, (*_NO_WAY, ProviderError)) or (isinstance(error, SSLError) and _UNTRUSTED in str(error))


def _outcome() -> Outcome:
    """What is known of a call whose last attempt was not sent."""
    return Outcome.UNKNOWN if _reached.get() else Outcome.REFUSED


def _unsent(operation: str, error: Exception) -> ProviderError:
    """Why a call could not be sent. A certificate that is not trusted stays so; a network may recover."""
    problem = f"{operation} could not be sent: {str(error).rstrip('.')}"
    if isinstance(error, SSLError):
        return ProviderError(problem, remediation=_TRUST_IT)
    return ProviderError(problem, remediation=_FIND_A_WAY, outcome=Outcome.UNSENT)


class _Body(BytesIO):
    """An answer's body, as botocore reads it."""

    def stream(self) -> Iterator[bytes]:
        """The whole of it."""
        yield self.read()


def call(api: Any, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call an operation of a client by its own name. Raises ProviderError, and whatever `before_send` raises."""
    _reached.set(False)
    try:
        answer: dict[str, Any] = getattr(api, xform_name(operation))(**parameters)
    except ProviderError as error:
        if not _reached.get():
            raise
        problem = f"{error.problem}, after an attempt that may have taken effect"
        raise ProviderError(problem, remediation=_DEPLOY_AGAIN, outcome=Outcome.UNKNOWN) from error
    except ClientError as error:
        if error.operation_name != operation:
            raise ProviderError(
                f"there are no credentials: {error}", remediation=_CHECK_SETTINGS, outcome=_outcome()
            ) from error
        told, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        status = int(meta.get("HTTPStatusCode", 0))
        refusal = api_error(
            operation, str(told.get("Code", "")), str(told.get("Message", "")), status, str(meta.get("RequestId", ""))
        )
        if refusal.outcome in (Outcome.REFUSED, Outcome.DENIED) and meta.get("RetryAttempts"):
            refusal.outcome = Outcome.UNKNOWN  # an earlier attempt of botocore's may have come through
        raise refusal from error
    except (HTTPClientError, SSLError, ProxyConnectionError, *_NO_WAY, ResponseParserError) as error:
        if _is_unsent(error) and not _reached.get():
            raise _unsent(operation, error) from error
        cause = error.kwargs.get("error", error) if isinstance(error, BotoCoreError) else error
        raise ProviderError(
            f"{operation} returned no usable response ({type(cause).__name__})",
            remediation=_DEPLOY_AGAIN,
            outcome=Outcome.UNKNOWN,
        ) from error
    except BotoCoreError as error:
        problem = f"{operation} could not be called: {error}"
        raise ProviderError(problem, remediation=_CHECK_SETTINGS, outcome=_outcome()) from error
    except BaseException as error:  # an exit or a full memory, too, leaves open whether the call came through
        raise ProviderError(
            f"{operation} broke off inside the client ({type(error).__name__}: {error})",
            remediation=_DEPLOY_AGAIN,
            outcome=Outcome.UNKNOWN,
        ) from error
    return answer
