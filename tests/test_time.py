"""The time of a request: Lambda's limit, CloudFormation's limit, and waits within them."""

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import pytest

from provider.cloudformation.deadline import Deadline
from provider.emulator.emulator import Fault
from tests.clock import SkippingClock
from tests.stack import ARN, Context, Resource, ami
from tests.threads import finish

GOLDEN: dict[str, Any] = {"Name": "golden", "Distributions": [ami()]}


class StoppedClock(SkippingClock):
    """A clock whose time passes only during waits."""

    def __init__(self) -> None:
        super().__init__()
        self._start = time.time()

    def time(self) -> float:
        """Seconds since the epoch."""
        return self._start + self._skipped

    def monotonic(self) -> float:
        """The same."""
        return self.time()


@dataclass(frozen=True)
class InvalidContext(Context):
    """A context with an invalid remaining time."""

    remaining: float = math.nan

    def get_remaining_time_in_millis(self) -> float:  # type: ignore[override]  # the case to test
        """Milliseconds left."""
        return self.remaining


@pytest.mark.parametrize("remaining", [math.nan, math.inf, 1e300])
def test_an_invalid_remaining_time_does_not_prevent_the_response(resource: Resource, remaining: float) -> None:
    """An invalid remaining time does not prevent the response."""
    resource.context = InvalidContext(remaining=remaining)
    resource.emulator.fail("CreateDistributionConfiguration", Fault.THROTTLE, times=10_000)
    assert resource.create(**GOLDEN).status == "FAILED"


@pytest.mark.parametrize("seconds", [4.0, 20.0, 59.0, 300.0, 900.0, 5000.0])
def test_the_response_has_its_share_of_the_time(seconds: float) -> None:
    """A quarter of the time, 1 to 15 seconds, is reserved for the response, and a margin at the end is unused."""
    deadline = Deadline(seconds, clock=StoppedClock())
    share = deadline.left_for_response() - deadline.left()
    assert share == pytest.approx(min(15.0, max(1.0, seconds / 4)))
    assert deadline.left_for_response() == pytest.approx(seconds - 0.25)


def test_work_makes_no_call_after_the_response(resource: Resource) -> None:
    """Once a request has its response, work that still runs makes no further call."""
    resource.create(**GOLDEN)
    resource.context = replace(resource.context, milliseconds=3_000)
    calls: list[str] = []

    def interrupt(operation: str, _: object, moment: str) -> None:
        if moment == "before":
            calls.append(operation)

    resource.emulator.interruption = interrupt
    resource.emulator.fail("GetDistributionConfiguration", Fault.HANG, times=1)
    assert resource.update(**GOLDEN, Description="d").status == "FAILED"
    resource.emulator.stop()  # what hangs breaks off and would be attempted again
    finish("work")
    assert calls == ["GetDistributionConfiguration"]


@pytest.mark.parametrize("timeout", ["20", 20])
def test_nothing_is_done_after_the_service_timeout(resource: Resource, timeout: object) -> None:
    """A request of any type that arrives after its ServiceTimeout changes nothing and fails."""
    properties = {**GOLDEN, "ServiceTimeout": timeout}
    response = resource.send("Create", properties, date=resource.clock.time() - 25)
    assert response.status == "FAILED"
    assert "CloudFormation had waited 20 seconds" in response.reason
    assert resource.calls() == []
    resource.create(**properties)
    for send, given in (("Update", {**properties, "Description": "d"}), ("Delete", properties)):
        resource.calls()
        response = resource.send(send, given, old=properties, date=resource.clock.time() - 25)
        assert (response.status, response.physical_id) == ("FAILED", f"{ARN}golden")
        assert resource.calls() == []


def test_a_request_in_time_is_served(resource: Resource) -> None:
    """A request that arrives before its ServiceTimeout is served."""
    response = resource.send("Create", {**GOLDEN, "ServiceTimeout": "20"}, date=resource.clock.time() - 10)
    assert response.status == "SUCCESS"


def test_the_service_timeout_bounds_the_work(resource: Resource) -> None:
    """A Create that is throttled fails before its ServiceTimeout, and nothing is created afterward."""
    resource.context = replace(resource.context, milliseconds=600_000)
    resource.emulator.fail("CreateDistributionConfiguration", Fault.THROTTLE, times=10_000)
    start = resource.clock.time()
    response = resource.create(**GOLDEN, ServiceTimeout="20")
    assert response.status == "FAILED"
    assert resource.clock.time() - start < 20
    assert resource.emulator.configurations == {}


def test_the_service_timeout_bounds_the_search(resource: Resource) -> None:
    """The search for what a Create may have left behind ends before the ServiceTimeout."""
    start = resource.clock.time()
    response = resource.send("Delete", {**GOLDEN, "ServiceTimeout": "6"}, physical_id="images-Golden-1ABC")
    assert response.status == "SUCCESS"
    assert resource.clock.time() - start < 6


@pytest.mark.parametrize(
    "operation", ["CreateDistributionConfiguration", "GetDistributionConfiguration", "TagResource"]
)
def test_a_create_waits_for_a_new_role(resource: Resource, operation: str) -> None:
    """A denied Create is retried, because a role from the same deployment gets access some seconds later."""
    resource.emulator.fail(operation, Fault.DENIED, times=6)
    assert resource.create(**GOLDEN).status == "SUCCESS"


def test_a_create_waits_twenty_seconds_for_a_role(resource: Resource) -> None:
    """A Create whose calls stay denied fails after about 20 seconds in total."""
    resource.context = replace(resource.context, milliseconds=600_000)
    resource.emulator.fail("*", Fault.DENIED, times=10_000)
    start = resource.clock.time()
    assert "AccessDeniedException" in resource.create(**GOLDEN).reason
    assert 19 < resource.clock.time() - start < 25


def test_an_update_that_is_denied_fails_at_once(resource: Resource) -> None:
    """A denied Update or Delete is not retried."""
    resource.create(**GOLDEN)
    resource.emulator.fail("*", Fault.DENIED, times=10_000)
    start = resource.clock.time()
    assert resource.update(**GOLDEN, Description="d").status == "FAILED"
    assert resource.delete().status == "FAILED"
    assert resource.clock.time() - start < 5


@pytest.mark.parametrize("request_type", ["Create", "Update", "Delete"])
def test_a_call_that_could_not_be_sent_is_retried(
    resource: Resource, monkeypatch: pytest.MonkeyPatch, request_type: str
) -> None:
    """While the API cannot be reached, a request retries; if that lasts, the reason says so."""
    if request_type != "Create":
        resource.create(**GOLDEN)
    monkeypatch.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", "http://127.0.0.1:9")
    properties = {**GOLDEN, "Description": "d"}
    start = resource.clock.time()
    response = resource.send(request_type, properties, old=GOLDEN)
    assert response.status == "FAILED"
    assert "could not be sent: Could not connect to the endpoint URL" in response.reason
    assert resource.clock.time() - start > 15


def test_an_api_that_recovers_in_time_is_no_failure(resource: Resource) -> None:
    """A Create whose API cannot be reached for some seconds succeeds."""
    port = resource.emulator.url.rpartition(":")[2]
    resource.emulator.stop()
    waits = 0

    class Waiting(SkippingClock):
        """Starts the API after the third wait."""

        def sleep(self, seconds: float) -> None:
            """Skip the time."""
            nonlocal waits
            super().sleep(seconds)
            waits += 1
            if waits == 3:
                resource.emulator._port = int(port)
                resource.emulator.start()

    resource.clock = Waiting()
    assert resource.create(**GOLDEN).status == "SUCCESS"
    assert waits >= 3


def test_a_change_that_may_have_happened_is_not_denied(resource: Resource) -> None:
    """If a Create took effect and the API then cannot be reached, no reason says that nothing happened."""

    def interrupt(operation: str, _: object, moment: str) -> None:
        if (operation, moment) == ("CreateDistributionConfiguration", "after"):
            resource.emulator.interruption = None
            resource.emulator.fail_with("*", "ExpiredTokenException", 403, "The security token is expired", times=99)

    resource.emulator.interruption = interrupt
    response = resource.create(**GOLDEN)
    assert response.status == "FAILED"
    assert "no API calls were made" not in response.reason
    assert "othing changed" not in response.reason
    assert "may-have-created" in response.physical_id
    assert resource.send("Delete", GOLDEN, physical_id=response.physical_id).status == "FAILED"
    resource.emulator.reset_faults()
    assert resource.send("Delete", GOLDEN, physical_id=response.physical_id).status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_a_delete_that_changes_nothing_does_not_wait_for_the_api(resource: Resource) -> None:
    """The Delete of an adopted configuration succeeds within seconds although the API hangs."""
    arn = resource.emulator.seed(name="golden", distributions=[])
    resource.emulator.fail("*", Fault.HANG, times=99)
    start = time.monotonic()
    response = resource.send("Delete", {"DistributionConfigurationArn": arn}, physical_id=arn)
    assert response.status == "SUCCESS"
    assert time.monotonic() - start < 10
