"""The client and the location are arguments, so one process can serve several Regions."""

from contextlib import closing
from typing import Any

from provider.arn import Location
from provider.aws.client import light_session
from provider.cloudformation.deadline import Deadline
from provider.cloudformation.request import Request
from provider.emulator.emulator import Emulator
from provider.observability import logger
from provider.reconciler.api_calls import ApiCalls
from provider.reconciler.reconcile import Reconciliation
from provider.resources import resource_type
from provider.schema.expand import expand
from provider.schema.model import SERVICE
from tests.stack import STACK_ID, ami

REGIONS = ("us-east-1", "eu-west-1")


def _client(emulator: Emulator, region: str) -> Any:
    session = light_session()
    session.set_credentials("AKIDEXAMPLE", "secret")
    return session.create_client(SERVICE, region_name=region, endpoint_url=emulator.url)


def test_one_request_runs_in_two_regions() -> None:
    """The same request with the clients of two Regions creates a configuration in each Region."""
    kind = resource_type()
    properties = {"Name": "golden", "Distributions": [ami()]}
    request = Request("Create", STACK_ID, "5b1e9c0a-0000-4000-8000-000000000001", "Golden", "", properties=properties)
    desired = expand(properties, kind.schema).parameters
    with Emulator(REGIONS[0]) as first, Emulator(REGIONS[1]) as second:
        for region, emulator in zip(REGIONS, (first, second), strict=True):
            with closing(_client(emulator, region)) as client:
                deadline = Deadline(60)
                calls = ApiCalls(lambda client=client: client, deadline)  # type: ignore[misc] # bound per iteration
                location = Location("aws", region, "123456789012", is_verified=True)
                found, _ = Reconciliation(
                    request._replace(date=deadline.now()), desired, {}, kind, location, calls, deadline, logger()
                ).run()
            assert found is not None
            assert found.arn.split(":")[3] == region
        assert [[*one.configurations] for one in (first, second)] == [
            [f"arn:aws:imagebuilder:{region}:123456789012:distribution-configuration/golden"] for region in REGIONS
        ]
