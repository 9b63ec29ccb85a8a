"""Ownership: other owners' tags, adoption, and moving a configuration between resources."""

from dataclasses import replace
from typing import Any

import pytest

from provider.emulator.emulator import Fault
from provider.resources.ownership import STACK_TAG, Owner
from tests.resources.conditions import ADOPT, CONTENT, GOLDEN, INVENTED, OTHER_STACK, PLAIN, tags_of
from tests.stack import ARN, STACK_ID, Resource, ami


def fail_after_tagging(resource: Resource) -> None:
    """Make the next TagResource take effect without a response, and then the request fail."""
    resource.emulator.fail("TagResource", Fault.GARBAGE, after=True)

    def interrupt(operation: str, _: object, moment: str) -> None:
        if (operation, moment) == ("TagResource", "after"):
            resource.emulator.interruption = None
            resource.emulator.fail_with("GetDistributionConfiguration", "SomethingNewException", 400, "no")

    resource.emulator.interruption = interrupt


def test_an_update_does_not_take_over_another_stacks_configuration(resource: Resource) -> None:
    """An Update whose configuration was deleted and created again by another stack fails and names that owner."""
    resource.create(**GOLDEN)
    resource.emulator.remove(f"{ARN}golden")
    other = resource.sibling(stack_id=OTHER_STACK)
    other.create(**GOLDEN, Description="theirs")
    before = resource.emulator.configurations
    for response in (
        resource.update(**GOLDEN, Description="ours"),
        resource.roll_back({**GOLDEN, "Description": "ours"}),
    ):
        assert (response.status, response.physical_id) == ("FAILED", f"{ARN}golden")
        assert f"resource Golden of stack {OTHER_STACK}" in response.reason
        assert "continue-update-rollback --resources-to-skip" in response.reason
    assert resource.emulator.configurations == before


def test_half_of_another_owners_tags_are_another_owners(resource: Resource) -> None:
    """An Update whose configuration carries another stack's ID alone fails, too."""
    resource.create(**GOLDEN)
    resource.emulator.remove(f"{ARN}golden")
    resource.emulator.seed(name="golden", distributions=CONTENT, tags={STACK_TAG: OTHER_STACK})
    assert resource.update(**GOLDEN, Description="ours").status == "FAILED"


@pytest.mark.parametrize("kept", [{}, dict([next(iter(PLAIN.items()))]), dict([list(PLAIN.items())[1]])])
def test_ownership_tags_that_are_missing_are_put_back(resource: Resource, kept: dict[str, str]) -> None:
    """An Update that finds no ownership tags of anyone puts its own back."""
    resource.create(**GOLDEN)
    resource.emulator.remove(f"{ARN}golden")
    resource.emulator.seed(name="golden", distributions=CONTENT, tags=kept)
    assert resource.update(**GOLDEN, Description="d").status == "SUCCESS"
    assert tags_of(resource) == PLAIN


def test_a_configuration_moves_to_another_logical_id(resource: Resource) -> None:
    """If another logical ID adopts a configuration, it is released, so the Delete of the previous one leaves it."""
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved")
    assert moved.create(**ADOPT).status == "SUCCESS"
    assert tags_of(resource)[STACK_TAG] == f"{STACK_ID} released to {Owner(STACK_ID, 'Moved').digest}"
    assert resource.delete().status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden"}
    assert moved.update(**ADOPT, Description="moved").status == "SUCCESS"
    assert moved.live["description"] == "moved"


def test_a_move_that_rolls_back_leaves_the_owner_in_charge(resource: Resource) -> None:
    """If the stack update fails elsewhere, the adopter's Delete hands the configuration back to its owner."""
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved")
    moved.create(**ADOPT)
    assert moved.delete().status == "SUCCESS"
    assert tags_of(resource) == PLAIN
    assert resource.update(**GOLDEN, Description="d").status == "SUCCESS"
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}


@pytest.mark.parametrize("on_delete", [{"OnDelete": "Delete"}, {"OnDelete": "Retain"}, {"OnDelete": "nonsense"}, {}])
def test_an_adopters_delete_leaves_another_owners_configuration(resource: Resource, on_delete: dict[str, str]) -> None:
    """The Delete of an adopter leaves another resource's configuration in place and hands it back."""
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved")
    moved.create(**ADOPT)
    assert moved.delete(**ADOPT, **on_delete).status == "SUCCESS"
    assert tags_of(resource) == PLAIN


def test_an_adopter_that_never_responded_hands_back(resource: Resource) -> None:
    """The Delete of an adopter's Create that never responded hands the configuration back."""
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved")
    moved.create(**ADOPT)
    assert moved.send("Delete", ADOPT, physical_id=INVENTED).status == "SUCCESS"
    assert tags_of(resource) == PLAIN


def test_handing_back_is_never_a_reason_to_fail(resource: Resource) -> None:
    """The Delete of an adopter succeeds although the configuration can be neither read nor tagged."""
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved")
    moved.create(**ADOPT)
    for operation in ("TagResource", "GetDistributionConfiguration"):
        resource.emulator.fail(operation, Fault.DENIED, times=99)
        assert moved.delete().status == "SUCCESS"


def test_the_delete_of_an_adopted_configuration_reads_once(resource: Resource) -> None:
    """The Delete of an adopted configuration that no other resource owns makes one read and no other call."""
    resource.emulator.seed(name="golden", distributions=CONTENT)
    resource.create(**ADOPT)
    resource.calls()
    assert resource.delete().status == "SUCCESS"
    assert resource.calls() == ["Get"]


def test_adopting_from_another_owner_releases_and_reads_back(resource: Resource) -> None:
    """Adopting another owner's configuration takes a read, a releasing call, and a read that shows the release."""
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved")
    moved.calls()
    moved.create(**ADOPT)
    assert moved.calls() == ["Get", "TagResource", "Get"]
    resource.update(**GOLDEN)
    moved.calls()
    resource.sibling("Third").create(**ADOPT, Description="d")
    assert moved.calls() == ["Get", "Update", "TagResource", "Get"]


@pytest.mark.parametrize("lag", [1.5, 6.0])
@pytest.mark.parametrize("description", [{}, {"Description": "moved"}])
def test_a_move_is_safe_while_reads_lag(resource: Resource, lag: float, description: dict[str, str]) -> None:
    """An adopter succeeds once reads show the release, so the previous owner's Delete leaves the configuration."""
    resource.create(**GOLDEN)
    resource.clock.sleep(60)
    resource.emulator.lag_reads(lag)
    assert resource.sibling("Moved").create(**ADOPT, **description).status == "SUCCESS"
    assert resource.delete().status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden"}


def test_the_owners_next_update_takes_a_released_configuration_back(resource: Resource) -> None:
    """The owner's next Update of a configuration that was released takes it back."""
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved")
    moved.create(**ADOPT)
    assert resource.update(**GOLDEN, Description="d").status == "SUCCESS"
    assert tags_of(resource) == PLAIN
    assert moved.update(**ADOPT, Description="e").status == "SUCCESS"
    assert tags_of(resource) == PLAIN


def test_an_adopter_becomes_the_owner_by_name(resource: Resource) -> None:
    """A resource that adopted a configuration and then specifies its Name becomes its owner."""
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved", OTHER_STACK)
    moved.create(**ADOPT)
    response = moved.update(**GOLDEN)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}golden")
    assert tags_of(resource) == Owner(OTHER_STACK, "Moved").tags()
    assert resource.delete().status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden"}


def test_only_the_adopter_becomes_the_owner_by_name(resource: Resource) -> None:
    """A configuration that is released to one resource does not become another's by its name."""
    resource.create(**GOLDEN)
    resource.sibling("Moved").create(**ADOPT)
    third = resource.sibling("Third")
    third.create(**{**GOLDEN, "Name": "third"})
    response = third.update(**GOLDEN)
    assert (response.status, response.physical_id) == ("FAILED", f"{ARN}third")
    assert f"resource Golden of stack {STACK_ID}" in response.reason


def test_an_adoption_that_fails_releases_nothing(resource: Resource) -> None:
    """An adoption that fails leaves content, tags, and ownership as they were."""
    resource.create(**GOLDEN, Tags={"team": "a"})
    before = {**resource.live, "dateUpdated": ""}
    moved = resource.sibling("Moved")
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no", times=1)
    assert moved.create(**ADOPT, Description="d", Tags={"team": "b", "more": "c"}).status == "FAILED"
    assert {**resource.live, "dateUpdated": ""} == before


def test_an_adoption_whose_release_is_lost_restores_all(resource: Resource) -> None:
    """An adoption that fails after it may have released the configuration hands it back, other tags included."""
    resource.create(**GOLDEN, Tags={"team": "a"})
    before = {**resource.live, "dateUpdated": ""}
    moved = resource.sibling("Moved")
    fail_after_tagging(resource)
    response = moved.create(**ADOPT, Description="d", Tags={"team": "b", "more": "c"})
    assert response.status == "FAILED"
    assert {**resource.live, "dateUpdated": ""} == before


def test_a_retained_name_that_was_released_already_exists(resource: Resource) -> None:
    """A Create by the name of a configuration that another resource adopted fails."""
    resource.create(**GOLDEN)
    resource.sibling("Moved").create(**ADOPT)
    resource.clock.sleep(60)
    response = resource.create(**GOLDEN)
    assert response.status == "FAILED"
    assert "has been adopted by another resource" in response.reason


TAGGED: dict[str, Any] = {**ADOPT, "Tags": {"cost": "ours", "new": "1"}}


def test_a_failed_update_restores_other_peoples_tags(resource: Resource) -> None:
    """An Update that fails after it set tags restores other people's values, and its rollback keeps them."""
    resource.emulator.seed(name="golden", distributions=CONTENT, tags={"cost": "theirs"})
    resource.create(**ADOPT)
    fail_after_tagging(resource)
    assert resource.update(**TAGGED).status == "FAILED"
    assert tags_of(resource)["cost"] == "theirs"
    assert resource.roll_back(TAGGED).status == "SUCCESS"
    assert tags_of(resource) == {"cost": "theirs"}


def test_a_failed_update_keeps_its_own_tags_for_the_rollback(resource: Resource) -> None:
    """An Update that fails after it set tags leaves its own to the rollback, which restores the former ones."""
    resource.create(**GOLDEN, Tags={"cost": "old", "gone": "1"})
    fail_after_tagging(resource)
    failed = {**GOLDEN, "Tags": {"cost": "new", "more": "1"}}
    assert resource.update(**failed).status == "FAILED"
    assert resource.roll_back(failed).status == "SUCCESS"
    assert tags_of(resource) == {**PLAIN, "cost": "old", "gone": "1"}


def test_a_value_that_someone_else_set_since_stays(resource: Resource) -> None:
    """A tag that is removed from the template is removed, unless someone else changed its value."""
    resource.create(**GOLDEN, Tags={"a": "1", "b": "1"})
    resource.sibling("Hand").create(**ADOPT, Tags={"a": "2"})
    assert resource.update(**GOLDEN).status == "SUCCESS"
    assert tags_of(resource) == {**PLAIN, "a": "2"}


def test_an_existing_name_of_another_stack_names_its_owner(resource: Resource) -> None:
    """A Create and a rename to another stack's name fail, and the reason has the owner and how to adopt it."""
    resource.sibling(stack_id=OTHER_STACK).create(**GOLDEN)
    created = resource.create(**GOLDEN)
    resource.create(Name="mine", Distributions=[ami()])
    for response in (created, resource.update(**GOLDEN)):
        assert response.status == "FAILED"
        assert f"resource Golden of stack {OTHER_STACK}" in response.reason
        assert f"DistributionConfigurationArn: {ARN}golden" in response.reason


def release_then_crash(resource: Resource, properties: dict[str, Any], **request: Any) -> None:
    """Make a request end after it released the configuration and before it responds."""
    moved = resource.sibling("Moved")
    moved.context = replace(moved.context, milliseconds=3_000)
    moved.emulator.fail("TagResource", Fault.HANG, after=True)
    assert moved.send(properties=properties, **request).status == "FAILED"
    assert "released to" in tags_of(resource)[STACK_TAG]


def test_the_marker_of_an_adopter_that_timed_out_hands_back(resource: Resource) -> None:
    """The Delete of a failed adoption's marker hands back what that had released."""
    resource.create(**GOLDEN)
    release_then_crash(resource, ADOPT, request_type="Create")
    moved = resource.sibling("Moved")
    assert moved.send("Delete", ADOPT, physical_id="stack/x/Moved/no-distribution-configuration").status == "SUCCESS"
    assert tags_of(resource) == PLAIN


def test_the_rollback_of_an_adoption_that_timed_out_hands_back(resource: Resource) -> None:
    """The rollback of an Update that adopted another configuration hands that back to its owner."""
    resource.create(**GOLDEN)
    mine: dict[str, Any] = {"Name": "mine", "Distributions": [ami()]}
    moved = resource.sibling("Moved")
    moved.create(**mine)
    release_then_crash(resource, ADOPT, request_type="Update", old=mine, physical_id=f"{ARN}mine")
    assert moved.roll_back(ADOPT).status == "SUCCESS"
    assert tags_of(resource) == PLAIN


def test_a_rejected_creates_marker_hands_back(resource: Resource) -> None:
    """The Delete of a rejected adoption's marker hands back what an Update from that marker had released."""
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved")
    rejected = moved.create(**{**ADOPT, "Distributions": [{"Region": "us-east-1"}]})
    release_then_crash(resource, ADOPT, request_type="Update", old=ADOPT, physical_id=rejected.physical_id)
    assert moved.send("Delete", ADOPT, physical_id=rejected.physical_id).status == "SUCCESS"
    assert tags_of(resource) == PLAIN


@pytest.mark.parametrize(
    ("physical_id", "on_delete"), [(INVENTED, {}), (f"{ARN}golden", {"OnDelete": "Delete"}), (f"{ARN}golden", {})]
)
def test_handing_back_takes_three_seconds_at_most(
    resource: Resource, physical_id: str, on_delete: dict[str, str]
) -> None:
    """The Delete of an adopter that can only be throttled succeeds after about three seconds."""
    resource.context = replace(resource.context, milliseconds=300_000)
    resource.create(**GOLDEN)
    moved = resource.sibling("Moved")
    moved.create(**ADOPT)
    resource.emulator.fail("TagResource", Fault.THROTTLE, times=10_000)
    start = resource.clock.time()
    assert moved.send("Delete", {**ADOPT, **on_delete}, physical_id=physical_id).status == "SUCCESS"
    assert resource.clock.time() - start < 6
