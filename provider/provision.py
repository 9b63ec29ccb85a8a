"""A request's way to its response: its properties are checked, the world is brought to them, and it is answered."""

from collections.abc import Callable, Mapping
from typing import Any

from provider.client import client
from provider.errors import ProviderError
from provider.image_builder import Home, ImageBuilder, Watch, WriteResult
from provider.marker import CreationStatus
from provider.observability import Logger, logger
from provider.plan import Configuration
from provider.properties.attributes import DATE_UPDATED, REGIONS, REQUEST_ID, attributes
from provider.properties.check import find
from provider.properties.expand import expand
from provider.properties.finding import Severity
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
        wanted = _checked(request, log)
        home = Home.of(str(getattr(context, "invoked_function_arn", "")), request.stack_id)
        _refuse_what_is_elsewhere(request, wanted, home)
        old = expand(request.old_properties).parameters
        builder = ImageBuilder(home, watch, retries_denied=request.request_type == "Create")
        change = Reconciliation(request, wanted, old, builder, watch, log)
        response = _succeeded(request, wanted, *change.run())
    except ProviderError as error:
        response = _failed(request, context, error, change)
        log.error("request failed", reason=response.reason, details=error.details, physical_id=response.physical_id)
    else:
        log.info("request succeeded", physical_id=response.physical_id)
    return response


def _checked(request: Request, log: Logger) -> dict[str, Any]:
    """The properties as API parameters. Raises ProviderError with all findings at once; a Delete is never judged."""
    expanded = expand(request.properties)
    if request.request_type == "Delete" and (request.physical_id or request.is_foreign):
        return expanded.parameters
    if request.is_foreign and len(request.problems) == 1:
        raise ProviderError(
            "the resource's Type is not one that this provider answers for, nothing was called",
            cure="Correct it in the template",
            details=request.problems,
        )
    if request.problems:
        raise ProviderError(
            "the event is malformed, nothing was called",
            cure="Correct it if you sent it by hand; else find out what changes events before they reach the function",
            details=request.problems,
        )
    findings = [
        *find(expanded),
        *validate(request.request_id, operation(CREATE).members[IDEMPOTENCY], (IDEMPOTENCY,)),
    ]
    texts: dict[Severity, list[str]] = {severity: [] for severity in Severity}
    for finding in findings:
        texts[finding.severity].append(finding.render(request.properties, resource_type()))
    if warnings := texts[Severity.WARNING]:
        log.warning("the properties are accepted, but", warnings=warnings)
    if errors := texts[Severity.ERROR]:
        count = "1 problem" if len(errors) == 1 else f"{len(errors)} problems"
        raise ProviderError(f"{count} with the properties, nothing was called", details=tuple(errors))
    return expanded.parameters


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
    # Without a change, the properties were rejected, and every delivery of the request rejects them.
    rejected = request.failure_id(CreationStatus.NOTHING_CREATED)
    return Response(
        FAILED,
        change.failure_id(error) if change else rejected,
        reason=f"{error}. {undone}" if undone else str(error),
        details=error.details,
        elsewhere=f"log group {group}" if group else "",
    )
