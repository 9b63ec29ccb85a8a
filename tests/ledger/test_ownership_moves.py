"""Owners that come, go, and fail, while other stacks have parts: what is accepted stays live."""

import os
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from provider.handler import LEDGER_TABLE, SWEEP, respond
from provider.schema.rules import OWNERSHIP_TAGS
from tests.ledger.bodies import TEMPLATES, USER_IDS
from tests.ledger.dynamodb import Proxy, client
from tests.ledger.test_ledger_requests import GOLDEN, live_users, owned, part, users
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
