"""The requests and events of stack creations and deletions are CloudFormation's."""

import threading
from collections.abc import Iterator
from uuid import UUID

import pytest

from provider.template.sections import TemplateError
from tests.stack_engine.scripted import TOKEN, Rig, fail, put, response, return_nothing, rig, succeed, template


@pytest.fixture
def stage() -> Iterator[Rig]:
    with rig() as made:
        yield made


def test_create_request(stage: Rig) -> None:
    """A Create has the fields of CloudFormation's request, no physical ID, and every scalar as text."""
    stack = stage.create(template({"A": {"Flag": True, "Count": 1, "Part": 1.5, "List": [False, {"Deep": 0}]}}))
    (event,) = stage.provider.events
    assert UUID(event.pop("RequestId"))
    assert event.pop("ResponseURL").startswith("http://127.0.0.1:")
    assert event == {
        "RequestType": "Create",
        "ServiceToken": TOKEN,
        "StackId": stack.id,
        "LogicalResourceId": "A",
        "ResourceType": "Custom::ImageBuilderDistributionConfiguration",
        "ResourceProperties": {
            "ServiceToken": TOKEN,
            "Flag": "true",
            "Count": "1",
            "Part": "1.5",
            "List": ["false", {"Deep": "0"}],
        },
    }
    assert stack.id.startswith("arn:aws:cloudformation:us-east-1:123456789012:stack/images/")
    assert UUID(stack.id.rpartition("/")[2])


def test_create_events(stage: Rig) -> None:
    """A creation has CloudFormation's events; the resource's ID is shown as soon as it is known."""
    stage.create(template({"A": {}}))
    assert [(event.logical_id, event.status, event.reason, event.physical_id) for event in stage.events[1:]] == [
        ("A", "CREATE_IN_PROGRESS", "", ""),
        ("A", "CREATE_IN_PROGRESS", "Resource creation Initiated", "physical-A"),
        ("A", "CREATE_COMPLETE", "", "physical-A"),
        ("images", "CREATE_COMPLETE", "", stage.events[0].physical_id),
    ]
    assert (stage.events[0].status, stage.events[0].reason) == ("CREATE_IN_PROGRESS", "User Initiated")


def test_order_of_dependencies(stage: Rig) -> None:
    """Resources are created after those that Ref, GetAtt, Sub, and DependsOn name, and deleted before them."""
    stage.provider.script("C", succeed(Data={"Arn": "arn:c"}))
    stack = stage.create(
        template(
            {
                "A": {"Properties": {}, "DependsOn": "B"},
                "B": {"Of": {"Fn::Sub": "${C.Arn}"}},
                "C": {"Of": {"Ref": "D"}},
                "D": {},
            }
        )
    )
    assert [request[1] for request in stage.provider.requests] == ["D", "C", "B", "A"]
    stage.forget()
    stage.engine.delete(stack)
    assert [request[1] for request in stage.provider.requests] == ["A", "B", "C", "D"]


def test_attributes_come_from_the_response(stage: Rig) -> None:
    """Fn::GetAtt returns a value from the response's Data, and Ref the physical ID, also in outputs."""
    stage.provider.script("A", succeed(PhysicalResourceId="arn:a", Data={"Regions": "us-east-1,eu-west-1"}))
    stack = stage.create(
        template(
            {"A": {}, "B": {"Of": {"Fn::Split": [",", {"Fn::GetAtt": ["A", "Regions"]}]}}},
            {"Arn": {"Ref": "A"}},
        )
    )
    assert stage.provider.events[1]["ResourceProperties"]["Of"] == ["us-east-1", "eu-west-1"]
    assert stack.outputs == {"Arn": "arn:a"}


def test_attribute_missing_rolls_back(stage: Rig) -> None:
    """An attribute that the response lacks fails the resource that uses it, and the stack rolls back."""
    stack = stage.create(template({"A": {}, "B": {"Of": {"Fn::GetAtt": ["A", "Nope"]}}}))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "CustomResource attribute error" in stage.reason("CREATE_FAILED")
    assert [request[:2] for request in stage.provider.requests] == [("Create", "A"), ("Delete", "A")]


def test_output_attribute_missing_rolls_back(stage: Rig) -> None:
    """An output that cannot be evaluated after the deployment fails the stack."""
    stack = stage.create(template({"A": {}}, {"X": {"Fn::GetAtt": ["A", "Nope"]}}))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert ("Delete", "A", "physical-A") in stage.provider.requests


def test_failed_create_deletes_in_reverse(stage: Rig) -> None:
    """After a failed Create, the resources are deleted, newest first, with the IDs of the responses."""
    stage.provider.script("B", fail("bad Region", PhysicalResourceId="marker"))
    stack = stage.create(template({"A": {}, "B": {"Of": {"Ref": "A"}}, "C": {"Of": {"Ref": "B"}}}))
    assert stage.provider.requests[2:] == [("Delete", "B", "marker"), ("Delete", "A", "physical-A")]
    assert stack.status == "ROLLBACK_COMPLETE"
    assert not stack.resources
    assert stage.reason("CREATE_FAILED") == (
        "Received response status [FAILED] from custom resource. Message returned: bad Region "
        f"(RequestId: {stage.provider.events[1]['RequestId']})"
    )
    assert stage.reason("ROLLBACK_IN_PROGRESS") == (
        "The following resource(s) failed to create: [B]. Rollback requested by user."
    )


def test_failed_delete_in_rollback(stage: Rig) -> None:
    """If a Delete fails while a creation rolls back, the stack is in ROLLBACK_FAILED and keeps the resource."""
    stage.provider.script("A", fail(), fail("in use"))
    stack = stage.create(template({"A": {}}))
    assert (stack.status, list(stack.resources)) == ("ROLLBACK_FAILED", ["A"])


def test_missing_response(stage: Rig) -> None:
    """A function that ends without a response fails with CloudFormation's message; its Delete has a generated ID."""
    stage.provider.script("A", return_nothing)
    stage.create(template({"A": {}}))
    request = stage.provider.events[0]["RequestId"]
    assert stage.reason("CREATE_FAILED") == (
        "CloudFormation did not receive a response from your Custom Resource. "
        f"Please check your logs for requestId [{request}]."
    )
    physical_id = stage.provider.requests[1][2]
    assert physical_id is not None
    assert physical_id.startswith("images-A-")


def test_service_timeout_limits_the_wait(stage: Rig) -> None:
    """After ServiceTimeout seconds, the engine stops waiting for a function, and a notice says that it still runs."""
    release = threading.Event()

    def hang(event: object) -> None:
        release.wait(30)

    stage.provider.script("A", hang)
    try:
        stack = stage.create(template({"A": {"ServiceTimeout": 1}}))
    finally:
        release.set()
    assert stack.status == "ROLLBACK_COMPLETE"
    assert stage.reason("NOTICE") == "the function was still running after 1 seconds"


def test_unknown_service_timeout(stage: Rig) -> None:
    """A ServiceTimeout whose placeholder is not a number counts as absent."""
    stack = stage.create(template({"A": {"ServiceTimeout": "{{resolve:ssm:/timeout}}"}}))
    assert stage.provider.events[0]["ResourceProperties"]["ServiceTimeout"] == "timeout"
    assert stack.status == "CREATE_COMPLETE"


def test_function_that_raises_is_run_three_times(stage: Rig) -> None:
    """A function that raises is retried twice, as in Lambda; a notice shows the error."""

    def burst(event: object) -> None:
        raise RuntimeError("import failed")

    stage.provider.script("A", burst, burst, burst)
    stage.create(template({"A": {}}))
    assert [request[0] for request in stage.provider.requests] == ["Create", "Create", "Create", "Delete"]
    assert len({event["RequestId"] for event in stage.provider.events[:3]}) == 1
    assert stage.reason("NOTICE") == "the function raised RuntimeError: import failed (attempts: 3)"


def test_too_long_a_response(stage: Rig) -> None:
    """A response over 4,096 bytes fails with CloudFormation's message."""
    stage.provider.script("A", succeed(Data={"Long": "x" * 4096}))
    assert stage.create(template({"A": {}})).status == "ROLLBACK_COMPLETE"
    assert stage.reason("CREATE_FAILED") == "Response object is too long."


def test_second_response(stage: Rig) -> None:
    """The first response is used; a notice says that there were more."""

    def twice(event: dict[str, object]) -> None:
        put(event, response(event))
        put(event, response(event, Status="FAILED", Reason="late"))

    stage.provider.script("A", twice)
    assert stage.create(template({"A": {}})).status == "CREATE_COMPLETE"
    assert stage.reason("NOTICE").startswith("the function sent 2 responses")


def test_delete_sends_id_and_properties(stage: Rig) -> None:
    """Deleting a stack sends the recorded ID and properties, and removes all resources."""
    stack = stage.create(template({"A": {"Name": "a"}}))
    stage.forget()
    gone = stage.engine.delete(stack)
    (event,) = stage.provider.events
    assert (event["RequestType"], event["PhysicalResourceId"]) == ("Delete", "physical-A")
    assert event["ResourceProperties"] == {"ServiceToken": TOKEN, "Name": "a"}
    assert "OldResourceProperties" not in event
    assert (gone.status, dict(gone.resources)) == ("DELETE_COMPLETE", {})
    assert stage.statuses == [
        "images DELETE_IN_PROGRESS",
        "A DELETE_IN_PROGRESS",
        "A DELETE_COMPLETE",
        "images DELETE_COMPLETE",
    ]


def test_failed_delete_keeps_the_resource(stage: Rig) -> None:
    """A failed Delete results in DELETE_FAILED with the resource's name; a second deletion can delete it."""
    stack = stage.create(template({"A": {}, "B": {}}))
    stage.provider.script("A", fail("still used by pipelines"))
    stack = stage.engine.delete(stack)
    assert (stack.status, list(stack.resources)) == ("DELETE_FAILED", ["A"])
    assert stage.events[-1].reason == "The following resource(s) failed to delete: [A]."
    assert stage.engine.delete(stack).status == "DELETE_COMPLETE"


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_retained_resources_are_not_deleted(stage: Rig, policy: str) -> None:
    """DeletionPolicy Retain and RetainExceptOnCreate keep a resource when its stack is deleted."""
    stack = stage.create(template({"A": {"DeletionPolicy": policy}}))
    stage.forget()
    assert stage.engine.delete(stack).status == "DELETE_COMPLETE"
    assert not stage.provider.events
    assert "A DELETE_SKIPPED" in stage.statuses


@pytest.mark.parametrize(("policy", "deleted"), [("Retain", False), ("RetainExceptOnCreate", True)])
def test_retention_in_a_failed_creation(stage: Rig, policy: str, deleted: bool) -> None:
    """After a failed creation, Retain keeps the created resources and RetainExceptOnCreate does not."""
    stage.provider.script("B", fail())
    stage.create(template({"A": {"Properties": {}, "DeletionPolicy": policy}, "B": {"Of": {"Ref": "A"}}}))
    assert (("Delete", "A", "physical-A") in stage.provider.requests) is deleted


def test_other_types_are_skipped_with_placeholders(stage: Rig) -> None:
    """Resources of other types have one event that they are skipped, and values in the format of their type."""
    made = template(
        {
            "Bucket": {"Type": "AWS::S3::Bucket"},
            "Role": {"Type": "AWS::IAM::Role"},
            "Launch": {"Type": "AWS::EC2::LaunchTemplate"},
            "Key": {"Type": "AWS::KMS::Key"},
            "A": {
                "Bucket": {"Ref": "Bucket"},
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Launch": {"Ref": "Launch"},
                "Version": {"Fn::GetAtt": ["Launch", "LatestVersionNumber"]},
                "Key": {"Fn::GetAtt": ["Key", "Arn"]},
            },
        }
    )
    stack = stage.create(made)
    sent = stage.provider.events[0]["ResourceProperties"]
    assert sent["Bucket"] == "bucket"
    assert sent["Role"] == "arn:aws:iam::123456789012:role/role"
    assert sent["Launch"].startswith("lt-")
    assert len(sent["Launch"]) == 20
    assert sent["Version"] == "1"
    assert sent["Key"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    skipped = [event for event in stage.events if event.status == "SKIPPED"]
    assert {event.logical_id for event in skipped} == {"Bucket", "Role", "Launch", "Key"}
    stage.forget()
    stage.engine.update(stack, made, {})
    assert "SKIPPED" not in {event.status for event in stage.events}


def test_template_errors_come_before_any_request(stage: Rig) -> None:
    """An invalid template is rejected before any request or event."""
    with pytest.raises(TemplateError, match=r"Resources\.B\.Properties\.Of\.Fn::Select"):
        stage.create(template({"A": {}, "B": {"Of": {"Fn::Select": [3, ["a"]]}}}))
    assert stage.provider.events == []
    assert stage.events == []


def test_generic_type(stage: Rig) -> None:
    """The provider gets resources of type AWS::CloudFormation::CustomResource under that type."""
    stage.create(template({"A": {"Type": "AWS::CloudFormation::CustomResource"}}))
    assert stage.provider.events[0]["ResourceType"] == "AWS::CloudFormation::CustomResource"
