"""`preflight`: whether images can be distributed, before an hour-long build shows that they cannot."""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .evaluated_template import evaluate, parse, stack_id
from .files import FILE_OR_STANDARD_INPUT, STANDARD_INPUT, UserError
from .live import Live, endpoint_option, live_service, profile_option, region_option, session_of_any_service
from .template_files import (
    OptionValues,
    check_stack_name,
    default_stack_name,
    import_option,
    load_templates,
    parameter_option,
    provider_logical_ids,
    read_texts,
    resolve_option,
    unused_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..arn import Location
    from ..preflight.reader import Keys
    from ..stack_engine.deployment import Deployment
    from ..stack_engine.records import DeployedResource
    from ..template.reader import Source
    from .preflight_output import Line
    from .source_values import SourceValues

_FORMATS = ("human", "json", "sarif")

EPILOG = """\b
Examples:
  python -m provider preflight stack.yaml
  python -m provider preflight stack.yaml -p Stage=production --resolve ssm:/keys/images=alias/images
  python -m provider preflight "$ARN" --profile production --output json
  python -m provider preflight --strict --output sarif stack.yaml > preflight.sarif

\b
Exit status:
  0  no failures (with --strict: no warnings, and everything could be checked)
  1  failures (with --strict: or warnings, or something could not be checked), or the properties have errors
  2  a mistake in the command or a file, or the service cannot be read
"""


class _Target(click.Path):
    """A file, or the ARN of a configuration."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The ARN as text, or the file as a Path."""
        if isinstance(value, str) and value.startswith("arn:"):
            from ..arn import is_configuration_arn

            if not is_configuration_arn(value):
                raise UserError(f"{value!r} is not the ARN of a distribution configuration")
            return value
        return FILE_OR_STANDARD_INPUT.convert(value, param, ctx)


class _Subject(NamedTuple):
    """The parameters of one resource, by the API's names, and the properties as its author wrote them.

    `arn` is the configuration's; empty if only a deployment knows it. `path` leads to the properties in the file.
    `resource` is empty for a single resource's properties. `function` is the service token if it is known.
    """

    resource: str
    location: Location
    arn: str
    parameters: Mapping[str, Any]
    properties: Mapping[str, Any]
    path: tuple[str | int, ...] = ()
    function: str = ""
    sourced: frozenset[tuple[str | int, ...]] = frozenset()
    """The paths of the lists with account sources, whose entries are at other places in the file."""


class _Document(NamedTuple):
    """What to check, and where it was read. `notes` are for people. A configuration that is live has no source."""

    name: str
    source: Source | None
    subjects: list[_Subject]
    notes: list[str]
    is_incomplete: bool = False
    """Whether a resource could not be checked at all."""


@click.command(epilog=EPILOG, short_help="Check that images can be distributed, in the live accounts.")
@click.argument("target", metavar="TEMPLATE|PROPERTIES|ARN", type=_Target(allow_dash=True))
@parameter_option
@import_option
@resolve_option
@click.option(
    "--stack-name",
    metavar="NAME",
    callback=check_stack_name,
    help="The name of the stack that a template is for, if its values contain the name.",
)
@region_option
@profile_option
@endpoint_option
@click.option(
    "--output",
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default="human",
    show_default=True,
    help="For people, for programs, or for code scanning.",
)
@click.option("--strict", is_flag=True, help="Fail on warnings and on everything that cannot be checked, too.")
def preflight(
    target: Path | str,
    parameters: dict[str, str],
    exports: OptionValues,
    references: OptionValues,
    stack_name: str | None,
    region: str | None,
    profile: str | None,
    endpoint_url: str | None,
    form: str,
    strict: bool,
) -> None:
    """Check what Image Builder needs to distribute an image: keys, roles, buckets, launch templates, and quotas.

    The argument is a template (YAML or JSON; - is standard input), a file with the Properties of a single resource, or
    the ARN of a live configuration. Run preflight with credentials for the configuration's account. For launch
    templates in other accounts, it assumes EC2ImageBuilderDistributionCrossAccountRole there. It changes nothing.

    If a resource has RoleArn, run preflight with credentials for the stack's account: preflight assumes the role with
    them, and checks what the role's account needs. The external ID is the ID of a stack that does not exist, named
    --stack-name. A resource with Region is checked in that Region.

    Each check passes, warns, fails, or is not checkable. If you lack a permission, the check is not checkable, and the
    missing IAM action is shown. docs/preflight.md lists all checks, and an IAM policy that allows all of them.

    Values that are known only at deployment are not checkable: other resources, other stacks' exports, SSM
    parameters, dynamic references, account sources, and the stack's name. To give their values, use --parameter,
    --import, --resolve, and --stack-name.

    With --output json, standard output is one object: region, account, passed, warnings, failures, notCheckable, and
    results, each with file, line, column, resource, region and account (those of its configuration), check, status
    (pass, warning, failure, or not-checkable), path, message, remediation (null for a pass), and action (the missing
    IAM action, or null).
    """
    from .preflight_output import FORMATTERS
    from .screen import Screen

    own_region, account = None, None
    if isinstance(target, str):
        own_region, account = target.split(":")[3:5]
    progress = Screen(sys.stderr)
    with live_service(own_region or region, profile, endpoint_url, account) as service:
        location = service.location
        default = "preflight" if isinstance(target, str) else default_stack_name(target)
        service.stack_id = stack_id(location, stack_name or default)
        progress.print(f"Checking what account {location.account} needs to distribute images ...", dim=True)
        if isinstance(target, str):
            document = _Document(target, None, [_live(target, service)], [])
        else:
            document = _declared(target, parameters, exports, references, stack_name, location)
        lines = [line for subject in document.subjects for line in _lines(subject, document, service, endpoint_url)]
    for note in document.notes:
        progress.print(note, fg="yellow")
    Screen(sys.stdout).print(FORMATTERS[form](lines, location))
    raise SystemExit(_has_failed(lines, document, strict))


def _has_failed(lines: list[Line], document: _Document, strict: bool) -> bool:
    statuses = {line.status for line in lines}
    return "failure" in statuses or (strict and (document.is_incomplete or bool(statuses - {"pass"})))


def _live(arn: str, service: Live) -> _Subject:
    """A live configuration. Raises UserError if it cannot be read, and ClickException if it does not exist."""
    from ..errors import ProviderError
    from ..resources import resource_type
    from ..schema.flatten import flatten

    try:
        live = service.at().read(arn)
    except ProviderError as error:
        raise UserError(f"the configuration cannot be read: {error.problem}") from error
    if live is None:
        raise click.ClickException(f"{arn} was not found")
    return _Subject("", service.location, arn, live.content, flatten(live.content, resource_type().schema))


def _declared(
    file: Path,
    parameters: dict[str, str],
    exports: OptionValues,
    references: OptionValues,
    stack_name: str | None,
    location: Location,
) -> _Document:
    """The resources in a file. Raises UserError, and ClickException if properties have errors."""
    from ..template.external_values import ExternalValues
    from ..template.reader import read_text
    from ..template.template_error import TemplateError
    from .placeholder_samples import PlaceholderSamples
    from .source_values import SourceValues

    texts = read_texts((file,))
    (template,) = load_templates((file,), texts, parameters, parse)
    names = provider_logical_ids([template], "check")
    live: dict[str, DeployedResource] = {}
    values = ExternalValues(exports, references)
    with_samples = values._replace(fit=PlaceholderSamples(location.region, location.account))
    # What differs between two deployments depends on a placeholder.
    default = default_stack_name(file)
    one = evaluate(template, parameters, location, stack_name or default, live, with_samples)
    other = evaluate(template, parameters, location, stack_name or f"{default}2", live, values, "2")
    subjects, notes = [], []
    for name in filter(one.order.__contains__, names):
        try:
            subject = _evaluated(name, one, other, location, SourceValues(references))
            subjects.append(subject)
            if subject.arn:
                live[name] = _resource(name, subject)
        except TemplateError as error:
            # The template is valid by itself. What is missing is another resource's attribute.
            notes.append(f"{name} is not checked: {error}")
    unused = unused_values(exports, references, texts.values())
    label = "stdin" if file == STANDARD_INPUT else str(file)
    return _Document(label, read_text(texts[file]), subjects, [*notes, *unused], bool(notes))


def _resource(name: str, subject: _Subject) -> DeployedResource:
    """A resource to which others of its template can refer, as if it were deployed."""
    from ..plan import Configuration
    from ..resources import DISTRIBUTION_CONFIGURATION, resource_type
    from ..schema.model import NAME
    from ..stack_engine.records import DeployedResource

    configuration = Configuration(subject.arn, str(subject.parameters.get(NAME, "")), subject.parameters, {})
    data = resource_type().attribute_values(configuration, subject.parameters, None)
    return DeployedResource(name, DISTRIBUTION_CONFIGURATION, subject.arn, dict(subject.properties), data, "", "")


def _same(one: object, other: object) -> str:
    """The text of two equal values; empty if they differ."""
    return str(one) if one == other else ""


def _evaluated(name: str, one: Deployment, other: Deployment, location: Location, values: SourceValues) -> _Subject:
    """A resource of a template. Raises TemplateError if its properties cannot be evaluated.

    The accounts of sources without `values` are unknown.
    """
    from ..errors import ProviderError
    from ..preflight.subjects import is_unknown, mask
    from ..resources import resource_type
    from ..schema.expand import expand
    from ..schema.model import NAME, REGION, ROLE, TARGET
    from ..template.template_error import TemplateError
    from .planning.requests import locations_of
    from .planning.sources import with_given_accounts

    schema = resource_type().schema
    properties, others = one.properties(name), other.properties(name)
    expanded, twin = expand(properties, schema), expand(others, schema)
    parameters = mask(expanded.parameters, twin.parameters)
    _refuse_errors(name, expanded, properties, parameters)
    if is_unknown(parameters.get(REGION)) or is_unknown(parameters.get(ROLE)):
        raise TemplateError("its Region or role is known only at deployment")
    sourced: frozenset[tuple[str | int, ...]] = frozenset()
    if expanded.has_sources:
        planned = with_given_accounts(expanded, twin, values, ())
        parameters, sourced = mask(planned.desired, planned.other), planned.lists
    known = not (is_unknown(parameters.get(TARGET)) or is_unknown(parameters.get(NAME)))
    locations = locations_of(expanded.parameters, location)
    place, arn = locations.desired, ""
    if known:
        arn = parameters.get(TARGET) or place.arn(parameters[NAME])
        try:
            place = locations.at(arn)
        except ProviderError as error:
            raise TemplateError(error.problem) from error
    function = _same(properties["ServiceToken"], others["ServiceToken"])
    path = () if one.template.alone else ("Resources", name, "Properties")
    return _Subject("" if one.template.alone else name, place, arn, parameters, properties, path, function, sourced)


def _refuse_errors(name: str, expanded: Any, properties: Mapping[str, Any], parameters: Mapping[str, Any]) -> None:
    """Raise ClickException for errors in properties, other than those of placeholders."""
    from ..preflight.subjects import is_unknown
    from ..resources import resource_type
    from ..schema.check import validate_properties
    from ..schema.finding import Severity, Spelling

    spelling = Spelling(properties, resource_type().schema)
    found = [
        spelling.render(one)
        for one in validate_properties(expanded, resource_type().rules)
        if one.severity is Severity.ERROR and (one.rule == "type" or not is_unknown(parameters, one.path))
    ]
    if found:
        raise click.ClickException("\n".join([*(f"{name}: {one}" for one in found), "Correct these errors first."]))


def _lines(subject: _Subject, document: _Document, service: Live, endpoint_url: str | None) -> Iterator[Line]:
    """The results of all checks of a resource."""
    from ..lint.diagnostic import Diagnostic
    from ..preflight.interface import Context, Status
    from ..preflight.reader import CachingReader
    from ..preflight.run import run
    from ..resources import resource_type
    from ..schema.finding import Severity, Spelling
    from ..schema.model import SERVICE
    from ..template.reader import Position
    from .preflight_output import Line

    schema = resource_type().schema
    spelling = Spelling(subject.properties, schema)
    context = Context(subject.location, subject.arn, subject.function, service.stack_id)
    endpoint_urls = {SERVICE: endpoint_url} if endpoint_url else {}
    assume = partial(_assume, service, subject.location)
    with closing(CachingReader(session_of_any_service(), context, assume, endpoint_urls)) as read:
        for result in run(subject.parameters, schema, context, read):
            place = result.path[:-1] if result.path[:-1] in subject.sourced else result.path
            path = (*subject.path, *spelling.keys(place))
            position = document.source.position(path) if document.source else Position()
            severity = Severity.ERROR if result.outcome.status is Status.FAILURE else Severity.WARNING
            message = f"{spelling.text(place)}: {result.outcome.message}. To fix: {result.outcome.remediation}"
            found = Diagnostic(path, result.check.id, severity, message, subject.resource, document.name, position)
            yield Line(result, subject.location, spelling.text(place), found)


def _assume(service: Live, location: Location) -> Keys:
    """The credentials of a location's role. The caller's own are used in their account.

    Raises DeniedError or ReadError if the role cannot be assumed.
    """
    from ..errors import Outcome, ProviderError
    from ..preflight.interface import DeniedError, ReadError

    if location.account == service.location.account:
        return None, None, None
    try:
        return service.credentials(location) or (None, None, None)
    except ProviderError as error:
        if error.outcome is Outcome.DENIED:
            raise DeniedError("sts:AssumeRole") from error
        raise ReadError(error.problem) from error
