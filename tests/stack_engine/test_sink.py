"""The response sink accepts the responses that CloudFormation accepts, and rejects the others with a reason."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from provider.stack_engine.sink import RejectedResponseError, ResponseSink, Slot, read
from tests.stack_engine.scripted import put, response


@pytest.fixture
def sink() -> Iterator[ResponseSink]:
    with ResponseSink() as made:
        yield made


@pytest.fixture
def event() -> dict[str, Any]:
    return {"StackId": "arn:stack/a", "RequestId": "r", "LogicalResourceId": "A"}


def opened(sink: ResponseSink, event: dict[str, Any]) -> Slot:
    slot = sink.open("arn:stack/a", "A", "r")
    event["ResponseURL"] = slot.url
    return slot


def test_unique_urls(sink: ResponseSink, event: dict[str, Any]) -> None:
    """Two requests never share a URL, even with the same IDs, and a response reaches only its own slot."""
    other, slot = sink.open("arn:stack/a", "A", "r"), opened(sink, event)
    assert other.url != slot.url
    assert "X-Amz-Signature=" in slot.url
    assert put(event, response(event)) == 200
    assert (len(slot.puts), len(other.puts)) == (1, 0)


def test_unknown_signature(sink: ResponseSink, event: dict[str, Any]) -> None:
    """A PUT to a URL with another signature returns status 403, as S3 does."""
    slot = opened(sink, event)
    event["ResponseURL"] = slot.url[:-1] + ("a" if slot.url[-1] != "a" else "b")
    assert put(event, response(event)) == 403
    assert slot.wait(0) is None


def test_other_methods(sink: ResponseSink, event: dict[str, Any]) -> None:
    """Any method other than PUT is rejected."""
    url = urlsplit(opened(sink, event).url)
    connection = HTTPConnection(url.netloc, timeout=10)
    try:
        connection.request("POST", f"{url.path}?{url.query}", b"{}")
        assert connection.getresponse().status == 405
    finally:
        connection.close()


def test_content_type_breaks_the_signature(sink: ResponseSink, event: dict[str, Any]) -> None:
    """A PUT with a content type returns status 403 and is recorded; reading it reports the content type."""
    slot = opened(sink, event)
    assert put(event, response(event), "application/json") == 403
    with pytest.raises(RejectedResponseError, match="content type 'application/json'"):
        read(slot.puts[0], event)


def test_absent_content_type(sink: ResponseSink, event: dict[str, Any]) -> None:
    """An absent content type counts as an empty one."""
    slot = opened(sink, event)
    assert put(event, response(event), None) == 200
    assert read(slot.puts[0], event).succeeded


def test_valid_response(sink: ResponseSink, event: dict[str, Any]) -> None:
    """A valid response has a status, ID, reason, data, and NoEcho."""
    slot = opened(sink, event)
    put(event, response(event, Status="FAILED", Reason="no", PhysicalResourceId="p", Data={"A": "b"}, NoEcho=True))
    waited = slot.wait(5)
    assert waited is not None
    got = read(waited, event)
    assert (got.succeeded, got.physical_id, got.reason, got.data, got.no_echo) == (
        False,
        "p",
        "no",
        {"A": "b"},
        True,
    )


def test_waiting_ends(sink: ResponseSink, event: dict[str, Any]) -> None:
    """Waiting returns None after the given time, or at once if nothing is running that could respond."""
    slot = opened(sink, event)
    assert slot.wait(0.01) is None
    slot.abandon()
    assert slot.wait(3600) is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"StackId": "other"}, "Invalid StackId"),
        ({"RequestId": "R"}, "Invalid RequestId"),
        ({"LogicalResourceId": None}, "Invalid LogicalResourceId"),
        ({"PhysicalResourceId": ""}, "Invalid PhysicalResourceId"),
        ({"PhysicalResourceId": None}, "Invalid PhysicalResourceId"),
        ({"PhysicalResourceId": "é" * 513}, "Invalid PhysicalResourceId"),
        ({"Status": "success"}, "Invalid Status"),
        ({"Status": "FAILED"}, "Invalid Reason"),
        ({"Data": "text"}, "Invalid Data"),
        ({"Data": {"Long": "x" * 4096}}, "Response object is too long."),
    ],
)
def test_invalid_responses(sink: ResponseSink, event: dict[str, Any], fields: Any, message: str) -> None:
    """A response that CloudFormation would reject is rejected with the reason."""
    slot = opened(sink, event)
    put(event, response({**event, "PhysicalResourceId": "p"}, **fields))
    with pytest.raises(RejectedResponseError, match=message):
        read(slot.puts[0], event)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"text"', b"\xff"])
def test_responses_that_are_not_objects(sink: ResponseSink, event: dict[str, Any], body: bytes) -> None:
    """A body that is not a JSON object is rejected."""
    slot = opened(sink, event)
    put(event, body)
    with pytest.raises(RejectedResponseError, match="JSON"):
        read(slot.puts[0], event)


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_longest_response(sink: ResponseSink, event: dict[str, Any], extra: int, fits: bool) -> None:
    """A response has at most 4,096 bytes."""
    slot = opened(sink, event)
    bare = response({**event, "PhysicalResourceId": "p"}, Data={"Pad": ""})
    pad = 4096 - len(json.dumps(bare).encode()) + extra
    put(event, {**bare, "Data": {"Pad": "x" * pad}})
    if fits:
        assert len(read(slot.puts[0], event).data["Pad"]) == pad
    else:
        with pytest.raises(RejectedResponseError, match="too long"):
            read(slot.puts[0], event)
