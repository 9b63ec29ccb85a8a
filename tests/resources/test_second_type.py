"""A second resource type needs one module and one row in the registry, and no other change."""

import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from provider.authoring.json_schema import schema
from provider.aws.client import session
from provider.emulator.emulator import Emulator
from provider.emulator.server import LoopbackServer, Reply
from provider.handler import respond
from provider.lint.template_check import check
from provider.resources import DISTRIBUTION_CONFIGURATION, RESOURCE_TYPES, resource_type
from provider.schema.model import SERVICES
from provider.stack_engine.sink import CheckedResponse, ResponseSink, read
from tests.cli.commands import command
from tests.cli.plans import TOKEN, planned
from tests.clock import SkippingClock
from tests.resources import greeting
from tests.stack import STACK_ID, Context, ami


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one row."""
    monkeypatch.setitem(RESOURCE_TYPES, greeting.NAME, greeting.__name__)


@dataclass
class GreetingServer:
    """The state of a loopback server. If it `rejects_changes`, only new greetings can be PUT."""

    bodies: dict[str, dict[str, Any]] = field(default_factory=dict)
    rejects_changes: bool = False

    @property
    def messages(self) -> dict[str, str]:
        """The messages by path."""
        return {path: body["message"] for path, body in self.bodies.items()}

    def reply(self, method: str, target: str, body: bytes, _: Message) -> Reply:
        """Process one request."""
        if method == "PUT":
            if self.rejects_changes and target in self.bodies:
                return Reply(503, {}, b"")
            self.bodies[target] = json.loads(body)
        elif method == "DELETE":
            self.bodies.pop(target, None)
        return Reply(200 if target in self.bodies else 404, {}, json.dumps(self.bodies.get(target)).encode())


@pytest.fixture
def greetings(monkeypatch: pytest.MonkeyPatch) -> Iterator[GreetingServer]:
    state = GreetingServer()
    with LoopbackServer(state.reply) as server:
        monkeypatch.setenv(greeting.SERVER, server.url)
        yield state


def _send(sink: ResponseSink, request_type: str, properties: Mapping[str, Any], **more: Any) -> CheckedResponse:
    """Send an event through the real handler, and return the response."""
    request_id = more.get("RequestId", str(uuid.uuid4()))
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


def test_the_handler_creates_updates_and_deletes_it(sink: ResponseSink, greetings: GreetingServer) -> None:
    """The handler runs a registered type's own decisions against its own API."""
    created = _send(sink, "Create", {"Name": "hello", "Message": "Hi"})
    assert (created.succeeded, created.physical_id, created.data["Message"]) == (True, "greeting/hello", "Hi")
    assert greetings.messages == {"/hello": "Hi"}
    updated = _send(
        sink,
        "Update",
        {"Name": "hello", "Message": "Hello"},
        PhysicalResourceId="greeting/hello",
        OldResourceProperties={"Name": "hello", "Message": "Hi"},
    )
    assert (updated.succeeded, greetings.messages) == (True, {"/hello": "Hello"})
    deleted = _send(sink, "Delete", {"Name": "hello", "Message": "Hello"}, PhysicalResourceId="greeting/hello")
    assert (deleted.succeeded, greetings.messages) == (True, {})


def test_a_create_that_is_delivered_twice_succeeds_twice(sink: ResponseSink, greetings: GreetingServer) -> None:
    """A Create of a registered type that is delivered twice has the same response twice."""
    first, second = (
        _send(sink, "Create", {"Name": "hello", "Message": "Hi"}, RequestId="11111111-0000-4000-8000-000000000000")
        for _ in range(2)
    )
    assert first.succeeded
    assert second == first
    assert greetings.messages == {"/hello": "Hi"}


def test_another_resources_greeting_is_not_taken(sink: ResponseSink, greetings: GreetingServer) -> None:
    """A Create fails if the greeting belongs to another resource, and the Delete that follows leaves it in place."""
    assert _send(sink, "Create", {"Name": "hello", "Message": "Hi"}).succeeded
    other = {"Name": "hello", "Message": "Hello"}
    failed = _send(sink, "Create", other, LogicalResourceId="Other")
    assert "already exists" in failed.reason
    assert _send(sink, "Delete", other, LogicalResourceId="Other", PhysicalResourceId=failed.physical_id).succeeded
    assert greetings.messages == {"/hello": "Hi"}


def test_the_delete_of_a_failed_create_leaves_nothing_behind(sink: ResponseSink, greetings: GreetingServer) -> None:
    """The Delete of a Create that failed halfway deletes what that Create had created."""
    properties = {"Name": "hello", "Message": "Hi"}
    greetings.rejects_changes = True
    failed = _send(sink, "Create", properties)
    assert (failed.succeeded, greetings.messages) == (False, {"/hello": "Hi"})
    assert _send(sink, "Delete", properties, PhysicalResourceId=failed.physical_id).succeeded
    assert greetings.messages == {}


@pytest.mark.usefixtures("greetings")
def test_it_returns_exactly_its_attributes(sink: ResponseSink) -> None:
    """The response has a registered type's own attributes, those that lint allows, and no others."""
    created = _send(sink, "Create", {"Name": "hello", "Message": "Hi"})
    assert created.data.keys() == greeting.RESOURCE_TYPE.attributes.keys()


def test_a_request_id_has_the_syntax_that_the_type_requires(sink: ResponseSink, greetings: GreetingServer) -> None:
    """Only the first type requires that a request's ID is a client token of Image Builder."""
    properties = {"Name": "hello", "Message": "Hi"}
    assert _send(sink, "Create", properties, RequestId="x" * 200).succeeded
    rejected = _send(
        sink,
        "Create",
        {"Name": "golden", "Distributions": [ami()]},
        RequestId="x" * 200,
        ResourceType=DISTRIBUTION_CONFIGURATION,
    )
    assert "ClientToken: " in rejected.reason


@pytest.mark.parametrize("name", RESOURCE_TYPES)
def test_the_service_of_each_type_can_be_called(name: str) -> None:
    """The function loads the data of each registered type's service, which has the operations that the type calls."""
    registered = resource_type(name)
    assert registered.service in SERVICES
    assert {*registered.operations} <= {*session().get_service_model(registered.service).operation_names}


def test_plan_checks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`plan` checks a registered type's properties, and does not predict what it cannot read."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "emulator")
    deployed, file = tmp_path / "deployed.yaml", tmp_path / "stack.yaml"
    deployed.write_text(TEMPLATE % ("hello", "Message"), encoding="utf-8")
    with Emulator() as emulator:
        service = ("--endpoint-url", emulator.url, "--region", "us-east-1", "--account", "123456789012")

        def plan(name: str, *options: str | Path, status: int) -> Any:
            file.write_text(TEMPLATE % (name, "Message"), encoding="utf-8")
            return planned(file, "--parameter", f"Token={TOKEN}", *service, *options, status=status)["Hello"]

        refused = plan("HELLO", status=1)
        assert (refused["action"], [one["path"] for one in refused["findings"]]) == ("refused", ["Name"])
        for options in ((), ("--previous", deployed)):
            unknown = plan("other", *options, status=3)
            assert (unknown["action"], unknown["findings"], unknown["arn"]) == ("unknown", [], "")
            assert greeting.NAME in unknown["reason"]
        assert plan("hello", "--previous", deployed, status=0)["action"] == "none"
        file.write_text("Resources: {Topic: {Type: AWS::SNS::Topic}}", encoding="utf-8")
        removed = planned(file, "--previous", deployed, "--parameter", f"Token={TOKEN}", *service, status=3)["Hello"]
        assert (removed["action"], greeting.NAME in removed["reason"]) == ("unknown", True)
        assert emulator.requests == []


def test_the_handler_checks_its_properties(sink: ResponseSink, greetings: GreetingServer) -> None:
    """A registered type's properties are checked against its own schema before anything is called."""
    rejected = _send(sink, "Create", {"Name": "HELLO", "Mesage": "Hi", "Loud": "loud"})
    assert not rejected.succeeded
    for path in ("Name: ", "Mesage: ", "Loud: must be true or false"):
        assert path in rejected.reason
    assert "Distributions" not in rejected.reason
    assert greetings.messages == {}


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
    assert {one.id for one in check(template)} == {"E9101"}


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


def test_rehearse_runs_it(tmp_path: Path, greetings: GreetingServer) -> None:
    """`rehearse` creates, updates, and deletes a stack with a registered type's resource."""
    templates = [tmp_path / "first.yaml", tmp_path / "second.yaml"]
    for template, message in zip(templates, ("Hi", "Hello"), strict=True):
        text = (TEMPLATE % ("hello", "Message")).replace("Message: Hi", f"Message: {message}")
        template.write_text(text, encoding="utf-8")
    ended = command("rehearse", "--parameter", "Token=arn:aws:lambda:us-east-1:123456789012:function:p", *templates)
    assert ended.status == 0, ended.stdout
    assert [f"Output Message: {message}" in ended.stdout for message in ("Hi", "Hello")] == [True, True]
    assert greetings.messages == {}
