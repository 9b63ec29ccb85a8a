"""Requests with bad properties of any size get their response, in time and within its limits."""

import json
import math
from typing import Any

import pytest

from provider import provision
from provider.cloudformation.deadline import Deadline
from provider.cloudformation.request import Request
from provider.cloudformation.response import Response
from provider.handler import handler
from provider.schema.finding import REPORTED
from tests.schema.test_bounded import BAD, nested
from tests.stack import STACK_ID, Context, Resource, ami

GOLDEN: dict[str, Any] = {"Name": "golden", "Distributions": [ami()]}


class CountingDeadline(Deadline):
    """A deadline whose time is up after a number of calls of `left`."""

    def __init__(self, calls: float = math.inf) -> None:
        super().__init__(60)
        self._calls = calls

    def left(self) -> float:
        """Return one second, or 0."""
        self._calls -= 1
        return 1.0 if self._calls > 0 else 0.0


def responses(properties: dict[str, Any], deadline: Deadline, request_type: Any = "Create") -> list[Response]:
    """Return the responses to a request."""
    offered: list[Response] = []
    request = Request(
        request_type, STACK_ID, "r", "Golden", "https://localhost/", physical_id="x", properties=properties
    )
    provision.process(request, Context(), deadline, offered.append)
    return offered


@pytest.mark.parametrize(("case", "size"), [("unknown names", 10_000), ("bad entries", 20_000)])
def test_thousands_of_problems_are_one_response(
    resource: Resource, capsys: pytest.CaptureFixture[str], case: str, size: int
) -> None:
    """The response counts thousands of problems and shows as many as fit; the log has the first ones."""
    response = resource.create(**BAD[case](size))
    assert response.status == "FAILED"
    count, _, rest = response.reason.partition(" ")
    assert int(count) >= size
    assert rest.startswith("problems with the properties; no API calls were made: ")
    assert resource.calls() == []
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if line["level"] == "ERROR"]
    assert len(line["details"]) == REPORTED + 1
    assert line["details"][-1] == f"and {int(count) - REPORTED} more"
    assert f"more: see log group {resource.context.log_group_name}" in response.reason


def test_thousands_of_warnings_are_one_line(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """A log line has the first warnings and the number of the others."""
    regions = [f"us-nowhere-x{number}" for number in range(1000)]
    assert resource.create(Name="golden", Distributions=[ami(region) for region in regions]).status == "SUCCESS"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (line,) = [line for line in lines if "warnings" in line]
    assert len(line["warnings"]) == REPORTED + 1
    assert line["warnings"][-1] == f"and {1000 - REPORTED} more"


@pytest.mark.parametrize("case", BAD)
@pytest.mark.parametrize("looks", [1, 20])
def test_validation_ends_with_the_time(case: str, looks: int) -> None:
    """If the time is up during validation, the response says so, and that no API calls were made."""
    (response,) = responses(BAD[case](2000), CountingDeadline(looks))
    assert response.status == "FAILED"
    assert response.reason == (
        "timed out during property validation; no API calls were made. "
        "Shorten the properties, or increase the provider's MemorySize or Timeout"
    )


@pytest.mark.parametrize("case", ["unknown names", "bad entries", "empty structures", "bad groups", "bad tags"])
def test_validation_in_time_reports_findings(case: str) -> None:
    """If the time suffices, the response has the findings and their number."""
    (response,) = responses(BAD[case](2000), CountingDeadline())
    assert int(response.reason.partition(" ")[0]) >= 2000


def test_old_properties_have_no_findings(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """An Update with any old properties reports no findings about them."""
    resource.create(**GOLDEN, Tags={"a": "1"})
    capsys.readouterr()
    strange = {"Foo": nested(10_000, list), "Distributions": nested(10_000, dict), "Description": 10**5000}
    many = {f"Unknwn{i}": "x" for i in range(10_000)}
    slot = resource.sink.open(STACK_ID, "Golden", "22222222-0000-4000-8000-000000000000")
    event = {
        "RequestType": "Update",
        "StackId": STACK_ID,
        "RequestId": "22222222-0000-4000-8000-000000000000",
        "LogicalResourceId": "Golden",
        "ResponseURL": slot.url,
        "PhysicalResourceId": resource.physical_id,
        "ResourceProperties": GOLDEN,
        "OldResourceProperties": {"Name": "golden", "Tags": {"a": "1"}, **strange, **many},
    }
    handler(event, resource.context)
    (put,) = slot.puts
    assert json.loads(put.body)["Status"] == "SUCCESS"
    assert "a" not in resource.live["tags"]
    assert not {"Foo", "Unknwn"} & set(capsys.readouterr().out.split('"'))


@pytest.mark.parametrize(
    "value",
    [nested(10_000, list), nested(10_000, dict), math.nan, 10**5000],
    ids=["lists", "mappings", "nan", "huge"],
)
def test_an_unusual_value_makes_the_request_fail(resource: Resource, value: object) -> None:
    """A value that is nested deeply, not a number, or huge makes the request fail with its path."""
    slot = resource.sink.open(STACK_ID, "Golden", "r")
    event = {
        "RequestType": "Create",
        "StackId": STACK_ID,
        "RequestId": "r",
        "LogicalResourceId": "Golden",
        "ResponseURL": slot.url,
        "ResourceProperties": {**GOLDEN, "Description": value},
    }
    handler(event, resource.context)
    (put,) = slot.puts
    body = json.loads(put.body)
    assert body["Status"] == "FAILED"
    assert body["Reason"].startswith("1 problem with the properties; no API calls were made: Description: must be")


def test_bad_properties_do_not_prevent_a_delete(resource: Resource) -> None:
    """A Delete with thousands of unknown names deletes the configuration."""
    resource.create(**GOLDEN)
    response = resource.delete(**GOLDEN, **{f"Unknwn{i}": "x" for i in range(10_000)})
    assert response.status == "SUCCESS"
    assert resource.emulator.configurations == {}
