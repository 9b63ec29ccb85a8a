"""`invoke`: sends one event through the real function."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from .emulation import EmulatedLocation, choose_location, emulator_at, name_in, seed_placeholder
from .live import check_settings, is_url
from .mistakes import Mistake
from .reading import STANDARD_INPUT, bytes_of, json_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..emulator.emulator import Emulator
    from ..stack_engine.sink import ResponseSink
    from .screen import Screen


EPILOG = """\b
Examples:
  python -m provider invoke events/create-own.json
  python -m provider invoke events/update-in-location.json --logs
  jq '.RequestType = "Delete"' event.json | python -m provider invoke -
  AWS_PROFILE=sandbox python -m provider invoke event.json --live
"""


@click.command(epilog=EPILOG, short_help="Send one event through the provider's function.")
@click.argument(
    "event",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="EVENT.json",
)
@click.option("--empty", is_flag=True, help="Start without the configurations in the event.")
@click.option("--endpoint-url", metavar="URL", callback=is_url, help="Use this Image Builder endpoint.")
@click.option("--live", is_flag=True, help="Use the REAL service, with your credentials and Region.")
@click.option("--logs", is_flag=True, help="Show the function's log lines on standard error.")
def invoke(event: Path, empty: bool, endpoint_url: str | None, live: bool, logs: bool) -> None:
    """Send one CloudFormation custom resource event through the provider's real function.

    EVENT.json is an event as CloudFormation sends it (see events/ for samples); - reads it from standard input.

    By default, the function uses an Image Builder emulator on this machine, offline and without credentials. If a
    configuration in the event should exist, it is created first: from the event's properties if the stack owns it,
    with placeholder content if it is adopted. To skip this, use --empty.

    With --endpoint-url or --live, the function uses the Region and credentials in your environment, for example
    AWS_REGION and AWS_PROFILE. The response is never sent to the event's ResponseURL, but printed.

    The response is printed to standard output as JSON, progress and changes to standard error. The exit status is 0
    for SUCCESS, 1 for FAILED or no valid response, and 2 for a mistake in the command or the event.
    """
    _check_options(empty, endpoint_url, live)
    from ..stack_engine.sink import ResponseSink
    from .function import real_function
    from .screen import Screen

    request = _request(event)
    out, screen = sys.stdout, Screen(sys.stderr)
    with ExitStack() as open_while:
        sink = open_while.enter_context(ResponseSink())
        if live or endpoint_url:
            check_settings()
            emulator = None
            open_while.enter_context(_endpoint(endpoint_url))
        else:
            emulator, location = open_while.enter_context(_emulated(request))
        arn = location.function_arn if emulator else ""
        function = open_while.enter_context(real_function(sys.stderr if logs else None, arn))
        if emulator and not empty:
            _EarlierEvents(screen, emulator, location, function, sink).seed(request)
        before = emulator.configurations if emulator else {}
        screen.say("The response is printed here; the event's ResponseURL is not used.", dim=True)
        response, problem = _respond(request, function, sink)
        if emulator:
            screen.changes(before, emulator.configurations)
    raise SystemExit(_report(response, problem, screen, out))


def _check_options(empty: bool, endpoint_url: str | None, live: bool) -> None:
    if live and endpoint_url:
        raise click.UsageError("--live and --endpoint-url exclude each other.")
    if empty and (live or endpoint_url):
        raise click.UsageError("--empty is for the emulator: leave out --live and --endpoint-url.")


def _report(response: dict[str, Any] | None, problem: str, screen: Screen, out: TextIO) -> int:
    """Print the response and its problem, and return the exit status."""
    if response is not None:
        click.echo(json.dumps(response, indent=2, ensure_ascii=False), file=out)
    if problem:
        screen.say(problem, fg="red")
    return 0 if not problem and response and response.get("Status") == "SUCCESS" else 1


def _request(file: Path) -> dict[str, Any]:
    name = "standard input" if file == STANDARD_INPUT else str(file)
    event = json_of(bytes_of(file), name)
    if not isinstance(event, dict):
        raise Mistake(f"{name}: an event must be a JSON object")
    needed = ("RequestType", "StackId", "RequestId", "LogicalResourceId", "ResourceProperties")
    if missing := [member for member in needed if member not in event]:
        raise Mistake(f"{name}: is not a custom resource event: it lacks {', '.join(missing)}")
    return event


@contextmanager
def _endpoint(url: str | None) -> Iterator[None]:
    name = "AWS_ENDPOINT_URL_IMAGEBUILDER"
    before = os.environ.get(name)
    if url:
        os.environ[name] = url
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = before


@contextmanager
def _emulated(event: Mapping[str, Any]) -> Iterator[tuple[Emulator, EmulatedLocation]]:
    from .function import offline

    stack = str(event["StackId"]).split(":")
    region, account = (stack[3], stack[4]) if len(stack) > 5 else (None, None)
    location = choose_location(None, None, [("the event", json.dumps(event))])
    if not location.source:
        location = choose_location(region, account, [])
    with offline(), emulator_at(location) as emulator:
        os.environ.update(emulator.environment())
        yield emulator, location


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


class _EarlierEvents:
    """Creates the configurations in an event, as earlier events of its stack would have."""

    def __init__(
        self,
        screen: Screen,
        emulator: Emulator,
        location: EmulatedLocation,
        function: Callable[[dict[str, Any]], None],
        sink: ResponseSink,
    ) -> None:
        self._screen = screen
        self._emulator = emulator
        self._location = location
        self._function = function
        self._sink = sink

    def seed(self, event: Mapping[str, Any]) -> None:
        from ..resources import resource_type
        from ..schema.expand import expand
        from ..schema.model import TARGET

        properties, old = event["ResourceProperties"], event.get("OldResourceProperties", {})
        if not isinstance(properties, dict) or not isinstance(old, dict):
            return  # the function reports this
        physical_id = str(event.get("PhysicalResourceId", ""))
        adopted = expand(old or properties, resource_type().schema).parameters.get(TARGET)
        if event["RequestType"] != "Create" and name_in(physical_id) and not adopted:
            self._create(event, physical_id, [old, properties])
        expanded = [expand(one, resource_type().schema).parameters for one in (properties, old)]
        wanted = (physical_id, *(str(one.get(TARGET, "")) for one in expanded))
        self._seed_placeholders(wanted)

    def _create(self, event: Mapping[str, Any], arn: str, candidates: list[Mapping[str, Any]]) -> None:
        """Create an owned configuration through the function, so that it has the stack's ownership tags."""
        from ..arn import slug
        from ..resources import resource_type
        from ..schema.expand import expand
        from ..schema.model import NAME

        for properties in candidates:
            if slug(str(expand(properties, resource_type().schema).parameters.get(NAME, ""))) == name_in(arn):
                create = {
                    **{name: value for name, value in event.items() if name != "OldResourceProperties"},
                    "RequestType": "Create",
                    "RequestId": f"before-{event['RequestId']}"[:64],
                    "ResourceProperties": properties,
                }
                response, _ = _respond(create, self._function, self._sink)
                if response and response.get("Status") == "SUCCESS":
                    self._screen.say(f"{arn} was created first, from the event's own properties.", dim=True)
                    return

    def _seed_placeholders(self, arns: Iterable[str]) -> None:
        for arn in dict.fromkeys(filter(name_in, arns)):
            if arn not in self._emulator.configurations and seed_placeholder(self._emulator, self._location, arn):
                text = f"{arn} was created first, with placeholder content, because the event refers to it. "
                self._screen.say(f"{text}To skip this, use --empty.", dim=True)
