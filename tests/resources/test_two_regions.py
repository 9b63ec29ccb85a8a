"""The client and the location are arguments, so one process can serve several Regions."""

import pytest

from provider.arn import Location
from provider.aws.client import client
from provider.cloudformation.deadline import Deadline
from provider.cloudformation.request import Request
from provider.emulator.emulator import Emulator
from provider.observability import logger
from provider.reconciler.api_calls import ApiCalls
from provider.reconciler.reconcile import Reconciliation
from provider.resources import resource_type
from provider.resources.locations import Locations
from provider.schema.expand import expand
from provider.schema.model import SERVICE
from tests.stack import STACK_ID, ami

REGIONS = ("us-east-1", "eu-west-1")


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def test_each_region_has_its_client() -> None:
    """A client belongs to one service in one Region, and is created once."""
    clients = [client(SERVICE, region) for region in REGIONS]
    assert [one.meta.region_name for one in clients] == [*REGIONS]
    assert [client(SERVICE, region) for region in REGIONS] == clients


def test_one_request_runs_in_two_regions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same request with the clients of two Regions creates a configuration in each Region."""
    schema = resource_type().schema
    properties = {"Name": "golden", "Distributions": [ami()]}
    request = Request("Create", STACK_ID, "5b1e9c0a-0000-4000-8000-000000000001", "Golden", "", properties=properties)
    desired = expand(properties, schema).parameters
    with Emulator(REGIONS[0]) as first, Emulator(REGIONS[1]) as second:
        clients = {}
        for region, emulator in zip(REGIONS, (first, second), strict=True):
            monkeypatch.setenv("AWS_ENDPOINT_URL_IMAGEBUILDER", emulator.url)
            clients[region] = client(SERVICE, region)
        for region in clients:
            deadline = Deadline(60)
            calls = ApiCalls(lambda location, _: clients[location.region], deadline)
            location = Location("aws", region, "123456789012", is_verified=True)
            locations = Locations(location, location, location)
            dated = request._replace(date=deadline.now())
            live, _ = Reconciliation(dated, desired, {}, resource_type(), locations, calls, deadline, logger()).run()
            assert live is not None
            assert live.arn.split(":")[3] == region
        assert [[*one.configurations] for one in (first, second)] == [
            [f"arn:aws:imagebuilder:{region}:123456789012:distribution-configuration/golden"] for region in REGIONS
        ]
