"""`invoke`: one event through the real function."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .live import check_settings, is_url
from .mistakes import Mistake
from .reading import STANDARD_INPUT, bytes_of, json_of
from .scene import Home, emulator_at, home, name_in, put_something_there

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..emulator.emulator import Emulator
    from ..stack_engine.sink import AnswerSink
    from .screen import Screen


EPILOG = """\b
Examples:
  python -m provider invoke events/create-own.json
  python -m provider invoke events/update-in-place.json --logs
  jq '.RequestType = "Delete"' event.json | python -m provider invoke -
  AWS_PROFILE=sandbox python -m provider invoke event.json --live
"""


@click.command(epilog=EPILOG, short_help="Send one event through the provider's function.")
@click.argument(
    "event",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    metavar="EVENT.json",
)
@click.option("--empty", is_flag=True, help="Begin with no configuration at all, whatever the event speaks of.")
@click.option("--endpoint-url", metavar="URL", callback=is_url, help="Work against this Image Builder endpoint.")
@click.option("--live", is_flag=True, help="Work against the REAL service, with your credentials and Region.")
@click.option("--logs", is_flag=True, help="Show the function's log lines on standard error.")
def invoke(event: Path, empty: bool, endpoint_url: str | None, live: bool, logs: bool) -> None:
    """Send one CloudFormation custom resource event through the provider's real function.

    EVENT.json is an event as CloudFormation sends it (see events/ for samples); - reads it from standard input.

    By default it works against an Image Builder emulator on this machine, offline and without credentials.
    Where the event speaks of a configuration that should exist, it is put there first: created from the
    event's own properties where the stack owns it, made up where it is adopted; --empty leaves that out.

    With --endpoint-url or --live, Region and credentials are what botocore finds in your environment; give
    them by AWS_REGION and AWS_PROFILE, for instance.
    The answer never goes to the event's ResponseURL: it is caught here and printed.

    Standard output has the answer as JSON; standard error says what was done and what changed. The exit
    status is 0 for SUCCESS, 1 for FAILED or no good answer, and 2 for a mistake in the command or the event.
    """
    if live and endpoint_url:
        raise click.UsageError("--live and --endpoint-url exclude each other.")
    if empty and (live or endpoint_url):
        raise click.UsageError("--empty is for the emulator: leave out --live and --endpoint-url.")
    from ..stack_engine.sink import AnswerSink
    from .function import real_function
    from .screen import Screen

    request = _request(event)
    out, screen = sys.stdout, Screen(sys.stderr)
    with ExitStack() as open_while:
        sink = open_while.enter_context(AnswerSink())
        if live or endpoint_url:
            check_settings()
            emulator = None
            open_while.enter_context(_endpoint(endpoint_url))
        else:
            emulator, place = open_while.enter_context(_emulated(request))
        arn = place.function_arn if emulator else ""
        function = open_while.enter_context(real_function(sys.stderr if logs else None, arn))
        if emulator and not empty:
            _Before(screen, emulator, place, function, sink).put_there(request)
        before = emulator.configurations if emulator else {}
        screen.say("The answer is caught here; the event's ResponseURL is not used.", dim=True)
        answer, refusal = _answer(request, function, sink)
        if emulator:
            screen.changes(before, emulator.configurations)
    if answer is not None:
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False), file=out)
    if refusal:
        screen.say(refusal, fg="red")
    raise SystemExit(0 if not refusal and answer and answer.get("Status") == "SUCCESS" else 1)


def _request(file: Path) -> dict[str, Any]:
    name = "standard input" if file == STANDARD_INPUT else str(file)
    event = json_of(bytes_of(file), name)
    if not isinstance(event, dict):
        raise Mistake(f"{name}: an event is a JSON object")
    needed = ("RequestType", "StackId", "RequestId", "LogicalResourceId", "ResourceProperties")
    if missing := [member for member in needed if member not in event]:
        raise Mistake(f"{name}: is no event of a custom resource: it lacks {', '.join(missing)}")
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
def _emulated(event: Mapping[str, Any]) -> Iterator[tuple[Emulator, Home]]:
    from .function import offline

    stack = str(event["StackId"]).split(":")
    region, account = (stack[3], stack[4]) if len(stack) > 5 else (None, None)
    place = home(None, None, [("the event", json.dumps(event))])
    if not place.source:
        place = home(region, account, [])
    with offline(), emulator_at(place) as emulator:
        os.environ.update(emulator.environment())
        yield emulator, place


def _answer(
    event: Mapping[str, Any], function: Callable[[dict[str, Any]], None], sink: AnswerSink
) -> tuple[dict[str, Any] | None, str]:
    """The answer's JSON, and what is wrong with it."""
    from ..stack_engine.sink import AnswerError, read

    slot = sink.open(str(event["StackId"]), str(event["LogicalResourceId"]), str(event["RequestId"]))
    raised = ""
    try:
        function({**event, "ResponseURL": slot.url})
    except Exception as error:  # noqa: BLE001 - whatever the function raises is what the user wants to see
        raised = f"The function raised {type(error).__name__}: {error}"
    if not slot.puts:
        return None, raised or "The function gave no answer."
    if len(slot.puts) > 1:
        raised = f"{len(slot.puts)} answers came; CloudFormation takes one of them. {raised}".strip()
    try:
        read(slot.puts[0], event)
    except AnswerError as error:
        raised = f"CloudFormation would not take the answer: {error}"
    try:
        answer: dict[str, Any] = json.loads(slot.puts[0].body)
    except ValueError:
        return None, raised
    return answer, raised


class _Before:
    """Puts there what an event speaks of, as earlier events of its stack would have."""

    def __init__(
        self,
        screen: Screen,
        emulator: Emulator,
        place: Home,
        function: Callable[[dict[str, Any]], None],
        sink: AnswerSink,
    ) -> None:
        self._screen = screen
        self._emulator = emulator
        self._place = place
        self._function = function
        self._sink = sink

    def put_there(self, event: Mapping[str, Any]) -> None:
        from ..resources import resource_type
        from ..schema.expand import expand
        from ..schema.model import TARGET

        properties, old = event["ResourceProperties"], event.get("OldResourceProperties", {})
        if not isinstance(properties, dict) or not isinstance(old, dict):
            # What the function says to that is what the user wants to see.
            return
        physical_id = str(event.get("PhysicalResourceId", ""))
        adopted = expand(old or properties, resource_type().schema).parameters.get(TARGET)
        if event["RequestType"] != "Create" and name_in(physical_id) and not adopted:
            self._create(event, physical_id, [old, properties])
        wanted = (
            physical_id,
            *(str(expand(one, resource_type().schema).parameters.get(TARGET, "")) for one in (properties, old)),
        )
        for arn in dict.fromkeys(wanted):
            if name_in(arn) and arn not in self._emulator.configurations:
                self._make_up(arn)

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
                answer, _ = _answer(create, self._function, self._sink)
                if answer and answer.get("Status") == "SUCCESS":
                    self._screen.say(f"{arn} was created first, from the event's own properties.", dim=True)
                    return

    def _make_up(self, arn: str) -> None:
        if put_something_there(self._emulator, self._place, arn):
            self._screen.say(f"{arn} was made up first, as the event speaks of it (--empty: not).", dim=True)
