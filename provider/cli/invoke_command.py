"""`invoke`: sends one event to the real function."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from .emulation import (
    EmulatedLocation,
    choose_location,
    emulator_at,
    function_environment,
    name_in,
    seed_placeholder,
)
from .environment import offline
from .files import FILE_OR_STANDARD_INPUT, STANDARD_INPUT, UserError, parse_json, read_bytes
from .live import check_settings, check_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..emulator.emulator import Emulator
    from ..stack_engine.sink import ResponseSink
    from .screen import Screen

_STACK_COLONS = 5
"""The colons in a stack's ID, which is an ARN."""

EPILOG = """\b
Examples:
  python -m provider invoke events/create-own.json
  python -m provider invoke events/update-in-place.json --logs
  jq '.RequestType = "Delete"' event.json | python -m provider invoke -
  AWS_PROFILE=sandbox python -m provider invoke event.json --live
  ASSUMABLE_ROLE_ARNS='*' python -m provider invoke event.json --live    # an event with RoleArn
"""


@click.command(epilog=EPILOG, short_help="Send one event to the provider's function.")
@click.argument("event", type=FILE_OR_STANDARD_INPUT, metavar="EVENT.json")
@click.option("--empty", is_flag=True, help="Don't create the configurations that the event refers to.")
@click.option("--endpoint-url", metavar="URL", callback=check_url, help="Use this Image Builder endpoint.")
@click.option("--live", is_flag=True, help="Use the REAL service, with your credentials and Region.")
@click.option("--logs", is_flag=True, help="Show the function's log lines on standard error.")
def invoke(event: Path, empty: bool, endpoint_url: str | None, live: bool, logs: bool) -> None:
    """Send one CloudFormation custom resource event to the provider's real function.

    EVENT.json is an event as CloudFormation sends it (see events/ for samples); - reads it from standard input.

    By default, the function uses an Image Builder emulator on this machine, offline and without credentials. If a
    configuration in the event should exist, it is created first: from the event's properties if the stack owns it,
    with placeholder content if it is adopted. To skip this, use --empty. The emulator has all Regions and accounts, and
    the function may assume any RoleArn there.

    With --endpoint-url or --live, the function uses the Region and credentials in your environment, for example
    AWS_REGION and AWS_PROFILE. The response is printed; it is never sent to the event's ResponseURL.

    Standard output has the response as JSON, standard error the progress and the changes. The exit status is 0 for
    SUCCESS, 1 for FAILED or no valid response, and 2 for a mistake in the command or the event.
    """
    _check_options(empty, endpoint_url, live)
    from ..stack_engine.sink import ResponseSink
    from .function import real_function
    from .screen import Screen

    request = _request(event)
    stdout, screen = sys.stdout, Screen(sys.stderr)
    with ExitStack() as contexts:
        sink = contexts.enter_context(ResponseSink())
        if live or endpoint_url:
            contexts.enter_context(_own_session(endpoint_url))
            check_settings()
            emulated = None
        else:
            emulated = contexts.enter_context(_emulated(request, screen))
        arn = emulated[1].function_arn if emulated else ""
        function = contexts.enter_context(real_function(sys.stderr if logs else None, arn))
        if emulated and not empty:
            _EarlierEvents(screen, emulated[0], function, sink).seed(request)
        before = emulated[0].configurations if emulated else {}
        screen.print("The response is printed here; the event's ResponseURL is not used.", dim=True)
        response, problem = _respond(request, function, sink)
        if emulated:
            screen.changes(before, emulated[0].configurations)
    _report(response, problem, screen, stdout)


@contextmanager
def _own_session(endpoint_url: str | None) -> Iterator[None]:
    """Use the AWS CLI's settings, such as AWS_PROFILE before AWS_DEFAULT_PROFILE, instead of botocore's."""
    from ..aws.client import using_session
    from ..schema.model import SERVICE
    from .awscli.session import cli_session

    with using_session(cli_session(), {SERVICE: endpoint_url} if endpoint_url else {}):
        yield


def _check_options(empty: bool, endpoint_url: str | None, live: bool) -> None:
    if live and endpoint_url:
        raise click.UsageError("--live and --endpoint-url cannot be used together.")
    if empty and (live or endpoint_url):
        raise click.UsageError("--empty works only with the emulator; omit --live and --endpoint-url.")


def _report(response: dict[str, Any] | None, problem: str, screen: Screen, stdout: TextIO) -> None:
    """Print the response and its problem, and exit with their status."""
    if response is not None:
        click.echo(json.dumps(response, indent=2, ensure_ascii=False), file=stdout)
    if problem:
        screen.print(problem, fg="red")
    raise SystemExit(bool(problem) or (response or {}).get("Status") != "SUCCESS")


def _request(file: Path) -> dict[str, Any]:
    """The event in the file. Raises UserError if it is not a custom resource event."""
    name = "standard input" if file == STANDARD_INPUT else str(file)
    event = parse_json(read_bytes(file), name)
    if not isinstance(event, dict):
        raise UserError(f"{name}: an event must be a JSON object")
    required = ("RequestType", "StackId", "RequestId", "LogicalResourceId", "ResourceProperties")
    if missing := [member for member in required if member not in event]:
        raise UserError(f"{name}: is not a custom resource event: it lacks {', '.join(missing)}")
    return event


@contextmanager
def _emulated(event: Mapping[str, Any], screen: Screen) -> Iterator[tuple[Emulator, EmulatedLocation]]:
    """An emulator in the location of the stack. If its ID is not an ARN, in that of a configuration's ARN."""
    stack = str(event["StackId"]).split(":")
    if len(stack) > _STACK_COLONS and stack[3] and stack[4]:
        location = choose_location(stack[3], stack[4], [])
    else:
        location = choose_location(None, None, [("the event", json.dumps(event))])
    with offline(), emulator_at(location) as emulator:
        os.environ.update(function_environment(emulator))
        with _emulated_sources(event, screen):
            yield emulator, location


@contextmanager
def _emulated_sources(event: Mapping[str, Any], screen: Screen) -> Iterator[None]:
    """Emulate the account sources in an event, with a placeholder for the accounts of each."""
    from ..resources import resource_type
    from .emulated_sources import emulated_sources
    from .source_values import SourceValues

    type_ = resource_type()
    with emulated_sources(SourceValues({}), lambda text: screen.print(f"{text}.", dim=True)) as sources:
        for properties in (event["ResourceProperties"], event.get("OldResourceProperties")):
            if isinstance(properties, dict):
                sources.seed(properties, type_.schema, type_.rules)
        yield


def _respond(
    event: Mapping[str, Any], function: Callable[[dict[str, Any]], None], sink: ResponseSink
) -> tuple[dict[str, Any] | None, str]:
    """The response's JSON, and the problem with it; empty if there is none."""
    from ..stack_engine.sink import RejectedResponseError, read

    slot = sink.open(str(event["StackId"]), str(event["LogicalResourceId"]), str(event["RequestId"]))
    problem = ""
    try:
        function({**event, "ResponseURL": slot.url})
    except Exception as error:  # noqa: BLE001 - any exception of the function is shown to the user
        problem = f"The function raised {type(error).__name__}: {error}"
    if not slot.puts:
        return None, problem or "The function sent no response."
    if len(slot.puts) > 1:
        problem = f"The function sent {len(slot.puts)} responses; CloudFormation accepts one. {problem}".strip()
    try:
        read(slot.puts[0], event)
    except RejectedResponseError as error:
        problem = f"CloudFormation would not accept the response: {error}"
    try:
        response: dict[str, Any] = json.loads(slot.puts[0].body)
    except ValueError:
        return None, problem
    return response, problem


@dataclass(frozen=True)
class _EarlierEvents:
    """Creates the configurations in an event, as earlier events of its stack would have."""

    screen: Screen
    emulator: Emulator
    function: Callable[[dict[str, Any]], None]
    sink: ResponseSink

    def seed(self, event: Mapping[str, Any]) -> None:
        """Create the configuration that the stack owns, and placeholders for the others that the event refers to."""
        from ..arn import slug
        from ..resources import resource_type
        from ..schema.expand import expand
        from ..schema.model import NAME, TARGET

        properties, old = event["ResourceProperties"], event.get("OldResourceProperties", {})
        if not isinstance(properties, dict) or not isinstance(old, dict):
            return  # the function reports this
        physical_id = str(event.get("PhysicalResourceId", ""))
        candidates = [(one, expand(one, resource_type().schema).parameters) for one in (old, properties)]
        (_, before), (_, new) = candidates
        if event["RequestType"] != "Create" and name_in(physical_id) and not (before or new).get(TARGET):
            named = [
                one for one, parameters in candidates if slug(str(parameters.get(NAME, ""))) == name_in(physical_id)
            ]
            self._create(event, physical_id, named)
        self._seed_placeholders((physical_id, str(new.get(TARGET, "")), str(before.get(TARGET, ""))))

    def _create(self, event: Mapping[str, Any], arn: str, candidates: Iterable[Mapping[str, Any]]) -> None:
        """Create an owned configuration through the function, so that it has the stack's ownership tags."""
        create = {name: value for name, value in event.items() if name != "OldResourceProperties"}
        create |= {"RequestType": "Create", "RequestId": f"before-{event['RequestId']}"[:64]}
        for properties in candidates:
            response, _ = _respond({**create, "ResourceProperties": properties}, self.function, self.sink)
            if response and response.get("Status") == "SUCCESS":
                self.screen.print(f"{arn} was created first, from the event's own properties.", dim=True)
                return

    def _seed_placeholders(self, arns: Iterable[str]) -> None:
        for arn in dict.fromkeys(filter(name_in, arns)):
            if arn not in self.emulator.configurations and seed_placeholder(self.emulator, arn):
                text = f"{arn} was created first, with placeholder content, because the event refers to it. "
                self.screen.print(f"{text}To skip this, use --empty.", dim=True)
