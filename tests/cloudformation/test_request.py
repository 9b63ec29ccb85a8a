"""Events are parsed once, and all their problems are reported."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider.arn import Location
from provider.cloudformation.request import MalformedEvent, parse
from provider.marker import CreationStatus, status_in
from provider.plan import Configuration, NeedsRead, Target
from provider.resources import resource_type
from provider.resources.distribution_configuration import decide
from provider.resources.locations import Locations
from provider.resources.ownership import Owner
from provider.schema.expand import expand

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


def test_an_event_is_parsed() -> None:
    """A request has the values of the event."""
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
    """A request that came through an SNS topic is parsed like any other."""
    wrapped = {"Records": [{"EventSource": "aws:sns", "Sns": {"Message": json.dumps(EVENT)}}]}
    assert parse(wrapped, 5.0) == parse(EVENT, 5.0)


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
def test_an_event_without_what_a_response_needs_is_malformed(event: object) -> None:
    """An event without what a response needs is malformed, and the error says so."""
    with pytest.raises(MalformedEvent):
        parse(event)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"RequestType": "Read"}, "RequestType is 'Read'; it must be Create, Update, or Delete"),
        ({"ResourceType": "Custom::Other"}, "ResourceType is 'Custom::Other'"),
        ({"PhysicalResourceId": None}, "PhysicalResourceId is null"),
        ({"ResourceProperties": "x"}, "ResourceProperties is 'x', not an object"),
        ({"OldResourceProperties": []}, "OldResourceProperties is an array, not an object"),
    ],
)
def test_other_problems_are_recorded(change: dict[str, Any], problem: str) -> None:
    """Problems of an event that allow a response are recorded and cause a FAILED response."""
    assert any(text.startswith(problem) for text in parse({**EVENT, **change}).problems)


def test_the_id_of_a_failure() -> None:
    """A FAILED response has the event's physical ID, or for a Create a marker that is not an ARN."""
    assert parse(EVENT).failure_id() == EVENT["PhysicalResourceId"]
    marker = parse({**EVENT, "RequestType": "Create"}).failure_id()
    assert not marker.startswith("arn:")
    assert all(EVENT[key] in marker for key in ("StackId", "LogicalResourceId", "RequestId"))


@pytest.mark.parametrize("status", CreationStatus)
def test_a_marker_contains_the_status_of_its_create(status: CreationStatus) -> None:
    """The Delete of a marker reads the Create's status from it, however long its IDs are."""
    for stack_id in (EVENT["StackId"], "é" * 1024):
        request = parse({**EVENT, "RequestType": "Create", "StackId": stack_id})
        marker = request.failure_id(status)
        assert status_in(marker) is status
        assert len(marker.encode()) <= 1024


@pytest.mark.parametrize("physical_id", ["images-Golden-1ABC", EVENT["PhysicalResourceId"], "", "/", "nothing-created"])
def test_other_ids_are_not_markers(physical_id: str) -> None:
    """An ARN and an ID that CloudFormation generated are not markers."""
    assert status_in(physical_id) is None


def test_the_marker_of_an_earlier_release() -> None:
    """The marker of an earlier release has no status, so its Create may have created something."""
    marker = "stack/images/6e0f1c2a/Golden/no-distribution-configuration"
    assert status_in(marker) is CreationStatus.MAY_HAVE_CREATED


@pytest.mark.parametrize(
    ("query", "date"),
    [
        ("X-Amz-Date=20261128T120000Z&X-Amz-Expires=7200", 1795867200.0),
        ("x-amz-date=20261128T120000Z", 1795867200.0),
        ("Expires=1795874400", 1795867200.0),
        ("X-Amz-Date=yesterday&Expires=1795874400", 5.0),
        ("Expires=soon", 5.0),
        ("", 5.0),
    ],
)
def test_the_date_of_a_request(query: str, date: float) -> None:
    """The date of a request is when its URL was signed, two hours before the URL expires, or else now."""
    url = f"https://cloudformation-custom-resource-response.s3.amazonaws.com/x?{query}&X-Amz-Signature=secret"
    assert parse({**EVENT, "ResponseURL": url}, 5.0).date == date


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        *((given, int(given)) for given in ("20", 20, "3600", "1")),
        *((given, 3600) for given in ("0", "3601", "-5", "2.5", "", None, "soon", ["20"], "٢٠", "99999999999")),
    ],
)
def test_cloudformation_stops_waiting_after_the_service_timeout(timeout: object, seconds: int) -> None:
    """CloudFormation waits ServiceTimeout seconds after the request, or an hour if that is absent or invalid."""
    properties = {"Name": "golden", "ServiceTimeout": timeout}
    assert parse({**EVENT, "ResourceProperties": properties}, 5.0).end == 5.0 + seconds
    assert parse({**EVENT, "ResourceProperties": {}}, 5.0).end == 3605.0


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
def test_a_noop_delete_is_recognized_from_the_event(properties: dict[str, str], nothing: bool) -> None:
    """Whether a Delete retains the configuration depends only on the event."""
    assert parse({**EVENT, "RequestType": "Delete", "ResourceProperties": properties}).is_noop_delete is nothing
    assert not parse({**EVENT, "ResourceProperties": properties}).is_noop_delete
    unfinished = {**EVENT, "RequestType": "Delete", "PhysicalResourceId": "x", "ResourceProperties": properties}
    assert not parse(unfinished).is_noop_delete


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
    st.sampled_from([{}, Owner(EVENT["StackId"], "Golden").tags(), Owner("another", "Golden").tags()]),
)
def test_a_noop_delete_deletes_nothing(properties: dict[str, str], physical_id: str, tags: dict[str, str]) -> None:
    """A Delete that succeeds even if the work fails never deletes anything."""
    request = parse(
        {**EVENT, "RequestType": "Delete", "ResourceProperties": properties, "PhysicalResourceId": physical_id}
    )
    desired = expand(properties, resource_type().schema).parameters
    locations = Locations.of(request, desired, {}, Location.of("", EVENT["StackId"]))
    observed: dict[Target, Configuration | None] = {}
    while isinstance(decision := decide(request, desired, {}, locations, observed, 0.0), NeedsRead):
        observed[decision.target] = Configuration(str(decision.target), "", {}, tags)
    if request.is_noop_delete:
        assert not decision.steps
