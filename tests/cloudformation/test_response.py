"""A response fits CloudFormation's limits, and the most important text comes first."""

import json
import threading
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.cloudformation.request import parse
from provider.cloudformation.response import FAILED, LIMIT, SUCCESS, FirstResponse, Response, cut, one_line
from tests.cloudformation.test_request import EVENT

REQUEST = parse(EVENT)


def body_of(response: Response) -> dict[str, Any]:
    body = response.body(REQUEST)
    assert len(body) <= LIMIT
    parsed: dict[str, Any] = json.loads(body)
    return parsed


def test_a_response_has_the_ids_of_the_request() -> None:
    """StackId, RequestId, and LogicalResourceId are those of the event."""
    body = body_of(Response(SUCCESS, "id", data={"Arn": "id"}))
    assert {key: body[key] for key in ("StackId", "RequestId", "LogicalResourceId")} == {
        key: EVENT[key] for key in ("StackId", "RequestId", "LogicalResourceId")
    }
    assert (body["Status"], body["PhysicalResourceId"], body["Data"]) == ("SUCCESS", "id", {"Arn": "id"})


@given(st.text(), st.lists(st.text(max_size=300), max_size=60), st.text(max_size=20))
def test_every_response_fits(reason: str, details: list[str], elsewhere: str) -> None:
    """With any reason, the response is valid JSON of at most 4,096 bytes, and its reason one line."""
    body = body_of(Response(FAILED, "id", reason, tuple(details), elsewhere))
    assert not any(ord(character) < 32 for character in body["Reason"])


def test_as_many_details_as_fit_are_shown() -> None:
    """The first details are shown, then how many more there are and where."""
    details = tuple(f"Distributions[{i}].Region: is required" for i in range(500))
    reason = body_of(Response(FAILED, "id", "500 problems", details, "log group /aws/lambda/p"))["Reason"]
    assert reason.startswith("500 problems: Distributions[0].Region: is required; Distributions[1]")
    shown = reason.count("is required")
    assert reason.endswith(f"and {500 - shown} more: see log group /aws/lambda/p")
    assert shown > 60


def test_all_details_are_shown_if_they_fit() -> None:
    """No detail is left out if there is room for it."""
    reason = body_of(Response(FAILED, "id", "2 problems", ("a", "b"), "log group x"))["Reason"]
    assert reason == "2 problems: a; b"


def test_a_single_detail_is_cut_rather_than_dropped() -> None:
    """A single detail that is too long is shown in part."""
    reason = body_of(Response(FAILED, "id", "1 problem", ("Tags: " + "x" * 5000,), "log group x"))["Reason"]
    assert reason.startswith("1 problem: Tags: xxx")


def test_a_reason_keeps_its_beginning() -> None:
    """A reason that is too long is cut at its end, not at its beginning."""
    reason = body_of(Response(FAILED, "id", "the point is this: " + "ä" * 5000))["Reason"]
    assert reason.startswith("the point is this: ")
    assert reason.endswith("...")


def test_expendable_attributes_are_dropped_first() -> None:
    """Attributes that do not fit are dropped in the given order, IDs never."""
    data = {"Arn": "a" * 1000, "Regions": "r" * 3500, "Name": "n"}
    assert body_of(Response(SUCCESS, "id", data=data, expendable=("Regions", "Name")))["Data"] == {
        "Arn": "a" * 1000,
        "Name": "n",
    }


def test_a_reason_is_one_line() -> None:
    """Newlines become a semicolon, other control characters a space."""
    assert one_line("one\r\ntwo\tthree\x00\u2028four\n") == "one; two three four"


ODD = st.characters(codec=None) | st.sampled_from(
    "\ud800\udfff\ufffe\uffff\U0001fffe\u061c\u200e\u200f\u202a\u202e\u2066\u2069"
)


@given(st.text(ODD))
def test_a_reason_has_no_character_that_xml_forbids_or_that_reorders_it(text: str) -> None:
    """Surrogates, noncharacters, control characters, and bidirectional control characters never reach a Reason."""
    reason = body_of(Response(FAILED, "id", text))["Reason"]
    for character in reason:
        assert unicodedata.category(character) not in ("Cc", "Cs", "Zl", "Zp")
        assert ord(character) & 0xFFFE != 0xFFFE
        assert unicodedata.bidirectional(character) not in (
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        )
        assert character not in "\u061c\u200e\u200f"


def test_a_bidirectional_character_is_shown() -> None:
    """Names that differ only in a bidirectional control character look different; other text is unchanged."""
    assert one_line("admin\u202a \u061cx\u2069") == "admin<U+202A> <U+061C>x<U+2069>"
    assert (
        one_line("h\u00e9llo \u05e9\u05dc\u05d5\u05dd \U0001f600") == "h\u00e9llo \u05e9\u05dc\u05d5\u05dd \U0001f600"
    )


@pytest.mark.parametrize("character", "\ufffe\uffff\U0010ffff\ud800\udc00\x00\x1b\x85")
def test_a_character_that_xml_forbids_becomes_a_space(character: str) -> None:
    """Characters that a stack event cannot contain are replaced by a space."""
    assert one_line(f"a{character}b") == "a b"


@given(st.text(ODD, max_size=300), st.integers(0, 400))
def test_a_cut_text_fits_and_is_the_beginning_of_the_text(text: str, room: int) -> None:
    """A cut text fits into the bytes of JSON and is the beginning of the original."""
    short = cut(text, room)
    assert len(json.dumps(short, ensure_ascii=False).encode("utf-8", "replace")) - 2 <= room
    assert text.startswith(short if short == text else short.removesuffix("..."))


def test_a_shown_character_is_not_cut_in_two() -> None:
    """The escape of a bidirectional character is shown whole or not at all; any other text is cut anywhere."""
    text = one_line("abc\u202adefgh")
    heads = {cut(text, room).removesuffix("...") for room in range(3, len(text))}
    assert heads == {"", "a", "ab", "abc", "abc<U+202A>", "abc<U+202A>d"}
    assert cut("abc<dog>efgh", 9) == "abc<do..."


@given(st.text(ODD, max_size=200), st.text(ODD, max_size=200))
def test_unusual_attributes_and_ids_keep_the_body_valid(physical_id: str, value: str) -> None:
    """With any physical ID and attributes, the body is UTF-8 and JSON."""
    body = json.loads(Response(SUCCESS, physical_id, data={"Name": value}).body(REQUEST).decode("utf-8"))
    assert body["Data"]["Name"] == value.encode("utf-8", "replace").decode()
    assert body["PhysicalResourceId"] == physical_id.encode("utf-8", "replace").decode()


def test_a_reason_contains_no_secret() -> None:
    """Signatures and access keys are in no reason."""
    text = one_line(
        "https://b.s3/x?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F1&X-Amz-Signature=abc123&x=1 AKIAIOSFODNN7EXAMPLE"
    )
    assert "abc123" not in text
    assert "AKIA" not in text
    assert text.endswith("?(removed)&(removed)&x=1 (removed)")


def test_only_the_first_response_counts() -> None:
    """If many threads set a response at once, exactly one of them succeeds, and its response is returned."""
    first, accepted = FirstResponse(), []
    offers = [Response(SUCCESS, str(number)) for number in range(32)]
    gate = threading.Barrier(len(offers))

    def set_at_once(response: Response) -> None:
        gate.wait()
        if first.set(response):
            accepted.append(response)

    threads = [threading.Thread(target=set_at_once, args=(response,)) for response in offers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [first.wait(0)] == accepted


def test_no_response_in_time_is_none() -> None:
    """Waiting for a response ends after the given time."""
    assert FirstResponse().wait(0.01) is None


def test_a_surrogate_does_not_prevent_a_response() -> None:
    """A surrogate, which JSON can contain but UTF-8 cannot, does not prevent a response."""
    assert body_of(Response(FAILED, "id")._replace(reason="\ud800x"))["Reason"].endswith("x")
