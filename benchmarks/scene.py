"""The measured scenario: an Update that changes something, the state before it, and the expected result."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from provider.resources import resource_type
from provider.resources.ownership import Owner
from provider.schema.expand import expand
from provider.schema.model import CLIENT_TOKEN, SERVICE, TARGET, UPDATE, content_members
from provider.stack_engine.sink import Put, RejectedResponseError, read

_SAMPLE: Final = Path(__file__).parents[1] / "events" / "update-in-place.json"
GET: Final = "GetDistributionConfiguration"


@dataclass(frozen=True)
class Seen:
    """The data that the stub servers received: each call's operation and body, and each response with its time.

    Times are seconds on the machine's monotonic clock, which all processes share.
    """

    calls: list[tuple[str, bytes]]
    responses: list[tuple[float, Put]]


class InvalidRunError(Exception):
    """A run did something else than it should, so its figures do not count."""


def events(bucket: str, number: int) -> list[dict[str, Any]]:
    """Return `number` Updates, each of which changes something, with response URLs in the bucket."""
    sample = json.loads(_SAMPLE.read_text(encoding="utf-8"))
    description = sample["ResourceProperties"]["Description"]
    return [
        {
            **sample,
            "RequestId": f"72866053-9a62-4d1c-a430-{turn:012}",
            "ResponseURL": f"{bucket}/{turn}?X-Amz-Expires=7200&X-Amz-Signature={turn:064}",
            "ResourceProperties": {**sample["ResourceProperties"], "Description": f"{description} {turn}"},
        }
        for turn in range(number)
    ]


def live(event: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration before an event, as GetDistributionConfiguration returns it."""
    old = expand(event["OldResourceProperties"], resource_type().schema).parameters
    ownership_tags = Owner(event["StackId"], event["LogicalResourceId"]).tags()
    arn = event["PhysicalResourceId"]
    return {**old, "arn": arn, "timeoutMinutes": 720, "dateCreated": "", "tags": {**old["tags"], **ownership_tags}}


def update(event: dict[str, Any]) -> dict[str, Any]:
    """Return the body of the Update call that an event requires."""
    desired = expand(event["ResourceProperties"], resource_type().schema).parameters
    content = {member: desired[member] for member in content_members() if member in desired}
    return {TARGET: event["PhysicalResourceId"], **content, CLIENT_TOKEN: event["RequestId"]}


def for_cdk(event: dict[str, Any]) -> dict[str, Any]:
    """Return the event that CDK's AwsCustomResource receives for the same Update."""
    call = {
        "service": SERVICE,
        "action": UPDATE,
        "parameters": update(event),
        "physicalResourceId": {"id": event["PhysicalResourceId"]},
        "outputPaths": [TARGET],
    }
    properties = {"Update": json.dumps(call), "InstallLatestAwsSdk": "false"}
    return {**event, "ResourceType": "Custom::AWS", "ResourceProperties": properties}


def check(seen: Seen, asked: list[dict[str, Any]], calls: tuple[str, ...], *, responds: bool) -> None:
    """Raise InvalidRunError unless each event caused these calls, the right Update, and (if `responds`) a response."""
    operations = [operation for operation, _ in seen.calls]
    if operations != list(calls) * len(asked):
        raise InvalidRunError(f"unexpected calls: {operations}")
    for event, body in zip(asked, (body for name, body in seen.calls if name == UPDATE), strict=True):
        if json.loads(body) != update(event):
            raise InvalidRunError(f"unexpected Update: {body.decode()}")
    if len(seen.responses) != (len(asked) if responds else 0):
        raise InvalidRunError(f"{len(seen.responses)} responses to {len(asked)} events")
    for event, (_, put) in zip(asked, seen.responses, strict=False):
        _check_response(put, event)


def _check_response(put: Put, event: dict[str, Any]) -> None:
    try:
        response = read(put, event)
    except RejectedResponseError as error:
        raise InvalidRunError(str(error)) from error
    if not response.succeeded or response.physical_id != event["PhysicalResourceId"]:
        raise InvalidRunError(f"unexpected response: {put.body.decode()}")
