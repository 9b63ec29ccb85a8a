"""`rehearse`: runs the whole lifecycle of one stack or several on the embedded stack engine."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .emulation import (
    account_option,
    choose_location,
    emulator_at,
    existing_configuration,
    function_environment,
    region_option,
)
from .files import FILE_OR_STANDARD_INPUT, UserError
from .template_files import (
    OptionValues,
    check_stack_name,
    declared_parameters,
    default_stack_name,
    import_option,
    load_templates,
    parameter_option,
    read_texts,
    resolve_option,
    stack_names,
    unused_values,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from ..emulator.emulator import Emulator
    from ..template.sections import Template
    from .screen import Screen

EPILOG = """\b
Examples:
  python -m provider rehearse stack.yaml
  python -m provider rehearse stack.yaml stack-changed.yaml -p Stage=production
  aws imagebuilder get-distribution-configuration \\
    --distribution-configuration-arn ARN > live.json
  python -m provider rehearse adopt.yaml --existing live.json
  cdk synth | python -m provider rehearse -
  python -m provider rehearse owner.yaml --with team-a.yaml --with team-b.yaml
"""


@click.command(epilog=EPILOG, short_help="Deploy, update, and delete stacks offline.")
@click.argument("templates", nargs=-1, required=True, metavar="TEMPLATE [TEMPLATE]...", type=FILE_OR_STANDARD_INPUT)
@click.option(
    "--with",
    "others",
    multiple=True,
    metavar="TEMPLATE",
    type=FILE_OR_STANDARD_INPUT,
    help="Another stack, which is created after the first one and runs with a ledger; repeatable.",
)
@parameter_option
@import_option
@resolve_option
@region_option
@account_option
@click.option(
    "--stack-name",
    metavar="NAME",
    callback=check_stack_name,
    help="[default: the first template's file name]",
)
@click.option(
    "--existing",
    "existing",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="An existing configuration to adopt: the JSON output of `aws imagebuilder "
    "get-distribution-configuration`; repeatable.",
)
@click.option("--logs", is_flag=True, help="Show the function's log lines on standard error.")
def rehearse(
    templates: tuple[Path, ...],
    others: tuple[Path, ...],
    parameters: OptionValues,
    exports: OptionValues,
    references: OptionValues,
    region: str | None,
    account: str | None,
    stack_name: str | None,
    existing: tuple[Path, ...],
    logs: bool,
) -> None:
    """Rehearse a stack's whole lifecycle with the real provider, offline and without credentials.

    The first TEMPLATE (YAML or JSON; - is standard input) is deployed, the stack is then updated to each of the others
    in turn, and finally the stack is deleted. The provider's resources (Custom::ImageBuilderDistributionConfiguration,
    and AWS::CloudFormation::CustomResource with this provider's properties) are sent to the real function, which uses
    an Image Builder emulator on this machine. All other resources are skipped.

    Values that are known only at deployment are replaced by placeholders: other resources, other stacks' exports, SSM
    parameters, and dynamic references. The stack's events list them. A placeholder that is a whole value is valid, such
    as 12 digits for an account. If it is part of a longer text, or the value matters, use --import or --resolve.
    An account source (an organizational unit or an SSM parameter in a list of accounts) is replaced by one such
    account. To give its accounts, use --resolve with its ID or name.

    The output shows the stack's events as in the CloudFormation console, the warnings in the function's log (WARNING),
    and after each step the changes of configurations. If a template adopts a configuration without --existing, the
    rehearsal uses placeholder content.

    Use --with to rehearse several stacks that share a configuration. The first TEMPLATE and each TEMPLATE of --with are
    deployed as stacks of their own, named after their files. Each can import what the stacks before it export. Then the
    first stack is updated to its other templates, and finally, the stacks are deleted, the last one first. The provider
    has a ledger, in a DynamoDB emulator on this machine, which the command starts and stops. After each step, the
    output also shows the whole content of each configuration that changed.

    The Region and account default to those of the first configuration ARN in your input, except those of resources
    with Region or RoleArn. The emulator has all Regions and accounts, and the function may assume any RoleArn there.

    If a step fails, the rehearsal ends after CloudFormation's rollback: later templates and the deletion are not
    tried. A step also fails if it loses a configuration: if a resource no longer has one, if a configuration that an
    earlier step retained (OnDelete, DeletionPolicy, UpdateReplacePolicy) is deleted, or if a rollback does not restore
    its content. At the end, and after a failed step, the rehearsal also fails if configurations are left behind, or if
    existing ones were deleted.

    Only CloudFormation expands loops (Fn::ForEach): create a change set, and use the template that
    `aws cloudformation get-template --change-set-name NAME --stack-name STACK --template-stage Processed` returns.

    The template's Rules are evaluated, except those that use Fn::RefAll, Fn::ValueOf, or Fn::ValueOfAll, whose values
    only AWS knows. The events list the rules that are not evaluated.

    The rehearsal finds only basic mistakes in other resources and in the template itself, so run cfn-lint too.

    The exit status is 0 if each step succeeded and no configuration was lost or left behind, 1 if not, and 2 for a
    mistake in the command or a file.
    """
    from ..stack_engine.sink import ResponseSink
    from ..template.external_values import ExternalValues
    from ..template.sections import parse
    from .emulated_sources import emulated_sources
    from .environment import offline
    from .function import real_function
    from .ledger_emulator import ledger_emulator
    from .rehearsal import Rehearsal, Step
    from .screen import Screen
    from .source_values import SourceValues
    from .warning_log import WarningLog, log_warnings

    files = (*templates[:1], *others, *templates[1:])
    texts = read_texts(files)
    loaded = load_templates(files, texts, parameters, parse)
    configurations = [*zip(map(str, existing), map(existing_configuration, existing), strict=True)]
    by_name = [(one.name, texts[file]) for file, one in zip(files, loaded, strict=True)]
    inputs = [*_option_texts(configurations, parameters), *by_name]
    elsewhere = set(_adopted_elsewhere(loaded))
    location = choose_location(region, account, _without(elsewhere, inputs))
    names = stack_names(stack_name or default_stack_name(templates[0]), others)
    names += names[:1] * (len(templates) - 1)
    steps = [Step(name, one, declared_parameters(one, parameters)) for name, one in zip(names, loaded, strict=True)]
    screen = Screen(sys.stdout, [*names, *chain.from_iterable(template.resources for template in loaded)])
    with ExitStack() as contexts:
        contexts.enter_context(offline())
        emulator = contexts.enter_context(emulator_at(location))
        os.environ.update(function_environment(emulator))
        if others:
            os.environ.update(contexts.enter_context(ledger_emulator(location.region)))
        log_warnings()
        _seed(emulator, configurations, region, account, elsewhere, screen)
        sink = contexts.enter_context(ResponseSink())
        warnings = WarningLog(sys.stderr if logs else None)
        function = contexts.enter_context(real_function(warnings, location.function_arn))
        external = ExternalValues(exports, references)
        sources = contexts.enter_context(
            emulated_sources(
                SourceValues(references),
                lambda text: screen.print(f"  {text}; to give them, use --resolve.", fg="yellow"),
            )
        )
        rehearsal = Rehearsal(screen, emulator, sink, location, function, warnings, external, sources)
        problems = rehearsal.run(steps)
    screen.print()
    _note(screen, unused_values(exports, references, texts.values()))
    if problems and _lacks_ledger(loaded, others):
        _note(screen, ["Only a rehearsal with --with TEMPLATE has a ledger, which contributions require"])
    _report(screen, problems, "the stacks were" if others else "the stack was", has_updates=len(templates) > 1)


def _note(screen: Screen, messages: Iterable[str]) -> None:
    for message in messages:
        screen.print(f"{message}.", fg="yellow")


def _lacks_ledger(templates: Iterable[Template], others: tuple[Path, ...]) -> bool:
    """Whether a template has a resource that requires the ledger, and there are no other stacks."""
    from ..resources import CONTRIBUTION
    from ..schema.model import CONTRIBUTIONS, pascal_case

    resources = [one for template in templates for one in template.resources.values()]
    return not others and any(
        one["Type"] == CONTRIBUTION or pascal_case(CONTRIBUTIONS) in (one.get("Properties") or {}) for one in resources
    )


def _option_texts(
    configurations: list[tuple[str, dict[str, Any]]], parameters: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The options that may contain a configuration's ARN, by the names that the output shows."""
    yield from ((name, str(one.get("arn", ""))) for name, one in configurations)
    yield from ((f"--parameter {name}", value) for name, value in parameters.items())


def _adopted_elsewhere(templates: list[Template]) -> Iterator[str]:
    """The ARNs that resources with a Region or a role adopt: they do not show where the stack is."""
    from ..resources import resource_type
    from ..schema.model import REGION, ROLE, TARGET

    spellings = resource_type().schema.spellings
    for resource in (one for template in templates for one in template.resources.values()):
        properties = resource.get("Properties")
        given = {spellings.get(key): value for key, value in properties.items()} if isinstance(properties, dict) else {}
        if isinstance(given.get(TARGET), str) and given.keys() & {REGION, ROLE}:
            yield given[TARGET]


def _without(arns: Collection[str], inputs: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The inputs without these ARNs."""
    for name, text in inputs:
        for arn in arns:
            text = text.replace(arn, "")
        yield name, text


def _report(screen: Screen, problems: list[str], subject: str, *, has_updates: bool) -> None:
    """Print the outcome, and exit with status 1 if there are problems."""
    if problems:
        screen.print(f"Rehearsal failed: {'; '.join(problems)}", fg="red", bold=True)
        raise SystemExit(1)
    steps = "created, updated, and deleted" if has_updates else "created and deleted"
    screen.print(f"Rehearsal succeeded: {subject} {steps}.", fg="green", bold=True)


def _seed(
    emulator: Emulator,
    configurations: list[tuple[str, dict[str, Any]]],
    region: str | None,
    account: str | None,
    elsewhere: Collection[str],
    screen: Screen,
) -> None:
    """Add the configurations of --existing at their ARNs, and report those whose account or Region is overridden.

    The options do not override the location of those `elsewhere`.
    """
    from botocore.exceptions import UnknownRegionError

    for file, configuration in configurations:
        arn = str(configuration.get("arn", ""))
        options = (None, None) if arn in elsewhere else (region, account)
        location = choose_location(*options, [(file, arn)])
        try:
            service = emulator.at(location.region, location.account) if location.source else emulator.at()
            arn = service.seed(
                name=configuration["name"],
                distributions=configuration.get("distributions", []),
                description=configuration.get("description"),
                tags=configuration.get("tags") or {},
            )
        except (UnknownRegionError, ValueError) as error:  # ValueError: the name exists already
            raise UserError(f"{file}: {error}") from error
        if configuration.get("arn", arn) != arn:
            screen.print(f"{file} is used as {arn}, because of --region or --account.", fg="yellow")
