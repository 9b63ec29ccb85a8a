"""Emulates EC2 Image Builder and STS on the loopback interface, for botocore clients and the AWS CLI.

    with Emulator() as emulator:
        client = boto3.client("imagebuilder", endpoint_url=emulator.url, ...)

One endpoint serves all Regions and accounts. A request's signature selects them: its scope contains the Region, and its
access key belongs to an account, namely that of the role if STS's AssumeRole returned the key.

Its modules: `server` is the HTTP server, `signature` tells who sent a request, `wire` and `query` parse requests and
write responses, `constraints` validates parameters (all by botocore's models), `locations` has an `emulated_service`
for each Region and account, which implements Image Builder's behavior with `rejections` and `listing`,
`security_token_service` implements that of STS, and `faults` injects failures.
"""

import copy
import functools
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import botocore.session
from botocore.exceptions import UnknownRegionError

from .emulated_service import EmulatedService
from .faults import ANY_OPERATION, Fault, FaultPlan, InjectedFailure, ServiceError, common_error
from .locations import Locations
from .query import Query
from .security_token_service import Caller, EmulatedSecurityTokenService, Trust, invalid_token
from .server import LoopbackServer, Reply
from .signature import Signature, signature_of
from .wire import Call, RestJson

__all__ = ["Emulator", "Fault", "RecordedRequest", "Trust"]

Interruption = Callable[[str, Mapping[str, Any], Literal["before", "after"]], None]
"""Called with an operation and its parameters before a call takes effect, and again before the response is sent."""


@dataclass(frozen=True)
class RecordedRequest:
    """A request as received: `parameters` by API names, not validated; `fault` is the one injected into it.

    If no operation matches, `operation` is the request's method and path. `region`, `account`, and `access_key` are
    those of the signature; `role` is the ARN of the role whose session signed it, if any. For a request without a
    signature, `access_key` is empty, and Region and account are the emulator's own.
    """

    operation: str
    parameters: dict[str, Any]
    body: bytes
    fault: Fault | None
    region: str
    account: str
    access_key: str
    role: str


class Emulator:
    """All Regions and accounts. Listens from `start` (or `with`) until `stop`; its state stays readable afterwards.

    Access keys that its STS did not issue belong to `account`. Requests without a signature are for `region`.

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
        models = [session.get_service_model(name) for name in ("imagebuilder", "sts")]
        self._operations = {name for model in models for name in model.operation_names}
        self._image_builder, self._query = RestJson(models[0]), Query(models[1])
        self._region, self._account = region, account
        self._port = port
        self._certificate = certificate
        self._key = key
        partition = session.get_partition_for_region(region)
        self._locations = Locations(models[0], session.get_partition_for_region, clock)
        self.sts = EmulatedSecurityTokenService(partition, account, clock)
        """The emulated STS: who can assume which role, and the sessions of roles."""
        self.disabled_regions: set[str] = set()
        """Opt-in Regions that no account has enabled. Add and remove Regions at any time."""
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
            "AWS_ENDPOINT_URL_STS": self.url,
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

    def at(self, region: str | None = None, account: str | None = None) -> EmulatedService:
        """Image Builder in another Region, or account, or both, as `configurations` and `seed` of that location.

        Raises botocore's UnknownRegionError if the Region's name fits no partition.
        """
        return self._locations.at(region or self._region, account or self._account)

    @property
    def configurations(self) -> dict[str, dict[str, Any]]:
        """A copy of the configurations of all locations by ARN, each as GetDistributionConfiguration returns it."""
        return self._locations.configurations

    def seed(
        self,
        *,
        name: str,
        distributions: Sequence[Mapping[str, Any]],
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Add an existing configuration in the own location, neither validated nor recorded, and return its ARN.

        Raises ValueError if one of that name exists.
        """
        return self.at().seed(name=name, distributions=distributions, description=description, tags=tags)

    def seed_pipeline(self, name: str, distribution_configuration_arn: str) -> str:
        """Add an image pipeline that uses the configuration, in its location, and return the pipeline's ARN."""
        return self._locations.of(distribution_configuration_arn).seed_pipeline(name, distribution_configuration_arn)

    def remove(self, arn: str) -> None:
        """Delete a configuration, as another client would, not recorded. Raises KeyError if there is none."""
        self._locations.of(arn).remove(arn)

    def forget_tokens(self) -> None:
        """Forget all client tokens, as the service does after some time."""
        self._locations.forget_tokens()

    def lag_reads(self, seconds: float) -> None:
        """Delay the effect of later writes on reads by this many seconds; 0 for no delay."""
        self._locations.lag_reads(seconds)

    def fail(self, operation: str, fault: Fault, times: int = 1, after: bool = False) -> None:
        """Inject `fault` into the next `times` calls of `operation` ("*" for any).

        With `after`, the call takes effect and then fails. Raises ValueError for an operation that neither service has.
        """
        self._inject(InjectedFailure(operation, fault=fault, after=after), times)

    def fail_with(self, operation: str, code: str, status: int, message: str, times: int = 1) -> None:
        """Return this error from the next `times` calls of `operation` ("*" for any).

        Raises ValueError for an operation that neither service has.
        """
        self._inject(InjectedFailure(operation, error=ServiceError(code, message, status)), times)

    def fail_at_random(self, share: float, faults: tuple[Fault, ...], seed: int) -> None:
        """Inject `faults` into this share of all calls, before or after they take effect, until `reset_faults`."""
        self._faults.fail_at_random(share, faults, seed)

    def reset_faults(self) -> None:
        """Discard the failures that have not happened yet."""
        self._faults.clear()

    def _inject(self, failure: InjectedFailure, times: int) -> None:
        if failure.operation not in (ANY_OPERATION, *self._operations):
            raise ValueError(f"Image Builder and STS have no operation {failure.operation!r}")
        self._faults.add(failure, times)

    def _respond(self, method: str, target: str, body: bytes, headers: Message) -> Reply | Fault:
        # Image Builder has no operation with this path; STS has no other.
        protocol = self._query if (method, target) == ("POST", "/") else self._image_builder
        call = protocol.parse(method, target, body)
        signature = signature_of(headers) or Signature("", self._region, protocol.service, "")
        caller = self.sts.caller(signature.access_key)
        failure = self._faults.take(call.name)
        self._record(call, body, failure, signature, caller)
        if self.interruption:
            self.interruption(call.name, call.parameters, "before")
        if failure and not failure.after:
            return _failed(protocol, call.name, failure)
        reply = self._reply(protocol, call, signature, caller)
        if self.interruption:
            self.interruption(call.name, call.parameters, "after")
        return _failed(protocol, call.name, failure) if failure else reply

    def _record(
        self, call: Call, body: bytes, failure: InjectedFailure | None, signature: Signature, caller: Caller
    ) -> None:
        fault = failure.fault if failure else None
        sender = (signature.region, caller.account, signature.access_key, caller.role)
        self._requests.append(RecordedRequest(call.name, copy.deepcopy(call.parameters), body, fault, *sender))

    def _reply(self, protocol: RestJson | Query, call: Call, signature: Signature, caller: Caller) -> Reply:
        try:
            self._authenticate(protocol.service, call.name, signature, caller)
            if call.error:
                raise call.error
            assert call.operation is not None
            if protocol is self._query:
                output = self.sts.call(call.operation, call.parameters, caller)
            else:
                service = self.at(signature.region, caller.account)
                output = service.call(call.operation, call.parameters, caller.arn)
        except ServiceError as error:
            return protocol.error(error)
        return protocol.reply(call.operation, output)

    def _authenticate(self, service: str, operation: str, signature: Signature, caller: Caller) -> None:
        """Raise ServiceError if the signature does not allow a call of this service in its Region."""
        if signature.service != service:
            message = f"Credential should be scoped to correct service: '{service}'."
            raise common_error(service, "InvalidSignatureException", message)
        # A partition does not know the keys of the others, nor a Region those of accounts that have not enabled it.
        if signature.region in self.disabled_regions or _partition_of(signature.region) != caller.arn.split(":")[1]:
            raise invalid_token(service)
        self.sts.authenticate(signature, f"{service}:{operation}")


def _failed(protocol: RestJson | Query, operation: str, failure: InjectedFailure) -> Reply | Fault:
    error = failure.error_for(protocol.service, operation)
    if error:
        return protocol.error(error)
    if failure.fault is Fault.GARBAGE:
        page = b"<html><body><h1>Please sign in to this network</h1></body></html>"
        return Reply(200, {"Content-Type": "text/html"}, page)
    assert failure.fault is not None
    return failure.fault


@functools.cache
def _partition_of(region: str) -> str:
    """The partition of a Region; empty if its name fits none."""
    try:
        return _session().get_partition_for_region(region)
    except UnknownRegionError:
        return ""


@functools.cache
def _session() -> botocore.session.Session:
    # Shared, because loading botocore's data takes longer than anything else here.
    return botocore.session.Session()
