"""The last-resort function responds if the provider's function did not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provider.cloudformation.delivery import Undelivered
from provider.cloudformation.request import MalformedEvent
from provider.emulator.server import LoopbackServer, Reply
from provider.handler import SWEEP
from provider.last_resort import handler
from provider.resources import CUSTOM_RESOURCE, DISTRIBUTION_CONFIGURATION, RESOURCE_TYPES
from provider.stack_engine.sink import ResponseSink, read
from tests.resources import greeting
from tests.stack import ARN, STACK_ID, Context

ROOT = Path(__file__).parent.parent
REQUEST_ID = "11111111-0000-4000-8000-000000000000"


def event(request_type: str = "Update", **properties: str) -> dict[str, Any]:
    return {
        "RequestType": request_type,
        "StackId": STACK_ID,
        "RequestId": REQUEST_ID,
        "LogicalResourceId": "Golden",
        "PhysicalResourceId": f"{ARN}golden",
        "ResourceProperties": {"Name": "golden", **properties},
    }


def record(payload: object, condition: str = "RetriesExhausted", **response: str) -> dict[str, Any]:
    """Return the record that Lambda sends to a failure destination."""
    return {
        "version": "1.0",
        "timestamp": "2026-11-23T06:00:00.000Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-4880-ae7a-08eec1e1d1ab",
            "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:provider:$LATEST",
            "condition": condition,
            "approximateInvokeCount": 2,
        },
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": response or None,
    }


def response_to(sink: ResponseSink, request: dict[str, Any], **about: str) -> dict[str, Any]:
    slot = sink.open(STACK_ID, "Golden", REQUEST_ID)
    handler(record({**request, "ResponseURL": slot.url}, **about), Context())
    (put,) = slot.puts
    read(put, request)
    response: dict[str, Any] = json.loads(put.body)
    return response


def test_a_crash_is_reported_with_its_cause(sink: ResponseSink) -> None:
    """After a crash, the response is FAILED, with Lambda's error and the event's physical ID."""
    response = response_to(
        sink, event(), errorType="Runtime.ExitError", errorMessage="RequestId: x Error: signal: killed"
    )
    assert (response["Status"], response["PhysicalResourceId"]) == ("FAILED", f"{ARN}golden")
    assert "failed after 2 attempts: Runtime.ExitError: RequestId: x Error: signal: killed" in response["Reason"]
    assert "redeploying is safe" in response["Reason"]


def test_an_event_that_expired_in_lambda_gets_a_response(sink: ResponseSink) -> None:
    """If Lambda did not invoke the function in time, the response is FAILED."""
    response = response_to(sink, event("Create"), condition="EventAgeExceeded")
    assert response["Status"] == "FAILED"
    assert not response["PhysicalResourceId"].startswith("arn:")
    assert "Lambda did not invoke the provider's function in time" in response["Reason"]


def test_a_delete_says_what_to_check(sink: ResponseSink) -> None:
    """The response to a Delete is FAILED and names the configuration to check."""
    response = response_to(sink, event("Delete"))
    assert response["Status"] == "FAILED"
    assert f"Check whether {ARN}golden still exists" in response["Reason"]


@pytest.mark.parametrize("request_type", ["Create", "Delete"])
@pytest.mark.parametrize(
    ("type_name", "is_named"), [(DISTRIBUTION_CONFIGURATION, True), (CUSTOM_RESOURCE, True), (greeting.NAME, False)]
)
def test_only_the_arn_of_a_distribution_configuration_is_expected(
    sink: ResponseSink, monkeypatch: pytest.MonkeyPatch, request_type: str, type_name: str, is_named: bool
) -> None:
    """The response names the ARN that follows from the properties only for a distribution configuration."""
    monkeypatch.setitem(RESOURCE_TYPES, greeting.NAME, greeting.__name__)
    request = {**event(request_type), "ResourceType": type_name, "PhysicalResourceId": "unknown"}
    assert (f"{ARN}golden" in response_to(sink, request)["Reason"]) is is_named


def test_a_delete_that_retains_succeeds(sink: ResponseSink) -> None:
    """The response to a Delete that retains the configuration is SUCCESS."""
    response = response_to(sink, event("Delete", OnDelete="Retain"))
    assert (response["Status"], response["PhysicalResourceId"]) == ("SUCCESS", f"{ARN}golden")


@pytest.mark.parametrize(
    "payload", [None, {}, {"key": "value"}, "x", {**event(), "ResponseURL": "http://example.com/x"}]
)
def test_a_record_without_a_request_is_an_error(payload: object) -> None:
    """A record without a complete request is an error, so it goes to the queue of unanswered requests."""
    with pytest.raises(MalformedEvent):
        handler(record(payload), Context())
    with pytest.raises(MalformedEvent):
        handler(payload, Context())


def test_a_sweep_needs_no_response(caplog: pytest.LogCaptureFixture) -> None:
    """The record of a failed sweep is logged, and does not go to the queue of unanswered requests."""
    handler(record(SWEEP), Context())
    assert "a sweep of the ledger failed" in caplog.text


def test_a_response_that_is_not_delivered_is_an_error() -> None:
    """A response that cannot be delivered in time is an error, which Lambda retries."""
    payload = {**event(), "ResponseURL": "http://127.0.0.1:1/response?X-Amz-Signature=s"}
    with pytest.raises(Undelivered):
        handler(record(payload), Context(milliseconds=2500))


def rejected(status: int, query: str) -> None:
    """Makes the bucket reject the response."""
    with LoopbackServer(lambda *_: Reply(status, {}, b"")) as bucket:
        payload = {**event(), "ResponseURL": f"{bucket.url}/response?{query}&X-Amz-Signature=s"}
        handler(record(payload), Context(milliseconds=2500))


@pytest.mark.parametrize("status", [307, 400, 403, 404, 409, 503])
def test_a_response_that_is_rejected_is_an_error(status: int) -> None:
    """A lasting rejection is an error, which Lambda retries; so is a 403 while the URL is valid."""
    with pytest.raises(
        Undelivered, match=f"the response FAILED for {ARN}golden was not delivered: HTTP status {status}"
    ):
        rejected(status, "X-Amz-Expires=7200")


def test_a_response_to_an_expired_url_is_no_error() -> None:
    """Once the URL has expired, no retry can deliver the response."""
    rejected(403, "X-Amz-Date=20200101T000000Z&X-Amz-Expires=7200")


def test_a_response_that_the_provider_could_not_deliver_is_quoted(sink: ResponseSink) -> None:
    """The reason contains what the provider would have reported."""
    lost = Undelivered("HTTP status 503", final=False, outcome=f"SUCCESS for {ARN}golden")
    response = response_to(sink, event(), errorType="Undelivered", errorMessage=str(lost))
    assert f"the response SUCCESS for {ARN}golden was not delivered: HTTP status 503" in response["Reason"]


def test_its_artifact_is_complete_and_small(tmp_path: Path) -> None:
    """The last-resort function's artifact needs only the standard library, and consists of a few files."""
    command = ["make", "--no-print-directory", "build-LastResortFunction", f"ARTIFACTS_DIR={tmp_path}"]
    subprocess.run(command, cwd=ROOT, check=True)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*.py")) < 67_000
    script = "import sys; sys.path.insert(0, sys.argv[1]); import provider.last_resort"
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", script, str(tmp_path)], cwd=tmp_path, check=True)


def test_the_response_to_an_unsupported_delete_has_a_physical_id(sink: ResponseSink) -> None:
    """The response to a Delete of an unsupported type without a physical ID has a physical ID that is not empty."""
    foreign = {**event("Delete"), "ResourceType": "Custom::Other", "PhysicalResourceId": None}
    response = response_to(sink, foreign)
    assert (response["Status"], bool(response["PhysicalResourceId"])) == ("SUCCESS", True)


def test_the_cause_is_logged_without_secrets(sink: ResponseSink, caplog: pytest.LogCaptureFixture) -> None:
    """A signature in Lambda's error is neither logged nor sent to the stack."""
    response = response_to(sink, event(), errorMessage="GET https://b.s3/k?X-Amz-Signature=deadbeef0123")
    assert "deadbeef0123" not in response["Reason"] + caplog.text
    assert "the provider did not respond to" in caplog.text
