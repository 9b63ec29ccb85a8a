"""Event -> request, with the problems of a malformed event.

Source: AWS CloudFormation User Guide, "Custom resource request objects". Standard library only, because this module
must load even if no package does.
"""

import json
import time
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, cast

from ..arn import configuration_arn, is_configuration_arn
from ..marker import CreationStatus, marker, status_in
from ..resources import CUSTOM_RESOURCE, DISTRIBUTION_CONFIGURATION, RESOURCE_TYPES, is_registered
from .response_url import is_safe, request_date

log_context: ContextVar[Mapping[str, str]] = ContextVar("log_context", default=MappingProxyType({}))
"""The keys that every log line of the current request has (see `log_keys`)."""

RequestType = Literal["Create", "Update", "Delete"]
REQUEST_TYPES: Final = ("Create", "Update", "Delete")

_MAX_LENGTHS: Final = {"StackId": 1024, "RequestId": 256, "LogicalResourceId": 255, "ResponseURL": 8192}
"""Characters. CloudFormation sends fewer. More would not fit into a response."""

_MAX_PHYSICAL_ID: Final = 1024
_ROLE_COLONS: Final = 5

MAX_TIMEOUT: Final = 3600
"""Seconds that CloudFormation waits for a response if the template does not set ServiceTimeout."""


class MalformedEvent(Exception):  # noqa: N818 - describes the event
    """The event lacks what a response needs."""


class Request(NamedTuple):
    """CloudFormation's request for one resource. `response_url` is a secret: anyone who has it can respond.

    A request with `problems` gets a FAILED response. `date` is when CloudFormation made the request, in seconds since
    the epoch. If `is_dated` is false, the URL does not show it, and `date` is the current time.
    """

    request_type: RequestType
    stack_id: str
    request_id: str
    logical_id: str
    response_url: str
    resource_type: str = DISTRIBUTION_CONFIGURATION
    physical_id: str = ""
    properties: Mapping[str, Any] = MappingProxyType({})
    old_properties: Mapping[str, Any] = MappingProxyType({})
    problems: tuple[str, ...] = ()
    date: float = 0.0
    is_dated: bool = True

    def __repr__(self) -> str:
        """Identify the request without its secret URL."""
        return f"Request({self.request_type} of {self.logical_id} in {self.stack_id}, {self.request_id})"

    def failure_id(self, status: CreationStatus = CreationStatus.MAY_HAVE_CREATED) -> str:
        """Return the physical ID of a FAILED response: the event's own, or for a Create its marker with `status`.

        CloudFormation records the ID of a FAILED response, too.
        """
        if self.physical_id and (self.request_type != "Create" or self.problems):
            return self.physical_id
        return marker(status, self.stack_id, self.logical_id, self.request_id)

    @property
    def is_unsupported_type(self) -> bool:
        """Whether the provider does not support the resource type."""
        return not is_registered(self.resource_type)

    @property
    def end(self) -> float:
        """When CloudFormation stops waiting for the response, in seconds since the epoch."""
        given = str(self.properties.get("ServiceTimeout", "")).strip()
        seconds = int(given) if given.isascii() and given.isdigit() and len(given) <= 4 else MAX_TIMEOUT
        return self.date + (seconds if 1 <= seconds <= MAX_TIMEOUT else MAX_TIMEOUT)

    @property
    def is_noop_delete(self) -> bool:
        """Whether this is certainly a Delete that retains the configuration. It succeeds even if the work fails."""
        if self.request_type != "Delete":
            return False
        name, arn, on_delete = map(self._values_of, ("Name", "DistributionConfigurationArn", "OnDelete"))
        adopted = arn == [self.physical_id] and not name
        retained = on_delete == ["Retain"] or (adopted and not on_delete)
        return self.is_unsupported_type or (is_configuration_arn(self.physical_id) and retained)

    @property
    def is_delete_of_rejected_create(self) -> bool:
        """Whether this is the Delete of a Create that created nothing. It succeeds even if it cannot search."""
        return self.request_type == "Delete" and status_in(self.physical_id) is CreationStatus.NOTHING_CREATED

    @property
    def expected_arn(self) -> str:
        """The ARN of the configuration in the properties. Without Region and RoleArn, it is in the stack's location.

        It is empty if it is unknown, or if the resource is of another type.
        """
        if self.resource_type not in (DISTRIBUTION_CONFIGURATION, CUSTOM_RESOURCE):
            return ""
        for arn in self._values_of("DistributionConfigurationArn"):
            return arn if isinstance(arn, str) else ""
        stack = self.stack_id.split(":")
        name, region, role = (next(iter(self._values_of(each)), None) for each in ("Name", "Region", "RoleArn"))
        if not isinstance(name, str) or len(stack) < 6:
            return ""
        account = role.split(":")[4] if isinstance(role, str) and role.count(":") == _ROLE_COLONS else stack[4]
        region = region if isinstance(region, str) and region else stack[3]
        return configuration_arn(partition=stack[1], region=region, account=account, name=name)

    def _values_of(self, name: str) -> list[object]:
        """Return the values of a property in CloudFormation's spelling and in the API's."""
        return [self.properties[key] for key in (name, name[0].lower() + name[1:]) if key in self.properties]


def log_keys(request: Request, context: object) -> dict[str, str]:
    """Return the keys of every log line about a request."""
    return {
        "stack_id": request.stack_id,
        "logical_id": request.logical_id,
        "request_id": request.request_id,
        "request_type": request.request_type,
        "function_request_id": str(getattr(context, "aws_request_id", "")),
    }


def parse(event: object, now: float | None = None) -> Request:
    """Parse an event, or an SNS notification of an event. `now` is the date if the response URL shows none.

    Raises MalformedEvent if the event lacks what a response needs.
    """
    event = _unwrapped(event)
    if not isinstance(event, Mapping):
        raise MalformedEvent(
            f"not a CloudFormation custom resource request: expected a JSON object, not {_type_name(event)}"
        )
    if missing := _missing(event):
        raise MalformedEvent(f"not a CloudFormation custom resource request: {'; '.join(missing)}")
    problems = tuple(_problems(event))
    date = request_date(event["ResponseURL"])
    request_type = event.get("RequestType")
    return Request(
        request_type=cast("RequestType", request_type if request_type in REQUEST_TYPES else "Create"),
        stack_id=event["StackId"],
        request_id=event["RequestId"],
        logical_id=event["LogicalResourceId"],
        response_url=event["ResponseURL"],
        resource_type=_text(event.get("ResourceType", DISTRIBUTION_CONFIGURATION)),
        physical_id=_text(event.get("PhysicalResourceId"))[:_MAX_PHYSICAL_ID],
        properties=_mapping(event.get("ResourceProperties")),
        old_properties=_mapping(event.get("OldResourceProperties")),
        problems=problems,
        date=date if date is not None else time.time() if now is None else now,
        is_dated=date is not None,
    )


def _unwrapped(event: object) -> object:
    """Return the event in an SNS notification (a service token may be a topic). Any other event is unchanged."""
    if not isinstance(event, Mapping) or "Records" not in event:
        return event
    try:
        (record,) = event["Records"]
        return json.loads(record["Sns"]["Message"])
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise MalformedEvent("Records is not an SNS notification of one CloudFormation request") from error


def _missing(event: Mapping[str, Any]) -> list[str]:
    """Return the problems that prevent a response."""
    problems = []
    for key, longest in _MAX_LENGTHS.items():
        value = event.get(key)
        if not isinstance(value, str) or not value:
            problems.append(f"{key} is {_state(event, key)}")
        elif len(value) > longest:
            problems.append(f"{key} is too long")
    if not problems and not is_safe(event["ResponseURL"]):
        problems.append("ResponseURL is neither https nor http on a loopback address")
    return problems


def unsupported_type(resource_type: str) -> str:
    """Return the message for an unsupported resource type."""
    return f"ResourceType is {resource_type}; it should be {' or '.join(RESOURCE_TYPES)}"


def _problems(event: Mapping[str, Any]) -> list[str]:
    problems = []
    request_type = event.get("RequestType")
    if request_type not in REQUEST_TYPES:
        problems.append(f"RequestType is {_state(event, 'RequestType')}; it must be Create, Update, or Delete")
    if not is_registered(event.get("ResourceType", DISTRIBUTION_CONFIGURATION)):
        problems.append(unsupported_type(_state(event, "ResourceType")))
    physical_id = _text(event.get("PhysicalResourceId"))
    if request_type in ("Update", "Delete") and not physical_id:
        problems.append(f"PhysicalResourceId is {_state(event, 'PhysicalResourceId')}")
    if len(physical_id) > _MAX_PHYSICAL_ID:
        problems.append("PhysicalResourceId is too long")
    problems.extend(
        f"{key} is {_state(event, key)}, not an object"
        for key in ("ResourceProperties", "OldResourceProperties")
        if key in event and not isinstance(event[key], Mapping)
    )
    return problems


def _state(event: Mapping[str, Any], key: str) -> str:
    if key not in event:
        return "missing"
    value = event[key]
    return ("empty" if not value else repr(value[:60])) if isinstance(value, str) else _type_name(value)


def _type_name(value: object) -> str:
    names = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "an array"}
    return "null" if value is None else names.get(type(value), "an object")


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
