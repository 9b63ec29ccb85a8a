"""Owners that come, go, and fail, while other stacks have parts: what is accepted stays live."""

import os
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from provider.handler import LEDGER_TABLE, SWEEP, respond
from provider.ledger.parts import Body, Event, Revision, propose
from provider.ledger.store import Store
from provider.resources.ownership import Owner
from provider.schema.rules import OWNERSHIP_TAGS
from tests.ledger.bodies import TEMPLATES, USER_IDS
from tests.ledger.dynamodb import Proxy, client
from tests.ledger.test_ledger_requests import GOLDEN, live_users, owned, part, template, users
from tests.stack import Resource, ami

OTHER: dict[str, Any] = {"Name": "other", "Distributions": [ami()]}
NEW_STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/new/1"
ADOPTED: dict[str, Any] = {
    "DistributionConfigurationArn": GOLDEN,
    "Contributions": [USER_IDS, TEMPLATES],
    "Distributions": [ami(Description="adopter")],
}


@pytest.fixture
def resource(recorded_resource: Resource) -> Resource:
    """A configuration resource of a provider with a ledger."""
    return recorded_resource


@pytest.mark.parametrize("moment", range(1, 6))
def test_an_owner_never_overwrites_what_was_accepted_since(resource: Resource, moment: int) -> None:
    """A part that is accepted after any read of an owner's Update stays live, and the Update succeeds."""
    properties = owned(resource)
    team, reads = part(resource, "a"), 0

    def contribute(operation: str, _parameters: Mapping[str, Any], when: Literal["before", "after"]) -> None:
        nonlocal reads
        reads += operation.startswith("Get") and when == "after"
        if reads == moment:
            resource.emulator.interruption = None
            assert team.create(**users("111111111111")).status == "SUCCESS"

    resource.emulator.interruption = contribute
    response = resource.update(**properties, Tags={"team": "a"})
    assert (response.status, response.reason) == ("SUCCESS", "")
    assert live_users(resource) == (["111111111111"] if team.physical_id else [])


def left_behind(resource: Resource) -> Resource:
    """Leave a configuration with a part and without an owner; return the part."""
    properties = owned(resource)
    team = part(resource, "a")
    assert team.create(**users("111111111111")).status == "SUCCESS"
    assert resource.update(**properties, OnDelete="Retain", Description="first owner").status == "SUCCESS"
    assert resource.delete().status == "SUCCESS"
    resource.clock.sleep(2)  # the dates of requests have whole seconds
    return team


def test_without_an_owner_no_part_is_added(resource: Resource) -> None:
    """After the owner is gone, a new part is rejected until a new owner adopts; those that exist can change and go."""
    team, late = left_behind(resource), part(resource, "b")
    response = late.create(**users("222222222222"))
    assert response.status == "FAILED"
    assert "no resource with Contributions owns this configuration" in response.reason
    assert team.update(**users("111111111111", "333333333333")).status == "SUCCESS"
    assert live_users(resource) == ["111111111111", "333333333333"]
    assert resource.sibling("Adopter", NEW_STACK).create(**ADOPTED).status == "SUCCESS"
    assert late.create(**users("222222222222")).status == "SUCCESS"
    assert live_users(resource) == ["111111111111", "222222222222", "333333333333"]


def test_a_failed_adoption_restores_what_a_retained_owner_left(resource: Resource) -> None:
    """If the adoption of a configuration without an owner fails, its content is as before, and its parts stay."""
    team, before = left_behind(resource), resource.live["distributions"]
    adopter = resource.sibling("Adopter", NEW_STACK)
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no", times=99)
    response = adopter.create(**ADOPTED)
    resource.emulator.reset_faults()
    assert response.status == "FAILED"
    assert (resource.live["distributions"], resource.live["description"]) == (before, "first owner")
    assert adopter.send("Delete", ADOPTED, physical_id=response.physical_id).status == "SUCCESS"
    assert team.delete().status == "SUCCESS"
    assert live_users(resource) == []
    assert resource.live["description"] == "first owner"


def test_a_rolled_back_adoption_restores_what_a_retained_owner_left(resource: Resource) -> None:
    """If an Update that adopted a configuration without an owner is rolled back, its content is as before."""
    team, before = left_behind(resource), resource.live["distributions"]
    adopter, own = resource.sibling("Adopter", NEW_STACK), OTHER
    adopter.create(**own)
    assert adopter.send("Update", ADOPTED, old=own).physical_id == GOLDEN
    assert resource.live["distributions"] != before
    assert adopter.roll_back(ADOPTED).status == "SUCCESS"
    assert adopter.send("Delete", ADOPTED, physical_id=GOLDEN).status == "SUCCESS"
    assert (resource.live["distributions"], resource.live["description"]) == (before, "first owner")
    assert team.delete().status == "SUCCESS"
    assert live_users(resource) == []


def test_parts_never_replace_the_content_of_an_owner_that_rolls_back(resource: Resource) -> None:
    """If the adoption of a configuration that nobody owned is rolled back, the owner's content stays with the parts."""
    adopter, own = resource.sibling("Adopter", NEW_STACK), OTHER
    adopter.create(**own)
    resource.emulator.seed(name="golden", distributions=[])
    assert adopter.send("Update", ADOPTED, old=own).physical_id == GOLDEN
    team = part(resource, "a")
    assert team.create(**users("111111111111")).status == "SUCCESS"
    before = resource.emulator.configurations[GOLDEN]["distributions"]
    assert adopter.roll_back(ADOPTED).status == "SUCCESS"
    assert adopter.send("Delete", ADOPTED, physical_id=GOLDEN).status == "SUCCESS"
    assert resource.emulator.configurations[GOLDEN]["distributions"] == before
    assert team.delete().status == "SUCCESS"
    assert live_users(resource) == []


def test_the_mark_goes_even_if_the_first_attempt_fails(resource: Resource, proxy: Proxy) -> None:
    """If the mark of a gone owner could not be removed with the last part, the sweep removes it."""
    team = left_behind(resource)
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no", times=99)
    assert team.delete().status == "SUCCESS"
    resource.emulator.reset_faults()
    assert resource.live["tags"][OWNERSHIP_TAGS[0]].endswith(" shared")
    respond(SWEEP, resource.context, resource.clock)
    assert resource.live["tags"][OWNERSHIP_TAGS[0]] == resource.stack_id
    items = client(proxy.url).scan(TableName=os.environ[LEDGER_TABLE])["Items"]
    assert not any("accepted" in item for item in items)


def test_an_owner_that_was_superseded_deletes_nothing(resource: Resource) -> None:
    """While any adopter exists, the first owner's Delete is skipped, although the last adopter handed it back."""
    owned(resource)
    first, second = resource.sibling("First"), resource.sibling("Second")
    assert first.create(**ADOPTED).status == "SUCCESS"
    assert second.create(**{**ADOPTED, "Description": "second"}).status == "SUCCESS"
    assert second.delete().status == "SUCCESS"
    assert "description" not in resource.live
    assert resource.delete().status == "SUCCESS"
    assert resource.live["distributions"] == first.live["distributions"]
    assert first.update(**ADOPTED, Description="first").status == "SUCCESS"
    assert resource.live["description"] == "first"


def test_a_superseded_owner_can_be_renamed(resource: Resource) -> None:
    """The parts of a configuration that another resource has adopted do not hold back its previous owner."""
    properties = owned(resource)
    assert part(resource, "a").create(**users("111111111111")).status == "SUCCESS"
    assert resource.sibling("Adopter").create(**ADOPTED).status == "SUCCESS"
    before = resource.emulator.configurations[GOLDEN]["distributions"]
    response = resource.update(**{**properties, "Name": "other"})
    assert (response.status, response.reason) == ("SUCCESS", "")
    assert resource.send("Delete", properties, physical_id=GOLDEN).status == "SUCCESS"
    assert resource.emulator.configurations[GOLDEN]["distributions"] == before


def test_a_delete_that_overtakes_a_recorded_create(resource: Resource, proxy: Proxy, store: Store) -> None:
    """A Create that is recorded while its Delete runs creates nothing after the Delete has succeeded."""
    date = float(int(resource.clock.time())) - 10
    owner = Owner(resource.stack_id, resource.logical_id)
    create = Event(owner, Revision(date, "create"), "Create", date + 3600, GOLDEN, is_owner=True)

    def overtake(operation: str, parameters: Mapping[str, Any]) -> None:
        if operation == "UpdateItem" and parameters["Key"]["sk"]["S"].startswith("part#"):
            proxy.fail = lambda _operation, _parameters: None
            assert store.put(None, propose(None, GOLDEN, create, Body({"distributions": []})))

    proxy.fail = overtake
    properties = {"Name": "golden", "Distributions": [ami()]}
    assert resource.send("Delete", properties, physical_id="invented").status == "SUCCESS"
    assert resource.send("Create", properties, request_id="create", date=date).status == "FAILED"
    assert resource.emulator.configurations == {}


def test_a_logical_id_of_a_gone_owner_can_contribute(resource: Resource) -> None:
    """A contribution is no owner, even if an adopter with the same logical ID has left the configuration."""
    owned(resource)
    adopter = resource.sibling("Part", NEW_STACK)
    assert adopter.create(**ADOPTED).status == "SUCCESS"
    assert adopter.delete().status == "SUCCESS"
    resource.clock.sleep(2)
    team = part(resource, "new")
    assert (team.stack_id, team.logical_id) == (adopter.stack_id, adopter.logical_id)
    assert team.create(**users("111111111111")).status == "SUCCESS"
    assert live_users(resource) == ["111111111111"]
    assert resource.live["distributions"][0]["amiDistributionConfiguration"]["name"]


def test_a_moved_part_replaces_the_previous_one(resource: Resource) -> None:
    """After stack refactoring, an Update replaces the part, and the Delete of its old ID withdraws the old one only."""
    owned(resource)
    old, new = part(resource, "a"), part(resource, "b")
    old.create(**users("111111111111", "222222222222"))
    new.physical_id, new.properties = old.physical_id, old.properties
    response = new.update(**users("222222222222", "333333333333"))
    assert response.status == "SUCCESS"
    assert response.physical_id != old.physical_id
    resource.clock.sleep(2)
    assert new.send("Delete", old.properties, physical_id=old.physical_id).status == "SUCCESS"
    assert live_users(resource) == ["222222222222", "333333333333"]
    assert new.send("Delete", new.properties, physical_id="invented").status == "SUCCESS"
    assert live_users(resource) == []


def test_a_lapsed_proposal_is_no_part(resource: Resource, proxy: Proxy) -> None:
    """A proposal for which nobody waits anymore does not hold back the owner's Delete."""
    owned(resource)
    failed = False

    def fail(operation: str, _parameters: Mapping[str, Any]) -> str | None:
        nonlocal failed
        failed |= operation == "UpdateItem"
        return "AccessDeniedException" if failed and operation != "UpdateItem" else None

    proxy.fail = fail
    assert part(resource, "a").create(**users("111111111111")).status == "FAILED"
    proxy.fail = lambda _operation, _parameters: None
    resource.clock.sleep(3601)
    assert resource.delete().status == "SUCCESS"


def test_a_create_that_was_settled_succeeds(resource: Resource, proxy: Proxy) -> None:
    """If a Create fails after its part was settled, it responds as settled."""
    is_settled = False

    def fail(operation: str, _parameters: Mapping[str, Any]) -> str | None:
        nonlocal is_settled
        was_settled, is_settled = is_settled, is_settled or operation == "TransactWriteItems"
        return "AccessDeniedException" if was_settled and operation == "UpdateItem" else None

    proxy.fail = fail
    response = resource.create(Name="golden", Distributions=[ami()])
    assert (response.status, response.physical_id, response.reason) == ("SUCCESS", GOLDEN, "")


@pytest.mark.parametrize("moment", range(1, 6))
def test_an_adoption_during_an_update_keeps_the_ownership(resource: Resource, moment: int) -> None:
    """If a configuration is adopted after any read of its owner's Update, its tags name the adopter, as the ledger."""
    properties = owned(resource)
    adopter, reads = resource.sibling("Adopter", NEW_STACK), 0

    def adopt(operation: str, _parameters: Mapping[str, Any], when: Literal["before", "after"]) -> None:
        nonlocal reads
        reads += operation.startswith("Get") and when == "after"
        if reads == moment:
            resource.emulator.interruption = None
            assert adopter.create(**ADOPTED).status == "SUCCESS"

    resource.emulator.interruption = adopt
    response = resource.update(**properties, Description="first")
    assert adopter.physical_id
    assert response.status == "SUCCESS" or "has been adopted by resource Adopter" in response.reason
    assert adopter.live["distributions"][0]["amiDistributionConfiguration"]["description"] == "adopter"
    assert " released to " in adopter.live["tags"][OWNERSHIP_TAGS[0]]
    assert resource.delete().status == "SUCCESS"
    assert GOLDEN in resource.emulator.configurations


def test_what_is_accepted_can_be_restored(resource: Resource) -> None:
    """After an adopter with more Contributions has left, rollbacks to accepted properties still succeed."""
    properties: dict[str, Any] = {"Name": "golden", "Contributions": [USER_IDS], "Distributions": [ami()]}
    assert resource.create(**properties).status == "SUCCESS"
    adopter, team = resource.sibling("Adopter", NEW_STACK), part(resource, "a")
    assert adopter.create(**ADOPTED).status == "SUCCESS"
    assert team.create(**template("lt-00000000000000001")).status == "SUCCESS"
    assert adopter.delete().status == "SUCCESS"
    for one, failed in ((resource, {**properties, "Description": "new"}), (team, template("lt-00000000000000002"))):
        assert one.update(**failed).status == "FAILED"
        response = one.roll_back(failed)
        assert (response.status, response.reason) == ("SUCCESS", "")
    (entry,) = resource.live["distributions"]
    assert entry["launchTemplateConfigurations"] == [{"launchTemplateId": "lt-00000000000000001"}]


def test_a_create_without_a_settled_part_leaves_no_mark(resource: Resource, proxy: Proxy) -> None:
    """If the ledger fails after the handover, the Delete of the Create removes the mark, so that others can adopt."""
    is_down = False

    def fail(operation: str, _parameters: Mapping[str, Any]) -> str | None:
        nonlocal is_down
        is_down |= operation == "TransactWriteItems"
        return "AccessDeniedException" if is_down else None

    proxy.fail = fail
    properties: dict[str, Any] = {"Name": "golden", "Contributions": [USER_IDS], "Distributions": [ami()]}
    response = resource.create(**properties)
    proxy.fail = lambda _operation, _parameters: None
    assert response.status == "FAILED"
    assert resource.send("Delete", properties, physical_id=response.physical_id).status == "SUCCESS"
    response = resource.sibling("Adopter", NEW_STACK).create(**ADOPTED)
    assert (response.status, response.reason) == ("SUCCESS", "")


def test_a_failed_create_of_a_gone_owner_can_be_rolled_back(resource: Resource) -> None:
    """The Delete of a failed Create succeeds although the same resource left parts behind earlier; they stay."""
    team, again = left_behind(resource), resource.sibling()
    properties = {**resource.properties, "OnDelete": "Delete"}
    failed = again.create(**properties)
    assert "it was retained earlier" in failed.reason
    response = again.send("Delete", properties, physical_id=failed.physical_id)
    assert (response.status, response.reason) == ("SUCCESS", "")
    assert live_users(resource) == ["111111111111"]
    assert team.delete().status == "SUCCESS"
    assert live_users(resource) == []
