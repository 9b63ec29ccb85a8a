"""The requests that CloudFormation would send, with their targets and locations."""

import time
from collections.abc import Mapping
from typing import Any

from ...arn import Location
from ...cloudformation.request import Request, RequestType
from ...plan import ByName, Target
from ...resources import CONTRIBUTION
from ...resources.contribution import part_id
from ...resources.locations import Locations
from ...resources.ownership import Owner
from ...schema.model import NAME, TARGET


def request(
    request_type: RequestType,
    owner: Owner,
    arn: str,
    properties: Mapping[str, Any],
    old: Mapping[str, Any] | None = None,
) -> Request:
    """A request for a resource, made now. `arn` is its physical ID, empty for a Create."""
    return Request(
        request_type=request_type,
        stack_id=owner.stack_id,
        request_id="plan",
        logical_id=owner.logical_id,
        response_url="",
        physical_id=arn,
        properties=properties,
        old_properties=old or {},
        date=time.time(),
    )


def part_request(
    request_type: RequestType,
    owner: Owner,
    arn: str,
    properties: Mapping[str, Any],
    old: Mapping[str, Any] | None = None,
) -> Request:
    """A request for a contribution. `arn` is the configuration that its part is of, empty for a Create."""
    physical_id = part_id(arn, owner) if arn else ""
    return request(request_type, owner, physical_id, properties, old)._replace(resource_type=CONTRIBUTION)


def target_of(desired: Mapping[str, Any]) -> Target:
    """The target of properties by the API's names."""
    return str(desired[TARGET]) if TARGET in desired else ByName(str(desired[NAME]))


def locations_of(desired: Mapping[str, Any], function: Location) -> Locations:
    """The locations of a resource that has only these properties, by the API's names."""
    return Locations.of(request("Create", Owner("", ""), "", {}), desired, {}, function)
