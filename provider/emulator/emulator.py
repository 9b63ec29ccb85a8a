"""Emulates EC2 Image Builder on the loopback interface, for botocore clients and the AWS CLI.

    with Emulator() as emulator:
        client = boto3.client("imagebuilder", endpoint_url=emulator.url, ...)

Its modules: `server` is the HTTP server, `wire` parses requests, `constraints` validates them (both by botocore's
model), `emulated_service` and `rejections` implement Image Builder's behavior, and `faults` injects failures.
"""

import copy
import functools
import json
import ssl
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import botocore.session
from botocore.model import StructureShape

from .emulated_service import EmulatedService
from .faults import ANY_OPERATION, Fault, FaultPlan, InjectedFailure, ServiceError
from .server import LoopbackServer, Reply
from .wire import Route, Router, parameters_of

__all__ = ["Emulator", "Fault", "RecordedRequest"]

Interruption = Callable[[str, Mapping[str, Any], Literal["before", "after"]], None]
"""Called with an operation and its parameters before a call takes effect, and again before the response is sent."""


@dataclass(frozen=True)
class RecordedRequest:
    """A request as received: `parameters` by API names, not validated; `fault` is the one injected into it.

    If no operation matches, `operation` is the request's method and path.
    """

    operation: str
    parameters: dict[str, Any]
    body: bytes
    fault: Fault | None


class Emulator:
    """One account in one Region. Listens from `start` (or `with`) until `stop`; its state stays readable afterwards.

    `port` 0 selects a free port. `certificate` and `key` are PEM files for HTTPS; the certificate's file may include
    the key. `clock` returns seconds since the epoch, for the dates of configurations.
    """

    interruption: Interruption | None = None
    """Runs in the thread of each call, to change something in the middle of a request."""

    def __init__(
        self,
        region: str = "us-east-1",
        account: str = "123456789012",
        port: int = 0,
        certificate: Path | None = None,
        key: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        session = _session()
        self._model = session.get_service_model("imagebuilder")
        self._region = region
        self._port = port
        self._certificate = certificate
        self._key = key
        self._router = Router(self._model)
        partition = session.get_partition_for_region(region)
        self._service = EmulatedService(self._model, f"arn:{partition}:imagebuilder:{region}:{account}", clock)
        self._faults = FaultPlan()
        self._requests: list[RecordedRequest] = []
        self._server: LoopbackServer | None = None

    def start(self) -> Self:
        """Start to listen. Raises OSError if the port is in use, RuntimeError if it already listens."""
        if self._server:
            raise RuntimeError("the emulator is already listening")
        tls = None
        if self._certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(self._certificate, self._key)
        self._server = LoopbackServer(self._respond, self._port, tls)
        return self

    def stop(self) -> None:
        """Close all connections, including hanging ones, and free the port. Does nothing if it does not listen."""
        if self._server:
            self._server.close()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The endpoint's URL. Raises RuntimeError if the emulator does not listen."""
        if not self._server:
            raise RuntimeError("the emulator is not listening")
        return self._server.url

    def environment(self) -> dict[str, str]:
        """The environment variables that direct a botocore process to this emulator, whatever else is set.

        With HTTPS, they make the process trust `certificate`.
        """
        trust = {"AWS_CA_BUNDLE": str(self._certificate)} if self._certificate else {}
        return {
            "AWS_ENDPOINT_URL_IMAGEBUILDER": self.url,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_ACCESS_KEY_ID": "emulator",
            "AWS_SECRET_ACCESS_KEY": "emulator",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            **trust,
        }

    @property
    def requests(self) -> list[RecordedRequest]:
        """All requests so far, in order."""
        return list(self._requests)

    @property
    def configurations(self) -> dict[str, dict[str, Any]]:
        """A copy of all configurations by ARN, each as GetDistributionConfiguration returns it."""
        return self._service.configurations

    def seed(
        self,
        *,
        name: str,
        distributions: Sequence[Mapping[str, Any]],
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Add an existing configuration, neither validated nor recorded, and return its ARN.

        Raises ValueError if one of that name exists.
        """
        content = {"name": name, "distributions": list(distributions), "tags": dict(tags or {})}
        return self._service.add_configuration(
            content if description is None else {**content, "description": description}
        )

    def seed_pipeline(self, name: str, distribution_configuration_arn: str) -> str:
        """Add an image pipeline that uses the configuration, and return the pipeline's ARN."""
        return self._service.add_pipeline(name, distribution_configuration_arn)

    def remove(self, arn: str) -> None:
        """Delete a configuration, as another client would, not recorded. Raises KeyError if there is none."""
        self._service.remove_configuration(arn)

    def forget_tokens(self) -> None:
        """Forget all client tokens, as the service does after some time."""
        self._service.forget_tokens()

    def lag_reads(self, seconds: float) -> None:
        """Delay the effect of later writes on reads by this many seconds; 0 for no delay."""
        self._service.read_lag = seconds

    def fail(self, operation: str, fault: Fault, times: int = 1, after: bool = False) -> None:
        """Inject `fault` into the next `times` calls of `operation` ("*" for any).

        With `after`, the call takes effect and then fails. Raises ValueError for an operation that the service lacks.
        """
        self._inject(InjectedFailure(operation, fault=fault, after=after), times)

    def fail_with(self, operation: str, code: str, status: int, message: str, times: int = 1) -> None:
        """Return this error from the next `times` calls of `operation` ("*" for any).

        Raises ValueError for an operation that the service lacks.
        """
        self._inject(InjectedFailure(operation, error=ServiceError(code, message, status)), times)

    def fail_at_random(self, share: float, faults: tuple[Fault, ...], seed: int) -> None:
        """Inject `faults` into this share of all calls, before or after they take effect, until `reset_faults`."""
        self._faults.fail_at_random(share, faults, seed)

    def reset_faults(self) -> None:
        """Discard the failures that have not happened yet."""
        self._faults.clear()

    def _inject(self, failure: InjectedFailure, times: int) -> None:
        if failure.operation not in (ANY_OPERATION, *self._model.operation_names):
            raise ValueError(f"Image Builder has no operation {failure.operation!r}")
        self._faults.add(failure, times)

    def _respond(self, method: str, target: str, body: bytes, _headers: Message) -> Reply | Fault:
        route = self._router.route(method, target)
        operation = route.operation.name if route else f"{method} {target.partition('?')[0]}"
        parameters, malformed = _parsed(route, body)
        failure = self._faults.take(operation)
        fault = failure.fault if failure else None
        self._requests.append(RecordedRequest(operation, copy.deepcopy(parameters), body, fault))
        if self.interruption:
            self.interruption(operation, parameters, "before")
        if failure and not failure.after:
            return self._failed(operation, failure)
        reply = self._error(malformed) if malformed else self._reply(route, parameters)
        if self.interruption:
            self.interruption(operation, parameters, "after")
        return self._failed(operation, failure) if failure else reply

    def _reply(self, route: Route | None, parameters: dict[str, Any]) -> Reply:
        try:
            if route is None:
                raise ServiceError("UnknownOperationException", "No operation has this method and path.", 404)
            output = self._service.call(route.operation, parameters)
        except ServiceError as error:
            return self._error(error)
        shape = route.operation.output_shape
        return _json_reply(200, output, has_id=isinstance(shape, StructureShape) and "requestId" in shape.members)

    def _failed(self, operation: str, failure: InjectedFailure) -> Reply | Fault:
        error = failure.error_for(operation)
        if error:
            return self._error(error)
        if failure.fault is Fault.GARBAGE:
            page = b"<html><body><h1>Please sign in to this network</h1></body></html>"
            return Reply(200, {"Content-Type": "text/html"}, page)
        assert failure.fault is not None
        return failure.fault

    def _error(self, error: ServiceError) -> Reply:
        status = error.status or 400
        if error.status is None and error.code in self._model.shape_names:
            status = self._model.shape_for(error.code).metadata["error"]["httpStatusCode"]
        return _json_reply(status, {"message": error.message}, error_code=error.code)


def _parsed(route: Route | None, body: bytes) -> tuple[dict[str, Any], ServiceError | None]:
    """Return a request's parameters, or none and the error if it is malformed."""
    try:
        return parameters_of(route, body) if route else {}, None
    except ServiceError as error:
        return {}, error


@functools.cache
def _session() -> botocore.session.Session:
    # Shared, because loading botocore's data takes longer than anything else here.
    return botocore.session.Session()


def _json_reply(status: int, content: Mapping[str, Any], has_id: bool = True, error_code: str = "") -> Reply:
    request_id = str(uuid.uuid4())
    headers = {"Content-Type": "application/json", "x-amzn-RequestId": request_id}
    if error_code:
        headers["x-amzn-ErrorType"] = error_code
    return Reply(status, headers, json.dumps({"requestId": request_id, **content} if has_id else content).encode())
