"""Events are read once, and what is wrong with them is said."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.lifecycle import decide
from provider.plan import Plan
from provider.properties.expand import expand
from provider.protocol.request import MalformedEvent, parse

EVENT: dict[str, Any] = {
    "RequestType": "Update",
    "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
    "ResponseURL": "https://cloudformation-custom-resource-response.s3.amazonaws.com/x?X-Amz-Signature=secret",
    "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/images/6e0f1c2a",
    "RequestId": "5e0b0c7e-3d5b-4b0e-9d3c-000000000001",
    "LogicalResourceId": "Golden",
    "ResourceType": "Custom::ImageBuilderDistributionConfiguration",
    "PhysicalResourceId": "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden",
    "ResourceProperties": {"Name": "golden"},
    "OldResourceProperties": {"Name": "silver"},
}


def test_an_event_is_read() -> None:
    """A request has what the event says, under the field's names."""
    request = parse(EVENT)
    assert (request.request_type, request.logical_id, request.physical_id) == (
        "Update",
        "Golden",
        EVENT["PhysicalResourceId"],
    )
    assert (request.properties, request.old_properties, request.problems) == (
        {"Name": "golden"},
        {"Name": "silver"},
        (),
    )


def test_a_request_does_not_show_its_secret() -> None:
    """The response URL appears in no representation of a request."""
    assert "secret" not in repr(parse(EVENT))


def test_sns_notifications_are_unwrapped() -> None:
    """A request that came through an SNS topic is read like any other."""
    wrapped = {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(EVENT)}}]}
    assert parse(wrapped) == parse(EVENT)


@pytest.mark.parametrize(
    "event",
    [None, [], "x", 1, {}, {"key1": "value1"}, {"Records": []}, {"Records": [{"s3": {}}]}, {"Records": 1}]
    + [{**EVENT, key: "x" * 9000} for key in ("StackId", "RequestId", "LogicalResourceId")]
    + [{"Records": [{"Sns": {"Message": "[" * 200_000}}]}]
    + [
        {**EVENT, key: bad}
        for key in ("StackId", "RequestId", "LogicalResourceId", "ResponseURL")
        for bad in (None, "", 1)
    ],
)
def test_who_cannot_be_answered_is_malformed(event: object) -> None:
    """An event without what an answer needs is malformed, and the error says that nobody can be answered."""
    with pytest.raises(MalformedEvent):
        parse(event)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"RequestType": "Read"}, "RequestType is 'Read', not one of Create, Update, Delete"),
        ({"ResourceType": "Custom::Other"}, "ResourceType is 'Custom::Other'"),
        ({"PhysicalResourceId": None}, "PhysicalResourceId is null"),
        ({"ResourceProperties": "x"}, "ResourceProperties is 'x', not a JSON object"),
        ({"OldResourceProperties": []}, "OldResourceProperties is a list, not a JSON object"),
    ],
)
def test_an_answerable_event_tells_its_problems(change: dict[str, Any], problem: str) -> None:
    """Faults that leave an event answerable are kept as problems, to be answered FAILED."""
    assert any(text.startswith(problem) for text in parse({**EVENT, **change}).problems)


def test_the_id_of_a_failure() -> None:
    """A FAILED answer has the event's physical ID, or for a Create a fixed marker that is no ARN."""
    assert parse(EVENT).fallback_id == EVENT["PhysicalResourceId"]
    create = parse({**EVENT, "RequestType": "Create"})
    assert create.fallback_id == create.marker
    assert not create.marker.startswith("arn:")
    assert "Golden" in create.marker


@pytest.mark.parametrize(
    ("properties", "nothing"),
    [
        ({"Name": "golden", "OnDelete": "Retain"}, True),
        ({"name": "golden", "onDelete": "Retain"}, True),
        ({"DistributionConfigurationArn": EVENT["PhysicalResourceId"]}, True),
        ({"DistributionConfigurationArn": EVENT["PhysicalResourceId"], "OnDelete": "Delete"}, False),
        ({"DistributionConfigurationArn": EVENT["PhysicalResourceId"], "Name": "golden"}, False),
        ({"Name": "golden"}, False),
        ({}, False),
    ],
)
def test_a_delete_that_asks_for_nothing_is_known_by_itself(properties: dict[str, str], nothing: bool) -> None:
    """Whether a Delete plainly leaves everything as it is can be told from the event alone."""
    assert parse({**EVENT, "RequestType": "Delete", "ResourceProperties": properties}).asks_for_nothing is nothing
    assert not parse({**EVENT, "ResourceProperties": properties}).asks_for_nothing
    unfinished = {**EVENT, "RequestType": "Delete", "PhysicalResourceId": "x", "ResourceProperties": properties}
    assert not parse(unfinished).asks_for_nothing


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "Name": st.sampled_from(["golden", "other", ""]),
            "name": st.just("golden"),
            "DistributionConfigurationArn": st.sampled_from([EVENT["PhysicalResourceId"], "arn:other"]),
            "OnDelete": st.sampled_from(["Retain", "Delete", "retain"]),
            "onDelete": st.just("Retain"),
            "ONDELETE": st.just("Retain"),
        },
    ),
    st.sampled_from([EVENT["PhysicalResourceId"], "images-Golden-1ABC"]),
)
def test_what_is_known_by_itself_is_what_is_decided(properties: dict[str, str], physical_id: str) -> None:
    """A Delete that by itself asks for nothing is one for which the lifecycle plans nothing without reading."""
    request = parse(
        {**EVENT, "RequestType": "Delete", "ResourceProperties": properties, "PhysicalResourceId": physical_id}
    )
    decision = decide(request, expand(properties).parameters, {}, {})
    if request.asks_for_nothing:
        assert decision == Plan()
