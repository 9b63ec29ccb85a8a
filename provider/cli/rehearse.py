"""`rehearse`: a stack's whole life on the embedded engine."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

import click

from .scene import account_option, emulator_at, existing, home, put_there, region_option
from .templates import (
    FILE_OR_STANDARD_INPUT,
    Given,
    checked_stack_name,
    declared,
    idle,
    import_option,
    load,
    parameter_option,
    resolve_option,
    stack_name_after,
    texts_of,
)

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)

EPILOG = """\b
Examples:
  python -m provider rehearse stack.yaml
  python -m provider rehearse stack.yaml stack-changed.yaml -p Stage=production
  aws imagebuilder get-distribution-configuration \\
    --distribution-configuration-arn ARN > live.json
  python -m provider rehearse adopt.yaml --existing live.json
  cdk synth | python -m provider rehearse -
"""


@click.command(epilog=EPILOG, short_help="Deploy, update and delete a stack, offline.")
@click.argument("templates", nargs=-1, required=True, metavar="TEMPLATE [TEMPLATE]...", type=FILE_OR_STANDARD_INPUT)
@parameter_option
@import_option
@resolve_option
@region_option
@account_option
@click.option(
    "--stack-name",
    metavar="NAME",
    callback=checked_stack_name,
    help="[default: the first template's file name]",
)
@click.option(
    "--existing",
    "found",
    multiple=True,
    metavar="FILE",
    type=_FILE,
    help="A configuration that is there already, to be adopted: the JSON that `aws imagebuilder "
    "get-distribution-configuration` prints; repeatable.",
)
@click.option("--logs", is_flag=True, help="Show the function's log lines on standard error.")
def rehearse(
    templates: tuple[Path, ...],
    parameters: dict[str, str],
    exports: dict[str, str],
    references: dict[str, str],
    region: str | None,
    account: str | None,
    stack_name: str | None,
    found: tuple[Path, ...],
    logs: bool,
) -> None:
    """Rehearse a stack's whole life with the real provider, offline and without credentials.

    The first TEMPLATE (YAML or JSON; - is standard input) is deployed, the stack is updated to each next one,
    and at the end it is deleted. The provider's resources (Custom::ImageBuilderDistributionConfiguration, and
    AWS::CloudFormation::CustomResource with this provider's properties) are sent to the real function, which works
    against an Image Builder emulator on this machine; nothing leaves it. All other resources are skipped.

    What only a deployment knows has a stand-in, and the stack's events say which: other resources, other stacks'
    exports, SSM parameters, dynamic references. It has the form that is needed where it stands alone, such as 12
    digits for an account. Where it is a part of a longer text, or its value matters, say it: --import, --resolve.

    You see the stack's events as CloudFormation's console has them, and after each step what changed in the
    configurations. A configuration that a template adopts and that --existing does not give is made up.

    Region and account are, unless given, those of the first configuration ARN in what you pass.

    A step that fails ends the rehearsal: you see how CloudFormation rolls it back and what that leaves, but
    no later template and no deletion is tried. A step also fails if it loses a configuration: if a resource of the
    stack has none any more, if one is deleted that an earlier step retained (OnDelete, DeletionPolicy,
    UpdateReplacePolicy), or if a rollback does not restore its content. At the end, and after a failed step, what
    was left behind, or is gone that was there before, is a failure, too.

    Loops (Fn::ForEach) are expanded by CloudFormation alone: create a change set, and take the template of
    `aws cloudformation get-template --change-set-name NAME --stack-name STACK --template-stage Processed`.

    Of the other resources and of the template as a whole only the plainest mistakes are found: run cfn-lint too.

    The exit status is 0 if every step ended as a good deployment does and no configuration was lost or left behind,
    1 if not, and 2 for a mistake in the command or a template.
    """
    from ..stack_engine.sink import AnswerSink
    from ..template.external_values import ExternalValues
    from ..template.sections import parse
    from .function import offline, real_function
    from .rehearsal import Rehearsal
    from .screen import Screen

    texts = texts_of(templates)
    loaded = load(templates, texts, parameters, parse)
    configurations = [(str(file), existing(file)) for file in found]
    place = home(
        region,
        account,
        [
            *((name, str(one.get("arn", ""))) for name, one in configurations),
            *((f"--parameter {name}", value) for name, value in parameters.items()),
            *((template.name, texts[file]) for file, template in zip(templates, loaded, strict=True)),
        ],
    )
    name = stack_name or stack_name_after(templates[0])
    given = Given(exports), Given(references)
    screen = Screen(sys.stdout, [name, *(one for template in loaded for one in template.resources)])
    with ExitStack() as open_while:
        open_while.enter_context(offline())
        emulator = open_while.enter_context(emulator_at(place))
        os.environ.update(emulator.environment())
        for file, configuration in configurations:
            arn = put_there(emulator, configuration)
            if configuration.get("arn", arn) != arn:
                screen.say(f"{file} is taken to be {arn}: --region or --account say so.", fg="yellow")
        sink = open_while.enter_context(AnswerSink())
        run = open_while.enter_context(real_function(sys.stderr if logs else None, place.function_arn))
        rehearsal = Rehearsal(screen, emulator, sink, place, run, ExternalValues(*given))
        shortcomings = rehearsal.run(name, loaded, [declared(one, parameters) for one in loaded])
    screen.say()
    for remark in idle(*given, texts.values()):
        screen.say(f"{remark}.", fg="yellow")
    if shortcomings:
        screen.say(f"The rehearsal failed: {'; '.join(shortcomings)}", fg="red", bold=True)
        raise SystemExit(1)
    steps = "created, updated and deleted" if len(loaded) > 1 else "created and deleted"
    screen.say(f"The rehearsal went well: the stack was {steps}.", fg="green", bold=True)
