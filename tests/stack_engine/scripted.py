"""A scripted function in place of the provider's, which responds over real HTTP."""

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


def put(event: Event, answer: Mapping[str, Any] | bytes, content_type: str | None = "") -> int:
    """PUT an answer to the event's ResponseURL; gives the HTTP status."""
    url = urlsplit(event["ResponseURL"])
    connection = http.client.HTTPConnection(url.netloc, timeout=10)
    try:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        headers = {} if content_type is None else {"Content-Type": content_type}
        connection.request("PUT", f"{url.path}?{url.query}", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def answer(event: Event, **fields: Any) -> Event:
    """A SUCCESS with the event's IDs; `fields` replace or add."""
    return {
        "Status": "SUCCESS",
        "PhysicalResourceId": event.get("PhysicalResourceId", f"physical-{event['LogicalResourceId']}"),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
        **fields,
    }


def succeed(**fields: Any) -> Move:
    return lambda event: answers(event, answer(event, **fields))


def fail(reason: str = "no", **fields: Any) -> Move:
    return succeed(Status="FAILED", Reason=reason, **fields)


def say_nothing(event: Event) -> None:
    """Return without an answer."""


def answers(event: Event, body: Event) -> None:
    assert put(event, body) == 200


class Scripted:
    """Plays one move a request, first those scripted for the logical ID, then success; keeps all events."""

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
    """A stack engine over a scripted provider, with the events it told."""

    def __init__(self, sink: ResponseSink) -> None:
        self.provider = Scripted()
        self.told: list[StackEvent] = []
        self.engine = StackEngine(self.provider, sink, "us-east-1", "123456789012", self.told.append, patience=5)

    def create(self, template: Template, **parameters: str) -> Stack:
        return self.engine.create("images", template, parameters)

    def forget(self) -> None:
        """Drop what was sent and told so far."""
        self.provider.events.clear()
        self.told.clear()

    @property
    def story(self) -> list[str]:
        """`LogicalId STATUS` of each event told."""
        return [f"{event.logical_id} {event.status}" for event in self.told]

    def reason(self, status: str) -> str:
        """The reason of the first event of this status."""
        return next(event.reason for event in self.told if event.status == status)


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
