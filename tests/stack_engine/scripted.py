"""A scripted function that replaces the provider and responds over real HTTP."""

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from provider.stack_engine.sink import ResponseSink
from provider.stack_engine.stacks import Stack, StackEngine, StackEvent
from provider.template.sections import Template, parse

Event = dict[str, Any]
Move = Callable[[Event], None]

TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:provider"


def put(event: Event, response: Mapping[str, Any] | bytes, content_type: str | None = "") -> int:
    """PUT a response to the event's ResponseURL and return the HTTP status."""
    url = urlsplit(event["ResponseURL"])
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    try:
        body = response if isinstance(response, bytes) else json.dumps(response).encode()
        headers = {} if content_type is None else {"Content-Type": content_type}
        connection.request("PUT", f"{url.path}?{url.query}", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def response(event: Event, **fields: Any) -> Event:
    """A SUCCESS with the event's IDs; `fields` replace or add."""
    return {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId", f"physical-{event['LogicalResourceId']}"),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        **fields,
    }


def succeed(**fields: Any) -> Move:
    return lambda event: respond(event, response(event, **fields))


def fail(reason: str = "no", **fields: Any) -> Move:
    return succeed(Status="FAILED", Reason=reason, **fields)


def return_nothing(event: Event) -> None:
    """Return without a response."""


def respond(event: Event, body: Event) -> None:
    assert put(event, body) == 200


class Scripted:
    """Runs the next scripted move for the logical ID of a request, or succeeds; records all events."""

    def __init__(self) -> None:
        self.moves: dict[str, list[Move]] = {}
        self.events: list[Event] = []

    def script(self, logical_id: str, *moves: Move) -> None:
        self.moves[logical_id] = list(moves)

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        moves = self.moves.get(event["LogicalResourceId"], [])
        (moves.pop(0) if moves else succeed())(event)

    @property
    def requests(self) -> list[tuple[str, str, str | None]]:
        """Request type, logical ID and physical ID of each request."""
        return [
            (event["RequestType"], event["LogicalResourceId"], event.get("PhysicalResourceId")) for event in self.events
        ]


class Rig:
    """A stack engine over a scripted provider, with its events."""

    def __init__(self, sink: ResponseSink) -> None:
        self.provider = Scripted()
        self.events: list[StackEvent] = []
        self.engine = StackEngine(
            self.provider, sink, "us-east-1", "123456789012", self.events.append, max_wait_seconds=5
        )

    def create(self, template: Template, **parameters: str) -> Stack:
        return self.engine.create("images", template, parameters)

    def forget(self) -> None:
        """Drop the requests and events so far."""
        self.provider.events.clear()
        self.events.clear()

    @property
    def statuses(self) -> list[str]:
        """`LogicalId STATUS` of each event."""
        return [f"{event.logical_id} {event.status}" for event in self.events]

    def reason(self, status: str) -> str:
        """The reason of the first event of this status."""
        return next(event.reason for event in self.events if event.status == status)


@contextmanager
def rig() -> Iterator[Rig]:
    with ResponseSink() as sink:
        yield Rig(sink)


def template(resources: Mapping[str, Any], outputs: Mapping[str, Any] | None = None, **rest: Any) -> Template:
    """A template of provider-backed resources: logical ID to properties, or to a whole resource (with `Type`)."""
    whole = {
        name: body
        if {"Type", "Properties", "DeletionPolicy", "UpdateReplacePolicy"} & set(body)
        else {"Properties": body}
        for name, body in resources.items()
    }
    for body in whole.values():
        body.setdefault("Type", "Custom::ImageBuilderDistributionConfiguration")
        if body["Type"].startswith(("Custom::", "AWS::CloudFormation::CustomResource")):
            body["Properties"] = {"ServiceToken": TOKEN, **body.get("Properties", {})}
    sections = {"Resources": whole, "Outputs": {k: {"Value": v} for k, v in (outputs or {}).items()}, **rest}
    return parse(json.dumps(sections), "template.json")
