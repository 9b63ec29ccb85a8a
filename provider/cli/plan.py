"""`plan`: what deploying a template would change, compared with the live configurations."""

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
    idle,
    import_option,
    load,
    parameter_option,
    refused,
    resolve_option,
    stack_name_after,
    texts_of,
)

if TYPE_CHECKING:
    from ..template.external_values import ExternalValues
    from ..template.sections import Template
    from .planning.changes import Change
    from .planning.planner import Planner
    from .planning.world import World

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
  1  a resource would be refused: by its findings, or as it is another's
  2  a mistake in the command or a file, or the service cannot be read
  3  something would change, or may
"""


@click.command(epilog=EPILOG, short_help="Compare a template with the live configurations.")
@click.argument("file", metavar="FILE", type=FILE_OR_STANDARD_INPUT)
@click.option(
    "--previous",
    type=FILE_OR_STANDARD_INPUT,
    metavar="FILE",
    help="The template as it is deployed now, for what ownership tags do not show.",
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
    """Show what deploying FILE would do to the live configurations. It only reads: Get and List calls, no other.

    FILE is a template (YAML or JSON; - is standard input) or a file with the Properties of one resource alone. Each
    resource of the provider's is checked, the configuration that it stands for is read, and the handler's own
    decision on it is shown: create, update with each difference, or why it would be refused.

    The stack itself is not asked. The ownership tags of a configuration (its stack and its logical ID) show whether
    it is a resource's own; any other configuration of the same Name is refused, as a deployment would refuse it. Once
    the stack is known, the ownership tags also show what a resource had under another Name (replace) and what the
    template no longer has (delete). The stack is that of --stack-name, or the one that the configurations that FILE
    leads to name. Without --previous, this needs the permission imagebuilder:ListDistributionConfigurations, beside
    GetDistributionConfiguration.

    Ownership tags do not show everything, and a retained configuration keeps them. So each deletion that they suggest
    is shown with the condition that it depends on, and what they leave open is reported. --previous, the template as
    it is deployed, shows what they cannot: OnDelete and DeletionPolicy, what a resource adopted before (that carries
    no tags of its own), and tags that are to be removed. With --previous, ownership tags are not searched for.

    What only a deployment knows has a stand-in: other resources, other stacks' exports, SSM parameters, dynamic
    references, and the stack's name; --import, --resolve and --stack-name say what they are. Findings about a
    stand-in are left out; a difference that rests on one is marked, and counts as a change.

    Loops (Fn::ForEach) are expanded by CloudFormation alone: create a change set, and take the template of
    `aws cloudformation get-template --change-set-name NAME --stack-name STACK --template-stage Processed`.

    With --output json, standard output is one object: region, account, changes (true or false), notes, and
    resources, each with logicalId, action, arn, reason, findings (severity, rule, path, message), warnings,
    differences (path, old, new, known; null is what is not there), and replaced, an object of the same form for the
    former configuration, or null. An action is create, update, replace, delete, retain (its configuration stays),
    none, drift (the live configuration differs, but CloudFormation sends nothing), refused or unknown.
    """
    from ..template.external_values import ExternalValues
    from .planning.changes import CHANGES, Action
    from .planning.output import document, show
    from .planning.world import World
    from .screen import Screen

    files = (file, previous) if previous else (file,)
    texts = texts_of(files)
    templates = load(files, texts, parameters, _template)
    ours = _resources(templates)
    with service(region, profile, endpoint_url, account) as (home, builder):
        world = World(home, builder)
        given = Given(exports), Given(references)
        outside = ExternalValues(*given)
        planner = _planner(templates, parameters, outside, stack_name, stack_name_after(file), world)
        Screen(sys.stderr).say(f"Reading Image Builder in {home.region}, account {home.account} ...", dim=True)
        changes = _chosen(planner.changes(), chosen, ours)
        _check_outputs(planner)
    # Nothing here hangs on where the function is.
    tokens = [repr(change.properties["ServiceToken"]) for change in changes if change.properties]
    notes = [note for note in planner.new.one.notes if not any(token in note for token in tokens)]
    if not stack_name and any("AWS::StackName" in text for text in texts.values()):
        notes.append(f"the stack's name is taken to be {planner.new.one.place.stack_name!r}; --stack-name gives it")
    notes += [*planner.notes, *idle(*given, texts.values())]
    if previous is None and any(change.action is Action.CREATE for change in changes):
        notes.append(f"whether what is created replaces {planner.doubt}")
    notes += [
        f"{name} is passed over: it is another function's by its properties"
        for name in dict.fromkeys(name for template in templates for name in sorted(template.foreign))
    ]
    if output == "json":
        click.echo(document(home.region, home.account, notes, changes))
    else:
        show(Screen(sys.stdout), notes, changes)
    if any(change.action is Action.REFUSED for change in changes):
        raise SystemExit(1)
    raise SystemExit(3 if any(change.action in CHANGES for change in changes) else 0)


def _template(text: str, name: str) -> Template:
    """The template that a text is, or that a resource of those properties alone would be. Raises TemplateError."""
    from ..resources import resource_type
    from ..stack_engine.deployment import BACKED_TYPES
    from ..template.placeholders import Plausible
    from ..template.sections import TemplateError, made_of, tree_of

    tree = tree_of(text)
    if (
        isinstance(tree, dict)
        and "Resources" not in tree
        and not tree.keys().isdisjoint(resource_type().schema.spellings)
    ):
        token = {"ServiceToken": Plausible("us-east-1", "0" * 12).arn("AWS::Lambda::Function", "provider")}
        tree = {"Resources": {_ALONE: {"Type": next(iter(BACKED_TYPES)), "Properties": {**token, **tree}}}}
        try:
            return made_of(tree, name)._replace(alone=True)
        except TemplateError as error:
            raise error.below(_ALONE_AT) from error
    template = made_of(tree, name)
    _check_attributes(tree)
    return template


def _check_attributes(tree: object) -> None:
    """Raises TemplateError for an attribute that a resource of the provider's does not have."""
    from ..lint.attributes import check_attributes
    from ..lint.ours import resources
    from ..template.refusal import TemplateError, refuse

    assert isinstance(tree, dict)
    found = check_attributes(tree, resources(tree))
    refuse(TemplateError(one.message.partition(": ")[2], one.path) for one in found)


def _check_outputs(planner: Planner) -> None:
    """Raises Mistake for an output of which CloudFormation could make nothing."""
    from ..template.sections import TemplateError

    try:
        planner.new.one.check_outputs()
    except TemplateError as error:
        raise refused(planner.new.one.template.name, error) from error


def _resources(templates: list[Template]) -> list[str]:
    """The logical IDs of the provider's resources. Raises Mistake where there are none."""
    from ..stack_engine.deployment import BACKED_TYPES

    kinds = {name: str(one["Type"]) for template in templates for name, one in template.resources.items()}
    foreign = set().union(*(template.foreign for template in templates))
    ours = [name for name, kind in kinds.items() if kind in BACKED_TYPES and name not in foreign]
    if not ours:
        others = "".join(f"; {name} is another function's by its properties" for name in sorted(foreign))
        raise Mistake(
            f"{templates[0].name}: no resource is of the provider's type {' or '.join(BACKED_TYPES)}, "
            f"so there is nothing to plan{others}"
        )
    return ours


def _chosen(changes: list[Change], chosen: tuple[str, ...], ours: list[str]) -> list[Change]:
    """The changes of the resources that were chosen. Raises Mistake for one that nothing names."""
    known = dict.fromkeys([*ours, *(change.logical_id for change in changes)])
    if unknown := [name for name in chosen if name not in known]:
        raise Mistake(f"the provider has no resource {', '.join(unknown)} here; there are {', '.join(known)}")
    return [change for change in changes if not chosen or change.logical_id in chosen]


def _planner(
    templates: list[Template],
    parameters: dict[str, str],
    outside: ExternalValues,
    stack_name: str | None,
    stand_in: str,
    world: World,
) -> Planner:
    """Raises Mistake for what CloudFormation refuses before it touches a resource."""
    from ..stack_engine.deployment import Deployment
    from ..stack_engine.records import Place, Resource
    from ..template.sections import TemplateError
    from .fitting import Fitting
    from .planning.planner import Planner, Twice

    live: dict[str, Resource] = {}
    home = world.home

    def deployed(template: Template, outside: ExternalValues, salt: str = "") -> Deployment:
        name = stack_name or stand_in + salt
        stack_id = f"arn:{home.partition}:cloudformation:{home.region}:{home.account}:stack/{name}/{uuid4()}"
        place = Place(home.region, home.account, name, stack_id)
        try:
            return Deployment(template, declared(template, parameters), place, live, salt=salt, outside=outside)
        except TemplateError as error:
            raise refused(template.name, error.below(_ALONE_AT) if template.alone else error) from error

    # A stand-in that is made to fit differs from every one that is not.
    fitting = outside._replace(fit=Fitting(home.region, home.account))
    new, *old = [Twice(deployed(template, fitting), deployed(template, outside, _OTHER_SALT)) for template in templates]
    return Planner(
        world=world,
        new=new,
        live=live,
        old=old[0] if old else None,
        stack_name=stack_name or "",
        any_resource=templates[0].alone,
    )
