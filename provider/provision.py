"""Request -> response: check the properties, then reconcile the resource with them."""

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import chain
from typing import Any

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
from .resources.interface import ResourceType
from .resources.locations import Locations
from .schema.check import findings
from .schema.checkpoint import Checkpoint
from .schema.expand import expand, parameters_of
from .schema.finding import Finding, Severity, Spelling, Tally
from .schema.model import PROVIDER_PROPERTIES, ROLE
from .schema.validation import validate


def prepare() -> None:
    """Load what the first request would otherwise wait for."""
    first = resources.resource_type()
    _ = first.schema
    client.client(first.service, _region())


def connect() -> None:
    """Open the connection for the first API call. Raises ProviderError, OSError, and HTTPException."""
    client.connect(resources.resource_type().service, _region())


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
    reconciliation: Reconciliation | None = None
    try:
        # An unsupported type is rejected later; its Delete needs a schema all the same.
        name = resources.DISTRIBUTION_CONFIGURATION if request.is_unsupported_type else request.resource_type
        resource_type = resources.resource_type(name)
        checkpoint = partial(_stop_in_time, deadline)
        deadline.current_operation = "property validation"
        here = Location.of(str(getattr(lambda_context, "invoked_function_arn", "")), request.stack_id)
        desired = _validated(request, resource_type, here, log, checkpoint)
        old = parameters_of(request.old_properties, resource_type.schema, checkpoint)
        locations = Locations.of(request, desired, old, here)
        connect_client = partial(_client, request, resource_type.service, here.region or _region(), deadline)
        retries_denied = request.request_type == "Create" or (ROLE in desired and request.request_type == "Update")
        calls = ApiCalls(connect_client, deadline, retries_denied=retries_denied)
        reconciliation = Reconciliation(request, desired, old, resource_type, locations, calls, deadline, log)

        def on_success(live: Configuration | None, written: WriteResult | None) -> None:
            deadline.response = _succeeded(request, desired, resource_type, live, written)

        reconciliation.run(on_success)
        assert deadline.response is not None, "the request has succeeded"
        response = deadline.response
    except ProviderError as error:
        response = _failed(request, lambda_context, error, reconciliation)
        more = (f"and {error.omitted} more",) if error.omitted else ()
        details = (*error.details, *more)
        log.error("request failed", reason=response.reason, details=details, physical_id=response.physical_id)
    else:
        log.info("request succeeded", physical_id=response.physical_id)
    return response


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
    if not roles.is_assumable(location.role, os.environ.get(roles.ASSUMABLE_ROLES, "")):
        raise roles.not_covered(location.role)
    assumption = roles.Assumption(location.role, request.stack_id)
    credentials = roles.credentials(assumption, request.logical_id, region, deadline.now, renew=renew)
    return client.client(service, location.region, credentials)


def _role_findings(parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the finding about a valid role that the provider may not assume."""
    role = parameters.get(ROLE)
    if role is None or validate(role, PROVIDER_PROPERTIES[ROLE]):
        return
    from .aws import roles  # imported here because few requests assume a role

    if not roles.is_assumable(role, os.environ.get(roles.ASSUMABLE_ROLES, "")):
        yield Finding((ROLE,), roles.not_covered(role).problem, "assumable-role")


def _validated(
    request: Request, resource_type: ResourceType, here: Location, log: Logger, checkpoint: Checkpoint
) -> dict[str, Any]:
    """Return the properties as API parameters. Raises ProviderError with the findings if there are errors.

    A Delete's properties are not validated. Findings that do not fit into a response are only counted.
    """
    if request.request_type == "Delete" and (request.physical_id or request.is_unsupported_type):
        return parameters_of(request.properties, resource_type.schema, checkpoint)
    _reject_malformed(request)
    expanded = expand(request.properties, resource_type.schema, checkpoint)
    if here.account:
        expanded = expanded._replace(account=here.account, partition=here.partition)
    warnings, errors = Tally(), Tally()
    about_id = resource_type.check_request_id(request.request_id)
    about_role = _role_findings(expanded.parameters)
    for finding in chain(findings(expanded, resource_type.rules, checkpoint), about_role, about_id):
        (errors if finding.severity is Severity.ERROR else warnings).add(finding)
    spelling = Spelling(request.properties, resource_type.schema, checkpoint)
    if warnings.count:
        more = [f"and {warnings.omitted} more"] if warnings.omitted else []
        log.warning("properties accepted with warnings", warnings=[*map(spelling.render, warnings.first), *more])
    _reject(errors, spelling)
    return expanded.parameters


def _reject(errors: Tally, spelling: Spelling) -> None:
    """Raise ProviderError if the properties have errors."""
    if errors.count:
        count = "1 problem" if errors.count == 1 else f"{errors.count} problems"
        raise ProviderError(
            f"{count} with the properties; no API calls were made",
            details=tuple(map(spelling.render, errors.first)),
            omitted=errors.omitted,
        )


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
    request: Request, lambda_context: object, error: ProviderError, reconciliation: Reconciliation | None
) -> Response:
    undone = reconciliation.clean_up() if reconciliation else ""
    group = getattr(lambda_context, "log_group_name", "")
    # If the properties are rejected now, every delivery of the request is rejected.
    is_rejected = error.outcome is not Outcome.OUT_OF_TIME
    status = CreationStatus.NOTHING_CREATED if is_rejected else CreationStatus.MAY_HAVE_CREATED
    return Response(
        FAILED,
        reconciliation.failure_id(error) if reconciliation else request.failure_id(status),
        reason=f"{error}. {undone}" if undone else str(error),
        details=error.details,
        omitted=error.omitted,
        elsewhere=f"log group {group}" if group else "",
    )
