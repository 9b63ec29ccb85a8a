"""AWS accounts on the loopback interface: moto, with refused calls, and responses for what moto lacks."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs

from botocore.session import Session
from moto.core.serialize import SerializationContext, get_serializer_class
from moto.core.utils import get_service_model
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

ACCOUNT = "123456789012"
KEYS = {"AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}

_SERVICES = {"servicequotas": "service-quotas"}
"""Signing names that differ from botocore's names of the services."""

Environ = dict[str, Any]


class _Rule(NamedTuple):
    response: Mapping[str, Any] | str | bytes
    applies: Callable[[Environ], bool]


class Account:
    """Starts with `with`. Each test resets it; `requests` are the operations that were called since."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        self._rules: dict[str, _Rule] = {}
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._server = make_server("127.0.0.1", 0, self._serve, threaded=True, request_handler=MotoRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._session: Session | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def environment(self) -> dict[str, str]:
        """The environment variables that lead botocore and the command here."""
        return {**KEYS, "AWS_ENDPOINT_URL": self.url, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}

    def reset(self) -> None:
        """Forget all resources, rules, and requests."""
        from moto.moto_api._internal.models import moto_api_backend

        moto_api_backend.reset()
        self._rules.clear()
        self.requests.clear()

    def refuse(self, operation: str, code: str, applies: Callable[[Environ], bool] = lambda _: True) -> None:
        """Respond to an operation (`kms:DescribeKey`) with an error, if it `applies`."""
        self._rules[operation] = _Rule(code, applies)

    def respond(self, operation: str, response: Mapping[str, Any] | bytes) -> None:
        """Respond to an operation with what botocore's output shape has, or with any body."""
        self._rules[operation] = _Rule(response, lambda _: True)

    def call(self, service: str, method: str, region: str = "eu-west-1", /, **parameters: Any) -> Any:
        """Call an operation of a service, to create what a test needs."""
        client = session().create_client(service, region)
        try:
            return getattr(client, method)(**parameters)
        finally:
            client.close()

    def as_role(self, keys: Mapping[str, str], service: str = "organizations") -> Callable[..., Any]:
        """Return a function that calls operations of a service with the credentials of an assumed role."""
        names = {
            "access_key_id": "AccessKeyId",
            "secret_access_key": "SecretAccessKey",
            "session_token": "SessionToken",
        }
        role: Any = {f"aws_{name}": keys[member] for name, member in names.items()}

        def call(method: str, **parameters: Any) -> Any:
            client = session().create_client(service, "us-east-1", endpoint_url=self.url, **role)
            try:
                return getattr(client, method)(**parameters)
            finally:
                client.close()

        return call

    def _serve(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        service, operation = _operation(environ, body)
        name = f"{service}:{operation}"
        self.requests.append(name)
        rule = self._rules.get(name)
        if rule is None or not rule.applies(environ):
            found: Iterable[bytes] = self._moto(environ, start_response)
            return found
        if isinstance(rule.response, bytes):
            start_response("200 OK", [("Content-Length", str(len(rule.response)))])
            return [rule.response]
        if environ["REQUEST_METHOD"] == "HEAD":
            start_response(f"{rule.response} ", [("Content-Length", "0")])
            return []
        reply = _reply(service, operation, rule.response)
        start_response(f"{reply['status_code']} ", list(reply["headers"].items()))
        text = reply["body"]
        return [text if isinstance(text, bytes) else text.encode()]


@cache
def session() -> Session:
    """A session that loads each service model once."""
    found = Session()
    found.set_credentials(*KEYS.values())
    return found


_model = cache(get_service_model)


def _operation(environ: Environ, body: bytes) -> tuple[str, str]:
    """The service, by the scope of the signature, and the operation of a request."""
    signed = environ["HTTP_AUTHORIZATION"].partition("Credential=")[2].split("/")[3]
    service = _SERVICES.get(signed, signed)
    if "HTTP_X_AMZ_TARGET" in environ:
        return service, environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
    if service == "lambda":
        return service, {"GET": "GetFunctionConfiguration"}[environ["REQUEST_METHOD"]]
    if service == "imagebuilder":
        return service, environ["PATH_INFO"].strip("/")
    if service == "s3":
        return service, {"HEAD": "HeadBucket", "PUT": "CreateBucket"}[environ["REQUEST_METHOD"]]
    return service, parse_qs(body.decode())["Action"][0]


_XML_ERRORS = {
    "ec2": "<Response><Errors><Error>{}</Error></Errors></Response>",
    "query": "<ErrorResponse><Error>{}</Error></ErrorResponse>",
}
"""By protocol; the others have JSON."""


def _reply(service: str, operation: str, response: Mapping[str, Any] | str) -> Any:
    """An output, or the error with a code, in the service's protocol."""
    model = _model(service)
    protocol = str(model.resolved_protocol)
    if not isinstance(response, str):
        serializer = get_serializer_class(service, protocol)
        return serializer(model.operation_model(operation), SerializationContext()).serialize(response)
    if protocol in _XML_ERRORS:
        error = _XML_ERRORS[protocol].format(f"<Code>{response}</Code><Message>On purpose</Message>")
        return {"status_code": 400, "headers": {}, "body": error}
    return {
        "status_code": 400,
        "headers": {"x-amzn-errortype": response},
        "body": json.dumps({"__type": response, "message": "On purpose"}),
    }


def document(*statements: Mapping[str, Any]) -> str:
    """A policy with these statements."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
