"""Requests that arrive late or twice: newer content stays, and a retry responds as the first attempt did."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from provider.emulator.emulator import Fault
from provider.handler import respond
from tests.reliability.world import Bucket
from tests.resources.conditions import CONTENT, GOLDEN, INVENTED, PLAIN, TYPO, leave_unfinished, tags_of
from tests.stack import ARN, ReceivedResponse, Resource, ami

NEW: dict[str, Any] = {"Name": "new", "Distributions": [ami()]}


def changed(description: str) -> dict[str, Any]:
    return {**GOLDEN, "Description": description}


def later(resource: Resource, seconds: float = 30) -> None:
    """Let time pass between two requests."""
    resource.clock.sleep(seconds)


def is_late(response: ReceivedResponse, resource: Resource, physical_id: str) -> bool:
    """Return whether a request was rejected as a late copy."""
    return (response.status, response.physical_id) == ("FAILED", physical_id) and "late copy" in response.reason


def test_a_late_copy_of_an_update_overwrites_nothing(resource: Resource) -> None:
    """A copy of an Update that arrives after the next one fails with the live date and changes nothing."""
    resource.create(**GOLDEN)
    resource.update(**changed("first"))
    copy = resource.sent
    later(resource)
    resource.update(**changed("second"))
    response = resource.redeliver(copy)
    assert is_late(response, resource, f"{ARN}golden")
    assert resource.live["dateUpdated"][:16] in response.reason
    assert resource.live["description"] == "second"


def test_a_late_copy_of_an_update_that_changed_no_content(resource: Resource) -> None:
    """A copy of an Update that changed only OnDelete does not revert newer content."""
    resource.create(**GOLDEN)
    resource.update(**GOLDEN, OnDelete="Retain")
    copy = resource.sent
    later(resource)
    resource.update(**changed("second"))
    assert is_late(resource.redeliver(copy), resource, f"{ARN}golden")
    assert resource.live["description"] == "second"


def test_a_late_copy_of_a_rename_reverts_nothing(resource: Resource) -> None:
    """A copy of a rename that arrives after a later Update does not revert that."""
    resource.create(**GOLDEN)
    resource.update(**NEW)
    copy = resource.sent
    later(resource)
    resource.update(**NEW, Description="second")
    assert is_late(resource.redeliver(copy), resource, f"{ARN}golden")
    assert resource.live["description"] == "second"


@pytest.mark.parametrize("forget", [False, True])
def test_a_late_copy_recreates_nothing(resource: Resource, forget: bool) -> None:
    """A copy of a Create, an Update, a rename, or a rollback that arrives after the Delete creates nothing."""
    resource.create(**GOLDEN)
    copies = [resource.sent]
    resource.update(**changed("d"))
    copies.append(resource.sent)
    resource.update(**TYPO)
    resource.roll_back(TYPO)
    copies.append(resource.sent)
    resource.update(**NEW)
    copies.append(resource.sent)
    resource.send("Delete", changed("d"), physical_id=f"{ARN}golden")
    resource.delete()
    assert resource.emulator.configurations == {}
    later(resource, 120)
    if forget:
        resource.emulator.forget_tokens()
        copies = copies[1:]  # a Create that did nothing would look the same
    for copy in copies:
        assert resource.redeliver(copy).status == "FAILED"
        assert resource.emulator.configurations == {}


def test_a_late_copy_of_a_delete_deletes_nothing_created_since(resource: Resource) -> None:
    """A copy of a Delete that arrives after the same resource was created again succeeds and deletes nothing."""
    resource.create(**GOLDEN)
    resource.delete()
    copy = resource.sent
    later(resource)
    resource.create(**GOLDEN)
    assert resource.redeliver(copy).status == "SUCCESS"
    assert set(resource.emulator.configurations) == {f"{ARN}golden"}


def test_a_delete_of_a_configuration_that_was_changed_since_fails(resource: Resource) -> None:
    """A Delete fails if the configuration was changed since the request, and a new Delete succeeds."""
    resource.create(**GOLDEN)
    later(resource, 60)
    resource.update(**changed("d"))
    response = resource.send("Delete", GOLDEN, date=resource.clock.time() - 30)
    assert response.status == "FAILED"
    assert resource.live["dateUpdated"] in response.reason
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}


@pytest.mark.parametrize(("age", "status"), [(20, "FAILED"), (12, "SUCCESS")])
def test_a_search_allows_for_a_create_that_runs_meanwhile(resource: Resource, age: int, status: str) -> None:
    """A Delete that searches allows 15 seconds: it deletes nothing that was changed later."""
    arn = leave_unfinished(resource)
    later(resource, 60)
    update(resource, arn)
    response = resource.send("Delete", GOLDEN, physical_id=INVENTED, date=resource.clock.time() - age)
    assert response.status == status
    assert (arn in resource.emulator.configurations) is (status == "FAILED")


def test_a_search_leaves_what_was_created_since(resource: Resource) -> None:
    """A Delete that searches leaves a configuration that was created more than 15 seconds after the request."""
    arn = leave_unfinished(resource)
    response = resource.send("Delete", GOLDEN, physical_id=INVENTED, date=resource.clock.time() - 20)
    assert response.status == "SUCCESS"
    assert set(resource.emulator.configurations) == {arn}


def update(resource: Resource, arn: str) -> None:
    """Change a configuration's content and nothing else."""
    from provider.aws.client import client
    from provider.schema.model import SERVICE

    client(SERVICE, os.environ.get("AWS_REGION")).update_distribution_configuration(
        distributionConfigurationArn=arn, distributions=CONTENT, clientToken="by-hand"
    )


@pytest.mark.parametrize(("age", "status"), [(4, "SUCCESS"), (30, "FAILED")])
def test_an_adoption_overwrites_nothing_newer(resource: Resource, age: int, status: str) -> None:
    """An adoption of a configuration that was changed more than five seconds after the request fails."""
    arn = resource.emulator.seed(name="theirs", distributions=CONTENT, description="theirs")
    properties = {"DistributionConfigurationArn": arn, "Distributions": [ami()]}
    response = resource.send("Create", properties, date=resource.clock.time() - age)
    assert response.status == status
    assert ("description" in resource.emulator.configurations[arn]) is (status == "FAILED")


@pytest.mark.parametrize("forget", [False, True])
def test_a_retry_responds_as_the_first_attempt_did(resource: Resource, forget: bool) -> None:
    """A Create, an Update, and a rename that are delivered twice return the same response, even minutes later."""
    steps: list[Callable[[], ReceivedResponse]] = [
        lambda: resource.create(**GOLDEN),
        lambda: resource.update(**changed("d"), Tags={"a": "1"}),
        lambda: resource.update(**NEW),
    ]
    for step in steps:
        first = step()
        before = resource.emulator.configurations
        if forget:
            resource.emulator.forget_tokens()
        later(resource, 90)
        again = resource.redeliver(resource.sent)
        assert (again.status, again.physical_id) == ("SUCCESS", first.physical_id)
        assert resource.emulator.configurations == before


@pytest.mark.parametrize(
    ("operation", "properties"),
    [
        ("CreateDistributionConfiguration", GOLDEN),
        ("CreateDistributionConfiguration", NEW),
        ("TagResource", GOLDEN),
    ],
)
def test_a_retry_does_the_work_that_the_first_attempt_did_not(
    resource: Resource, operation: str, properties: dict[str, Any]
) -> None:
    """If the first attempt at a Create or a rename ended before its work was done, the retry does it."""
    if properties is NEW:
        resource.create(**GOLDEN)
    resource.emulator.fail_with(operation, "SomethingNewException", 400, "no")
    send = resource.create if properties is GOLDEN else resource.update
    assert send(**properties).status == "FAILED"
    later(resource, 50)
    response = resource.redeliver(resource.sent)
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}{properties['Name']}")
    assert tags_of(resource, properties["Name"]) == PLAIN


def test_a_retry_without_a_date_responds_as_the_first_attempt_did(resource: Resource) -> None:
    """A Create whose response URL shows no date returns the same response again, even minutes later."""
    resource.create(**GOLDEN)
    later(resource, 90)
    bucket = Bucket()
    respond({**resource.sent, "ResponseURL": bucket.url()}, resource.context, resource.clock)
    bucket.close()
    response = json.loads(bucket.taken[0])
    assert (response["Status"], response["PhysicalResourceId"]) == ("SUCCESS", f"{ARN}golden")


@pytest.mark.parametrize(("age", "status"), [(50, "SUCCESS"), (70, "FAILED")])
def test_an_old_update_recreates_nothing(resource: Resource, age: int, status: str) -> None:
    """An Update recreates a configuration that was deleted, unless the request is older than one minute."""
    resource.create(**GOLDEN)
    resource.emulator.remove(f"{ARN}golden")
    response = resource.send("Update", changed("d"), old=GOLDEN, date=resource.clock.time() - age)
    assert (response.status, response.physical_id) == (status, f"{ARN}golden")
    assert (f"{ARN}golden" in resource.emulator.configurations) is (status == "SUCCESS")


@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize(("age", "status"), [(50, "SUCCESS"), (70, "FAILED")])
def test_an_old_rename_needs_what_it_renames(resource: Resource, age: int, status: str, missing: bool) -> None:
    """A rename older than one minute creates nothing if the configuration that it renames is missing or newer."""
    resource.create(**GOLDEN)
    later(resource, 200)
    if missing:
        resource.emulator.remove(f"{ARN}golden")
    else:
        update(resource, f"{ARN}golden")
    assert resource.send("Update", NEW, old=GOLDEN, date=resource.clock.time() - age).status == status
    assert (f"{ARN}new" in resource.emulator.configurations) is (status == "SUCCESS")


def test_an_old_rename_succeeds_if_its_configuration_is_unchanged(resource: Resource) -> None:
    """A rename that waited for minutes succeeds if the configuration that it renames is unchanged."""
    resource.create(**GOLDEN)
    later(resource, 600)
    assert resource.send("Update", NEW, old=GOLDEN, date=resource.clock.time() - 400).status == "SUCCESS"


@pytest.mark.parametrize("lag", [0.5, 3.0, 8.0])
def test_reads_may_lag_a_write(resource: Resource, lag: float) -> None:
    """A Create, an Update, and a rename succeed although reads show each write seconds late."""
    resource.emulator.lag_reads(lag)
    assert resource.create(**GOLDEN).status == "SUCCESS"
    later(resource)
    assert resource.update(**changed("d")).status == "SUCCESS"
    later(resource)
    assert resource.update(**NEW).status == "SUCCESS"
    later(resource)
    assert tags_of(resource, "new") == PLAIN


def test_a_stale_read_of_what_was_there_before(resource: Resource) -> None:
    """A Create whose read shows a configuration that was deleted before waits until reads show its own."""
    resource.create(**GOLDEN, Description="before")
    later(resource)
    resource.emulator.lag_reads(4)
    resource.delete()
    assert resource.create(**GOLDEN).status == "SUCCESS"
    later(resource)
    resource.emulator.lag_reads(0)
    assert "description" not in resource.live


def test_a_read_that_lags_for_too_long_fails_and_loses_nothing(resource: Resource) -> None:
    """If reads do not show a Create within ten seconds, it fails, and the Delete of its marker cleans up."""
    resource.emulator.lag_reads(30)
    response = resource.create(**GOLDEN)
    assert (response.status, response.physical_id.startswith("arn:")) == ("FAILED", False)
    assert 10 < resource.calls().count("Get") <= 14
    later(resource, 60)
    assert resource.send("Delete", GOLDEN, physical_id=response.physical_id).status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_a_throttled_write_reads_again(resource: Resource) -> None:
    """An Update that is throttled while another request changes the configuration does not overwrite that."""
    resource.create(**GOLDEN)
    later(resource)
    rollback = resource.sibling()
    rollback.physical_id, rollback.properties = resource.physical_id, GOLDEN

    def interrupt(operation: str, _: object, moment: str) -> None:
        if (operation, moment) == ("UpdateDistributionConfiguration", "before"):
            resource.emulator.interruption = None
            later(resource, 20)
            assert rollback.update(**changed("rolled back")).status == "SUCCESS"

    resource.emulator.interruption = interrupt
    resource.emulator.fail("UpdateDistributionConfiguration", Fault.THROTTLE)
    response = resource.update(**changed("late"))
    assert response.status == "FAILED"
    assert resource.live["description"] == "rolled back"


def test_a_late_create_names_the_live_date(resource: Resource) -> None:
    """A copy of a Create whose token is forgotten fails with the live date and overwrites nothing."""
    resource.create(**GOLDEN)
    copy = resource.sent
    later(resource)
    resource.update(**changed("second"))
    resource.emulator.forget_tokens()
    response = resource.redeliver(copy)
    assert (response.status, response.physical_id.startswith("arn:")) == ("FAILED", False)
    assert resource.live["dateUpdated"][:16] in response.reason
    assert resource.live["description"] == "second"


def test_an_update_finds_out_that_reads_lag_a_deletion(resource: Resource) -> None:
    """An Update recreates a configuration that was just deleted, although reads still show it."""
    resource.create(**GOLDEN)
    later(resource)
    resource.emulator.lag_reads(5)
    resource.emulator.remove(f"{ARN}golden")
    assert resource.update(**changed("d")).status == "SUCCESS"
    resource.emulator.lag_reads(0)
    assert resource.live["description"] == "d"
