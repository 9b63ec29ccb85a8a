"""The requests and events of stack updates and their rollbacks are CloudFormation's."""

from collections.abc import Iterator

import pytest

from provider.stack_engine.stacks import Stack
from provider.template.sections import TemplateError
from tests.stack_engine.scripted import TOKEN, Rig, fail, return_nothing, rig, succeed, template


@pytest.fixture
def stage() -> Iterator[Rig]:
    with rig() as made:
        yield made


def test_update_request(stage: Rig) -> None:
    """An Update has the recorded ID, the new properties, and the old ones."""
    stack = stage.create(template({"A": {"Text": "old"}}))
    stage.forget()
    stack = stage.engine.update(stack, template({"A": {"Text": "new"}}), {})
    (event,) = stage.provider.events
    assert (event["RequestType"], event["PhysicalResourceId"]) == ("Update", "physical-A")
    assert event["ResourceProperties"] == {"ServiceToken": TOKEN, "Text": "new"}
    assert event["OldResourceProperties"] == {"ServiceToken": TOKEN, "Text": "old"}
    assert stage.statuses == [
        "images UPDATE_IN_PROGRESS",
        "A UPDATE_IN_PROGRESS",
        "A UPDATE_COMPLETE",
        "images UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "images UPDATE_COMPLETE",
    ]


def test_unchanged_resources(stage: Rig) -> None:
    """A resource whose evaluated properties are unchanged gets no request."""
    stack = stage.create(template({"A": {"N": 1}, "B": {"N": 1}}))
    stage.forget()
    stage.engine.update(stack, template({"A": {"N": "1"}, "B": {"N": 2}}), {})
    assert stage.provider.requests == [("Update", "B", "physical-B")]


def test_replacement_deletes_the_old_one_last(stage: Rig) -> None:
    """A new ID is a replacement: the old one is deleted with its own properties at the end of the update."""
    stack = stage.create(template({"A": {"Name": "a"}, "B": {"Of": "1"}}))
    stage.forget()
    stage.provider.script("A", succeed(PhysicalResourceId="physical-A2"))
    stack = stage.engine.update(stack, template({"A": {"Name": "a2"}, "B": {"Of": {"Ref": "A"}}}), {})
    assert stage.provider.requests == [
        ("Update", "A", "physical-A"),
        ("Update", "B", "physical-B"),
        ("Delete", "A", "physical-A"),
    ]
    assert stage.provider.events[1]["ResourceProperties"]["Of"] == "physical-A2"
    assert stage.provider.events[2]["ResourceProperties"]["Name"] == "a"
    assert stack.resources["A"].physical_id == "physical-A2"
    assert stage.statuses.index("A DELETE_IN_PROGRESS") > stage.statuses.index(
        "images UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    )
    assert "Requested update required the provider to create a new physical resource" in {
        event.reason for event in stage.events
    }


def test_retained_replacement(stage: Rig) -> None:
    """UpdateReplacePolicy Retain keeps the replaced resource."""
    stack = stage.create(template({"A": {"Name": "a"}}))
    stage.provider.script("A", succeed(PhysicalResourceId="physical-A2"))
    update = template({"A": {"Properties": {"Name": "a2"}, "UpdateReplacePolicy": "Retain"}})
    stage.engine.update(stack, update, {})
    assert [request[0] for request in stage.provider.requests] == ["Create", "Update"]
    assert "A DELETE_SKIPPED" in stage.statuses


def test_removed_resources_are_deleted_in_cleanup(stage: Rig) -> None:
    """A resource that was removed from the template is deleted after the update, and a new one is created before."""
    stack = stage.create(template({"A": {}}))
    stage.forget()
    stack = stage.engine.update(stack, template({"B": {}}), {})
    assert [request[:2] for request in stage.provider.requests] == [("Create", "B"), ("Delete", "A")]
    assert list(stack.resources) == ["B"]


def test_false_condition_removes_a_resource(stage: Rig) -> None:
    """A resource whose condition becomes false is deleted as if it were removed from the template."""
    made = template(
        {"A": {}, "B": {"Type": "Custom::ImageBuilderDistributionConfiguration", "Condition": "Both"}},
        Parameters={"Both": {"Type": "String", "Default": "yes"}},
        Conditions={"Both": {"Fn::Equals": [{"Ref": "Both"}, "yes"]}},
    )
    stack = stage.create(made)
    stage.forget()
    stage.engine.update(stack, made, {"Both": "no"})
    assert stage.provider.requests == [("Delete", "B", "physical-B")]


def test_failed_cleanup(stage: Rig) -> None:
    """A cleanup Delete is tried up to three times, each with its own request; then the stack drops the resource."""
    stack = stage.create(template({"A": {}, "B": {}}))
    stage.forget()
    stage.provider.script("B", fail("in use"), fail("in use"), fail("in use"))
    stack = stage.engine.update(stack, template({"A": {}}), {})
    assert stack.status == "UPDATE_COMPLETE"
    assert stage.provider.requests == [("Delete", "B", "physical-B")] * 3
    assert len({event["RequestId"] for event in stage.provider.events}) == 3
    assert stage.statuses.count("B DELETE_FAILED") == 3
    assert stage.events[-1].reason == "Update successful. One or more resources could not be deleted."
    assert list(stack.resources) == ["A"]


def test_cleanup_that_succeeds_when_repeated(stage: Rig) -> None:
    """A cleanup Delete that succeeds is not repeated, and neither is the Delete of a failed creation."""
    stack = stage.create(template({"A": {"Name": "a"}}))
    stage.forget()
    stage.provider.script("A", succeed(PhysicalResourceId="new"), fail("in use"))
    stack = stage.engine.update(stack, template({"A": {"Name": "a2"}}), {})
    assert stage.provider.requests[1:] == [("Delete", "A", "physical-A")] * 2
    assert stage.events[-1].reason == ""
    stage.forget()
    stage.provider.script("B", fail(), fail())
    assert stage.create(template({"B": {}})).status == "ROLLBACK_FAILED"
    assert [request[0] for request in stage.provider.requests] == ["Create", "Delete"]


def test_cleanup_of_a_rollback_is_repeated(stage: Rig) -> None:
    """The cleanup after a rollback also tries a failed Delete up to three times."""
    stack = stage.create(template({"A": {}}))
    stage.forget()
    stage.provider.script("B", fail(), fail(), fail(), fail())
    rolled = stage.engine.update(stack, template({"A": {}, "B": {}}), {})
    assert [request[0] for request in stage.provider.requests] == ["Create", "Delete", "Delete", "Delete"]
    assert (rolled.status, list(rolled.resources)) == ("UPDATE_ROLLBACK_COMPLETE", ["A"])


def test_failed_update_rolls_every_update_back(stage: Rig) -> None:
    """After a failed Update, each resource that was updated, including the failed one, gets its old properties back."""
    stack = stage.create(template({"A": {"V": 1}, "B": {"V": 1, "A": {"Ref": "A"}}, "C": {"B": {"Ref": "B"}}}))
    stage.forget()
    stage.provider.script("B", fail("bad value"))
    after = template({"A": {"V": 2}, "B": {"V": 2, "A": {"Ref": "A"}}, "C": {"B": {"Ref": "B"}, "V": 2}})
    rolled = stage.engine.update(stack, after, {})
    assert [request[:2] for request in stage.provider.requests] == [
        ("Update", "A"),
        ("Update", "B"),
        ("Update", "A"),
        ("Update", "B"),
    ]
    for event in stage.provider.events[2:]:
        assert (event["ResourceProperties"]["V"], event["OldResourceProperties"]["V"]) == ("1", "2")
    assert len({event["RequestId"] for event in stage.provider.events}) == 4
    assert rolled.status == "UPDATE_ROLLBACK_COMPLETE"
    assert rolled.resources == stack.resources
    assert stage.reason("UPDATE_ROLLBACK_IN_PROGRESS") == "The following resource(s) failed to update: [B]."


def test_rollback_sends_the_id_of_the_failed_response(stage: Rig) -> None:
    """The ID in a FAILED response to an Update is recorded; the rollback sends it and then deletes it."""
    stack = stage.create(template({"A": {"V": 1}}))
    stage.forget()
    stage.provider.script("A", fail(PhysicalResourceId="half-made"), succeed(PhysicalResourceId="physical-A"))
    rolled = stage.engine.update(stack, template({"A": {"V": 2}}), {})
    assert stage.provider.requests == [
        ("Update", "A", "physical-A"),
        ("Update", "A", "half-made"),
        ("Delete", "A", "half-made"),
    ]
    assert stage.provider.events[2]["ResourceProperties"]["V"] == "2"
    assert rolled.resources["A"].physical_id == "physical-A"


def test_rollback_without_a_response(stage: Rig) -> None:
    """An Update without a response fails, and its rollback sends the ID that was recorded before."""
    stack = stage.create(template({"A": {"V": 1}}))
    stage.forget()
    stage.provider.script("A", return_nothing)
    stage.engine.update(stack, template({"A": {"V": 2}}), {})
    assert stage.provider.requests == [("Update", "A", "physical-A")] * 2


def test_rolled_back_replacement_deletes_the_new_one(stage: Rig) -> None:
    """The rollback of a replacement deletes the new one in its cleanup."""
    stack = stage.create(template({"A": {"Name": "a"}, "B": {"Of": {"Ref": "A"}}}))
    stage.forget()
    stage.provider.script("A", succeed(PhysicalResourceId="new"), succeed(PhysicalResourceId="physical-A"))
    stage.provider.script("B", fail())
    rolled = stage.engine.update(stack, template({"A": {"Name": "a2"}, "B": {"Of": {"Ref": "A"}}}), {})
    assert stage.provider.requests == [
        ("Update", "A", "physical-A"),
        ("Update", "B", "physical-B"),
        ("Update", "A", "new"),
        ("Update", "B", "physical-B"),
        ("Delete", "A", "new"),
    ]
    assert stage.statuses[-4:] == [
        "images UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "A DELETE_IN_PROGRESS",
        "A DELETE_COMPLETE",
        "images UPDATE_ROLLBACK_COMPLETE",
    ]
    assert rolled.resources["A"].physical_id == "physical-A"


def test_rollback_deletes_created_resources(stage: Rig) -> None:
    """The cleanup of a rollback deletes the resources that the update created, including the failed one."""
    stack = stage.create(template({"A": {}}))
    stage.forget()
    stage.provider.script("C", fail(PhysicalResourceId="marker"))
    rolled = stage.engine.update(stack, template({"A": {}, "B": {}, "C": {"Of": {"Ref": "B"}}}), {})
    assert stage.provider.requests[2:] == [("Delete", "C", "marker"), ("Delete", "B", "physical-B")]
    assert (rolled.status, list(rolled.resources)) == ("UPDATE_ROLLBACK_COMPLETE", ["A"])


def test_failed_rollback(stage: Rig) -> None:
    """A rollback whose Update fails stops there, in UPDATE_ROLLBACK_FAILED."""
    stack = stage.create(template({"A": {"V": 1}}))
    stage.provider.script("A", fail("first"), fail("second"))
    assert stage.engine.update(stack, template({"A": {"V": 2}}), {}).status == "UPDATE_ROLLBACK_FAILED"
    assert stage.statuses[-1] == "images UPDATE_ROLLBACK_FAILED"


def test_service_token_cannot_change(stage: Rig) -> None:
    """A changed ServiceToken fails with CloudFormation's message, without a request."""
    stack = stage.create(template({"A": {}}))
    stage.forget()
    stage.engine.update(stack, template({"A": {"ServiceToken": TOKEN + "-2"}}), {})
    assert stage.reason("UPDATE_FAILED") == "Modifying service token is not allowed."
    assert stage.provider.requests == []


def failed_rollback(stage: Rig) -> Stack:
    """A stack after an update that added D: its rollback restored A, failed for B, and did not reach C."""
    stack = stage.create(template({name: {"V": 1} for name in "ABC"}))
    stage.provider.script("B", succeed(PhysicalResourceId="new-B"), fail("not now"))
    stage.provider.script("D", fail())
    stack = stage.engine.update(stack, template({**{name: {"V": 2} for name in "ABC"}, "D": {}}), {})
    assert stack.status == "UPDATE_ROLLBACK_FAILED"
    stage.forget()
    return stack


def test_continued_rollback(stage: Rig) -> None:
    """A continued rollback repeats the failed Update, updates the remaining resources, and cleans up."""
    stack = failed_rollback(stage)
    stage.provider.script("B", succeed(PhysicalResourceId="physical-B"))
    ended = stage.engine.continue_update_rollback(stack)
    assert stage.provider.requests == [
        ("Update", "B", "new-B"),
        ("Update", "C", "physical-C"),
        ("Delete", "B", "new-B"),
        ("Delete", "D", "physical-D"),
    ]
    for event in stage.provider.events[:2]:
        assert (event["ResourceProperties"]["V"], event["OldResourceProperties"]["V"]) == ("1", "2")
    assert (ended.status, ended.rollback) == ("UPDATE_ROLLBACK_COMPLETE", None)
    assert {name: one.physical_id for name, one in ended.resources.items()} == {
        name: f"physical-{name}" for name in "ABC"
    }


def test_continued_rollback_skips_resources(stage: Rig) -> None:
    """A skipped resource gets no request and is recorded as before the update; the others are rolled back."""
    stack = failed_rollback(stage)
    ended = stage.engine.continue_update_rollback(stack, ["B"])
    assert stage.provider.requests == [("Update", "C", "physical-C"), ("Delete", "D", "physical-D")]
    assert stage.statuses[:2] == ["images UPDATE_ROLLBACK_IN_PROGRESS", "B UPDATE_COMPLETE"]
    assert ended.status == "UPDATE_ROLLBACK_COMPLETE"
    assert (ended.resources["B"].physical_id, ended.resources["B"].properties["V"]) == ("physical-B", "1")
    stage.forget()
    stage.engine.update(ended, template({"A": {"V": 1}, "B": {"V": 2}, "C": {"V": 1}}), {})
    assert stage.provider.requests == [("Update", "B", "physical-B")]


def test_continued_rollback_that_fails_again(stage: Rig) -> None:
    """A rollback can fail and be continued any number of times."""
    stack = failed_rollback(stage)
    stage.provider.script("C", fail())
    stack = stage.engine.continue_update_rollback(stack, ["B"])
    assert stack.status == "UPDATE_ROLLBACK_FAILED"
    assert stage.engine.continue_update_rollback(stack).status == "UPDATE_ROLLBACK_COMPLETE"
    assert stage.provider.requests[-2:] == [("Update", "C", "physical-C"), ("Delete", "D", "physical-D")]


def test_only_a_failed_rollback_can_be_continued(stage: Rig) -> None:
    """Continuing fails for a stack without a failed rollback, and for a resource that needs no rollback."""
    with pytest.raises(ValueError, match="is in CREATE_COMPLETE state"):
        stage.engine.continue_update_rollback(stage.create(template({"A": {}})))
    with pytest.raises(ValueError, match=r"\[A\]"):
        stage.engine.continue_update_rollback(failed_rollback(stage), ["A", "B"])


def test_rollback_restores_policies(stage: Rig) -> None:
    """A rollback restores the policies of a resource that got no Update."""
    stack = stage.create(template({"A": {}, "B": {"V": 1}}))
    stage.provider.script("B", fail())
    rolled = stage.engine.update(stack, template({"A": {"DeletionPolicy": "Retain"}, "B": {"V": 2}}), {})
    assert rolled.resources == stack.resources


def test_type_cannot_change(stage: Rig) -> None:
    """A changed resource type is rejected before anything is sent, as in CloudFormation."""
    stack = stage.create(template({"A": {}}))
    with pytest.raises(TemplateError, match=r"Update of resource type is not permitted.*\[A\]"):
        stage.engine.update(stack, template({"A": {"Type": "AWS::CloudFormation::CustomResource"}}), {})
    assert stage.provider.requests == [("Create", "A", None)]


def test_type_of_a_skipped_resource_cannot_change(stage: Rig) -> None:
    """The type of a skipped resource cannot change either, unless the resource was removed in between."""
    native = template({"A": {"Type": "AWS::ImageBuilder::DistributionConfiguration"}, "B": {}})
    stack = stage.create(native)
    with pytest.raises(TemplateError, match=r"Update of resource type is not permitted.*\[A\]"):
        stage.engine.update(stack, template({"A": {}, "B": {}}), {})
    stack = stage.engine.update(stack, template({"B": {}}), {})
    assert stage.engine.update(stack, template({"A": {}, "B": {}}), {}).status == "UPDATE_COMPLETE"


def test_update_reads_attributes_of_unchanged_resources(stage: Rig) -> None:
    """An update can use the attributes of a resource that it does not change."""
    stage.provider.script("A", succeed(Data={"Arn": "arn:a"}))
    stack = stage.create(template({"A": {}}))
    stack = stage.engine.update(stack, template({"A": {}, "B": {"Of": {"Fn::GetAtt": ["A", "Arn"]}}}), {})
    assert stage.provider.events[-1]["ResourceProperties"]["Of"] == "arn:a"
