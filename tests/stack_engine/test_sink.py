"""The answer sink takes what CloudFormation would take, and says what it would not."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from provider.stack_engine.sink import RejectedResponseError, ResponseSink, Slot, read
from tests.stack_engine.scripted import answer, put


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


def test_every_url_is_its_own(sink: ResponseSink, event: dict[str, Any]) -> None:
    """Two requests never share a URL, even with the same IDs, and an answer reaches its own slot only."""
    other, slot = sink.open("arn:stack/a", "A", "r"), opened(sink, event)
    assert other.url != slot.url
    assert "X-Amz-Signature=" in slot.url
    assert put(event, answer(event)) == 200
    assert (len(slot.puts), len(other.puts)) == (1, 0)


def test_guessed_url_is_refused(sink: ResponseSink, event: dict[str, Any]) -> None:
    """A PUT to a URL with another signature is answered 403, as S3 does."""
    slot = opened(sink, event)
    event["ResponseURL"] = slot.url[:-1] + ("a" if slot.url[-1] != "a" else "b")
    assert put(event, answer(event)) == 403
    assert slot.wait(0) is None


def test_only_put_is_taken(sink: ResponseSink, event: dict[str, Any]) -> None:
    """Any other method than PUT is refused."""
    url = urlsplit(opened(sink, event).url)
    connection = HTTPConnection(url.netloc, timeout=10)
    try:
        connection.request("POST", f"{url.path}?{url.query}", b"{}")
        assert connection.getresponse().status == 405
    finally:
        connection.close()


def test_content_type_breaks_the_signature(sink: ResponseSink, event: dict[str, Any]) -> None:
    """A content type that is not empty is answered 403, kept, and named when read."""
    slot = opened(sink, event)
    assert put(event, answer(event), "application/json") == 403
    with pytest.raises(RejectedResponseError, match="content type 'application/json'"):
        read(slot.puts[0], event)


def test_absent_content_type_is_an_empty_one(sink: ResponseSink, event: dict[str, Any]) -> None:
    """A PUT without the header is as good as one with an empty one."""
    slot = opened(sink, event)
    assert put(event, answer(event), None) == 200
    assert read(slot.puts[0], event).succeeded


def test_answer_is_read(sink: ResponseSink, event: dict[str, Any]) -> None:
    """What the provider said is there, checked: status, ID, reason, data and NoEcho."""
    slot = opened(sink, event)
    put(event, answer(event, Status="FAILED", Reason="no", PhysicalResourceId="p", Data={"A": "b"}, NoEcho=True))
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
    """Waiting gives None when the time is up, and at once when nobody is left to answer."""
    slot = opened(sink, event)
    assert slot.wait(0.01) is None
    slot.abandon()
    assert slot.wait(3600) is None


@pytest.mark.parametrize(
    ("fields", "said"),
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
def test_defective_answers(sink: ResponseSink, event: dict[str, Any], fields: Any, said: str) -> None:
    """An answer that CloudFormation would not take is refused by name."""
    slot = opened(sink, event)
    put(event, answer({**event, "PhysicalResourceId": "p"}, **fields))
    with pytest.raises(RejectedResponseError, match=said):
        read(slot.puts[0], event)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'"text"', b"\xff"])
def test_answers_that_are_no_object(sink: ResponseSink, event: dict[str, Any], body: bytes) -> None:
    """A body that is no JSON object is refused."""
    slot = opened(sink, event)
    put(event, body)
    with pytest.raises(RejectedResponseError, match="JSON"):
        read(slot.puts[0], event)


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_longest_answer(sink: ResponseSink, event: dict[str, Any], extra: int, fits: bool) -> None:
    """4,096 bytes are the most that an answer may have; 4,097 are too many."""
    slot = opened(sink, event)
    bare = answer({**event, "PhysicalResourceId": "p"}, Data={"Pad": ""})
    pad = 4096 - len(json.dumps(bare).encode()) + extra
    put(event, {**bare, "Data": {"Pad": "x" * pad}})
    if fits:
        assert len(read(slot.puts[0], event).data["Pad"]) == pad
    else:
        with pytest.raises(RejectedResponseError, match="too long"):
            read(slot.puts[0], event)
