"""Unfinished configurations may be deleted; handed-over ones only by their ARN."""

from typing import Any

import pytest

from provider.emulator.emulator import Fault
from provider.resources.ownership import Owner, State
from tests.resources.conditions import CONTENT, GOLDEN, INVENTED, PLAIN, TYPO, leave_unfinished, tags_of
from tests.stack import ARN, STACK_ID, Resource, ami

ALPHA: dict[str, Any] = {"Name": "alpha", "Distributions": [ami()], "OnDelete": "Retain"}
BETA = {**ALPHA, "Name": "beta"}


def test_a_configuration_is_unfinished_until_it_is_handed_over(resource: Resource) -> None:
    """A Create creates an unfinished configuration, reads it, and hands it over in three calls."""
    assert resource.create(**GOLDEN, Tags={"team": "x"}).status == "SUCCESS"
    assert resource.emulator.requests[0].parameters["tags"] == {
        "team": "x",
        **Owner(STACK_ID, "Golden").tags(State.UNFINISHED),
    }
    assert resource.live["tags"] == {"team": "x", **PLAIN}
    assert resource.calls() == ["Create", "Get", "TagResource"]


def test_an_update_in_place_and_a_delete_need_no_extra_calls(resource: Resource) -> None:
    """An Update in place reads, writes, and reads back; the Delete of an owned configuration reads and deletes."""
    resource.create(**GOLDEN)
    resource.calls()
    resource.update(**GOLDEN, Description="d")
    assert resource.calls() == ["Get", "Update", "Get"]
    resource.delete()
    assert resource.calls() == ["Get", "Delete"]


def test_a_mistake_in_a_rename_back_deletes_nothing(resource: Resource) -> None:
    """After a rename that retained the old configuration, the rollback of a failed rename back leaves it in place."""
    resource.create(**ALPHA)
    resource.update(**BETA)
    mistaken = {**ALPHA, "Distributions": [{"Region": "us-east-1"}]}
    assert resource.update(**mistaken).status == "FAILED"
    assert resource.roll_back(mistaken).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}alpha", f"{ARN}beta"}


@pytest.mark.parametrize("operation", ["UpdateDistributionConfiguration", "TagResource"])
def test_a_rename_back_that_fails_later_deletes_nothing(resource: Resource, operation: str) -> None:
    """A rename back that the service rejects restores the retained configuration, and its rollback leaves it."""
    resource.create(**ALPHA)
    resource.update(**BETA)
    resource.emulator.fail_with(operation, "InvalidParameterException", 400, "no", times=9)
    changed = {**ALPHA, "Description": "back", "Tags": {"a": "1"}}
    assert resource.update(**changed).status == "FAILED"
    resource.emulator.reset_faults()
    assert resource.roll_back(changed).status == "SUCCESS"
    assert "description" not in resource.emulator.configurations[f"{ARN}alpha"]
    assert set(resource.emulator.configurations) == {f"{ARN}alpha", f"{ARN}beta"}


def test_a_cleanup_that_failed_leaves_a_configuration_that_no_mistake_deletes(resource: Resource) -> None:
    """If a pipeline prevented the cleanup of a rename, a failed rename back leaves the configuration."""
    resource.create(**GOLDEN)
    resource.emulator.seed_pipeline("nightly", f"{ARN}golden")
    resource.update(**{**GOLDEN, "Name": "new"})
    assert resource.send("Delete", GOLDEN, physical_id=f"{ARN}golden").status == "FAILED"
    assert resource.update(**TYPO).status == "FAILED"
    assert resource.roll_back(TYPO).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden", f"{ARN}new"}


def test_a_retained_name_already_exists(resource: Resource) -> None:
    """A Create by a name that this resource retained fails and says how to adopt it; its Delete retains it."""
    resource.emulator.seed(name="golden", distributions=CONTENT, tags=PLAIN)
    resource.clock.sleep(60)
    response = resource.create(**GOLDEN)
    assert (response.status, response.physical_id.startswith("arn:")) == ("FAILED", False)
    for part in ("already exists", "already belongs to this resource", f"DistributionConfigurationArn: {ARN}golden"):
        assert part in response.reason
    assert resource.send("Delete", GOLDEN, physical_id=response.physical_id).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden"}


def test_the_delete_of_a_marker_keeps_what_was_created_since(resource: Resource) -> None:
    """If a failed Create was followed by a successful one, the Delete of the first one's marker deletes nothing."""
    failed = resource.create(**TYPO)
    assert resource.create(**GOLDEN).status == "SUCCESS"
    assert resource.send("Delete", TYPO, physical_id=failed.physical_id).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden"}


def test_an_update_from_a_marker_creates(resource: Resource) -> None:
    """An Update from a marker creates and hands over a configuration, which the Delete of the marker leaves."""
    failed = resource.create(**TYPO)
    response = resource.send("Update", GOLDEN, old=TYPO, physical_id=failed.physical_id)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}golden")
    assert tags_of(resource) == PLAIN
    assert resource.send("Delete", TYPO, physical_id=failed.physical_id).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden"}


def test_an_update_from_a_marker_overwrites_nothing_retained(resource: Resource) -> None:
    """An Update from a marker fails, as a Create does, if this resource retained a configuration of that name."""
    resource.emulator.seed(name="golden", distributions=CONTENT, tags=PLAIN)
    resource.clock.sleep(60)
    failed = resource.create(**TYPO)
    response = resource.send("Update", {**GOLDEN, "Description": "d"}, old=TYPO, physical_id=failed.physical_id)
    assert (response.status, response.physical_id) == ("FAILED", failed.physical_id)
    assert "description" not in resource.emulator.configurations[f"{ARN}golden"]


def test_an_update_from_a_marker_removes_what_another_one_left(resource: Resource) -> None:
    """An Update from a marker deletes what an earlier one left unfinished under another name."""
    failed = resource.create(**TYPO)
    leave_unfinished(resource, "other")
    response = resource.send("Update", GOLDEN, old={**GOLDEN, "Name": "other"}, physical_id=failed.physical_id)
    assert response.status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden"}


@pytest.mark.parametrize("physical_id", [INVENTED, "marker"])
@pytest.mark.parametrize("on_delete", ["Delete", "Retain", "nonsense"])
def test_what_was_never_handed_over_is_deleted(resource: Resource, physical_id: str, on_delete: str) -> None:
    """The Delete of a marker or a generated ID deletes what is unfinished, whatever OnDelete says."""
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no")
    failed = resource.create(**GOLDEN)
    assert failed.status == "FAILED"
    response = resource.send(
        "Delete",
        {**GOLDEN, "OnDelete": on_delete},
        physical_id=failed.physical_id if physical_id == "marker" else physical_id,
    )
    assert response.status == "SUCCESS"
    assert resource.emulator.configurations == {}


@pytest.mark.parametrize(
    "tags",
    [
        {},
        PLAIN,
        Owner(STACK_ID, "Other").tags(State.UNFINISHED),
        Owner(STACK_ID.replace("images", "another"), "Golden").tags(State.UNFINISHED),
        dict([next(iter(Owner(STACK_ID, "Golden").tags(State.UNFINISHED).items()))]),
    ],
    ids=["none", "handed over", "another logical ID", "another stack", "half of them"],
)
@pytest.mark.parametrize("physical_id", [INVENTED, "stack/images/6e0f/Golden/no-distribution-configuration"])
def test_only_what_is_unfinished_and_its_own_is_deleted(
    resource: Resource, tags: dict[str, str], physical_id: str
) -> None:
    """The Delete of a failed Create leaves handed-over, untagged, and other owners' configurations."""
    resource.emulator.seed(name="golden", distributions=CONTENT, tags=tags)
    assert resource.send("Delete", GOLDEN, physical_id=physical_id).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden"}


@pytest.mark.parametrize("tags", [{}, dict([next(iter(PLAIN.items()))]), dict([list(PLAIN.items())[1]])])
def test_a_delete_needs_both_ownership_tags(resource: Resource, tags: dict[str, str]) -> None:
    """The Delete of an owned configuration leaves it in place without its ownership tags, or with half of them."""
    arn = resource.emulator.seed(name="golden", distributions=CONTENT, tags=tags)
    assert resource.send("Delete", GOLDEN, physical_id=arn).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {arn}


@pytest.mark.parametrize("state", [State.UNFINISHED, State.HANDED_OVER])
def test_a_delete_by_arn_deletes_its_own(resource: Resource, state: State) -> None:
    """The Delete of an ARN deletes the configuration with the resource's own tags, finished or not."""
    tags = Owner(STACK_ID, "Golden").tags(state)
    arn = resource.emulator.seed(name="golden", distributions=CONTENT, tags=tags)
    assert resource.send("Delete", GOLDEN, physical_id=arn).status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_a_handover_that_finds_nothing_creates_nothing_again(resource: Resource) -> None:
    """If the configuration is deleted before it is handed over, the Create fails and creates nothing again."""

    def interrupt(operation: str, _: object, moment: str) -> None:
        if (operation, moment) == ("TagResource", "before"):
            resource.emulator.remove(f"{ARN}golden")

    resource.emulator.interruption = interrupt
    response = resource.create(**GOLDEN)
    assert (response.status, response.physical_id.startswith("arn:")) == ("FAILED", False)
    assert resource.emulator.configurations == {}
    assert resource.calls().count("Create") == 1


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_retry_whose_handover_finds_nothing_creates_nothing(resource: Resource, request_type: str) -> None:
    """A retry that finds its own work, which is deleted before the handover, fails and creates nothing again."""
    physical_id = None
    if request_type == "Update":
        resource.create(**{**GOLDEN, "Name": "old"})
        physical_id = f"{ARN}old"
    resource.send(request_type, {}, old={}, physical_id=physical_id, request_id="request")
    event = {**resource.sent, "ResourceProperties": GOLDEN}
    leave_unfinished(resource)
    resource.calls()

    def interrupt(operation: str, _: object, moment: str) -> None:
        if (operation, moment) == ("TagResource", "before"):
            resource.emulator.remove(f"{ARN}golden")

    resource.emulator.interruption = interrupt
    assert resource.redeliver(event).status == "FAILED"
    assert f"{ARN}golden" not in resource.emulator.configurations
    assert resource.calls().count("Create") <= 1


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.GARBAGE, Fault.SERVER_ERROR, Fault.THROTTLE, Fault.UNAVAILABLE])
@pytest.mark.parametrize("after", [False, True])
def test_a_handover_that_fails_temporarily_succeeds(resource: Resource, fault: Fault, after: bool) -> None:
    """A Create and a rename succeed and hand over if the handover fails temporarily."""
    for name in ("golden", "new"):
        resource.emulator.fail("TagResource", fault, after=after)
        response = resource.update(**{**GOLDEN, "Name": name}) if resource.physical_id else resource.create(**GOLDEN)
        assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}{name}")
        assert tags_of(resource, name) == PLAIN


def test_a_failed_create_continues_with_an_update(resource: Resource) -> None:
    """A Create continues with an unfinished configuration, and writes it even if the content is equal."""
    leave_unfinished(resource)
    resource.clock.sleep(60)
    assert resource.create(**GOLDEN).status == "SUCCESS"
    assert "Update" in resource.calls()
    assert tags_of(resource) == PLAIN


def test_configurations_of_an_earlier_release_are_recognized(resource: Resource) -> None:
    """A configuration of an earlier release, whose tags have no state, is updated and deleted as the resource's own."""
    arn = resource.emulator.seed(name="golden", distributions=CONTENT, tags=PLAIN)
    resource.physical_id, resource.properties = arn, GOLDEN
    assert resource.update(**GOLDEN, Description="d").status == "SUCCESS"
    assert tags_of(resource) == PLAIN
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_an_earlier_release_recognizes_configurations_of_this_one(resource: Resource) -> None:
    """After a Create, an Update, and an adoption, the ownership tags are those of an earlier release."""
    tags = {
        "image-builder-distribution-provider:stack-id": STACK_ID,
        "image-builder-distribution-provider:logical-id": "Golden",
    }
    resource.create(**GOLDEN)
    assert tags_of(resource) == tags
    resource.update(**GOLDEN, Description="d")
    assert tags_of(resource) == tags
    resource.update(**{**GOLDEN, "Name": "new"})
    assert tags_of(resource, "new") == tags


@pytest.mark.parametrize("operation", ["UpdateDistributionConfiguration", "TagResource"])
def test_a_create_that_continues_may_be_throttled(resource: Resource, operation: str) -> None:
    """A Create that continues with an unfinished configuration waits while it is throttled, then succeeds."""
    leave_unfinished(resource)
    resource.clock.sleep(60)
    resource.emulator.fail(operation, Fault.THROTTLE, times=8)
    assert resource.create(**GOLDEN).status == "SUCCESS"
    assert resource.calls().count("Create") == 1
    assert tags_of(resource) == PLAIN
