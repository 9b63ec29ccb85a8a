"""The client of EC2 Image Builder's API: made once an environment, its errors turned into ours."""

import os
from collections.abc import Callable
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final, cast

from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.handlers import BUILTIN_HANDLERS, REGISTER_FIRST, REGISTER_LAST
from botocore.httpsession import get_cert_path
from botocore.parsers import ResponseParserError
from botocore.session import Session
from botocore.utils import get_environ_proxies
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from provider.errors import Outcome, ProviderError, api_error
from provider.properties.model import SERVICE, loader
from provider.tls import shipped, tls_context

_CONNECT_SECONDS: Final = 3
_READ_SECONDS: Final = 15
_CHECK_SETTINGS: Final = "Check the Region, the credentials and the other AWS_ settings of the provider's function"

FOR_CREDENTIALS: Final = ("sts", "sso", "sso-oidc", "signin")
"""The services that botocore's sources of credentials call."""

before_send: ContextVar[Callable[[], None]] = ContextVar("before_send", default=lambda: None)
"""Called before each attempt to send, botocore's own retries included; it raises to stop them."""


def client() -> Any:
    """The API client, made once an environment and anew only where botocore's settings in it have changed."""
    settings = {k: v for k, v in os.environ.items() if k.startswith("AWS_") or k.lower().endswith("_proxy")}
    return _client(frozenset(settings.items()))


@lru_cache(maxsize=1)
def _client(_settings: frozenset[tuple[str, str]]) -> Any:
    session = _session()
    config = Config(connect_timeout=_CONNECT_SECONDS, read_timeout=_READ_SECONDS)
    if "AWS_RETRY_MODE" not in os.environ:
        config = config.merge(Config(retries={"mode": "standard"}))
    made = session.create_client(SERVICE, region_name=os.environ.get("AWS_REGION"), config=config)
    made.meta.events.register(f"before-send.{SERVICE}", lambda **_: before_send.get()())
    if made.meta.endpoint_url.startswith("https:") and not get_environ_proxies(made.meta.endpoint_url):
        bundle = str(session.get_config_variable("ca_bundle") or shipped() or get_cert_path(True))
        made.meta.events.register(f"before-send.{SERVICE}", _Transport(bundle).send)
    return made


def _session() -> Session:
    """A session with those of botocore's handlers that concern us: registering all takes longer than the rest of it."""
    session = Session(include_builtin_handlers=False)
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


class _Transport:
    """Sends botocore's requests over connections that share one TLS context.

    botocore's own transport reads the whole CA bundle for each new connection; proxies are left to it.
    """

    def __init__(self, bundle: str) -> None:
        self._connections = PoolManager(
            ssl_context=tls_context(bundle), timeout=Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS)
        )

    def send(self, request: Any, **_: object) -> Any:
        """Send one request, once. Raises HTTPClientError, which botocore retries like its own transport's errors."""
        try:
            raw = self._connections.request(
                request.method,
                request.url,
                body=request.body,
                headers=request.headers,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            response: Any = AWSResponse(request.url, raw.status, cast(Any, raw.headers), raw)
            response.content  # noqa: B018 - reading it is what gives the connection back
        except (HTTPError, OSError) as error:
            raise HTTPClientError(error=error) from error
        return response


def call(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Call an operation of the API by its own name. Raises ProviderError, and whatever `before_send` raises."""
    try:
        api = client()
    except (BotoCoreError, OSError, ValueError) as error:
        raise ProviderError(f"{operation} could not be called: {error}", cure=_CHECK_SETTINGS) from error
    try:
        answer: dict[str, Any] = getattr(api, xform_name(operation))(**parameters)
    except ProviderError:
        raise
    except ClientError as error:
        told, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
        status = int(meta.get("HTTPStatusCode", 0))
        refusal = api_error(
            operation, str(told.get("Code", "")), str(told.get("Message", "")), status, str(meta.get("RequestId", ""))
        )
        if refusal.outcome is Outcome.REFUSED and meta.get("RetryAttempts"):
            refusal.outcome = Outcome.UNKNOWN  # an earlier attempt of botocore's may have come through
        raise refusal from error
    except (HTTPClientError, ResponseParserError) as error:
        cause = error.kwargs.get("error", error) if isinstance(error, HTTPClientError) else error
        raise ProviderError(
            f"{operation} was not answered properly ({type(cause).__name__})",
            cure="Whether it happened is not known; deploy again",
            outcome=Outcome.UNKNOWN,
        ) from error
    except BotoCoreError as error:
        raise ProviderError(f"{operation} could not be called: {error}", cure=_CHECK_SETTINGS) from error
    except BaseException as error:  # an exit or a full memory, too, leaves open whether the call came through
        raise ProviderError(
            f"{operation} broke off inside the client ({type(error).__name__}: {error})",
            cure="Whether it happened is not known; deploy again",
            outcome=Outcome.UNKNOWN,
        ) from error
    return answer
