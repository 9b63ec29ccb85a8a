"""A second resource type needs one module and one row in the registry, and no other change."""

import json
import uuid
from collections.abc import Iterator, Mapping
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from provider.authoring.json_schema import schema
from provider.emulator.server import LoopbackServer, Reply
from provider.handler import respond
from provider.lint.template_check import check
from provider.resources import RESOURCE_TYPES, resource_type
from provider.stack_engine.sink import CheckedResponse, ResponseSink, read
from tests.cli.commands import command
from tests.clock import SkippingClock
from tests.resources import greeting
from tests.stack import STACK_ID, Context


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one row."""
    monkeypatch.setitem(RESOURCE_TYPES, greeting.NAME, greeting.__name__)


@pytest.fixture
def greetings(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The content of a loopback server, by path."""
    found: dict[str, str] = {}

    def reply(method: str, target: str, body: bytes, _: Message) -> Reply:
        if method == "PUT":
            found[target] = body.decode()
        elif method == "DELETE":
            found.pop(target, None)
        return Reply(200 if target in found else 404, {}, found.get(target, "").encode())

    server = LoopbackServer(reply)
    monkeypatch.setenv(greeting.SERVER, server.url)
    yield found
    server.close()


def _send(sink: ResponseSink, request_type: str, properties: Mapping[str, Any], **more: Any) -> CheckedResponse:
    """Send an event through the real handler, and return the response."""
    request_id = str(uuid.uuid4())
    slot = sink.open(STACK_ID, "Hello", request_id)
    event = {
        "RequestType": request_type,
        "ResponseURL": slot.url,
        "StackId": STACK_ID,
        "RequestId": request_id,
        "ResourceType": greeting.NAME,
        "LogicalResourceId": "Hello",
        "ResourceProperties": {"ServiceToken": "t", **properties},
        **more,
    }
    respond(event, Context(), SkippingClock())
    (put,) = slot.puts
    return read(put, event)


def test_the_handler_creates_updates_and_deletes_it(sink: ResponseSink, greetings: dict[str, str]) -> None:
    """The handler runs a registered type's own decisions against its own API."""
    created = _send(sink, "Create", {"Name": "hello", "Message": "Hi"})
    assert (created.succeeded, created.physical_id, created.data["Message"]) == (True, "greeting/hello", "Hi")
    assert greetings == {"/hello": "Hi"}
    updated = _send(
        sink,
        "Update",
        {"Name": "hello", "Message": "Hello"},
        PhysicalResourceId="greeting/hello",
        OldResourceProperties={"Name": "hello", "Message": "Hi"},
    )
    assert (updated.succeeded, greetings) == (True, {"/hello": "Hello"})
    deleted = _send(sink, "Delete", {"Name": "hello", "Message": "Hello"}, PhysicalResourceId="greeting/hello")
    assert (deleted.succeeded, greetings) == (True, {})


def test_the_handler_checks_its_properties(sink: ResponseSink, greetings: dict[str, str]) -> None:
    """A registered type's properties are checked against its own schema before anything is called."""
    rejected = _send(sink, "Create", {"Name": "HELLO", "Mesage": "Hi", "Loud": "loud"})
    assert not rejected.succeeded
    for path in ("Name: ", "Message: is required", "Mesage: ", "Loud: must be true or false"):
        assert path in rejected.reason
    assert "Distributions" not in rejected.reason
    assert greetings == {}


def test_an_unregistered_type_stays_unsupported(sink: ResponseSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its row in the registry, the type is rejected."""
    monkeypatch.delitem(RESOURCE_TYPES, greeting.NAME)
    assert "does not support resources of this type" in _send(sink, "Create", {"Name": "hello"}).reason


TEMPLATE = """
Resources:
  Hello:
    Type: Custom::Greeting
    Properties: {ServiceToken: !Ref Token, Name: %s, Message: Hi}
Parameters: {Token: {Type: String}}
Outputs:
  Message: {Value: !GetAtt Hello.%s}
"""


@pytest.mark.parametrize(
    ("name", "attribute", "found"),
    [("hello", "Message", []), ("HELLO", "Message", ["E9206"]), ("hello", "Arn", ["E9106"])],
)
def test_validate_checks_it(tmp_path: Path, name: str, attribute: str, found: list[str]) -> None:
    """`validate` checks a registered type's resources by its own schema and attributes."""
    file = tmp_path / "stack.yaml"
    file.write_text(TEMPLATE % (name, attribute), encoding="utf-8")
    ended = command("validate", "--format", "json", file)
    assert [one["id"] for one in json.loads(ended.stdout)["findings"]] == found


def test_lint_checks_it() -> None:
    """cfn-lint's rules find the same."""
    properties = {"ServiceToken": "t", "Name": "hello", "Mesage": "Hi"}
    template = {"Resources": {"Hello": {"Type": greeting.NAME, "Properties": properties}}}
    assert {one.id for one in check(template)} == {"E9101", "E9201"}


def test_two_names_of_the_first_type_are_one_row() -> None:
    """CloudFormation's own type name is an alias of the first type."""
    assert resource_type("AWS::CloudFormation::CustomResource") is resource_type()


def test_schema_describes_it() -> None:
    """The JSON Schema of a registered type has its own properties, and nothing of the first type."""
    made = schema(greeting.NAME)
    assert made["title"] == greeting.NAME
    assert made["properties"].keys() == {"Name", "Message", "Loud", "ServiceToken", "ServiceTimeout"}
    assert made["required"] == ["Name", "Message"]
    assert "oneOf" not in made


def test_rehearse_runs_it(tmp_path: Path, greetings: dict[str, str]) -> None:
    """`rehearse` creates, updates, and deletes a stack with a registered type's resource."""
    templates = [tmp_path / "first.yaml", tmp_path / "second.yaml"]
    for template, message in zip(templates, ("Hi", "Hello"), strict=True):
        text = (TEMPLATE % ("hello", "Message")).replace("Message: Hi", f"Message: {message}")
        template.write_text(text, encoding="utf-8")
    ended = command("rehearse", "--parameter", "Token=arn:aws:lambda:us-east-1:123456789012:function:p", *templates)
    assert ended.status == 0, ended.stdout
    assert [f"Output Message: {message}" in ended.stdout for message in ("Hi", "Hello")] == [True, True]
    assert greetings == {}
