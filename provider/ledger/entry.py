"""Where the ledger begins: what one request needs of it, from the function's settings."""

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from ..errors import ProviderError
from ..observability import Logger
from ..reconciler.reconcile import Reconciliation
from ..resources import CONTRIBUTION
from .combine import Ledger
from .configurations import ImageBuilderConfigurations
from .contributor import ContributionRequest
from .owner_roles import Reached, calls_for, reach
from .recorded_owner import OwnerRequest
from .sharing import RecordedAdapter
from .store import Store
from .table import DynamoTable

if TYPE_CHECKING:
    from ..cloudformation.deadline import Deadline
    from ..cloudformation.request import Request
    from ..reconciler.api_calls import ApiCalls
    from ..resources.interface import ResourceType
    from ..resources.locations import Locations


def recorded_request(
    table: str,
    region: str | None,
    request: "Request",
    desired: Mapping[str, Any],
    old: Mapping[str, Any],
    resource_type: "ResourceType",
    locations: "Locations",
    calls: "ApiCalls",
    deadline: "Deadline",
    log: Logger,
) -> ContributionRequest | OwnerRequest:
    """Return a request whose part is recorded in a table, which is in the function's Region."""
    random = Random()  # noqa: S311 - jitter and nonces, not secrets
    adapter = resource_type.connect(calls, locations)
    store = Store(DynamoTable(table, region, deadline, random), deadline.now)
    recorded = RecordedAdapter(adapter, store)
    recorded_type = resource_type._replace(connect=lambda _calls, _locations: recorded)

    def reconcile(one: "Request", properties: Mapping[str, Any]) -> Reconciliation:
        return Reconciliation(one, properties, old, recorded_type, locations, calls, deadline, log)

    connect = partial(calls_for, resource_type.service, region, deadline)

    def elsewhere(arn: str) -> Reached | None:
        try:
            locations.at(arn)
        except ProviderError:  # the request has no role of that account
            return reach(store, resource_type, locations.function, connect, arn)
        return None

    ledger = Ledger(store, ImageBuilderConfigurations(adapter, calls, elsewhere), deadline, random, log)
    if request.resource_type == CONTRIBUTION:
        return ContributionRequest(request, desired, old, ledger)
    return OwnerRequest(request, desired, old, resource_type, locations, recorded, ledger, reconcile)
