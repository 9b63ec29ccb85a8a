"""Event -> Request. What is malformed is said here.

Source: AWS CloudFormation User Guide, "Custom resource request objects". Standard library only: this module must
load when nothing else does.
"""

import json
import re
import time
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple, cast

from ..arn import configuration_arn, is_configuration_arn
from ..marker import CreationStatus, marker, status_in
from ..resources import DISTRIBUTION_CONFIGURATION, RESOURCE_TYPES, is_registered
from .response_url import is_safe, request_date

ABOUT: ContextVar[Mapping[str, str]] = ContextVar("ABOUT", default=MappingProxyType({}))
"""The keys of the log lines that are written in this context (see `log_keys`)."""

RequestType = Literal["Create", "Update", "Delete"]
REQUEST_TYPES: Final = ("Create", "Update", "Delete")

_LONGEST: Final = {"StackId": 1024, "RequestId": 256, "LogicalResourceId": 255, "ResponseURL": 8192}
"""Characters; no answer could carry more, and CloudFormation sends fewer."""


_LONGEST_PHYSICAL_ID: Final = 1024

LONGEST_TIMEOUT: Final = 3600
"""Seconds that CloudFormation waits for a response if the template does not set ServiceTimeout."""

_TIMEOUT: Final = re.compile(r"[0-9]{1,4}", re.ASCII)


class MalformedEvent(Exception):  # noqa: N818 - it is the event that is at fault
    """The event is none that CloudFormation sends, and nobody can be answered."""


class Request(NamedTuple):
    """What CloudFormation asks of one resource. `response_url` is a secret: whoever has it can answer.

    `problems` are faults of the event that leave it answerable; such a request is refused. `date` is when
    CloudFormation made the request, in seconds since the epoch; if `is_dated` is false, that is only taken to be now.
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
        """Tell which request this is, and nothing that is secret."""
        return f"Request({self.request_type} of {self.logical_id} in {self.stack_id}, {self.request_id})"

    def failure_id(self, status: CreationStatus = CreationStatus.MAY_HAVE_CREATED) -> str:
        """The physical ID of a FAILED response: the event's own, or a Create's marker; `status` is what is known of it.

        CloudFormation records the ID of a FAILED response, too.
        """
        given = self.request_type != "Create" or self.problems
        if given and self.physical_id:
            return self.physical_id
        return marker(status, self.stack_id, self.logical_id, self.request_id)

    @property
    def is_unsupported_type(self) -> bool:
        """Whether this is about a resource of a type that the provider never creates."""
        return not is_registered(self.resource_type)

    @property
    def end(self) -> float:
        """When CloudFormation stops waiting for the response, in seconds since the epoch."""
        given = str(self.properties.get("ServiceTimeout", "")).strip()
        seconds = int(given) if _TIMEOUT.fullmatch(given) else LONGEST_TIMEOUT
        return self.date + (seconds if 1 <= seconds <= LONGEST_TIMEOUT else LONGEST_TIMEOUT)

    @property
    def is_noop_delete(self) -> bool:
        """Whether this is a Delete that may succeed whatever fails, because the configuration stays.

        Only the plainest cases count; if this is False, there may be nothing to do all the same.
        """
        if self.request_type != "Delete":
            return False
        name, arn, on_delete = map(self._given, ("Name", "DistributionConfigurationArn", "OnDelete"))
        adopted = arn == [self.physical_id] and not name
        retained = on_delete == ["Retain"] or (adopted and not on_delete)
        return self.is_unsupported_type or (is_configuration_arn(self.physical_id) and retained)

    @property
    def is_rejected_create(self) -> bool:
        """Whether this is the Delete of a Create that created nothing. It succeeds if it cannot even search."""
        rejected = status_in(self.physical_id) is CreationStatus.NOTHING_CREATED
        return self.request_type == "Delete" and rejected

    @property
    def expected_arn(self) -> str:
        """The ARN of the configuration that the properties name, in the stack's account and Region; empty if none."""
        for arn in self._given("DistributionConfigurationArn"):
            return arn if isinstance(arn, str) else ""
        stack = self.stack_id.split(":")
        name = next(iter(self._given("Name")), None)
        if not isinstance(name, str) or len(stack) < 6:
            return ""
        return configuration_arn(partition=stack[1], region=stack[3], account=stack[4], name=name)

    def _given(self, name: str) -> list[object]:
        """The values of a property in CloudFormation's and in the API's spelling."""
        return [self.properties[key] for key in (name, name[0].lower() + name[1:]) if key in self.properties]


def log_keys(request: Request, context: object) -> dict[str, str]:
    """What every log line about a request bears."""
    return {
        "stack_id": request.stack_id,
        "logical_id": request.logical_id,
        "request_id": request.request_id,
        "request_type": request.request_type,
        "function_request_id": str(getattr(context, "aws_request_id", "")),
    }


def parse(event: object, now: float | None = None) -> Request:
    """Read an event, also one that an SNS topic wrapped. `now` is its date if its response URL has none.

    Raises MalformedEvent where the event lacks what an answer needs, with everything that is wrong.
    """
    event = _unwrapped(event)
    if not isinstance(event, Mapping):
        raise MalformedEvent(
            f"not a CloudFormation custom resource request: a JSON object was expected, not {_kind(event)}"
        )
    texts = {key: event.get(key) for key in ("StackId", "RequestId", "LogicalResourceId", "ResponseURL")}
    missing = [
        f"{key} is {_state(event, key)}" for key, value in texts.items() if not isinstance(value, str) or not value
    ]
    missing += [
        f"{key} is too long" for key, value in texts.items() if isinstance(value, str) and len(value) > _LONGEST[key]
    ]
    if not missing and not is_safe(str(texts["ResponseURL"])):
        missing.append("ResponseURL is neither https nor http on a loopback address")
    if missing:
        raise MalformedEvent(f"not a CloudFormation custom resource request that can be answered: {'; '.join(missing)}")
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
        physical_id=_text(event.get("PhysicalResourceId"))[:_LONGEST_PHYSICAL_ID],
        properties=_mapping(event.get("ResourceProperties")),
        old_properties=_mapping(event.get("OldResourceProperties")),
        problems=problems,
        date=date if date is not None else time.time() if now is None else now,
        is_dated=date is not None,
    )


def _unwrapped(event: object) -> object:
    """The request inside an SNS notification, for topics as service tokens; anything else as it is."""
    if not isinstance(event, Mapping) or "Records" not in event:
        return event
    try:
        (record,) = event["Records"]
        return json.loads(record["Sns"]["Message"])
    except (TypeError, KeyError, ValueError, RecursionError) as error:
        raise MalformedEvent("Records that are no SNS notification of one CloudFormation request") from error


def unsupported_type(resource_type: str) -> str:
    """What to say of a resource type, as it is shown, that the provider does not answer for."""
    return f"ResourceType is {resource_type}; it should be {' or '.join(RESOURCE_TYPES)}"


def _problems(event: Mapping[str, Any]) -> list[str]:
    problems = []
    request_type = event.get("RequestType")
    if request_type not in REQUEST_TYPES:
        problems.append(f"RequestType is {_state(event, 'RequestType')}, not one of {', '.join(REQUEST_TYPES)}")
    if not is_registered(event.get("ResourceType", DISTRIBUTION_CONFIGURATION)):
        problems.append(unsupported_type(_state(event, "ResourceType")))
    physical_id = _text(event.get("PhysicalResourceId"))
    if request_type in ("Update", "Delete") and not physical_id:
        problems.append(f"PhysicalResourceId is {_state(event, 'PhysicalResourceId')}")
    if len(physical_id) > _LONGEST_PHYSICAL_ID:
        problems.append("PhysicalResourceId is too long")
    problems.extend(
        f"{key} is {_state(event, key)}, not a JSON object"
        for key in ("ResourceProperties", "OldResourceProperties")
        if key in event and not isinstance(event[key], Mapping)
    )
    return problems


def _state(event: Mapping[str, Any], key: str) -> str:
    if key not in event:
        return "missing"
    value = event[key]
    return ("empty" if not value else repr(value[:60])) if isinstance(value, str) else _kind(value)


def _kind(value: object) -> str:
    return "null" if value is None else f"a {type(value).__name__}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
