"""Deletes that must search for what a Create left behind."""

import os
from dataclasses import replace
from typing import Any

import pytest

from provider.emulator.emulator import Fault
from tests.resources.conditions import GOLDEN, INVENTED, TYPO, leave_unfinished
from tests.stack import ARN, Resource

EXPIRED = ("GetDistributionConfiguration", "ExpiredTokenException", 403, "The security token is expired", 999)
LATER = "stack/images/6e0f/Golden/no-distribution-configuration"


def fail_create(resource: Resource, case: str) -> str:
    """Make a Create fail, and return its physical ID or the one that CloudFormation generates."""
    if case == "generated":
        return INVENTED
    if case == "nothing created":
        return resource.create(**TYPO).physical_id
    if case == "denied":
        resource.emulator.fail("*", Fault.DENIED, times=99)
    else:
        resource.emulator.fail_with("CreateDistributionConfiguration", "SomethingNewException", 400, "no")
    physical_id = resource.create(**GOLDEN).physical_id
    resource.emulator.reset_faults()
    resource.calls()
    return physical_id


def unreachable(_: Resource) -> None:
    os.environ["AWS_ENDPOINT_URL_IMAGEBUILDER"] = "http://127.0.0.1:9"


def expired(resource: Resource) -> None:
    resource.emulator.fail_with(*EXPIRED)


def denied(resource: Resource) -> None:
    resource.emulator.fail("*", Fault.DENIED, times=999)


@pytest.mark.parametrize(
    ("case", "trouble", "status"),
    [
        ("generated", unreachable, "FAILED"),
        ("generated", expired, "FAILED"),
        ("generated", denied, "SUCCESS"),
        ("denied", unreachable, "FAILED"),
        ("denied", expired, "FAILED"),
        ("denied", denied, "SUCCESS"),
        ("may have created", unreachable, "FAILED"),
        ("may have created", expired, "FAILED"),
        ("may have created", denied, "FAILED"),
        ("nothing created", unreachable, "SUCCESS"),
        ("nothing created", expired, "SUCCESS"),
        ("nothing created", denied, "SUCCESS"),
    ],
)
def test_a_delete_that_cannot_search(
    resource: Resource, monkeypatch: pytest.MonkeyPatch, case: str, trouble: Any, status: str
) -> None:
    """A Delete that cannot search fails, unless the Create created nothing or was denied."""
    physical_id = fail_create(resource, case)
    monkeypatch.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", os.environ["AWS_ENDPOINT_URL_IMAGEBUILDER"])
    trouble(resource)
    response = resource.send("Delete", GOLDEN, physical_id=physical_id)
    assert (response.status, response.physical_id) == (status, physical_id)


def test_a_denied_create_that_met_something_may_have_created_it(resource: Resource) -> None:
    """A Create that found its own unfinished configuration before it was denied may have created it."""
    leave_unfinished(resource)
    resource.emulator.fail("UpdateDistributionConfiguration", Fault.DENIED, times=99)
    response = resource.create(**GOLDEN)
    denied(resource)
    assert resource.send("Delete", GOLDEN, physical_id=response.physical_id).status == "FAILED"
    resource.emulator.reset_faults()
    assert resource.send("Delete", GOLDEN, physical_id=response.physical_id).status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_a_search_for_a_generated_id_lasts_ten_seconds(resource: Resource) -> None:
    """The search for a generated ID that finds nothing is repeated for ten seconds, with at most fourteen reads."""
    start = resource.clock.time()
    assert resource.send("Delete", GOLDEN, physical_id=INVENTED).status == "SUCCESS"
    assert 10 <= resource.clock.time() - start < 15
    assert 10 < len(resource.calls()) <= 14


@pytest.mark.parametrize("case", ["nothing created", "denied", "may have created"])
def test_a_search_for_a_marker_happens_once(resource: Resource, case: str) -> None:
    """The Delete of a marker searches once, and finds what an Update from that marker left behind."""
    physical_id = fail_create(resource, case)
    assert resource.send("Delete", GOLDEN, physical_id=physical_id).status == "SUCCESS"
    assert resource.calls() == ["Get"]
    leave_unfinished(resource)
    assert resource.send("Delete", GOLDEN, physical_id=physical_id).status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_the_marker_of_an_earlier_release_is_searched_for(resource: Resource) -> None:
    """The Delete of an earlier release's marker searches, and fails if it cannot."""
    leave_unfinished(resource)
    expired(resource)
    assert resource.send("Delete", GOLDEN, physical_id=LATER).status == "FAILED"
    resource.emulator.reset_faults()
    assert resource.send("Delete", GOLDEN, physical_id=LATER).status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_a_delete_of_an_arn_that_does_not_exist_responds_at_once(resource: Resource) -> None:
    """The Delete of an ARN that does not exist reads once and succeeds."""
    start = resource.clock.time()
    assert resource.send("Delete", GOLDEN, physical_id=f"{ARN}golden").status == "SUCCESS"
    assert resource.calls() == ["Get"]
    assert resource.clock.time() - start < 2


def test_a_delete_that_overtakes_its_create(resource: Resource) -> None:
    """A Delete that runs during the Create deletes its configuration; the Create hands over nothing."""
    create = resource.sibling()

    def interrupt(operation: str, _: object, moment: str) -> None:
        if (operation, moment) == ("GetDistributionConfiguration", "after"):
            resource.emulator.interruption = delete_meanwhile
            response.append(create.create(**GOLDEN))

    def delete_meanwhile(operation: str, _: object, moment: str) -> None:
        if (operation, moment) == ("TagResource", "before"):
            resource.emulator.interruption = None
            response.append(resource.sibling().send("Delete", GOLDEN, physical_id=INVENTED))

    response: list[Any] = []
    resource.emulator.interruption = interrupt
    assert resource.send("Delete", GOLDEN, physical_id=INVENTED).status == "SUCCESS"
    assert [one.status for one in response] == ["SUCCESS", "FAILED"]
    assert resource.emulator.configurations == {}


def test_a_configuration_that_appears_late_is_deleted(resource: Resource) -> None:
    """A search deletes a configuration that a running Create creates seconds after the search began."""
    reads = 0

    def interrupt(operation: str, _: object, moment: str) -> None:
        nonlocal reads
        if (operation, moment) == ("GetDistributionConfiguration", "before"):
            reads += 1
            if reads == 8:
                leave_unfinished(resource)

    resource.emulator.interruption = interrupt
    assert resource.send("Delete", GOLDEN, physical_id=INVENTED).status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_an_unfinished_configuration_in_use_fails_the_delete(resource: Resource) -> None:
    """The Delete of a failed Create fails with the pipelines' names if they use what it left behind."""
    arn = leave_unfinished(resource)
    pipeline = resource.emulator.seed_pipeline("nightly", arn)
    response = resource.send("Delete", GOLDEN, physical_id=INVENTED)
    assert (response.status, response.physical_id) == ("FAILED", INVENTED)
    assert pipeline in response.reason


def test_a_search_goes_on_while_it_is_denied(resource: Resource) -> None:
    """If a search for a generated ID is denied at first (a new role), it continues and deletes what it finds."""
    leave_unfinished(resource)
    resource.emulator.fail("GetDistributionConfiguration", Fault.DENIED, times=3)
    assert resource.send("Delete", GOLDEN, physical_id=INVENTED).status == "SUCCESS"
    assert resource.emulator.configurations == {}


@pytest.mark.parametrize("trouble", ["hangs", "throttled"])
def test_a_found_configuration_that_cannot_be_deleted_fails_the_delete(resource: Resource, trouble: str) -> None:
    """The Delete of a rejected Create's marker fails if it finds a configuration and cannot delete it."""
    physical_id = resource.create(**TYPO).physical_id
    leave_unfinished(resource)
    resource.context = replace(resource.context, milliseconds=5_000)
    fault = Fault.HANG if trouble == "hangs" else Fault.THROTTLE
    resource.emulator.fail("DeleteDistributionConfiguration", fault, times=1000)
    assert resource.send("Delete", GOLDEN, physical_id=physical_id).status == "FAILED"
    resource.emulator.reset_faults()
    assert resource.send("Delete", GOLDEN, physical_id=physical_id).status == "SUCCESS"
    assert resource.emulator.configurations == {}


@pytest.mark.parametrize("function", ["", "provider"])
def test_a_search_without_the_functions_arn_is_as_short(resource: Resource, function: str) -> None:
    """The search takes at most fourteen calls although the function does not know its own ARN."""
    resource.context = replace(resource.context, invoked_function_arn=function)
    assert resource.send("Delete", GOLDEN, physical_id=INVENTED).status == "SUCCESS"
    assert 10 < len(resource.calls()) <= 14
