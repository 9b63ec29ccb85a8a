"""Log lines are structured, have the keys of the request, and contain no secrets."""

import json
import logging
import threading
from dataclasses import replace
from typing import Any

import pytest

from provider.cloudformation.request import MalformedEvent
from provider.emulator.emulator import Fault
from provider.handler import handler
from tests.stack import ARN, STACK_ID, Resource, ami

KEYS = {"stack_id", "logical_id", "request_id", "request_type"}


def lines(captured: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.splitlines()]


def test_every_line_is_json_about_the_request(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is a JSON object with the stack, the logical ID, the request ID, and the request type."""
    response = resource.create("11111111-0000-4000-8000-000000000000", Name="golden", Distributions=[ami()])
    resource.update(Name="golden", Distributions=[])
    resource.update(Name="golden", Distributions="nonsense")
    resource.delete()
    written = lines(capsys.readouterr().out)
    assert response.status == "SUCCESS"
    assert all(line.keys() >= KEYS and line["stack_id"] == STACK_ID for line in written)
    assert [line["request_type"] for line in written if line["message"] == "request received"] == [
        "Create",
        "Update",
        "Update",
        "Delete",
    ]
    assert written[0]["request_id"] == "11111111-0000-4000-8000-000000000000"


def test_an_updates_difference_is_one_line(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """The changes of an Update are one line with paths, old values, and new values."""
    resource.create(Name="golden", Description="old", Distributions=[ami(), ami("eu-west-1")], Tags={"a": "1"})
    capsys.readouterr()
    resource.update(Name="golden", Description="new", Distributions=[ami("eu-west-1", Description="x")])
    (line,) = [line for line in lines(capsys.readouterr().out) if line["message"] == "difference"]
    assert line["changes"] == [
        {"path": "Description", "old": "old", "new": "new"},
        {"path": 'Distributions["us-east-1"]', "old": ami()},
        {"path": 'Distributions["eu-west-1"].AmiDistributionConfiguration.Description', "new": "x"},
        {"path": 'Tags["a"]', "old": "1"},
    ]


def test_warnings_are_logged(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """Advice is logged as a warning, and the request goes on."""
    assert resource.create(Name="golden", Distributions=[]).status == "SUCCESS"
    (line,) = [line for line in lines(capsys.readouterr().out) if line["level"] == "WARNING"]
    assert line["warnings"][0].startswith("Distributions: is empty")


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_no_line_contains_a_secret(
    resource: Resource, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    """At no level does a line contain the response URL, its signature, or a credential."""
    monkeypatch.setenv("LOG_LEVEL", level)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "verysecretkey")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "verysecrettoken")
    root = logging.StreamHandler()
    logging.root.addHandler(root)
    before = logging.root.level
    logging.root.setLevel(level)
    try:
        resource.create(Name="golden", Distributions=[ami()])
        resource.update(Name="golden", Distributions=[{}])
        resource.delete()
    finally:
        logging.root.removeHandler(root)
        logging.root.setLevel(before)
    assert resource.slot is not None
    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert "verysecret" not in text
        assert "X-Amz-Signature" not in text
        assert "Signature=" not in text
        assert resource.slot.url not in text


def test_a_request_s_keys_do_not_outlive_it(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """A line of a later request has none of an earlier one's IDs."""
    resource.create("11111111-0000-4000-8000-000000000000", Name="golden", Distributions=[ami()])
    capsys.readouterr()
    other = Resource(resource.emulator, resource.sink, logical_id="Other")
    other.send("Delete", {}, physical_id=f"{ARN}nothing")
    text = capsys.readouterr().out
    assert "11111111" not in text
    assert "Golden" not in text


def test_what_the_service_quotes_is_redacted(
    resource: Resource, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signature or a session token in an API error is neither logged nor sent to the stack."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "verysecrettoken/+=")
    quoted = "x-amz-security-token:verysecrettoken/+= https://b.s3/k?X-Amz-Signature=deadbeef0123 AKIAIOSFODNN7EXAMPLE"
    resource.emulator.fail_with("CreateDistributionConfiguration", "InvalidSignatureException", 403, quoted, times=9)
    response = resource.create(Name="golden", Description=quoted, Distributions=[ami()])
    assert response.status == "FAILED"
    for text in (response.reason, capsys.readouterr().out):
        assert "InvalidSignatureException" in text
        assert not [secret for secret in ("verysecrettoken", "deadbeef0123", "AKIAIOSFODNN7EXAMPLE") if secret in text]


def test_json_that_the_service_quotes_is_redacted(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """Secrets in JSON in an API error are neither logged nor sent to the stack; the rest of the message is."""
    quoted = json.dumps({"body": json.dumps({"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG", "Host": "harmless.example"})})
    proxied = f"{quoted} through socks5h://user:p@ssword@proxy.example:1080"
    resource.emulator.fail_with("CreateDistributionConfiguration", "OddException", 400, proxied, times=9)
    response = resource.create(Name="golden", Distributions=[ami()])
    for text in (response.reason, capsys.readouterr().out):
        assert "harmless.example" in text
        assert "socks5h://(removed)@proxy.example:1080" in text
        assert not [secret for secret in ("wJalrXUtnFEMI", "K7MDENG", "ssword") if secret in text]


def test_a_malformed_event_has_no_earlier_ids(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """The line about a malformed event has nothing of the previous request."""
    resource.create(Name="golden", Distributions=[ami()])
    capsys.readouterr()
    with pytest.raises(MalformedEvent):
        handler({"key": "value"}, resource.context)
    (line,) = lines(capsys.readouterr().out)
    assert line["message"].startswith("cannot respond")
    assert not line.keys() & KEYS


def test_work_after_the_response_logs_its_own_request(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """If the work of a request goes on after its response, its log lines have that request's IDs."""
    resource.create(Name="golden", Distributions=[ami()])
    resource.context = replace(resource.context, milliseconds=1_500)
    resource.emulator.fail("UpdateDistributionConfiguration", Fault.UNAVAILABLE, times=999)
    resource.update("11111111-0000-4000-8000-000000000000", Name="golden", Description="d", Distributions=[ami()])
    resource.emulator.reset_faults()
    other = Resource(resource.emulator, resource.sink, logical_id="Other")
    other.create(Name="other", Distributions=[ami()])
    for thread in threading.enumerate():
        if thread.name == "work":
            thread.join(30)
    written = lines(capsys.readouterr().out)
    assert {
        (line["request_id"][:8], line["logical_id"]) for line in written if line["message"] == "request failed"
    } == {("11111111", "Golden")}


def test_the_difference_is_logged_once_after_a_retry(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """A request that had to retry logs its difference once."""
    resource.create(Name="golden", Distributions=[ami()])
    capsys.readouterr()
    resource.emulator.fail_with(
        "UpdateDistributionConfiguration", "IdempotentParameterMismatchException", 400, "known", times=1
    )
    resource.update(Name="golden", Description="d", Distributions=[ami()])
    assert [line["message"] for line in lines(capsys.readouterr().out)].count("difference") == 1


def test_a_line_that_is_hard_to_encode_is_written_without_secrets(
    resource: Resource, capsys: pytest.CaptureFixture[str]
) -> None:
    """A surrogate in a message neither loses the line nor leaks its secrets to the standard error."""
    message = "\ud800 https://b.s3/k?X-Amz-Signature=deadbeef0123"
    resource.emulator.fail_with("CreateDistributionConfiguration", "OddException", 400, message, times=9)
    assert resource.create(Name="golden", Distributions=[ami()]).status == "FAILED"
    captured = capsys.readouterr()
    assert "OddException" in captured.out
    assert "deadbeef0123" not in captured.out + captured.err
    assert captured.err == ""
