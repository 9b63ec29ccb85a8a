"""`plan`: shows what a deployment of a template would change in the live configurations."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .evaluated_template import evaluate, parse
from .files import FILE_OR_STANDARD_INPUT, UserError, form_option
from .live import account_option, endpoint_option, live_service, profile_option, region_option
from .records.access import ledger_table, require_ledger, table_option, without_log
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
    template_rejected,
    unused_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..stack_engine.deployment import Deployment
    from ..stack_engine.records import DeployedResource
    from ..template.external_values import ExternalValues
    from ..template.sections import Template
    from .live import Live
    from .planning.changes import Change
    from .planning.live_state import LiveState
    from .planning.planner import Planner
    from .planning.recorded_requests import RecordedRequests

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
  1  a resource would be refused: it has errors, or its configuration belongs to another owner
  2  a mistake in the command or a file, or the service cannot be read
  3  something would change, or may change
  4  nothing would change, but a live configuration differs from its template (drift)
"""


@click.command(epilog=EPILOG, short_help="Compare a template with the live configurations.")
@click.argument("file", metavar="FILE", type=FILE_OR_STANDARD_INPUT)
@click.option(
    "--previous",
    type=FILE_OR_STANDARD_INPUT,
    metavar="FILE",
    help="The currently deployed template. Supplies what ownership tags do not show.",
)
@click.option("--resource", "chosen", multiple=True, metavar="LOGICAL_ID", help="Show only this resource; repeatable.")
@parameter_option
@import_option
@resolve_option
@click.option(
    "--stack-name",
    metavar="NAME",
    callback=check_stack_name,
    help="The stack that FILE is for.  [default: the stack in the live configurations' ownership tags]",
)
@table_option
@region_option
@account_option
@profile_option
@endpoint_option
@form_option
def plan(
    file: Path,
    previous: Path | None,
    chosen: tuple[str, ...],
    parameters: OptionValues,
    exports: OptionValues,
    references: OptionValues,
    stack_name: str | None,
    table: str | None,
    region: str | None,
    account: str | None,
    profile: str | None,
    endpoint_url: str | None,
    form: str,
) -> None:
    """Show what a deployment of FILE would do to the live configurations. Nothing is written.

    FILE is a template (YAML or JSON; - is standard input) or a file with the Properties of a single resource. For each
    of the provider's resources, plan checks the properties, reads the configuration, and shows what the handler would
    do: create, update with each difference, or refuse with the reason.

    CloudFormation is not called. Ownership tags (stack and logical ID) show whether a configuration belongs to a
    resource. If they name another owner, the resource is refused, as in a deployment. If they are missing, the result
    is unknown without --previous, because the resource may have adopted the configuration. Ownership tags also show
    the configuration that a resource has under another Name (replace), and configurations whose resources the template
    no longer has (delete). For that, the stack must be known: by --stack-name, or by the ownership tags of the
    configurations in FILE. Without --previous, you need the permission imagebuilder:ListDistributionConfigurations in
    addition to GetDistributionConfiguration.

    Ownership tags do not show everything, and a retained configuration keeps them. So plan shows each deletion with
    the condition on which it depends, and reports what remains unknown. With --previous, plan takes the current state
    from the deployed template instead. It adds what tags do not show: OnDelete and DeletionPolicy, previously adopted
    configurations (which have no ownership tags), and tags to be removed.

    Each configuration is read in its own Region. If a resource has RoleArn, plan assumes this role with your
    credentials. The external ID is the stack's ID if the configurations that you can read without a role show it by
    their ownership tags; otherwise it is the ID of a new stack named --stack-name, with your account and Region. If you
    may not assume the role, or the Region cannot be read, the change is unknown, and the reason says what to allow.
    Without --previous, a configuration that a resource had in another Region or account is found only if a resource in
    the template is in that Region and account, too.

    Values that are known only at deployment are replaced by placeholders: other resources, other stacks' exports, SSM
    parameters, dynamic references, and the stack's name. To give their values, use --import, --resolve, and
    --stack-name. Findings about placeholders are omitted. A difference that depends on a placeholder is marked, and
    counts as a change.

    With the ledger's --table, plan processes each request as the provider does, with copies of the table's items and of
    the live configurations. So it shows what each resource changes in the merged configuration, which resource of which
    stack has each changed value, and the reason for which the provider would reject a part, an owner's update, or an
    owner's deletion. What Image Builder itself would reject is not found. For each configuration with parts of other
    stacks, it also shows the whole content after the deployment, with its owners. A part belongs to the resource with
    the same logical ID of the stack: the one that owns a configuration in FILE, or else --stack-name or the name of
    FILE. Without --previous, a removed part is found only in the configurations that FILE names. You need the
    permission dynamodb:Query for the table. Without a table that can be read, the effects of contributions and on
    shared configurations are unknown.

    plan reads neither Organizations nor SSM. To give the accounts of an account source, use --resolve with the ID of
    the organizational unit or the name of the parameter. Otherwise, it uses the accounts that the ledger records for
    it. Without a record, the source itself is shown in its list, the difference is marked, and a note names it.

    The Rules in FILE are evaluated, except those that use Fn::RefAll, Fn::ValueOf, or Fn::ValueOfAll, whose values only
    AWS knows; the notes list these.

    Only CloudFormation expands loops (Fn::ForEach): create a change set, and use the template that
    `aws cloudformation get-template --change-set-name NAME --stack-name STACK --template-stage Processed` returns.

    With --output json, standard output is one object: region, account, changes and drift (true or false),
    notes, resources, and configurations. Each resource has logicalId, action, arn, reason, findings (severity, rule,
    path, message), warnings, differences (path, old, new, known, owners; null if there is no value), and replaced, an
    object of the same structure for the replaced configuration, or null. An action is create, update, replace, delete,
    retain (removed from the stack and retained), none (unchanged), drift (the live configuration differs, but
    CloudFormation sends nothing), refused, or unknown. For a contribution, the arn is that of the configuration, and
    the action is that on its part. owners are the resources that have the new value, or had the removed one (stackId,
    logicalId); null without the ledger. The ID of a stack that does not exist yet is made up. configurations are the
    recorded ones after the deployment, each with arn and paths (path, value, owners).
    """
    from ..template.external_values import ExternalValues
    from ..template.template_error import TemplateError
    from .planning.live_state import LiveState
    from .planning.plan_output import document, show
    from .screen import Screen

    files = (file, previous) if previous else (file,)
    texts = read_texts(files)
    templates = load_templates(files, texts, parameters, parse)
    provider_resources = provider_logical_ids(templates, "plan")
    with without_log(), live_service(region, profile, endpoint_url, account) as live:
        live_state, location = LiveState(live), live.location
        external = ExternalValues(exports, references)
        planner = _planner(templates, parameters, external, stack_name, default_stack_name(file), live_state)
        planner.stack.ledger = _recorded_requests(table, live, live_state)
        Screen(sys.stderr).print(
            f"Reading Image Builder in {location.region}, account {location.account} ...", dim=True
        )
        changes = _chosen(planner.changes(), chosen, provider_resources)
        merged = planner.merged()
        try:
            planner.new.one.check_outputs()
        except TemplateError as error:
            raise template_rejected(templates[0].name, error) from error
    notes = [
        *_placeholder_notes(planner, changes, texts),
        *unused_values(exports, references, texts.values()),
        *_limitations(planner, changes, templates),
    ]
    if form == "json":
        click.echo(document(location.region, location.account, notes, changes, merged))
    else:
        show(Screen(sys.stdout), notes, changes, merged)
    raise SystemExit(_exit_status(changes))


def _recorded_requests(table: str | None, live: Live, live_state: LiveState) -> RecordedRequests | None:
    """What executes requests on a copy of the ledger; None without a table."""
    if not table:
        return None
    require_ledger()
    from .planning.recorded_requests import RecordedRequests

    return RecordedRequests(ledger_table(table, live), live_state)


def _placeholder_notes(planner: Planner, changes: list[Change], texts: Mapping[Path, str]) -> Iterator[str]:
    """The values that placeholders replaced, except for the function's ARN, on which no change depends."""
    tokens = [repr(change.properties["ServiceToken"]) for change in changes if change.properties]
    yield from (note for note in planner.new.one.notes if not any(token in note for token in tokens))
    if not planner.stack.stack_name and any("AWS::StackName" in text for text in texts.values()):
        name = planner.new.one.location.stack_name
        yield f"assuming that the stack's name is {name!r}; to change it, use --stack-name"
    yield from planner.stack.notes


def _limitations(planner: Planner, changes: list[Change], templates: list[Template]) -> Iterator[str]:
    from ..resources import CONTRIBUTION
    from .planning.changes import Action

    created = {change.type_name for change in changes if change.action is Action.CREATE and planner.old is None}
    if created - {CONTRIBUTION}:
        yield f"whether a created configuration replaces {planner.stack.replacement_note}"
    if CONTRIBUTION in created:
        yield "whether an added part replaces one of another configuration is unknown without --previous FILE"
    for name in dict.fromkeys(name for template in templates for name in sorted(template.foreign)):
        yield f"{name} is skipped: by its properties, it belongs to another function"


def _exit_status(changes: list[Change]) -> int:
    from .planning.changes import CHANGING, Action

    actions = {change.action for change in changes}
    # If the Delete of what was replaced is refused, the stack's cleanup fails.
    actions |= {change.replaced.action for change in changes if change.replaced} & {Action.REFUSED}
    if Action.REFUSED in actions:
        return 1
    if actions & CHANGING:
        return 3
    return 4 if Action.DRIFT in actions else 0


def _chosen(changes: list[Change], chosen: tuple[str, ...], provider_resources: list[str]) -> list[Change]:
    """The changes of the chosen resources. Raises UserError for an unknown one."""
    known = dict.fromkeys([*provider_resources, *(change.logical_id for change in changes)])
    if unknown := [name for name in chosen if name not in known]:
        raise UserError(f"--resource: no such resource: {', '.join(unknown)}; choose from {', '.join(known)}")
    return [change for change in changes if not chosen or change.logical_id in chosen]


def _planner(
    templates: list[Template],
    parameters: Mapping[str, str],
    external: ExternalValues,
    stack_name: str | None,
    default_name: str,
    live_state: LiveState,
) -> Planner:
    """Evaluate each template twice, with different placeholders. Raises UserError if CloudFormation would reject it."""
    from .placeholder_samples import PlaceholderSamples
    from .planning.current_stack import CurrentStack
    from .planning.evaluated_twice import EvaluatedTwice
    from .planning.planner import Planner
    from .source_values import SourceValues

    live: dict[str, DeployedResource] = {}
    location = live_state.location

    def deployment(template: Template, external: ExternalValues, salt: str = "") -> Deployment:
        return evaluate(template, parameters, location, stack_name or default_name + salt, live, external, salt)

    # Only one evaluation replaces placeholders by samples. So a value with a placeholder always differs in the other.
    with_samples = external._replace(fit=PlaceholderSamples(location.region, location.account))
    new, *old = [
        EvaluatedTwice(deployment(template, with_samples), deployment(template, external, _OTHER_SALT))
        # The deployed template satisfied its Rules, with the parameters' values at that time.
        for template in (templates[0], *(one._replace(rules={}) for one in templates[1:]))
    ]
    stack = CurrentStack(
        live_state=live_state,
        new=new,
        live=live,
        old=old[0] if old else None,
        stack_name=stack_name or "",
        any_resource=templates[0].alone,
    )
    return Planner(stack, SourceValues(external.references))
