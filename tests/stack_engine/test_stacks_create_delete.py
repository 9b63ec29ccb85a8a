"""What the stack engine sends and tells when stacks are created and deleted."""

import threading
from collections.abc import Iterator
from uuid import UUID

import pytest

from provider.template.sections import TemplateError
from tests.stack_engine.scripted import TOKEN, Rig, answer, fail, put, rig, say_nothing, succeed, template


@pytest.fixture
def stage() -> Iterator[Rig]:
    with rig() as made:
        yield made


def test_create_sends_what_cloudformation_sends(stage: Rig) -> None:
    """A Create carries the fields of CloudFormation's request, no physical ID, and every scalar as text."""
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


def test_create_is_told_as_the_console_tells_it(stage: Rig) -> None:
    """A stack's creation is told in CloudFormation's statuses, the resource's ID as soon as it is known."""
    stage.create(template({"A": {}}))
    assert [(event.logical_id, event.status, event.reason, event.physical_id) for event in stage.told[1:]] == [
        ("A", "CREATE_IN_PROGRESS", "", ""),
        ("A", "CREATE_IN_PROGRESS", "Resource creation Initiated", "physical-A"),
        ("A", "CREATE_COMPLETE", "", "physical-A"),
        ("images", "CREATE_COMPLETE", "", stage.told[0].physical_id),
    ]
    assert (stage.told[0].status, stage.told[0].reason) == ("CREATE_IN_PROGRESS", "User Initiated")


def test_resources_follow_what_they_depend_on(stage: Rig) -> None:
    """Resources come after those that Ref, GetAtt, Sub and DependsOn name, and go before them."""
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


def test_attributes_come_from_the_answer(stage: Rig) -> None:
    """Fn::GetAtt of a resource of ours gives its answer's Data, and Ref its physical ID, in outputs too."""
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
    """An attribute that the answer does not have fails the resource that asks for it, and the stack rolls back."""
    stack = stage.create(template({"A": {}, "B": {"Of": {"Fn::GetAtt": ["A", "Nope"]}}}))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert "CustomResource attribute error" in stage.reason("CREATE_FAILED")
    assert [request[:2] for request in stage.provider.requests] == [("Create", "A"), ("Delete", "A")]


def test_output_attribute_missing_rolls_back(stage: Rig) -> None:
    """An output that cannot be worked out after deployment fails the stack."""
    stack = stage.create(template({"A": {}}, {"X": {"Fn::GetAtt": ["A", "Nope"]}}))
    assert stack.status == "ROLLBACK_COMPLETE"
    assert ("Delete", "A", "physical-A") in stage.provider.requests


def test_failed_create_deletes_in_reverse(stage: Rig) -> None:
    """A failed Create is followed by Deletes, newest first, with the IDs that were answered."""
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
    """A Delete that fails while a creation rolls back leaves ROLLBACK_FAILED and the resource in the stack."""
    stage.provider.script("A", fail(), fail("in use"))
    stack = stage.create(template({"A": {}}))
    assert (stack.status, list(stack.resources)) == ("ROLLBACK_FAILED", ["A"])


def test_no_answer_is_a_failure_with_an_invented_id(stage: Rig) -> None:
    """A function that ends without an answer fails in CloudFormation's words; its Delete has an invented ID."""
    stage.provider.script("A", say_nothing)
    stage.create(template({"A": {}}))
    request = stage.provider.events[0]["RequestId"]
    assert stage.reason("CREATE_FAILED") == (
        "CloudFormation did not receive a response from your Custom Resource. "
        f"Please check your logs for requestId [{request}]."
    )
    physical_id = stage.provider.requests[1][2]
    assert physical_id is not None
    assert physical_id.startswith("images-A-")


def test_service_timeout_bounds_the_wait(stage: Rig) -> None:
    """A function that hangs is given up after ServiceTimeout seconds, and the engine says that it still ran."""
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


def test_unreadable_service_timeout_bounds_nothing(stage: Rig) -> None:
    """A ServiceTimeout that only the deployment knows, and whose placeholder is no number, is as good as absent."""
    stack = stage.create(template({"A": {"ServiceTimeout": "{{resolve:ssm:/timeout}}"}}))
    assert stage.provider.events[0]["ResourceProperties"]["ServiceTimeout"] == "timeout"
    assert stack.status == "CREATE_COMPLETE"


def test_function_that_raises_is_run_three_times(stage: Rig) -> None:
    """A function that raises is run twice more, as Lambda does; what it raised is told."""

    def burst(event: object) -> None:
        raise RuntimeError("import failed")

    stage.provider.script("A", burst, burst, burst)
    stage.create(template({"A": {}}))
    assert [request[0] for request in stage.provider.requests] == ["Create", "Create", "Create", "Delete"]
    assert len({event["RequestId"] for event in stage.provider.events[:3]}) == 1
    assert stage.reason("NOTICE") == "the function raised RuntimeError: import failed (attempts: 3)"


def test_too_long_an_answer(stage: Rig) -> None:
    """An answer over 4,096 bytes fails in CloudFormation's words."""
    stage.provider.script("A", succeed(Data={"Long": "x" * 4096}))
    assert stage.create(template({"A": {}})).status == "ROLLBACK_COMPLETE"
    assert stage.reason("CREATE_FAILED") == "Response object is too long."


def test_second_answer_is_told(stage: Rig) -> None:
    """The first answer counts; that there were more is told."""

    def twice(event: dict[str, object]) -> None:
        put(event, answer(event))
        put(event, answer(event, Status="FAILED", Reason="late"))

    stage.provider.script("A", twice)
    assert stage.create(template({"A": {}})).status == "CREATE_COMPLETE"
    assert stage.reason("NOTICE").startswith("the function sent 2 responses")


def test_delete_sends_id_and_properties(stage: Rig) -> None:
    """Deleting a stack sends the recorded ID and properties, and nothing is left of it."""
    stack = stage.create(template({"A": {"Name": "a"}}))
    stage.forget()
    gone = stage.engine.delete(stack)
    (event,) = stage.provider.events
    assert (event["RequestType"], event["PhysicalResourceId"]) == ("Delete", "physical-A")
    assert event["ResourceProperties"] == {"ServiceToken": TOKEN, "Name": "a"}
    assert "OldResourceProperties" not in event
    assert (gone.status, dict(gone.resources)) == ("DELETE_COMPLETE", {})
    assert stage.story == [
        "images DELETE_IN_PROGRESS",
        "A DELETE_IN_PROGRESS",
        "A DELETE_COMPLETE",
        "images DELETE_COMPLETE",
    ]


def test_failed_delete_keeps_the_resource(stage: Rig) -> None:
    """A Delete that fails ends in DELETE_FAILED naming the resource, which a second try can delete."""
    stack = stage.create(template({"A": {}, "B": {}}))
    stage.provider.script("A", fail("still used by pipelines"))
    stack = stage.engine.delete(stack)
    assert (stack.status, list(stack.resources)) == ("DELETE_FAILED", ["A"])
    assert stage.told[-1].reason == "The following resource(s) failed to delete: [A]."
    assert stage.engine.delete(stack).status == "DELETE_COMPLETE"


@pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
def test_retained_resources_are_not_deleted(stage: Rig, policy: str) -> None:
    """DeletionPolicy Retain and RetainExceptOnCreate keep a resource when its stack is deleted."""
    stack = stage.create(template({"A": {"DeletionPolicy": policy}}))
    stage.forget()
    assert stage.engine.delete(stack).status == "DELETE_COMPLETE"
    assert not stage.provider.events
    assert "A DELETE_SKIPPED" in stage.story


@pytest.mark.parametrize(("policy", "deleted"), [("Retain", False), ("RetainExceptOnCreate", True)])
def test_retention_in_a_failed_creation(stage: Rig, policy: str, deleted: bool) -> None:
    """When a creation fails, Retain keeps what was created and RetainExceptOnCreate does not."""
    stage.provider.script("B", fail())
    stage.create(template({"A": {"Properties": {}, "DeletionPolicy": policy}, "B": {"Of": {"Ref": "A"}}}))
    assert (("Delete", "A", "physical-A") in stage.provider.requests) is deleted


def test_other_types_are_skipped_with_placeholders(stage: Rig) -> None:
    """Resources of other types are told as skipped, once, and have values of the form that theirs have."""
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
    skipped = [event for event in stage.told if event.status == "SKIPPED"]
    assert {event.logical_id for event in skipped} == {"Bucket", "Role", "Launch", "Key"}
    stage.forget()
    stage.engine.update(stack, made, {})
    assert "SKIPPED" not in {event.status for event in stage.told}


def test_template_errors_come_before_any_request(stage: Rig) -> None:
    """A template at fault is refused before anything is sent or told."""
    with pytest.raises(TemplateError, match=r"Resources\.B\.Properties\.Of\.Fn::Select"):
        stage.create(template({"A": {}, "B": {"Of": {"Fn::Select": [3, ["a"]]}}}))
    assert stage.provider.events == []
    assert stage.told == []


def test_plain_custom_resource_type_is_ours_too(stage: Rig) -> None:
    """AWS::CloudFormation::CustomResource is sent to the provider under its own type."""
    stage.create(template({"A": {"Type": "AWS::CloudFormation::CustomResource"}}))
    assert stage.provider.events[0]["ResourceType"] == "AWS::CloudFormation::CustomResource"
