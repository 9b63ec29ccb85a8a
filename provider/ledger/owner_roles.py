"""The role of a configuration's recorded owner, with which others reach the configuration in another account.

Others are sweeps, commands, and contributions. The role is assumed for the owner's stack, as the owner's requests do.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..arn import Location
from ..aws import client, roles
from ..reconciler.api_calls import ApiCalls
from ..resources.locations import Locations
from ..resources.ownership import Owner
from .combine import effective_owner

if TYPE_CHECKING:
    from ..cloudformation.deadline import Deadline
    from ..resources.interface import Adapter, ResourceType
    from .store import Store

    Connect = Callable[[Owner], ApiCalls]
    """Returns calls that assume roles for an owner."""


def calls_for(service: str, region: str | None, deadline: "Deadline", owner: Owner) -> ApiCalls:
    """Return calls of the function that assume roles for an owner. `region` is the function's."""
    return ApiCalls(partial(_client, owner, service, region, deadline), deadline)


def _client(
    owner: Owner, service: str, region: str | None, deadline: "Deadline", location: Location, renew: bool
) -> Any:
    deadline.current_operation = f"AssumeRole of {location.role}"
    assumption, patterns = roles.Assumption(location.role, owner.stack_id), os.environ.get(roles.ASSUMABLE_ROLES, "")
    credentials = roles.assume(assumption, owner.logical_id, patterns, region, deadline.now, renew=renew)
    return client.client(service, location.region, credentials)


class Reached(NamedTuple):
    """What reaches a configuration: an adapter, and its calls."""

    adapter: "Adapter"
    calls: ApiCalls


def recorded_role(store: "Store", arn: str) -> tuple[Owner, str] | None:
    """Return the recorded owner of a configuration and its role; None if no owner or no role is recorded.

    Without an accepted owner, it is one whose Create has failed or is still running.
    """
    parts = store.parts(arn)
    part = effective_owner(parts) or next((one for one in parts if one.is_owner), None)
    if part is None:
        return None
    body = part.accepted_body()
    role = part.role if body is None else body.role
    return (part.owner, role) if role else None


def reach(
    store: "Store", resource_type: "ResourceType", function: Location, connect: "Connect", arn: str
) -> Reached | None:
    """Return what reaches a configuration with its owner's role; None if none is recorded.

    `function` is the location of the function or the command.
    """
    found = recorded_role(store, arn)
    if found is None:
        return None
    owner, role = found
    _, partition, _, region, account, _ = arn.split(":", 5)
    place = Location(partition, region, account, is_verified=True, role=role)
    calls = connect(owner)
    return Reached(resource_type.connect(calls, Locations(function, place, place)), calls)
