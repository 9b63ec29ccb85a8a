"""A rename is a replacement: its creation, its cleanup, and its rollback."""

from dataclasses import replace
from typing import Any

import pytest

from provider.emulator.emulator import Fault
from provider.resources.ownership import Owner, State
from tests.stack import ARN, NAME, STACK_ID, Resource, ami

OLD: dict[str, Any] = {"Name": "old", "Distributions": [ami()]}
NEW: dict[str, Any] = {"Name": "new", "Distributions": [ami()]}


def leave_unfinished(resource: Resource, name: str) -> str:
    """Create the state that a request leaves if it is killed right after its Create call."""
    tags = Owner(resource.stack_id, resource.logical_id).tags(State.UNFINISHED)
    content = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}]
    return resource.emulator.seed(name=name, distributions=content, tags=tags)


def test_a_rename_creates_the_new_one(resource: Resource) -> None:
    """An Update with another name returns the new ARN; CloudFormation's Delete of the old one follows."""
    resource.create(**OLD)
    response = resource.update(**NEW)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}new")
    assert set(resource.emulator.configurations) == {f"{ARN}old", f"{ARN}new"}
    assert resource.send("Delete", OLD, physical_id=f"{ARN}old").status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}new"}


def test_a_rename_to_another_owners_name_fails(resource: Resource) -> None:
    """A rename to another owner's name keeps the old physical ID and changes neither configuration."""
    theirs = resource.emulator.seed(name="new", distributions=[], description="theirs")
    resource.create(**OLD)
    response = resource.update(**NEW)
    assert (response.status, response.physical_id) == ("FAILED", f"{ARN}old")
    assert resource.emulator.configurations[theirs]["description"] == "theirs"


def test_a_failed_update_keeps_the_physical_id(resource: Resource) -> None:
    """A failed Update returns the event's own physical ID."""
    resource.create(**OLD)
    failing: tuple[dict[str, Any], ...] = ({**OLD, "Distributions": [{"Region": "x"}]}, {"Distributions": []}, NEW)
    for properties in failing:
        resource.emulator.fail("CreateDistributionConfiguration", Fault.DENIED)
        response = resource.update(**properties)
        assert (response.status, response.physical_id) == ("FAILED", f"{ARN}old")


def test_the_rollback_of_a_failed_rename_creates_nothing(resource: Resource) -> None:
    """The rollback of a failed rename succeeds with the remaining ARN and creates nothing."""
    resource.create(**OLD)
    resource.emulator.fail("CreateDistributionConfiguration", Fault.DENIED)
    assert resource.update(**NEW).status == "FAILED"
    resource.calls()
    response = resource.roll_back(NEW)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}old")
    assert set(resource.emulator.configurations) == {f"{ARN}old"}
    assert set(resource.calls()) == {"Get"}


def test_rolling_back_deletes_what_a_failed_rename_left(resource: Resource) -> None:
    """If a failed rename left an unfinished configuration behind, the rollback's Update deletes it."""
    resource.create(**OLD)
    leave_unfinished(resource, "new")
    response = resource.roll_back(NEW)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}old")
    assert set(resource.emulator.configurations) == {f"{ARN}old"}


def test_a_rollback_waits_to_delete_what_a_failed_rename_left(resource: Resource) -> None:
    """A rollback that is throttled waits, and deletes what the failed rename left behind."""
    resource.create(**OLD)
    leave_unfinished(resource, "new")
    resource.emulator.fail("DeleteDistributionConfiguration", Fault.THROTTLE, times=12)
    assert resource.roll_back(NEW).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}old"}


def test_rolling_back_leaves_another_owners_configuration(resource: Resource) -> None:
    """The rollback leaves a configuration of the failed name that lacks the resource's ownership tags."""
    theirs = resource.emulator.seed(name="new", distributions=[])
    resource.create(**OLD)
    assert resource.update(**NEW).status == "FAILED"
    assert resource.roll_back(NEW).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}old", theirs}


def test_rolling_a_successful_rename_back_returns_to_the_old_one(resource: Resource) -> None:
    """If a rename succeeded and the stack update failed, the rollback's Update manages the old configuration again."""
    resource.create(**OLD)
    resource.update(**NEW)
    response = resource.update(**OLD)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}old")
    assert resource.send("Delete", NEW, physical_id=f"{ARN}new").status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}old"}


def test_a_rename_whose_response_was_lost_succeeds(resource: Resource) -> None:
    """A rename whose Create took effect without a usable response reads again and succeeds."""
    resource.create(**OLD)
    resource.emulator.fail("CreateDistributionConfiguration", Fault.SERVER_ERROR, after=True)
    resource.emulator.fail("CreateDistributionConfiguration", Fault.DENIED)
    response = resource.update(**NEW)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}new")


def test_a_rename_that_fails_after_creating_deletes_the_new_one(resource: Resource) -> None:
    """A rename that fails after its Create deletes the new configuration before it responds."""
    resource.create(**OLD)
    resource.emulator.fail("CreateDistributionConfiguration", Fault.GARBAGE, times=99, after=True)
    resource.emulator.fail_with("GetDistributionConfiguration", "ResourceNotFoundException", 404, "no", times=4)
    response = resource.update(**NEW)
    assert (response.status, response.physical_id) == ("FAILED", f"{ARN}old")
    assert f"Deleted {ARN}new, which this request had created" in response.reason
    assert set(resource.emulator.configurations) == {f"{ARN}old"}


def test_what_cannot_be_deleted_again_is_named_and_the_rollback_deletes_it(resource: Resource) -> None:
    """If the new configuration of a failed rename cannot be deleted, the reason names it; the rollback deletes it."""
    resource.create(**OLD)
    resource.emulator.fail("CreateDistributionConfiguration", Fault.GARBAGE, times=99, after=True)
    resource.emulator.fail_with("GetDistributionConfiguration", "ResourceNotFoundException", 404, "no", times=4)
    resource.emulator.fail("DeleteDistributionConfiguration", Fault.DENIED)
    response = resource.update(**NEW)
    assert (response.status, response.physical_id) == ("FAILED", f"{ARN}old")
    assert f"{ARN}new" in response.reason
    resource.emulator.reset_faults()
    assert resource.roll_back(NEW).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}old"}


def test_deleting_an_unfinished_create_deletes_what_it_made(resource: Resource) -> None:
    """A Delete of an ID that is not an ARN deletes an unfinished configuration of that Name, even with Retain."""
    leave_unfinished(resource, "old")
    response = resource.send("Delete", {**OLD, "OnDelete": "Retain"}, physical_id="images-Golden-1ABCDEFGHIJKL")
    assert (response.status, response.physical_id) == ("SUCCESS", "images-Golden-1ABCDEFGHIJKL")
    assert resource.emulator.configurations == {}


def test_deleting_a_failed_create_leaves_another_owners(resource: Resource) -> None:
    """A Delete of an ID that is not an ARN leaves a configuration that lacks the resource's ownership tags."""
    theirs = resource.emulator.seed(name="old", distributions=[])
    failed = resource.create(**OLD)
    assert resource.send("Delete", OLD, physical_id=failed.physical_id).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {theirs}


def test_a_failed_create_is_deleted_without_a_call_where_nothing_can_be(resource: Resource) -> None:
    """The Delete after a Create whose properties were rejected succeeds with any properties."""
    for properties in ({}, {"Name": "x"}, {"Name": ["a"]}, {"DistributionConfigurationArn": ["x"]}):
        assert resource.send("Delete", properties, physical_id="not-an-arn").status == "SUCCESS"
    assert resource.calls() == []


def test_a_create_that_fails_after_its_configuration_exists_returns_a_marker(resource: Resource) -> None:
    """A Create that fails returns a marker even if its configuration exists, and the marker's Delete deletes that."""
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no")
    response = resource.create(**OLD)
    assert (response.status, response.physical_id.startswith("arn:")) == ("FAILED", False)
    assert set(resource.emulator.configurations) == {f"{ARN}old"}
    assert resource.send("Delete", OLD, physical_id=response.physical_id).status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_the_marker_of_a_failed_create_is_always_the_same(resource: Resource) -> None:
    """Every delivery of a failed Create returns the same marker, with the stack, the logical ID, and the request."""
    first, second = resource.create("request", Name="x"), resource.create("request", Name="x")
    assert first.status == second.status == "FAILED"
    assert first.physical_id == second.physical_id
    assert all(part in first.physical_id for part in (STACK_ID, "Golden", "request"))


@pytest.mark.parametrize("operation", ["GetDistributionConfiguration", "DeleteDistributionConfiguration"])
def test_a_leftover_does_not_prevent_the_rollback(resource: Resource, operation: str) -> None:
    """A rollback succeeds even if the configuration that a failed rename left cannot be read or deleted."""
    resource.create(**OLD)
    leave_unfinished(resource, "new")
    resource.emulator.seed_pipeline("nightly", f"{ARN}new")
    response = resource.roll_back(NEW)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}old")
    if operation.startswith("Get"):
        resource.emulator.fail_with(operation, "ServiceException", 500, "no", times=2)
    else:
        resource.emulator.fail(operation, Fault.DENIED)
    response = resource.roll_back(NEW)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}old")


def test_deleting_a_denied_create_succeeds(resource: Resource) -> None:
    """The Delete after a denied Create succeeds, although its search is denied, too."""
    resource.emulator.fail("*", Fault.DENIED, times=99)
    failed = resource.create(**OLD)
    assert failed.status == "FAILED"
    assert resource.send("Delete", OLD, physical_id=failed.physical_id).status == "SUCCESS"


def test_a_rename_back_that_fails_restores_what_was_retained(resource: Resource) -> None:
    """A failed rename to a configuration that this resource retained restores its previous content."""
    resource.create(**OLD)
    resource.update(**NEW, Description="new")
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no")
    response = resource.update(**OLD, Description="changed", Tags={"a": "1"})
    assert (response.status, response.physical_id) == ("FAILED", f"{ARN}new")
    assert f"Restored the previous content of {ARN}old" in response.reason
    assert "description" not in resource.emulator.configurations[f"{ARN}old"]


def test_a_rename_whose_cleanup_fails_names_the_arn(resource: Resource) -> None:
    """If reads cannot show whether a failed rename created something, the reason names the ARN to check."""
    resource.create(**OLD)
    resource.emulator.fail("CreateDistributionConfiguration", Fault.RESET, times=99, after=True)
    resource.emulator.fail_with("GetDistributionConfiguration", "ResourceNotFoundException", 404, "no", times=1)
    resource.emulator.fail("GetDistributionConfiguration", Fault.DENIED, times=99)
    response = resource.update(**NEW)
    assert response.status == "FAILED"
    assert f"{ARN}new may exist and could not be deleted" in response.reason


@pytest.mark.parametrize("function", ["arn:aws:lambda:us-east-1:999999999999:function:shared", "", "provider"])
def test_a_name_is_found_if_the_location_is_not_verified(resource: Resource, function: str) -> None:
    """A configuration is found by name even if the function's ARN has another account or is unknown."""
    leave_unfinished(resource, "My_Old One")
    for number in range(40):
        resource.emulator.seed(name=f"another-{number}", distributions=[])
    resource.context = replace(resource.context, invoked_function_arn=function)
    response = resource.send("Delete", {**OLD, "Name": "my old_one"}, physical_id="images-Golden-1ABCDEFGHIJKL")
    assert response.status == "SUCCESS"
    assert f"{ARN}my-old-one" not in resource.emulator.configurations
