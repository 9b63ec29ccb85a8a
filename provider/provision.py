"""Request -> response: check the properties, then reconcile the resource with them."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import chain
from typing import Any

from .arn import Location
from .aws.client import client
from .cloudformation.custom_resource import Resource
from .cloudformation.request import Request
from .cloudformation.response import FAILED, SUCCESS, Response
from .errors import Outcome, ProviderError
from .marker import CreationStatus
from .observability import Logger, logger
from .plan import Configuration, WriteResult
from .reconciler.api_calls import ApiCalls, RequestContext
from .reconciler.reconcile import Reconciliation
from .resources import resource_type
from .resources.interface import ResourceType
from .schema.attributes import DATE_UPDATED, REGIONS, REQUEST_ID
from .schema.check import findings
from .schema.checkpoint import Checkpoint
from .schema.expand import expand, parameters_of
from .schema.finding import Finding, Severity, Spelling, Tally
from .schema.model import CREATE, IDEMPOTENCY, NAME, TARGET, operation, pascal_case
from .schema.validate import validate


def prepare() -> None:
    """Load in advance what the first request would otherwise wait for."""
    _ = resource_type().schema
    client()


def process(
    request: Request, lambda_context: object, context: RequestContext, respond: Callable[[Response], object]
) -> None:
    """Process a request and pass its response to `respond`, success or failure. Raises nothing of its own."""
    log = logger()

    resource = Resource(request, respond)

    def work(_event: object, _context: object) -> str:
        try:
            resource.response = _provision(request, lambda_context, context, log)
        except Exception as error:
            log.exception("the provider itself failed")
            failure = f"the provider itself failed: {type(error).__name__}: {error}. That is a bug: report it"
            raise RuntimeError(failure) from error
        return resource.response.physical_id

    for register in (resource.create, resource.update, resource.delete):
        register(work)
    resource.run(lambda_context)


def _provision(request: Request, lambda_context: object, context: RequestContext, log: Logger) -> Response:
    log.info("request received")
    change: Reconciliation | None = None
    try:
        kind = resource_type() if request.is_unsupported_type else resource_type(request.resource_type)
        checkpoint = partial(_stop_in_time, context)
        context.current_operation = "checking the properties"
        desired = _checked(request, kind, log, checkpoint)
        location = Location.of(str(getattr(lambda_context, "invoked_function_arn", "")), request.stack_id)
        _reject_other_location(request, desired, location)
        old = parameters_of(request.old_properties, kind.schema, checkpoint)
        calls = ApiCalls(client, context, retries_denied=request.request_type == "Create")
        change = Reconciliation(request, desired, old, kind, location, calls, context, log)
        response = _succeeded(request, desired, kind, *change.run())
    except ProviderError as error:
        response = _failed(request, lambda_context, error, change)
        more = (f"and {error.omitted} more",) if error.omitted else ()
        details = (*error.details, *more)
        log.error("request failed", reason=response.reason, details=details, physical_id=response.physical_id)
    else:
        log.info("request succeeded", physical_id=response.physical_id)
    return response


def _checked(request: Request, kind: ResourceType, log: Logger, checkpoint: Checkpoint) -> dict[str, Any]:
    """The properties as API parameters. Raises ProviderError with all findings; a Delete's properties are not checked.

    All findings are counted; those that do not fit into a response are not rendered.
    """
    if request.request_type == "Delete" and (request.physical_id or request.is_unsupported_type):
        return parameters_of(request.properties, kind.schema, checkpoint)
    _reject_malformed(request)
    expanded = expand(request.properties, kind.schema, checkpoint)
    warnings, errors = _counted(
        findings(expanded, kind.rules, checkpoint),
        validate(request.request_id, operation(CREATE).members[IDEMPOTENCY], (IDEMPOTENCY,)),
    )
    spelling = Spelling(request.properties, kind.schema, checkpoint)
    if warnings.count:
        more = [f"and {warnings.omitted} more"] if warnings.omitted else []
        log.warning("properties accepted with warnings", warnings=[*map(spelling.render, warnings.first), *more])
    if errors.count:
        count = "1 problem" if errors.count == 1 else f"{errors.count} problems"
        raise ProviderError(
            f"{count} with the properties, nothing was called",
            details=tuple(map(spelling.render, errors.first)),
            omitted=errors.omitted,
        )
    return expanded.parameters


def _counted(*found: Iterable[Finding]) -> tuple[Tally, Tally]:
    """Count findings: the warnings, and the errors."""
    warnings, errors = Tally(), Tally()
    for finding in chain(*found):
        (errors if finding.severity is Severity.ERROR else warnings).add(finding)
    return warnings, errors


def _reject_malformed(request: Request) -> None:
    """Raise ProviderError for an event with problems."""
    if request.is_unsupported_type and len(request.problems) == 1:
        raise ProviderError(
            "this provider does not handle resources of this type, nothing was called",
            remediation="Correct it in the template",
            details=request.problems,
        )
    if request.problems:
        raise ProviderError(
            "the event is malformed, nothing was called",
            remediation="If you sent it by hand, correct it; otherwise, find out what changes events on their way",
            details=request.problems,
        )


def _stop_in_time(context: RequestContext) -> None:
    """Raise ProviderError if the time for the work is up."""
    if context.left() <= 0:
        raise ProviderError(
            f"timed out during {context.current_operation}; nothing was called",
            remediation="Shorten the properties, or give the provider more MemorySize or a longer Timeout",
            outcome=Outcome.OUT_OF_TIME,
        )


def _reject_other_location(request: Request, desired: Mapping[str, Any], location: Location) -> None:
    """Raise ProviderError for an adoption from another account or Region than the provider's (if verified)."""
    if request.request_type == "Delete" or TARGET not in desired or not location.is_verified:
        return
    region, account = desired[TARGET].split(":")[3:5]
    if (region, account) != location[1:3]:
        raise ProviderError(
            f"{pascal_case(TARGET)}: {desired[TARGET]} is in account {account}, Region {region}, nothing was called: "
            f"this provider serves account {location.account}, Region {location.region}",
            remediation="Deploy provider and stack to that account and Region, or adopt a configuration from this one",
        )


def _succeeded(
    request: Request,
    desired: Mapping[str, Any],
    kind: ResourceType,
    found: Configuration | None,
    written: WriteResult | None,
) -> Response:
    if request.request_type == "Delete" or found is None:
        return Response(SUCCESS, request.failure_id())
    data = kind.attribute_values(found.arn, found.name, desired) | {
        pascal_case(IDEMPOTENCY): written.client_token if written else request.request_id,
        REQUEST_ID: written.request_id if written else found.request_id,
        DATE_UPDATED: found.date_updated,
    }
    return Response(SUCCESS, found.arn, data=data, expendable=(REGIONS, DATE_UPDATED, pascal_case(NAME)))


def _failed(request: Request, lambda_context: object, error: ProviderError, change: Reconciliation | None) -> Response:
    undone = change.clean_up() if change else ""
    group = getattr(lambda_context, "log_group_name", "")
    # Properties that are rejected now are rejected by every delivery of the request.
    is_rejected = error.outcome is not Outcome.OUT_OF_TIME
    status = CreationStatus.NOTHING_CREATED if is_rejected else CreationStatus.MAY_HAVE_CREATED
    return Response(
        FAILED,
        change.failure_id(error) if change else request.failure_id(status),
        reason=f"{error}. {undone}" if undone else str(error),
        details=error.details,
        omitted=error.omitted,
        elsewhere=f"log group {group}" if group else "",
    )
