"""Where the ledger begins: what one request needs of it, from the function's settings."""

import os
from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

from ..aws.client import client
from ..errors import ProviderError
from ..observability import Logger
from ..reconciler.reconcile import Reconciliation
from ..resources import CONTRIBUTION
from ..schema.model import LEDGER_SERVICE
from .combine import Ledger
from .configurations import ImageBuilderConfigurations
from .contributor import ContributionRequest
from .owner_roles import Reached, calls_for, reach
from .participate import as_it_is
from .parts import Body, Part
from .recorded_owner import OwnerRequest
from .settings import MAX_REMOVALS as MAX_REMOVALS
from .sharing import RecordedAdapter
from .store import Store
from .table import DynamoTable

if TYPE_CHECKING:
    from ..cloudformation.deadline import Deadline
    from ..cloudformation.request import Request
    from ..reconciler.api_calls import ApiCalls
    from ..resources.interface import ResourceType
    from ..resources.locations import Locations
    from ..schema.finding import Path

_DEFAULT_MAX_REMOVALS: Final = "20"


def prepare(region: str | None) -> None:
    """Create what the first request would otherwise wait for: the client of the table."""
    client(LEDGER_SERVICE, region)


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
    resolve: "Callable[[float], tuple[dict[str, Any], Mapping[Path, tuple[str, ...]]]] | None" = None,
) -> ContributionRequest | OwnerRequest:
    """Return a request whose part is recorded in a table, which is in the function's Region.

    `resolve` resolves the sources in `desired` within a share of the remaining time; None if there are none.
    """
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
    with_sources = partial(_resolved, resolve, log, request.request_type == "Update") if resolve else as_it_is
    if request.resource_type == CONTRIBUTION:
        return ContributionRequest(request, desired, old, ledger, with_sources)
    return OwnerRequest(request, desired, old, resource_type, locations, recorded, ledger, reconcile, with_sources)


def _resolved(
    resolve: "Callable[[float], tuple[dict[str, Any], Mapping[Path, tuple[str, ...]]]]",
    log: Logger,
    is_update: bool,
    body: Body,
    part: Part | None,
) -> Body:
    """Return a body with the accounts of its sources. `part` is the record before the request."""
    from . import sources  # imported here because only bodies with sources need it

    return sources.resolved(body, part, lambda share: resolve(share)[1], max_removals(), log, is_update=is_update)


def max_removals() -> float:
    """Return the percentage of a source's accounts that may be removed without a deployment."""
    return float(os.environ.get(MAX_REMOVALS) or _DEFAULT_MAX_REMOVALS)
