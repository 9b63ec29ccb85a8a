"""The schedule's event: a sweep. It has no response URL, so it never reaches `cloudformation`, except for the time."""

import os
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any, Final

from .. import resources
from ..arn import Location
from ..aws.client import client
from ..cloudformation.deadline import Deadline
from ..observability import logger
from ..reconciler.api_calls import ApiCalls
from ..reconciler.source_resolution import reader_for
from ..resources.locations import Locations
from .combine import Ledger
from .configurations import ImageBuilderConfigurations
from .entry import max_removals
from .owner_roles import calls_for, reach
from .settings import DRIFT, DriftMode
from .sources import Refresh
from .store import Store
from .sweep import Result, Sweep, Swept
from .table import DynamoTable

if TYPE_CHECKING:
    from ..cloudformation.deadline import Clock

_SHARE: Final = 0.6
"""The share of an invocation's time that a sweep uses, so that it does not look like a slow request."""
_SOURCES_SHARE: Final = 0.3
"""The share of a sweep's time within which it reads account sources."""
_FAILURES: Final = (Result.FAILED, Result.MISSING, Result.UNFINISHED)


def sweep(context: object, clock: "Clock") -> None:
    """Sweep all recorded configurations, and log the result. Nothing is raised: no request waits for it."""
    log = logger()
    table = os.environ.get(resources.LEDGER_TABLE, "")
    if not table:
        log.warning("there is no ledger to sweep")
        return
    whole = Deadline.of(context, clock=clock)
    deadline = Deadline.of(context, work_seconds=_SHARE * whole.left(), clock=clock)
    try:
        swept = _sweep(table, context, deadline, clock)
    except Exception as error:
        log.exception("sweep failed", problem=str(error))
        return
    failed = [one.arn for one in swept if one.result in _FAILURES]
    drifted = [one.arn for one in swept if one.drift]
    held = [one.arn for one in swept if one.held]
    log.info("sweep finished", configurations=len(swept), failed=failed, drifted=drifted, held=held)


def _sweep(table: str, context: object, deadline: Deadline, clock: "Clock") -> list[Swept]:
    random = Random()  # noqa: S311 - jitter and nonces, not secrets
    region = os.environ.get("AWS_REGION")
    here = Location.of(str(getattr(context, "invoked_function_arn", "")), "")
    resource_type = resources.resource_type()
    calls = ApiCalls(partial(_client, resource_type.service, region), deadline)
    adapter = resource_type.connect(calls, Locations(here, here, here))
    store = Store(DynamoTable(table, region, deadline, random), deadline.now)
    connect = partial(calls_for, resource_type.service, region, deadline)
    configurations = ImageBuilderConfigurations(adapter, calls, partial(reach, store, resource_type, here, connect))
    ledger = Ledger(store, configurations, deadline, random, logger())
    mode = DriftMode.REPAIR if os.environ.get(DRIFT) == DriftMode.REPAIR.value else DriftMode.REPORT
    for_sources = Deadline.of(context, work_seconds=_SOURCES_SHARE * deadline.left(), clock=clock)
    reader = reader_for("sweep", region, os.environ.get("ORGANIZATIONS_ROLE_ARN", ""), for_sources)
    refresh = Refresh(reader.accounts, max_removals(), lambda: for_sources.left() > 0)
    return Sweep(ledger, mode, configurations.delete, refresh).run()


def _client(service: str, region: str | None, location: Location, _renew: bool) -> Any:
    return client(service, location.region or region)
