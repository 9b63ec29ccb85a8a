"""`update-distribution-configuration`: the AWS CLI's command of this name, with more checks and a dry run."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from .awscli.failure import Failure, Invalid, Misconfigured, Misused, failures
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
  254  the service returned an error
  255  anything else, such as an unreachable service
"""


@click.command(
    "update-distribution-configuration",
    cls=OperationCommand,
    epilog=EPILOG,
    short_help="Run the AWS CLI's command with more checks.",
)
@click.option("--dry-run", is_flag=True, help="Check everything and show the changes, but do not update.")
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

    It takes the same options and values, sends the same request, and prints the same response. It uses the AWS CLI's
    environment variables, configuration files, and credentials.

    The update replaces the whole configuration: members that you omit are removed.

    Before any call, it reports all problems with the configuration, including those that only the service finds. On a
    terminal, it prints the changes to standard error after the update. In a script, it behaves like the AWS CLI.

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
    with failures():
        connection = Connection(**others)
        session = connection.session()
        form = _format(output or session.get_config_variable("output"))
        if generate_cli_skeleton:
            response: dict[str, Any] | None = _sample_response()
        else:
            response = _updated(connection.client(session), parameters, dry_run)
        if response is None:
            return
        result = query.search(response) if query else response
    _print(result, form, color)


def _skeleton(form: str) -> str:
    from ..schema.model import UPDATE, operation
    from .awscli.blank_input import blank, commented

    if form == "yaml-input":
        return commented(operation(UPDATE))
    return json.dumps(blank(operation(UPDATE)), indent=4) + "\n"


def _sample_response() -> dict[str, Any]:
    from ..schema.model import UPDATE, service_model

    shape = service_model().operation_model(UPDATE).output_shape
    return {name: name for name in getattr(shape, "members", {})}


def _parameters(
    context: click.Context, given: dict[str, Any], input_json: str | None, input_yaml: str | None
) -> dict[str, Any]:
    """The call's input: options override --cli-input-json and --cli-input-yaml; the client token has a default."""
    from ..schema.model import IDEMPOTENCY
    from .awscli.values import input_of, member_of

    parameters = {
        name: member_of(given[name], option, type_)
        for option, (name, type_) in members().items()
        if given[name] not in (None, ())
    }
    if input_json is None and input_yaml is None:
        _require_members(context, parameters)
    for option, written in (("--cli-input-json", input_json), ("--cli-input-yaml", input_yaml)):
        if written is not None:
            found = input_of(written, option)
            parameters |= {name: value for name, value in found.items() if name not in parameters}
    return {**parameters, IDEMPOTENCY: parameters.get(IDEMPOTENCY, str(uuid4()))}


def _require_members(context: click.Context, parameters: dict[str, Any]) -> None:
    from ..schema.model import IDEMPOTENCY, UPDATE, operation

    required = set(operation(UPDATE).required) - {IDEMPOTENCY} - parameters.keys()
    if missing := [option for option, (name, _) in members().items() if name in required]:
        text = f"the following arguments are required: {', '.join(missing)}"
        raise Misused(text, context)


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
        raise Misconfigured(f"Unknown output type: {name}; choose from {', '.join(FORMATS)}")
    return name


def _updated(client: Any, parameters: dict[str, Any], dry_run: bool) -> dict[str, Any] | None:
    """The service's response; None for a dry run. On a terminal, the changes are shown."""
    if not dry_run and not sys.stderr.isatty():
        return _call(client, parameters)
    from ..schema.model import TARGET
    from .screen import Screen

    screen = Screen(sys.stdout if dry_run else sys.stderr)
    if dry_run:
        live = _live(client, parameters)
        screen.say("Nothing was changed. The update would make these changes:")
        _show(screen, live, parameters)
        return None
    screen.say(f"Updating {parameters[TARGET]} ...", dim=True)
    try:
        with failures():
            live = _live(client, parameters)
    except Failure as failure:
        screen.say(f"Cannot show the changes: {failure.message}", fg="yellow")
        return _call(client, parameters)
    response = _call(client, parameters)
    _show(screen, live, parameters)
    return response


def _call(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    from ..schema.model import TARGET

    response = _checked_response(client.update_distribution_configuration(**parameters), TARGET)
    return {name: value for name, value in response.items() if name != "ResponseMetadata"}


def _live(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    from ..schema.model import TARGET

    member = "distributionConfiguration"
    response = _checked_response(client.get_distribution_configuration(**{TARGET: parameters[TARGET]}), member)
    configuration: dict[str, Any] = response[member]
    return configuration


def _checked_response(response: dict[str, Any], member: str) -> dict[str, Any]:
    """The response. Raises Failure if it lacks `member`, because botocore accepts any page with status 200."""
    if member not in response:
        raise Failure("The response is not from Image Builder; the outcome of the call is unknown.")
    return response


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
