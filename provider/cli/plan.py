"""`plan`: what a deployment of a template would change, compared with the live configurations."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import click

from .live import account_option, endpoint_option, profile_option, region_option, service
from .mistakes import Mistake
from .templates import (
    FILE_OR_STANDARD_INPUT,
    Given,
    checked_stack_name,
    declared,
    import_option,
    load,
    parameter_option,
    refused,
    resolve_option,
    stack_name_after,
    texts_of,
    unused_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..arn import Location
    from ..stack_engine.deployment import Deployment
    from ..stack_engine.records import Resource
    from ..template.external_values import ExternalValues
    from ..template.sections import Template
    from .planning.changes import Change
    from .planning.live_state import LiveState
    from .planning.planner import Planner

_ALONE = "Properties"
"""The logical ID of a property file's resource."""
_ALONE_AT = ("Resources", _ALONE, "Properties")
_OTHER_SALT = "2"

EPILOG = """\b
Examples:
  python -m provider plan stack.yaml
  python -m provider plan stack.yaml --previous deployed.yaml --stack-name images
  python -m provider plan stack.yaml -p Stage=production --region eu-west-1 --profile sandbox
  python -m provider plan properties.yaml --output json | jq '.resources[].differences'

\b
Exit status:
  0  nothing would change
  1  a resource would be refused: it has errors, or its configuration is not managed by it
  2  a mistake in the command or a file, or the service cannot be read
  3  something would change, or may change
"""


@click.command(epilog=EPILOG, short_help="Compare a template with the live configurations.")
@click.argument("file", metavar="FILE", type=FILE_OR_STANDARD_INPUT)
@click.option(
    "--previous",
    type=FILE_OR_STANDARD_INPUT,
    metavar="FILE",
    help="The template that is deployed now, for what ownership tags do not show.",
)
@click.option(
    "--resource",
    "chosen",
    multiple=True,
    metavar="LOGICAL_ID",
    help="Show this resource only; repeatable.",
)
@parameter_option
@import_option
@resolve_option
@click.option(
    "--stack-name",
    metavar="NAME",
    callback=checked_stack_name,
    help="The stack that FILE is for.  [default: the one that the live configurations' ownership tags name]",
)
@region_option
@account_option
@profile_option
@endpoint_option
@click.option(
    "--output",
    "--format",
    type=click.Choice(["human", "json"]),
    default="human",
    show_default=True,
    help="For people, or for programs.",
)
def plan(
    file: Path,
    previous: Path | None,
    chosen: tuple[str, ...],
    parameters: dict[str, str],
    exports: dict[str, str],
    references: dict[str, str],
    stack_name: str | None,
    region: str | None,
    account: str | None,
    profile: str | None,
    endpoint_url: str | None,
    output: str,
) -> None:
    """Show what a deployment of FILE would do to the live configurations. Only Get and List calls are made.

    FILE is a template (YAML or JSON; - is standard input) or a file with the Properties of a single resource. For each
    of the provider's resources, plan checks the properties, reads the configuration, and shows what the handler would
    do: create, update with each difference, or refuse with the reason.

    CloudFormation is not called. Ownership tags (stack and logical ID) show whether a configuration belongs to a
    resource. If they name another owner, or are missing, the resource is refused, as in a deployment. Ownership tags
    also show the configuration that a resource has under another Name (replace), and configurations whose resources
    the template no longer has (delete). For that, the stack must be known: by --stack-name, or by the ownership tags
    of the configurations in FILE. Without --previous, you need the permission
    imagebuilder:ListDistributionConfigurations in addition to GetDistributionConfiguration.

    Ownership tags do not show everything, and a retained configuration keeps them. So plan shows each deletion with
    the condition on which it depends, and reports what remains unknown. With --previous, plan takes the current state
    from the deployed template instead. It adds what tags do not show: OnDelete and DeletionPolicy, previously adopted
    configurations (which have no ownership tags), and tags to be removed.

    Values that are known only at deployment are replaced by placeholders: other resources, other stacks' exports, SSM
    parameters, dynamic references, and the stack's name. To give their values, use --import, --resolve, and
    --stack-name. Findings about placeholders are omitted. A difference that depends on a placeholder is marked, and
    counts as a change.

    Only CloudFormation expands loops (Fn::ForEach): create a change set, and use the template that
    `aws cloudformation get-template --change-set-name NAME --stack-name STACK --template-stage Processed` returns.

    With --output json, standard output is one object: region, account, changes (true or false), notes, and
    resources, each with logicalId, action, arn, reason, findings (severity, rule, path, message), warnings,
    differences (path, old, new, known; null if there is no value), and replaced, an object of the same structure for
    the replaced configuration, or null. An action is create, update, replace, delete, retain (removed from the stack
    and retained), none (unchanged), drift (the live configuration differs, but CloudFormation sends nothing), refused,
    or unknown.
    """
    from ..template.external_values import ExternalValues
    from .planning.live_state import LiveState
    from .planning.output import document, show
    from .screen import Screen

    files = (file, previous) if previous else (file,)
    texts = texts_of(files)
    templates = load(files, texts, parameters, read_template)
    ours = provider_resource_names(templates)
    with service(region, profile, endpoint_url, account) as (home, builder):
        live_state = LiveState(home, builder)
        given = Given(exports), Given(references)
        outside = ExternalValues(*given)
        planner = _planner(templates, parameters, outside, stack_name, stack_name_after(file), live_state)
        Screen(sys.stderr).say(f"Reading Image Builder in {home.region}, account {home.account} ...", dim=True)
        changes = _chosen(planner.changes(), chosen, ours)
        _check_outputs(planner)
    unused = unused_values(*given, texts.values())
    notes = [*_placeholder_notes(planner, changes, texts), *unused, *_unknowns(planner, changes, templates)]
    if output == "json":
        click.echo(document(home.region, home.account, notes, changes))
    else:
        show(Screen(sys.stdout), notes, changes)
    raise SystemExit(_exit_status(changes))


def _placeholder_notes(planner: Planner, changes: list[Change], texts: Mapping[Path, str]) -> Iterator[str]:
    """Which values were replaced by placeholders, except for the function's ARN, on which no change depends."""
    tokens = [repr(change.properties["ServiceToken"]) for change in changes if change.properties]
    yield from (note for note in planner.new.one.notes if not any(token in note for token in tokens))
    if not planner.stack_name and any("AWS::StackName" in text for text in texts.values()):
        yield f"assuming that the stack's name is {planner.new.one.place.stack_name!r}; to change it, use --stack-name"
    yield from planner.notes


def _unknowns(planner: Planner, changes: list[Change], templates: list[Template]) -> Iterator[str]:
    from .planning.changes import Action

    if planner.old is None and any(change.action is Action.CREATE for change in changes):
        yield f"whether a created configuration replaces {planner.doubt}"
    for name in dict.fromkeys(name for template in templates for name in sorted(template.foreign)):
        yield f"{name} is skipped: by its properties, it belongs to another function"


def _exit_status(changes: list[Change]) -> int:
    from .planning.changes import CHANGES, Action

    actions = {change.action for change in changes}
    if Action.REFUSED in actions:
        return 1
    return 3 if actions & CHANGES else 0


def read_template(text: str, name: str) -> Template:
    """Read a template, or wrap the properties of a single resource in one. Raises TemplateError."""
    from ..resources import DISTRIBUTION_CONFIGURATION, resource_type
    from ..template.placeholders import Placeholders
    from ..template.reader import read_text
    from ..template.sections import TemplateError, made_of

    tree = read_text(text).tree
    if (
        isinstance(tree, dict)
        and "Resources" not in tree
        and not tree.keys().isdisjoint(resource_type().schema.spellings)
    ):
        token = {"ServiceToken": Placeholders("us-east-1", "0" * 12).arn("AWS::Lambda::Function", "provider")}
        tree = {"Resources": {_ALONE: {"Type": DISTRIBUTION_CONFIGURATION, "Properties": {**token, **tree}}}}
        try:
            return made_of(tree, name)._replace(alone=True)
        except TemplateError as error:
            raise error.below(_ALONE_AT) from error
    template = made_of(tree, name)
    _check_attributes(tree)
    return template


def _check_attributes(tree: object) -> None:
    """Raise TemplateError for an attribute that the provider's resources do not have."""
    from ..lint.attributes import check_attributes
    from ..lint.resource_matching import provider_resources
    from ..template.template_error import TemplateError, raise_all

    assert isinstance(tree, dict)
    found = check_attributes(tree, provider_resources(tree))
    raise_all(TemplateError(one.message.partition(": ")[2], one.path) for one in found)


def _check_outputs(planner: Planner) -> None:
    """Raise Mistake for an output that CloudFormation would reject."""
    from ..template.sections import TemplateError

    try:
        planner.new.one.check_outputs()
    except TemplateError as error:
        raise refused(planner.new.one.template.name, error) from error


def provider_resource_names(templates: list[Template], purpose: str = "plan") -> list[str]:
    """The logical IDs of the provider's resources. Raises Mistake if there are none: nothing to `purpose`."""
    from ..resources import RESOURCE_TYPES

    kinds = {name: str(one["Type"]) for template in templates for name, one in template.resources.items()}
    foreign = set().union(*(template.foreign for template in templates))
    ours = [name for name, kind in kinds.items() if kind in RESOURCE_TYPES and name not in foreign]
    if not ours:
        others = "".join(f"; by its properties, {name} belongs to another function" for name in sorted(foreign))
        raise Mistake(
            f"{templates[0].name}: no resource is of the provider's type {' or '.join(RESOURCE_TYPES)}, "
            f"so there is nothing to {purpose}{others}"
        )
    return ours


def _chosen(changes: list[Change], chosen: tuple[str, ...], ours: list[str]) -> list[Change]:
    """The changes of the chosen resources. Raises Mistake for an unknown one."""
    known = dict.fromkeys([*ours, *(change.logical_id for change in changes)])
    if unknown := [name for name in chosen if name not in known]:
        raise Mistake(f"--resource: no such resource: {', '.join(unknown)}; choose from {', '.join(known)}")
    return [change for change in changes if not chosen or change.logical_id in chosen]


def _planner(
    templates: list[Template],
    parameters: dict[str, str],
    outside: ExternalValues,
    stack_name: str | None,
    default_stack_name: str,
    live_state: LiveState,
) -> Planner:
    """Deploy the templates twice, with different placeholders. Raises Mistake if CloudFormation would reject one."""
    from .fitting import Fitting
    from .planning.planner import EvaluatedTwice, Planner

    live: dict[str, Resource] = {}
    home = live_state.home

    def deployed(template: Template, outside: ExternalValues, salt: str = "") -> Deployment:
        return deploy(template, parameters, home, stack_name or default_stack_name + salt, live, outside, salt)

    # A stand-in that is made to fit differs from every one that is not.
    fitting = outside._replace(fit=Fitting(home.region, home.account))
    new, *old = [
        EvaluatedTwice(deployed(template, fitting), deployed(template, outside, _OTHER_SALT)) for template in templates
    ]
    return Planner(
        live_state=live_state,
        new=new,
        live=live,
        old=old[0] if old else None,
        stack_name=stack_name or "",
        any_resource=templates[0].alone,
    )


def deploy(
    template: Template,
    parameters: dict[str, str],
    location: Location,
    stack_name: str,
    live: dict[str, Resource],
    outside: ExternalValues,
    salt: str,
) -> Deployment:
    """A template's deployment, with placeholders that depend on `salt`. Raises Mistake if CloudFormation rejects it."""
    from ..stack_engine.deployment import Deployment
    from ..stack_engine.records import StackLocation
    from ..template.sections import TemplateError

    stack_id = (
        f"arn:{location.partition}:cloudformation:{location.region}:{location.account}:stack/{stack_name}/{uuid4()}"
    )
    place = StackLocation(location.region, location.account, stack_name, stack_id)
    try:
        return Deployment(template, declared(template, parameters), place, live, salt=salt, outside=outside)
    except TemplateError as error:
        raise refused(template.name, error.below(_ALONE_AT) if template.alone else error) from error
