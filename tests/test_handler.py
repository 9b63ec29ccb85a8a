"""The handler responds even if the API, its packages, or the event are faulty."""

import contextlib
import json
import os
import re
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from provider.aws.client import client
from provider.cloudformation.delivery import Undelivered
from provider.cloudformation.request import MalformedEvent
from provider.emulator.emulator import Fault
from provider.handler import handler
from provider.schema.model import SERVICE
from tests.stack import ARN, STACK_ID, Context, Resource, ami
from tests.threads import finish

GOLDEN: dict[str, Any] = {"Name": "golden", "Distributions": [ami()]}
REQUEST_ID = "11111111-0000-4000-8000-000000000000"


@pytest.mark.parametrize("fault", [Fault.THROTTLE, Fault.UNAVAILABLE, Fault.SERVER_ERROR, Fault.RESET, Fault.GARBAGE])
@pytest.mark.parametrize("after", [False, True])
def test_a_temporary_api_error_is_retried(resource: Resource, fault: Fault, after: bool) -> None:
    """A Create and an Update succeed, and take effect once, if a call fails once before or after it took effect."""
    resource.emulator.fail("CreateDistributionConfiguration", fault, after=after)
    assert resource.create(**GOLDEN).status == "SUCCESS"
    resource.emulator.fail("UpdateDistributionConfiguration", fault, after=after)
    resource.emulator.fail("GetDistributionConfiguration", fault)
    assert resource.update(**GOLDEN, Description="d").status == "SUCCESS"
    assert resource.live["description"] == "d"
    assert len(resource.emulator.configurations) == 1


def test_a_lasting_api_error_is_reported_with_code_and_request_id(resource: Resource) -> None:
    """A lasting API error causes a FAILED response with its code, its request ID, and the remediation."""
    resource.create(**GOLDEN)
    resource.emulator.fail_with("UpdateDistributionConfiguration", "SomethingNewException", 418, "I am a teapot.", 99)
    response = resource.update(**GOLDEN, Description="d")
    assert (response.status, response.physical_id) == ("FAILED", f"{ARN}golden")
    assert response.reason.startswith(
        "UpdateDistributionConfiguration failed with SomethingNewException (API request ID "
    )
    assert "): I am a teapot. " in response.reason


def test_a_response_is_sent_in_time(resource: Resource) -> None:
    """If a call hangs, FAILED is sent in time with the current operation, and nothing follows."""
    resource.create(**GOLDEN)
    resource.context = replace(resource.context, milliseconds=3_000)
    resource.emulator.fail("UpdateDistributionConfiguration", Fault.HANG, times=99)
    response = resource.update(**GOLDEN, Description="d")
    assert (response.status, response.physical_id) == ("FAILED", f"{ARN}golden")
    assert response.reason.startswith(f"timed out during UpdateDistributionConfiguration of {ARN}golden")


def test_a_reused_token_is_no_failure(resource: Resource) -> None:
    """If the service rejects a token as reused, the provider reads again and reaches the desired content."""
    resource.create(**GOLDEN)
    resource.emulator.fail_with(
        "UpdateDistributionConfiguration", "IdempotentParameterMismatchException", 400, "known", times=1
    )
    response = resource.update(REQUEST_ID, **GOLDEN, Description="d")
    assert response.status == "SUCCESS"
    assert resource.live["description"] == "d"


def test_a_reused_request_id_leads_to_a_derived_token(resource: Resource) -> None:
    """If a request ID is reused with other content, there is one attempt with a token from ID and content."""
    resource.create(**GOLDEN)
    resource.update(REQUEST_ID, **GOLDEN, Description="first")
    response = resource.update(REQUEST_ID, **GOLDEN, Description="second")
    assert response.status == "SUCCESS"
    assert resource.live["description"] == "second"
    tokens = [
        request.parameters["clientToken"]
        for request in resource.emulator.requests
        if request.operation == "UpdateDistributionConfiguration"
    ]
    assert tokens[:2] == [REQUEST_ID, REQUEST_ID]
    assert len(tokens) == 3
    assert len(tokens[2]) <= 64
    assert response.data["ClientToken"] == tokens[2]


def test_a_reused_request_id_of_a_create(resource: Resource) -> None:
    """A Create whose request ID was used with other content creates with a token from ID and content."""
    resource.create(REQUEST_ID, **GOLDEN)
    resource.delete()
    response = resource.create(REQUEST_ID, **GOLDEN, Description="d")
    assert (response.status, response.physical_id) == ("SUCCESS", f"{ARN}golden")
    assert resource.live["description"] == "d"


def test_a_reused_request_id_overwrites_nothing(resource: Resource) -> None:
    """A Create whose request ID was used with other content does not change a configuration after its handover."""
    resource.create(REQUEST_ID, **GOLDEN)
    response = resource.create(REQUEST_ID, **GOLDEN, Description="d")
    assert response.status == "FAILED"
    assert "description" not in resource.live


def test_a_replayed_create_fails(resource: Resource) -> None:
    """A Create fails and orphans nothing if the service replays the response for a configuration deleted since."""
    resource.create(REQUEST_ID, **GOLDEN)
    resource.delete()
    response = resource.create(REQUEST_ID, **GOLDEN)
    assert response.status == "FAILED"
    assert not response.physical_id.startswith("arn:")
    assert "probably replayed a cached response" in response.reason
    assert resource.emulator.configurations == {}


def test_all_findings_are_reported_before_any_call(resource: Resource) -> None:
    """All mistakes in the properties are reported at once, before any call."""
    response = resource.create(
        Nam="web", Distributions=[{"Region": "a"}, {"Region": "a", "AmiDistributionConfiguration": {}}]
    )
    assert response.status == "FAILED"
    assert response.reason.startswith("3 problems with the properties; no API calls were made: Nam: unknown property")
    for part in ("did you mean Name?", "Distributions[0]: one or more outputs", "Distributions[1].Region:"):
        assert part in response.reason
    assert resource.calls() == []


def test_a_request_id_that_is_no_client_token_is_rejected(resource: Resource) -> None:
    """A request ID that is too long for a client token causes a FAILED response before any call."""
    response = resource.create("x" * 65, **GOLDEN)
    assert "ClientToken: must have at most 64 characters, but has 65" in response.reason
    assert resource.calls() == []


@pytest.mark.parametrize(
    "change", [{"RequestType": "Read"}, {"ResourceType": "Custom::Other"}, {"ResourceProperties": "x"}]
)
def test_a_malformed_event_gets_a_response_if_possible(resource: Resource, change: dict[str, str]) -> None:
    """A malformed event with enough for a response causes a FAILED response with the problem."""
    event = {
        "RequestType": "Create",
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Golden",
        "ResourceType": "Custom::ImageBuilderDistributionConfiguration",
        "ResourceProperties": GOLDEN,
    }
    response = resource.deliver({**event, **change})
    assert response.status == "FAILED"
    assert next(iter(change)) in response.reason
    assert resource.calls() == []


@pytest.mark.parametrize("event", [{}, {"key1": "value1"}, None, "x"])
def test_an_event_without_a_response_url_is_an_error(event: object) -> None:
    """A test event of the console, or any other event, causes a clear error."""
    with pytest.raises(MalformedEvent, match="not a CloudFormation custom resource request"):
        handler(event, Context())


def test_a_request_is_served_without_a_context(resource: Resource) -> None:
    """A request is served without a context, or with one that lacks everything."""
    resource.context = None  # type: ignore[assignment]  # the case to test
    event = {"RequestType": "Create", "StackId": STACK_ID, "RequestId": REQUEST_ID, "LogicalResourceId": "Golden"}
    assert resource.deliver({**event, "ResourceProperties": GOLDEN}).status == "SUCCESS"


@pytest.mark.parametrize("module", ["crhelper", "botocore", "aws_lambda_powertools", "urllib3", "jmespath"])
def test_a_broken_package_is_reported(resource: Resource, tmp_path: Path, module: str) -> None:
    """A broken or missing package causes a FAILED response with its name and the event's own physical ID."""
    (tmp_path / f"{module}.py").write_text(f"raise ImportError('no module named {module} here')\n")
    script = f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        from provider.handler import handler
        handler({{
            "RequestType": "Update", "StackId": {STACK_ID!r}, "RequestId": {REQUEST_ID!r},
            "LogicalResourceId": "Golden",
            "PhysicalResourceId": "{ARN}golden", "ResourceProperties": {{}}, "OldResourceProperties": {{}},
            "ResponseURL": sys.argv[1]}}, None)
    """
    slot = resource.sink.open(STACK_ID, "Golden", REQUEST_ID)
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), slot.url], check=True, timeout=60, capture_output=True
    )
    (put,) = slot.puts
    assert b'"Status":"FAILED"' in put.body
    assert f'"PhysicalResourceId":"{ARN}golden"'.encode() in put.body
    assert f"no module named {module} here".encode() in put.body


@pytest.mark.parametrize(
    "name",
    [
        "LOG_LEVEL",
        "POWERTOOLS_LOG_LEVEL",
        "POWERTOOLS_LOGGER_SAMPLE_RATE",
        "POWERTOOLS_LOGGER_LOG_EVENT",
        "POWERTOOLS_LOG_DEDUPLICATION_DISABLED",
        "POWERTOOLS_DEV",
        "POWERTOOLS_DEBUG",
    ],
)
def test_an_invalid_logging_setting_does_not_prevent_a_response(resource: Resource, name: str) -> None:
    """An invalid setting for logging changes neither the response nor the environment."""
    script = f"""
        import json, os, sys
        os.environ[{name!r}] = "nonsense"
        from provider.handler import handler
        handler(json.loads(sys.argv[1]), None)
        assert os.environ[{name!r}] == "nonsense"
    """
    slot = resource.sink.open(STACK_ID, "Golden", REQUEST_ID)
    event = (
        f'{{"RequestType": "Delete", "StackId": "{STACK_ID}", "RequestId": "{REQUEST_ID}",'
        f' "LogicalResourceId": "Golden", "PhysicalResourceId": "none",'
        f' "ResourceProperties": {{}}, "ResponseURL": "{slot.url}"}}'
    )
    subprocess.run([sys.executable, "-c", textwrap.dedent(script), event], check=True, timeout=60, capture_output=True)
    (put,) = slot.puts
    assert b'"Status":"SUCCESS"' in put.body


def test_a_request_through_a_topic_is_served(resource: Resource) -> None:
    """A request through an SNS topic is served like any other."""
    slot = resource.sink.open(STACK_ID, "Golden", REQUEST_ID)
    event = {
        "RequestType": "Create",
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Golden",
        "ResourceProperties": GOLDEN,
        "ResponseURL": slot.url,
    }
    handler({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(event)}}]}, resource.context)
    (put,) = slot.puts
    assert json.loads(put.body)["Status"] == "SUCCESS"
    assert list(resource.emulator.configurations) == [f"{ARN}golden"]


def test_late_copies_change_nothing(resource: Resource) -> None:
    """A Create and an Update that are delivered again after later requests change neither content nor tags."""
    first = {**GOLDEN, "Description": "first", "Tags": {"t": "1"}}
    second = {**GOLDEN, "Description": "second", "Tags": {"t": "2"}}
    third = {**GOLDEN, "Description": "third", "Tags": {"t": "3"}}
    create, update = "11111111-0000-4000-8000-000000000000", "22222222-0000-4000-8000-000000000000"
    resource.create(create, **first)
    resource.update(update, **second)
    resource.update(**third)
    before = dict(resource.live)
    resource.send("Create", first, request_id=create)
    resource.send("Update", second, old=first, request_id=update)
    assert resource.live == before


def test_a_late_copy_after_the_end_creates_nothing(resource: Resource) -> None:
    """A Create, an Update, or a Delete that is delivered again after the Delete leaves nothing behind."""
    resource.create(REQUEST_ID, **GOLDEN)
    resource.delete()
    resource.send("Create", GOLDEN, request_id=REQUEST_ID)
    resource.delete()
    assert resource.emulator.configurations == {}


def test_throttled_calls_are_retried_while_time_remains(resource: Resource) -> None:
    """A throttled call is retried while time remains."""
    resource.emulator.fail("CreateDistributionConfiguration", Fault.THROTTLE, times=7)
    assert resource.create(**GOLDEN).status == "SUCCESS"


def test_a_rejected_derived_token_ends_the_attempts(resource: Resource) -> None:
    """If the request ID and the token derived from it are both rejected as reused, there is no further attempt."""
    resource.create(**GOLDEN)
    resource.emulator.fail_with(
        "UpdateDistributionConfiguration", "IdempotentParameterMismatchException", 400, "known", times=99
    )
    resource.calls()
    response = resource.update(**GOLDEN, Description="d")
    assert response.status == "FAILED"
    assert resource.calls().count("Update") == 2


def test_nothing_is_sent_after_the_response(resource: Resource) -> None:
    """After a FAILED response for a timeout, the work that still runs sends no further request."""
    resource.create(**GOLDEN)
    resource.context = replace(resource.context, milliseconds=1_500)
    resource.emulator.fail("UpdateDistributionConfiguration", Fault.UNAVAILABLE, times=999)
    assert resource.update(**GOLDEN, Description="d").status == "FAILED"
    resource.calls()
    finish("work")
    assert resource.calls() == []


def test_pipelines_of_all_pages_are_named(resource: Resource) -> None:
    """If many pipelines use a configuration, those on later pages are named, too, and the API's code is kept."""
    resource.create(**GOLDEN)
    for number in range(30):
        resource.emulator.seed_pipeline(f"nightly-{number:02}", resource.physical_id)
    response = resource.delete()
    assert "nightly-29" in response.reason
    assert "ResourceDependencyException" in response.reason


def test_a_collision_keeps_the_code_and_the_request_id(resource: Resource) -> None:
    """If a name already exists, the reason has the API's code and request ID."""
    resource.emulator.seed(name="golden", distributions=[])
    response = resource.create(**GOLDEN)
    assert "(ResourceAlreadyExistsException, API request ID " in response.reason


def test_a_replayed_update_fails(resource: Resource) -> None:
    """An Update whose response the service replays, although the content differs, fails."""
    resource.create(**GOLDEN)
    resource.update(REQUEST_ID, **GOLDEN, Description="first")
    resource.update(**GOLDEN, Description="second")
    response = resource.update(REQUEST_ID, **GOLDEN, Description="first")
    assert (response.status, response.physical_id) == ("FAILED", f"{ARN}golden")
    assert "probably replayed a cached response" in response.reason
    assert resource.live["description"] == "second"


def test_a_configuration_that_cannot_be_read_is_not_handed_over(resource: Resource) -> None:
    """A Create that cannot read what it created fails and leaves it unfinished, and its Delete removes it."""
    resource.emulator.fail_with("GetDistributionConfiguration", "SomethingNewException", 400, "no")
    response = resource.create(**GOLDEN)
    assert (response.status, response.physical_id.startswith("arn:")) == ("FAILED", False)
    assert resource.send("Delete", GOLDEN, physical_id=response.physical_id).status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_an_update_that_cannot_be_read_back_is_a_success(resource: Resource) -> None:
    """An Update that the service accepted succeeds with its attributes, although it cannot be read back."""
    resource.create(**GOLDEN)

    def interrupt(operation: str, _: object, moment: str) -> None:
        if (operation, moment) == ("UpdateDistributionConfiguration", "after"):
            resource.emulator.fail("GetDistributionConfiguration", Fault.DENIED)

    resource.emulator.interruption = interrupt
    response = resource.update(**GOLDEN, Description="d")
    assert (response.status, response.physical_id, response.data["Name"]) == ("SUCCESS", f"{ARN}golden", "golden")


def test_a_malformed_event_gets_no_response_at_an_earlier_url(resource: Resource) -> None:
    """After a malformed event, no response is sent to the previous request's URL."""
    resource.create(**GOLDEN)
    with pytest.raises(MalformedEvent):
        handler({"RequestType": "Create"}, resource.context)
    assert resource.slot is not None
    assert len(resource.slot.puts) == 1


def test_the_response_to_a_delete_is_not_delayed(resource: Resource) -> None:
    """The response to a Delete does not wait for log lines, for which crhelper would wait two minutes."""
    resource.create(**GOLDEN)
    resource.context = replace(resource.context, milliseconds=900_000)
    start = time.monotonic()
    assert resource.delete().status == "SUCCESS"
    assert time.monotonic() - start < 60


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        ({"Name": "golden", "OnDelete": "Retain"}, "SUCCESS"),
        ({"DistributionConfigurationArn": f"{ARN}golden"}, "SUCCESS"),
        ({"Name": "golden"}, "FAILED"),
        ({"DistributionConfigurationArn": f"{ARN}golden", "OnDelete": "Delete"}, "FAILED"),
    ],
)
def test_a_delete_with_a_broken_package_succeeds_only_if_nothing_is_left(
    resource: Resource, tmp_path: Path, properties: dict[str, str], status: str
) -> None:
    """With a broken package, a Delete succeeds only if there is certainly nothing to do."""
    (tmp_path / "botocore.py").write_text("raise ImportError('broken for a test')\n")
    slot = resource.sink.open(STACK_ID, "Golden", REQUEST_ID)
    event = {
        "RequestType": "Delete",
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Golden",
        "PhysicalResourceId": f"{ARN}golden",
        "ResourceProperties": properties,
        "ResponseURL": slot.url,
    }
    script = (
        "import json, sys; sys.path.insert(0, sys.argv[1]);"
        "from provider.handler import handler; handler(json.loads(sys.argv[2]), None)"
    )
    command = [sys.executable, "-c", script, str(tmp_path), json.dumps(event)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)
    (put,) = slot.puts
    body = json.loads(put.body)
    assert (body["Status"], body["PhysicalResourceId"]) == (status, f"{ARN}golden")


@pytest.mark.parametrize("error", [MemoryError(), SystemExit(3), ValueError("odd"), RecursionError()])
@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_after_an_error_inside_the_client_the_provider_reads(
    resource: Resource, error: BaseException, request_type: str
) -> None:
    """After an error inside the client, the provider reads whether the call took effect, and goes on."""
    if request_type == "Update":
        resource.create(**GOLDEN)
    left = [error]

    def break_off(**_: object) -> None:
        if left:
            raise left.pop()

    events = client(SERVICE, os.environ.get("AWS_REGION")).meta.events
    events.register(f"after-call.imagebuilder.{request_type}DistributionConfiguration", break_off)
    response = resource.create(**GOLDEN) if request_type == "Create" else resource.update(**GOLDEN, Description="d")
    assert (response.status, response.physical_id, left) == ("SUCCESS", f"{ARN}golden", [])
    assert len(resource.emulator.configurations) == 1


def test_a_create_that_times_out_returns_a_marker(resource: Resource) -> None:
    """A Create that runs out of time after it created something returns a marker, whose Delete removes it."""
    resource.context = replace(resource.context, milliseconds=2_000)
    resource.emulator.fail("GetDistributionConfiguration", Fault.HANG, times=9)
    response = resource.create(**GOLDEN)
    assert (response.status, response.physical_id.startswith("arn:")) == ("FAILED", False)
    resource.emulator.reset_faults()
    assert resource.send("Delete", GOLDEN, physical_id=response.physical_id).status == "SUCCESS"
    assert resource.emulator.configurations == {}


@pytest.mark.parametrize("resource_type", ["Custom::Other", None, 5, []])
def test_a_delete_of_an_unsupported_type_deletes_nothing(resource: Resource, resource_type: object) -> None:
    """A Delete of an unsupported resource type succeeds without API calls."""
    resource.create(**GOLDEN)
    resource.calls()
    event = {
        "RequestType": "Delete",
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Golden",
        "PhysicalResourceId": f"{ARN}golden",
        "ResourceProperties": {},
    }
    assert resource.deliver({**event, "ResourceType": resource_type}).status == "SUCCESS"
    assert resource.calls() == []


def test_an_unknown_request_type_keeps_the_physical_id(resource: Resource) -> None:
    """An event with an unknown request type causes a FAILED response with its physical ID."""
    event = {
        "RequestType": "Read",
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Golden",
        "PhysicalResourceId": f"{ARN}golden",
        "ResourceProperties": GOLDEN,
    }
    response = resource.deliver(event)
    assert (response.status, response.physical_id) == ("FAILED", f"{ARN}golden")


def test_the_work_ends_before_the_url_expires(resource: Resource) -> None:
    """The work ends before the response URL expires, so that the response can be delivered."""
    resource.emulator.fail("CreateDistributionConfiguration", Fault.THROTTLE, times=999)
    slot = resource.sink.open(STACK_ID, "Golden", REQUEST_ID)
    signed = datetime.now(UTC) - timedelta(seconds=7197)
    event = {
        "RequestType": "Create",
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Golden",
        "ResourceProperties": GOLDEN,
        "ResponseURL": re.sub("X-Amz-Date=[^&]*", f"X-Amz-Date={signed:%Y%m%dT%H%M%SZ}", slot.url),
    }
    start = time.time()
    with contextlib.suppress(Undelivered):
        handler(event, resource.context)
    assert time.time() < start + 15  # Lambda would allow thirty
