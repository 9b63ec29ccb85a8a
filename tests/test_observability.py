"""What is written to the log: structured, about the request, and nothing secret."""

import json
import logging
from typing import Any

import pytest

from tests.stack import ARN, STACK_ID, Resource, ami

KEYS = {"stack_id", "logical_id", "request_id", "request_type"}


def lines(captured: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in captured.splitlines()]


def test_every_line_is_json_about_the_request(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """Each line is a JSON object with the stack, the logical ID, the request ID and the request type."""
    told = resource.create("11111111-0000-4000-8000-000000000000", Name="golden", Distributions=[ami()])
    resource.update(Name="golden", Distributions=[])
    resource.update(Name="golden", Distributions="nonsense")
    resource.delete()
    written = lines(capsys.readouterr().out)
    assert told.status == "SUCCESS"
    assert all(line.keys() >= KEYS and line["stack_id"] == STACK_ID for line in written)
    assert [line["request_type"] for line in written if line["message"] == "request received"] == [
        "Create",
        "Update",
        "Update",
        "Delete",
    ]
    assert written[0]["request_id"] == "11111111-0000-4000-8000-000000000000"


def test_an_updates_difference_is_one_line(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """What an Update changes is one line with paths, old and new values."""
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
    """What is only advised is logged as a warning, and the request goes on."""
    assert resource.create(Name="golden", Distributions=[]).status == "SUCCESS"
    (line,) = [line for line in lines(capsys.readouterr().out) if line["level"] == "WARNING"]
    assert line["warnings"][0].startswith("Distributions: is empty")


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
def test_no_line_tells_a_secret(
    resource: Resource, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    """At no level does a line have the response URL, its signature, or a credential, whoever writes it."""
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
    """A line of a later request has nothing of an earlier one's IDs."""
    resource.create("11111111-0000-4000-8000-000000000000", Name="golden", Distributions=[ami()])
    capsys.readouterr()
    other = Resource(resource.emulator, resource.sink, logical_id="Other")
    other.send("Delete", {}, physical_id=f"{ARN}nothing")
    text = capsys.readouterr().out
    assert "11111111" not in text
    assert "Golden" not in text
