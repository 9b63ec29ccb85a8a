"""`update-distribution-configuration`: the AWS CLI's command, with more checks and a dry run."""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from .awscli.command_errors import (
    CommandError,
    ConfigurationError,
    InvalidParameterError,
    InvalidUsageError,
    command_errors,
)
from .awscli.options import OperationCommand, members
from .awscli.text_encoding import configure_output

if TYPE_CHECKING:
    from collections.abc import Callable

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
Exit status, as of the AWS CLI, version 2 (also 0 if the reader of the output closes the pipe):
  0    the configuration was updated, or would be (--dry-run)
  130  Ctrl-C
  252  the command or the configuration is invalid; no call was made
  253  the Region, the credentials, or the settings are missing or invalid; no call was made
  254  the service returned an error
  255  anything else, such as an unreachable service
"""


@click.command(
    "update-distribution-configuration",
    cls=OperationCommand,
    epilog=EPILOG,
    short_help="Run the AWS CLI's command with more checks.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Check everything and show the changes, but do not update. "
    "With --output or --query: the changes for programs.",
)
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
    environment variables, configuration files, credentials, and cache of role credentials.

    Where versions 1 and 2 of the AWS CLI differ, it follows version 2 (2.36): AWS_PROFILE takes
    precedence over AWS_DEFAULT_PROFILE, --cli-input-yaml is YAML 1.2 without duplicate keys, AWS_CLI_FILE_ENCODING
    (UTF-8 if not set) and AWS_CLI_OUTPUT_ENCODING are honored, a call is attempted three times, and the exit statuses
    are those of version 2.

    The update replaces the whole configuration: members that you omit are removed.

    Before any call, it reports all problems with the configuration, including those that only the service finds. On a
    terminal, it prints the changes to standard error after the update. In a script, it behaves like the AWS CLI.

    Values are plain text, file://PATH, or, for lists, JSON or the AWS CLI's shorthand. To give a value that begins with
    a dash, write --option=-value.

    With --dry-run and --output (or --query), standard output has one object for programs:
    distributionConfigurationArn, changes (true or false), and differences, each with path, old, and new (null if there
    is no value).
    """
    configure_output()
    if generate_cli_skeleton in ("input", "yaml-input"):
        _print(_skeleton(generate_cli_skeleton) + "\n")
        return
    given = {name: others.pop(name) for name, _ in members().values()}
    parameters = _parameters(context, given, cli_input_json, cli_input_yaml)
    _check(parameters)

    from ..schema.model import UPDATE
    from .awscli.connection import Connection, enable_debug_log
    from .awscli.output_formats import render

    if debug:
        enable_debug_log()
    with command_errors():
        connection = Connection(**others)
        session = connection.session()
        output_format = _output_format(output or session.get_config_variable("output"))
        if dry_run and not (output or query or generate_cli_skeleton):
            _show_dry_run(connection.client(session), parameters)
            return
        operation = _operation(generate_cli_skeleton, dry_run)
        response = operation(partial(connection.client, session), parameters)
        result = query.search(response) if query else response
    _print(render(result, output_format, UPDATE, color=_is_colored(color)))


def _print(text: str) -> None:
    """Print a text in the encoding of standard output. click.echo would replace ASCII by UTF-8."""
    if sys.platform == "win32":
        click.echo(text, nl=False, color=True)
    else:
        sys.stdout.write(text)
        sys.stdout.flush()


def _operation(
    generate_cli_skeleton: str | None, dry_run: bool
) -> Callable[[Callable[[], Any], dict[str, Any]], dict[str, Any]]:
    """What returns the response, given what creates the client, and the parameters."""
    if generate_cli_skeleton:
        return _sample_response
    return _dry_run if dry_run else _update


def _sample_response(_: Callable[[], Any], __: dict[str, Any]) -> dict[str, Any]:
    from ..schema.model import UPDATE, service_model

    shape = service_model().operation_model(UPDATE).output_shape
    return {name: name for name in getattr(shape, "members", {})}


def _is_colored(color: str) -> bool:
    return color == "on" or (color == "auto" and sys.stdout.isatty() and not os.environ.get("NO_COLOR"))


def _output_format(name: str) -> str:
    from .awscli.output_formats import FORMATS

    if name not in FORMATS:
        raise ConfigurationError(f"Unknown output type: {name}; choose from {', '.join(FORMATS)}")
    return name


def _skeleton(skeleton_format: str) -> str:
    from ..schema.model import UPDATE, operation
    from .awscli.blank_input import blank, commented

    schema = operation(UPDATE)
    return commented(schema) if skeleton_format == "yaml-input" else json.dumps(blank(schema), indent=4)


def _parameters(
    context: click.Context, given: dict[str, Any], input_json: str | None, input_yaml: str | None
) -> dict[str, Any]:
    """The call's input: options override --cli-input-json and --cli-input-yaml; the client token has a default."""
    if input_json is not None and input_yaml is not None:
        raise InvalidUsageError("--cli-input-json and --cli-input-yaml cannot be used together.", context)
    from ..schema.model import CLIENT_TOKEN, UPDATE, operation
    from .awscli.values import parse_input, parse_member

    parameters = {
        name: parse_member(given[name], option, schema)
        for option, (name, schema) in members().items()
        if given[name] not in (None, ())
    }
    option, text = ("--cli-input-yaml", input_yaml) if input_json is None else ("--cli-input-json", input_json)
    if text is None:
        _require(set(operation(UPDATE).required) - {CLIENT_TOKEN} - parameters.keys(), context)
    else:
        parsed = parse_input(text, option)
        parameters |= {name: value for name, value in parsed.items() if name not in parameters}
    return {**parameters, CLIENT_TOKEN: parameters.get(CLIENT_TOKEN, str(uuid4()))}


def _require(missing: set[str], context: click.Context) -> None:
    """Raise InvalidUsageError if any members are missing."""
    if options := [option for option, (name, _) in members().items() if name in missing]:
        raise InvalidUsageError(f"the following arguments are required: {', '.join(options)}", context)


def _check(parameters: dict[str, Any]) -> None:
    from ..schema.model import UPDATE, operation
    from .awscli.problems import problems

    errors, warnings = problems(parameters, operation(UPDATE))
    for warning in warnings:
        click.echo(f"Warning: {warning}", err=True)
    if errors:
        raise InvalidParameterError("\n".join(["Parameter validation failed:", *errors]))


def _dry_run(client: Callable[[], Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """What an update would change, for programs."""
    from ..resources import resource_type
    from ..schema.model import TARGET
    from .awscli.differences import document

    return document(parameters[TARGET], *_contents(_live(client(), parameters), parameters), resource_type().schema)


def _show_dry_run(client: Any, parameters: dict[str, Any]) -> None:
    from .screen import Screen

    live = _live(client, parameters)
    screen = Screen(sys.stdout)
    screen.print("Nothing was changed. The update would make these changes:")
    _show(screen, live, parameters)


def _update(create_client: Callable[[], Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Update, and return the service's response. On a terminal, show the changes."""
    client = create_client()
    if not sys.stderr.isatty():
        return _call(client, parameters)
    from ..schema.model import TARGET
    from .screen import Screen

    screen = Screen(sys.stderr)
    screen.print(f"Updating {parameters[TARGET]} ...", dim=True)
    try:
        with command_errors():
            live = _live(client, parameters)
    except CommandError as error:
        screen.print(f"Cannot show the changes: {error.message}", fg="yellow")
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
    """The response. Raises CommandError if it lacks `member`, because botocore accepts any page with status 200."""
    if member not in response:
        raise CommandError("The response is not from Image Builder; the outcome of the call is unknown.")
    return response


def _show(screen: Screen, live: dict[str, Any], parameters: dict[str, Any]) -> None:
    from ..resources import resource_type
    from ..schema.model import TARGET
    from .awscli.differences import with_api_names

    before, after = ({parameters[TARGET]: content} for content in _contents(live, parameters))
    screen.changes(before, after, lambda difference: with_api_names(difference, resource_type().schema))


def _contents(live: dict[str, Any], parameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members that an update replaces, of the live configuration and of the parameters."""
    from ..schema.model import content_members

    before, after = ({name: one[name] for name in content_members() if name in one} for one in (live, parameters))
    return before, after
