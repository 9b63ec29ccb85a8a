"""An answer fits into what CloudFormation takes, and says the most important first."""

import json
import threading
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from provider.protocol.request import parse
from provider.protocol.response import FAILED, LIMIT, SUCCESS, Answer, Response, one_line
from tests.protocol.test_request import EVENT

REQUEST = parse(EVENT)


def told(response: Response) -> dict[str, Any]:
    body = response.body(REQUEST)
    assert len(body) <= LIMIT
    answer: dict[str, Any] = json.loads(body)
    return answer


def test_an_answer_carries_the_request_s_ids() -> None:
    """StackId, RequestId and LogicalResourceId are the event's, verbatim."""
    answer = told(Response(SUCCESS, "id", data={"Arn": "id"}))
    assert {key: answer[key] for key in ("StackId", "RequestId", "LogicalResourceId")} == {
        key: EVENT[key] for key in ("StackId", "RequestId", "LogicalResourceId")
    }
    assert (answer["Status"], answer["PhysicalResourceId"], answer["Data"]) == ("SUCCESS", "id", {"Arn": "id"})


@given(st.text(), st.lists(st.text(max_size=300), max_size=60), st.text(max_size=20))
def test_every_answer_fits(reason: str, details: list[str], elsewhere: str) -> None:
    """Whatever the reason, the answer is valid JSON of at most 4,096 bytes, and its reason one line."""
    answer = told(Response(FAILED, "id", reason, tuple(details), elsewhere))
    assert not any(ord(character) < 32 for character in answer["Reason"])


def test_details_are_told_as_far_as_they_fit() -> None:
    """The first details are told, then how many more there are and where."""
    details = tuple(f"Distributions[{i}].Region: is required" for i in range(500))
    reason = told(Response(FAILED, "id", "500 problems", details, "log group /aws/lambda/p"))["Reason"]
    assert reason.startswith("500 problems: Distributions[0].Region: is required; Distributions[1]")
    shown = reason.count("is required")
    assert reason.endswith(f"and {500 - shown} more: see log group /aws/lambda/p")
    assert shown > 60


def test_all_details_are_told_where_they_fit() -> None:
    """No detail is left out as long as there is room."""
    reason = told(Response(FAILED, "id", "2 problems", ("a", "b"), "log group x"))["Reason"]
    assert reason == "2 problems: a; b"


def test_a_single_detail_is_cut_rather_than_dropped() -> None:
    """One detail that is too long by itself is told in part."""
    reason = told(Response(FAILED, "id", "1 problem", ("Tags: " + "x" * 5000,), "log group x"))["Reason"]
    assert reason.startswith("1 problem: Tags: xxx")


def test_a_reason_keeps_its_head() -> None:
    """A reason that is too long is cut at its end, not at its beginning."""
    reason = told(Response(FAILED, "id", "the point is this: " + "ä" * 5000))["Reason"]
    assert reason.startswith("the point is this: ")
    assert reason.endswith("...")


def test_what_is_least_needed_goes_first() -> None:
    """Attributes that do not fit are dropped in the order given, IDs never."""
    data = {"Arn": "a" * 1000, "Regions": "r" * 3500, "Name": "n"}
    assert told(Response(SUCCESS, "id", data=data, expendable=("Regions", "Name")))["Data"] == {
        "Arn": "a" * 1000,
        "Name": "n",
    }


def test_a_reason_is_one_line() -> None:
    """Newlines become a semicolon, other control characters a space."""
    assert one_line("one\r\ntwo\tthree\x00\u2028four\n") == "one; two three four"


def test_a_reason_tells_no_secret() -> None:
    """Signatures and access keys do not leave the process, whatever text they are in."""
    text = one_line(
        "https://b.s3/x?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F1&X-Amz-Signature=abc123&x=1 AKIAIOSFODNN7EXAMPLE"
    )
    assert "abc123" not in text
    assert "AKIA" not in text
    assert text.endswith("?(removed)&(removed)&x=1 (removed)")


def test_the_first_answer_is_the_answer() -> None:
    """Of many who offer an answer at once exactly one is heard."""
    answer, heard = Answer(), []
    offers = [Response(SUCCESS, str(number)) for number in range(32)]
    gate = threading.Barrier(len(offers))

    def offer(response: Response) -> None:
        gate.wait()
        if answer.offer(response):
            heard.append(response)

    threads = [threading.Thread(target=offer, args=(response,)) for response in offers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.wait(0)] == heard


def test_no_answer_in_time_is_none() -> None:
    """Waiting for an answer that does not come ends when it should."""
    assert Answer().wait(0.01) is None


def test_a_surrogate_does_not_keep_the_answer_back() -> None:
    """Half a character, which JSON can carry but UTF-8 cannot, does not make the answer fail."""
    assert told(Response(FAILED, "id")._replace(reason="\ud800x"))["Reason"].endswith("x")
