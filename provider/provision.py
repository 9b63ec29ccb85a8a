"""Request -> response: check the properties, then reconcile the resource with them."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from . import resources
from .arn import Location
from .aws import client
from .cloudformation.custom_resource import CrhelperResource
from .cloudformation.deadline import Deadline
from .cloudformation.request import Request
from .cloudformation.response import FAILED, SUCCESS, Response
from .errors import Outcome, ProviderError
from .marker import CreationStatus
from .observability import Logger, logger
from .plan import Configuration, WriteResult
from .reconciler.api_calls import ApiCalls
from .reconciler.reconcile import Reconciliation
from .resources import LEDGER_TABLE
from .resources.interface import ResourceType
from .resources.locations import Locations
from .schema.check import findings
from .schema.checkpoint import Checkpoint
from .schema.expand import Expanded, expand, parameters_of
from .schema.finding import Finding, Path, Severity, Spelling, Tally
from .schema.model import CONTRIBUTIONS, LEDGER_SERVICE, PROVIDER_PROPERTIES, ROLE, pascal_case
from .schema.rules import RESOLVED_ONCE, Rule
from .schema.validation import validate

if TYPE_CHECKING:
    from .ledger.contributor import ContributionRequest
    from .ledger.recorded_owner import OwnerRequest

    Reconciled = Reconciliation | ContributionRequest | OwnerRequest
    ResolvedSources = tuple[dict[str, Any], dict[Path, tuple[str, ...]]]

_UNRESOLVED: Final = "the properties; no API calls were made"


def prepare() -> None:
    """Load what the first request would otherwise wait for."""
    first = resources.resource_type()
    _ = first.schema
    client.client(first.service, _region())
    if os.environ.get(LEDGER_TABLE):
        from .ledger import entry  # imported here because few providers have a ledger

        entry.prepare(_region())


def connect() -> None:
    """Open the connections for the first API calls. Raises ProviderError, OSError, and HTTPException."""
    client.connect(resources.resource_type().service, _region())
    if os.environ.get(LEDGER_TABLE):
        client.connect(LEDGER_SERVICE, _region())


def _region() -> str | None:
    return os.environ.get("AWS_REGION")


def process(
    request: Request, lambda_context: object, deadline: Deadline, respond: Callable[[Response], object]
) -> None:
    """Process a request and pass its response, SUCCESS or FAILED, to `respond`.

    An error that is not a ProviderError is a bug; it is logged with its traceback, and the response is FAILED.
    """
    log = logger()
    resource = CrhelperResource(request, respond)

    def work(_event: object, _context: object) -> str:
        try:
            resource.response = _provision(request, lambda_context, deadline, log)
        except Exception as error:
            log.exception("the provider itself failed")
            failure = f"the provider itself failed: {type(error).__name__}: {error}. That is a bug: report it"
            raise RuntimeError(failure) from error
        return resource.response.physical_id

    for register in (resource.create, resource.update, resource.delete):
        register(work)
    resource.run(lambda_context)


def _provision(request: Request, lambda_context: object, deadline: Deadline, log: Logger) -> Response:
    log.info("request received")
    reconciliation: Reconciled | None = None
    before_reconciliation = CreationStatus.NOTHING_CREATED
    try:
        # An unsupported type is rejected later; its Delete needs a schema all the same.
        name = resources.DISTRIBUTION_CONFIGURATION if request.is_unsupported_type else request.resource_type
        resource_type = resources.resource_type(name)
        checkpoint = partial(_stop_in_time, deadline)
        deadline.current_operation = "property validation"
        here = Location.of(str(getattr(lambda_context, "invoked_function_arn", "")), request.stack_id)
        expanded = _validated(request, resource_type, here, log, checkpoint)
        desired = expanded.parameters
        _reject_without_ledger(request, desired)
        resolve = None
        if expanded.has_sources:
            before_reconciliation = CreationStatus.MAY_HAVE_CREATED  # an earlier delivery may have resolved the sources
            resolve = partial(_resolve_sources, request, expanded, resource_type.rules, deadline, log, checkpoint)
            if not _is_recorded(request):
                desired, _ = resolve(1.0)
        old = parameters_of(request.old_properties, resource_type.schema, checkpoint)
        locations = Locations.of(request, desired, old, here)
        calls = _calls(request, desired, resource_type.service, here, deadline)
        reconciliation = _reconciliation(request, desired, old, resource_type, locations, calls, deadline, log, resolve)

        def on_success(live: Configuration | None, written: WriteResult | None) -> None:
            deadline.response = _succeeded(request, desired, resource_type, live, written)

        live, written = reconciliation.run(on_success)
        response = deadline.response or _succeeded(request, desired, resource_type, live, written)
    except ProviderError as error:
        response = _failed(request, lambda_context, error, reconciliation or before_reconciliation)
        more = (f"and {error.omitted} more",) if error.omitted else ()
        details = (*error.details, *more)
        log.error("request failed", reason=response.reason, details=details, physical_id=response.physical_id)
    else:
        log.info("request succeeded", physical_id=response.physical_id)
    return response


def _calls(request: Request, desired: Mapping[str, Any], service: str, here: Location, deadline: Deadline) -> ApiCalls:
    """Return the calls of a request. Denied ones are retried if a role may be as new as the request."""
    connect_client = partial(_client, request, service, here.region or _region(), deadline)
    retries_denied = request.request_type == "Create" or (ROLE in desired and request.request_type == "Update")
    return ApiCalls(connect_client, deadline, retries_denied=retries_denied)


def _reconciliation(
    request: Request,
    desired: Mapping[str, Any],
    old: Mapping[str, Any],
    resource_type: ResourceType,
    locations: Locations,
    calls: ApiCalls,
    deadline: Deadline,
    log: Logger,
    resolve: "Callable[[float], ResolvedSources] | None",
) -> "Reconciled":
    """Return what executes a request: with the ledger if the provider has one and the type is supported.

    `resolve` resolves the sources in `desired`; None if there are none.
    """
    arguments = (request, desired, old, resource_type, locations, calls, deadline, log)
    if not _is_recorded(request):
        return Reconciliation(*arguments)
    from .ledger.entry import recorded_request  # imported here because few providers have a ledger

    return recorded_request(os.environ[LEDGER_TABLE], _region(), *arguments, resolve)


def _is_recorded(request: Request) -> bool:
    """Return whether the ledger records the request's resource."""
    return bool(os.environ.get(LEDGER_TABLE)) and request.resource_type in resources.RECORDED_TYPES


def _client(
    request: Request, service: str, region: str | None, deadline: Deadline, location: Location, renew: bool
) -> Any:
    """Return the API client for a location, with the credentials of its role if it has one.

    `region` is the function's. Raises ProviderError if the role cannot be assumed, and as `client.client`.
    """
    if not location.role:
        return client.client(service, location.region or region)
    from .aws import roles  # imported here because few requests assume a role

    deadline.current_operation = f"AssumeRole of {location.role}"
    assumption, patterns = roles.Assumption(location.role, request.stack_id), os.environ.get(roles.ASSUMABLE_ROLES, "")
    credentials = roles.assume(assumption, request.logical_id, patterns, region, deadline.now, renew=renew)
    return client.client(service, location.region, credentials)


def _role_findings(parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the finding about a valid role that the provider may not assume."""
    role = parameters.get(ROLE)
    if role is None or validate(role, PROVIDER_PROPERTIES[ROLE]):
        return
    from .aws import roles  # imported here because few requests assume a role

    if not roles.is_assumable(role, os.environ.get(roles.ASSUMABLE_ROLES, "")):
        yield Finding((ROLE,), roles.not_covered(role).problem, "assumable-role")


def _reject_without_ledger(request: Request, desired: Mapping[str, Any]) -> None:
    """Raise ProviderError for a property that requires the ledger, if the provider has none."""
    if CONTRIBUTIONS in desired and request.request_type != "Delete" and not os.environ.get(LEDGER_TABLE):
        raise ProviderError(
            f"{pascal_case(CONTRIBUTIONS)} requires the ledger; no API calls were made",
            remediation="Set the provider's parameter Ledger to Enabled, or remove the property",
        )


def _validated(
    request: Request, resource_type: ResourceType, here: Location, log: Logger, checkpoint: Checkpoint
) -> Expanded:
    """Return the properties as API parameters. Raises ProviderError with the findings if there are errors.

    A Delete's properties are not validated. Findings that do not fit into a response are only counted.
    """
    if request.request_type == "Delete" and (request.physical_id or request.is_unsupported_type):
        parameters = parameters_of(request.properties, resource_type.schema, checkpoint)
        return Expanded(parameters, resource_type.schema, parameters)
    _reject_malformed(request)
    expanded = expand(request.properties, resource_type.schema, checkpoint)
    if here.account:
        expanded = expanded._replace(account=here.account, partition=here.partition)
    about_id = resource_type.check_request_id(request.request_id)
    about_role = _role_findings(expanded.parameters)
    rules = resource_type.rules
    if expanded.has_sources and _is_recorded(request):
        rules = tuple(rule for rule in rules if rule.id != RESOLVED_ONCE)  # sweeps resolve the sources again
    found = chain(findings(expanded, rules, checkpoint), about_role, about_id)
    _report(found, Spelling(request.properties, resource_type.schema, checkpoint), log)
    return expanded


def _report(found: Iterable[Finding], spelling: Spelling, log: Logger, *, is_resolved: bool = False) -> None:
    """Log the warnings. Raises ProviderError if there are errors. `is_resolved` is whether sources were resolved."""
    warnings, errors = Tally(), Tally()
    for finding in found:
        (errors if finding.severity is Severity.ERROR else warnings).add(finding)
    if warnings.count:
        more = [f"and {warnings.omitted} more"] if warnings.omitted else []
        log.warning("properties accepted with warnings", warnings=[*map(spelling.render, warnings.first), *more])
    _reject(errors, spelling, is_resolved=is_resolved)


def _reject(errors: Tally, spelling: Spelling, *, is_resolved: bool) -> None:
    """Raise ProviderError if the properties have errors."""
    if errors.count:
        count = "1 problem" if errors.count == 1 else f"{errors.count} problems"
        raise ProviderError(
            f"{count} with {'the resolved accounts; nothing was changed' if is_resolved else _UNRESOLVED}",
            details=tuple(map(spelling.render, errors.first)),
            omitted=errors.omitted,
        )


def _resolve_sources(
    request: Request,
    expanded: Expanded,
    rules: tuple[Rule, ...],
    deadline: Deadline,
    log: Logger,
    checkpoint: Checkpoint,
    share: float,
) -> "ResolvedSources":
    """Return API parameters with the accounts of their sources, and these accounts, by the paths of the sources.

    They are read in this share of the remaining time. Raises ProviderError if one cannot be resolved.
    """
    from .reconciler import source_resolution  # imported here because only a request with sources needs it

    spelling = Spelling(request.properties, expanded.schema, checkpoint)
    role_arn = os.environ.get("ORGANIZATIONS_ROLE_ARN", "")
    is_create = request.request_type == "Create"
    reader = source_resolution.reader_for(
        request.logical_id, _region(), role_arn, deadline, share * deadline.left(), retries_denied=is_create
    )
    parameters, accounts, found = source_resolution.resolve_all(expanded, reader, spelling.text, rules, log, checkpoint)
    _report(found, spelling, log, is_resolved=True)
    return parameters, accounts


def _reject_malformed(request: Request) -> None:
    """Raise ProviderError if the event has problems."""
    if request.is_unsupported_type and len(request.problems) == 1:
        raise ProviderError(
            "this provider does not support resources of this type; no API calls were made",
            remediation="Correct the type in the template",
            details=request.problems,
        )
    if request.problems:
        raise ProviderError(
            "the event is malformed; no API calls were made",
            remediation="If you sent it by hand, correct it. Otherwise, find out what changes events before they "
            "reach the function",
            details=request.problems,
        )


def _stop_in_time(deadline: Deadline) -> None:
    """Raise ProviderError if the time for the work is up."""
    if deadline.left() <= 0:
        raise ProviderError(
            f"timed out during {deadline.current_operation}; no API calls were made",
            remediation="Shorten the properties, or increase the provider's MemorySize or Timeout",
            outcome=Outcome.OUT_OF_TIME,
        )


def _succeeded(
    request: Request,
    desired: Mapping[str, Any],
    resource_type: ResourceType,
    live: Configuration | None,
    written: WriteResult | None,
) -> Response:
    if request.request_type == "Delete" or live is None:
        return Response(SUCCESS, request.failure_id())
    last_write = written or WriteResult(live.arn, live.request_id, request.request_id)
    data = resource_type.attribute_values(live, desired, last_write)
    return Response(SUCCESS, live.arn, data=data, expendable=resource_type.expendable_attributes)


def _failed(
    request: Request, lambda_context: object, error: ProviderError, progress: "Reconciled | CreationStatus"
) -> Response:
    undone = "" if isinstance(progress, CreationStatus) else progress.clean_up()
    group = getattr(lambda_context, "log_group_name", "")
    return Response(
        FAILED,
        _failure_id(request, error, progress),
        reason=f"{error}. {undone}" if undone else str(error),
        details=error.details,
        omitted=error.omitted,
        elsewhere=f"log group {group}" if group else "",
    )


def _failure_id(request: Request, error: ProviderError, progress: "Reconciled | CreationStatus") -> str:
    """Return the physical ID of a FAILED response. Without a reconciliation, `progress` is what a Create may have done.

    If the properties are rejected now, every delivery of the request is rejected, unless time ran out.
    """
    if not isinstance(progress, CreationStatus):
        return progress.failure_id(error)
    return request.failure_id(CreationStatus.MAY_HAVE_CREATED if error.outcome is Outcome.OUT_OF_TIME else progress)
