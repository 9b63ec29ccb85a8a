"""A request's way to its response: its properties are checked, the world is brought to them, and it is answered."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import chain
from typing import Any

from provider.client import client
from provider.errors import Outcome, ProviderError
from provider.image_builder import Home, ImageBuilder, Watch, WriteResult
from provider.marker import CreationStatus
from provider.observability import Logger, logger
from provider.plan import Configuration
from provider.properties.attributes import DATE_UPDATED, REGIONS, REQUEST_ID, attributes
from provider.properties.check import findings
from provider.properties.expand import expand, parameters_of
from provider.properties.finding import Finding, Severity, Spelling, Tally
from provider.properties.model import CREATE, IDEMPOTENCY, NAME, TARGET, operation, pascal_case, resource_type
from provider.properties.validate import validate
from provider.protocol.custom_resource import Resource
from provider.protocol.request import Request
from provider.protocol.response import FAILED, SUCCESS, Response
from provider.reconcile import Reconciliation


def prepare() -> None:
    """Make beforehand what the first request would otherwise wait for."""
    resource_type()
    client()


def answer(request: Request, context: object, watch: Watch, offer: Callable[[Response], object]) -> None:
    """Do what a request asks and give `offer` its response, whichever it is. Raises nothing of its own."""
    log = logger()

    resource = Resource(request, offer)

    def work(_event: object, _context: object) -> str:
        try:
            resource.response = _provision(request, context, watch, log)
        except Exception as error:
            log.exception("the provider itself failed")
            failure = f"the provider itself failed: {type(error).__name__}: {error}. That is a bug: report it"
            raise RuntimeError(failure) from error
        return resource.response.physical_id

    for register in (resource.create, resource.update, resource.delete):
        register(work)
    resource.run(context)


def _provision(request: Request, context: object, watch: Watch, log: Logger) -> Response:
    log.info("request received")
    change: Reconciliation | None = None
    try:
        wanted = _checked(request, log, watch)
        home = Home.of(str(getattr(context, "invoked_function_arn", "")), request.stack_id)
        _refuse_what_is_elsewhere(request, wanted, home)
        old = parameters_of(request.old_properties, partial(_stop_in_time, watch))
        builder = ImageBuilder(home, watch, retries_denied=request.request_type == "Create")
        change = Reconciliation(request, wanted, old, builder, watch, log)
        response = _succeeded(request, wanted, *change.run())
    except ProviderError as error:
        response = _failed(request, context, error, change)
        more = (f"and {error.omitted} more",) if error.omitted else ()
        details = (*error.details, *more)
        log.error("request failed", reason=response.reason, details=details, physical_id=response.physical_id)
    else:
        log.info("request succeeded", physical_id=response.physical_id)
    return response


def _checked(request: Request, log: Logger, watch: Watch) -> dict[str, Any]:
    """The properties as API parameters. Raises ProviderError with all findings at once; a Delete is never judged.

    All findings are counted; those that no response can show are not rendered.
    """
    watch.doing = "checking the properties"
    checkpoint = partial(_stop_in_time, watch)
    if request.request_type == "Delete" and (request.physical_id or request.is_foreign):
        return parameters_of(request.properties, checkpoint)
    _reject_malformed(request)
    expanded = expand(request.properties, checkpoint)
    warnings, errors = _counted(
        findings(expanded, checkpoint),
        validate(request.request_id, operation(CREATE).members[IDEMPOTENCY], (IDEMPOTENCY,)),
    )
    spelling = Spelling(request.properties, resource_type(), checkpoint)
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
    if request.is_foreign and len(request.problems) == 1:
        raise ProviderError(
            "this provider does not handle resources of this type, nothing was called",
            cure="Correct it in the template",
            details=request.problems,
        )
    if request.problems:
        raise ProviderError(
            "the event is malformed, nothing was called",
            cure="Correct it if you sent it by hand; else find out what changes events before they reach the function",
            details=request.problems,
        )


def _stop_in_time(watch: Watch) -> None:
    """Raise ProviderError if the time for the work is up."""
    if watch.left() <= 0:
        raise ProviderError(
            f"timed out during {watch.doing}; nothing was called",
            cure="Shorten the properties, or give the provider more MemorySize or a longer Timeout",
            outcome=Outcome.OUT_OF_TIME,
        )


def _refuse_what_is_elsewhere(request: Request, wanted: Mapping[str, Any], home: Home) -> None:
    """Refuse to adopt what is in another account or Region, where it is known which the provider serves."""
    if request.request_type == "Delete" or TARGET not in wanted or not home.certain:
        return
    region, account = wanted[TARGET].split(":")[3:5]
    if (region, account) != (home.region, home.account):
        raise ProviderError(
            f"{pascal_case(TARGET)}: {wanted[TARGET]} is in account {account}, Region {region}, nothing was called: "
            f"this provider serves account {home.account}, Region {home.region}",
            cure="Deploy the stack, and a provider, where the configuration is; or adopt one that is here",
        )


def _succeeded(
    request: Request, wanted: Mapping[str, Any], found: Configuration | None, written: WriteResult | None
) -> Response:
    if request.request_type == "Delete" or found is None:
        return Response(SUCCESS, request.failure_id())
    data = attributes(found.arn, found.name, wanted) | {
        pascal_case(IDEMPOTENCY): written.client_token if written else request.request_id,
        REQUEST_ID: written.request_id if written else found.request_id,
        DATE_UPDATED: found.date_updated,
    }
    return Response(SUCCESS, found.arn, data=data, expendable=(REGIONS, DATE_UPDATED, pascal_case(NAME)))


def _failed(request: Request, context: object, error: ProviderError, change: Reconciliation | None) -> Response:
    undone = change.clean_up() if change else ""
    group = getattr(context, "log_group_name", "")
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
