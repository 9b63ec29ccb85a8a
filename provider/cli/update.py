"""`update-distribution-configuration`: the AWS CLI's command of this name, and what it could do besides."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from .awscli.failure import Failure, Invalid, Misconfigured, Misused, told
from .awscli.options import OperationCommand, members

if TYPE_CHECKING:
    from .screen import Screen

EPILOG = """\b
Examples:
  python -m provider update-distribution-configuration --generate-cli-skeleton yaml-input > golden.yaml
  python -m provider update-distribution-configuration --cli-input-yaml file://golden.yaml --dry-run
  python -m provider update-distribution-configuration --cli-input-yaml file://golden.yaml
  python -m provider update-distribution-configuration --distribution-configuration-arn "$ARN" \\
    --distributions 'region=us-east-1,amiDistributionConfiguration={name="golden-{{imagebuilder:buildDate}}"}' \\
    --query clientToken --output text

\b
Exit status, as of the AWS CLI, version 2:
  0    the configuration was updated, or would be (--dry-run)
  130  Ctrl-C
  252  a mistake in the command or in the configuration; nothing was called
  253  no Region, no credentials, or a configuration that cannot be used; nothing was called
  254  the service answered with an error
  255  anything else, such as a service out of reach
"""


@click.command(
    "update-distribution-configuration",
    cls=OperationCommand,
    epilog=EPILOG,
    short_help="Do what the AWS CLI's command does; check first.",
)
@click.option("--dry-run", is_flag=True, help="Check everything and show what would change, but change nothing.")
@click.pass_context
def update(
    context: click.Context,
    /,
    dry_run: bool,
    output: str | None,
    query: Any,
    color: str,
    debug: bool,
    cli_input_json: str | None,
    cli_input_yaml: str | None,
    generate_cli_skeleton: str | None,
    **others: Any,
) -> None:
    """Update a distribution configuration as `aws imagebuilder update-distribution-configuration` does.

    It takes the same options and values, sends the same request, and prints the same answer. Settings and
    credentials are those of the AWS CLI: its environment variables and configuration files count here too.

    The update replaces the whole configuration: what is left out is removed.

    Before anything is called, everything that is wrong with the configuration is told at once, the service's
    own rules included. On a terminal, standard error says in the end what the update has changed; to a
    script, everything is as with the AWS CLI.

    Values are plain text, file://PATH, or, for lists, JSON or the AWS CLI's shorthand.
    """
    if generate_cli_skeleton in ("input", "yaml-input"):
        click.echo(_skeleton(generate_cli_skeleton), nl=False)
        return
    if cli_input_json is not None and cli_input_yaml is not None:
        raise Misused("--cli-input-json and --cli-input-yaml exclude each other.", context)
    given = {name: others.pop(name) for name, _ in members().values()}
    parameters = _parameters(context, given, cli_input_json, cli_input_yaml)
    _check(parameters)

    from .awscli.service import Connection, log_everything

    if debug:
        log_everything()
    with told():
        connection = Connection(**others)
        session = connection.session()
        form = _format(output or session.get_config_variable("output"))
        if generate_cli_skeleton:
            answer: dict[str, Any] | None = _sample_answer()
        else:
            answer = _updated(connection.client(session), parameters, dry_run)
        if answer is None:
            return
        result = query.search(answer) if query else answer
    _print(result, form, color)


def _skeleton(form: str) -> str:
    from ..schema.model import UPDATE, operation
    from .awscli.skeleton import blank, commented

    if form == "yaml-input":
        return commented(operation(UPDATE))
    return json.dumps(blank(operation(UPDATE)), indent=4) + "\n"


def _sample_answer() -> dict[str, Any]:
    from ..schema.model import UPDATE, service_model

    shape = service_model().operation_model(UPDATE).output_shape
    return {name: name for name in getattr(shape, "members", {})}


def _parameters(
    context: click.Context, given: dict[str, Any], input_json: str | None, input_yaml: str | None
) -> dict[str, Any]:
    """The call's input: from the options, then from the input that was given besides, and a token of its own."""
    from ..schema.model import IDEMPOTENCY, UPDATE, operation
    from .awscli.values import input_of, member_of

    parameters = {
        name: member_of(given[name], option, type_)
        for option, (name, type_) in members().items()
        if given[name] not in (None, ())
    }
    if input_json is None and input_yaml is None:
        required = set(operation(UPDATE).required) - {IDEMPOTENCY} - parameters.keys()
        if missing := [option for option, (name, _) in members().items() if name in required]:
            text = f"the following arguments are required: {', '.join(missing)}"
            raise Misused(text, context)
    for option, written in (("--cli-input-json", input_json), ("--cli-input-yaml", input_yaml)):
        if written is not None:
            found = input_of(written, option)
            parameters |= {name: value for name, value in found.items() if name not in parameters}
    return {**parameters, IDEMPOTENCY: parameters.get(IDEMPOTENCY, str(uuid4()))}


def _check(parameters: dict[str, Any]) -> None:
    from ..schema.model import UPDATE, operation
    from .awscli.problems import problems

    errors, warnings = problems(parameters, operation(UPDATE))
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    if errors:
        raise Invalid("\n".join(["Parameter validation failed:", *errors]))


def _format(name: str) -> str:
    from .awscli.output import FORMATS

    if name not in FORMATS:
        raise Misconfigured(f"Unknown output type: {name}; known are {', '.join(FORMATS)}")
    return name


def _updated(client: Any, parameters: dict[str, Any], dry_run: bool) -> dict[str, Any] | None:
    """The service's answer, None where it is not to be asked for one. A person is told what changes."""
    if not dry_run and not sys.stderr.isatty():
        return _call(client, parameters)
    from ..schema.model import TARGET
    from .screen import Screen

    screen = Screen(sys.stdout if dry_run else sys.stderr)
    if dry_run:
        live = _live(client, parameters)
        screen.say("Nothing was changed. This is what the update would do:")
        _show(screen, live, parameters)
        return None
    screen.say(f"Updating {parameters[TARGET]} ...", dim=True)
    try:
        with told():
            live = _live(client, parameters)
    except Failure as failure:
        screen.say(f"What changes cannot be shown: {failure.message}", fg="yellow")
        return _call(client, parameters)
    answer = _call(client, parameters)
    _show(screen, live, parameters)
    return answer


def _call(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    from ..schema.model import TARGET

    answer = _of_the_service(client.update_distribution_configuration(**parameters), TARGET)
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


def _live(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    from ..schema.model import TARGET

    member = "distributionConfiguration"
    answer = _of_the_service(client.get_distribution_configuration(**{TARGET: parameters[TARGET]}), member)
    configuration: dict[str, Any] = answer[member]
    return configuration


def _of_the_service(answer: dict[str, Any], member: str) -> dict[str, Any]:
    """The same answer. Raises Failure where it lacks `member`: to botocore, any page with status 200 is an answer."""
    if member not in answer:
        raise Failure("The answer does not come from Image Builder; what became of the call is not known.")
    return answer


def _show(screen: Screen, live: dict[str, Any], parameters: dict[str, Any]) -> None:
    from ..schema.model import TARGET, content_members

    contents = [{name: one[name] for name in content_members() if name in one} for one in (live, parameters)]
    before, after = ({parameters[TARGET]: content} for content in contents)
    screen.changes(before, after)


def _print(answer: Any, form: str, color: str) -> None:
    from ..schema.model import UPDATE
    from .awscli.output import rendered

    colored = color == "on" or (color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    click.echo(rendered(answer, form, UPDATE, color=colored), nl=False, color=True)
