"""Updates of recorded configurations that were deleted outside of CloudFormation."""

from typing import Any

import pytest

from tests.ledger.bodies import USER_IDS
from tests.ledger.dynamodb import Proxy
from tests.ledger.test_ledger_requests import GOLDEN, part, users
from tests.stack import Resource, ami

OWNED: dict[str, Any] = {"Name": "golden", "Contributions": [USER_IDS], "Distributions": [ami()]}


@pytest.fixture
def resource(recorded_resource: Resource) -> Resource:
    """A configuration resource of a provider with a ledger."""
    return recorded_resource


def test_it_is_created_again_with_the_parts(resource: Resource) -> None:
    """An Update of an owned configuration that was deleted creates it again, with the accepted parts of others."""
    resource.create(**OWNED)
    part(resource, "a").create(**users("111111111111"))
    resource.emulator.remove(GOLDEN)
    response = resource.update(**OWNED, Description="new")
    assert (response.status, response.reason) == ("SUCCESS", "")
    assert resource.live["description"] == "new"
    (entry,) = resource.live["distributions"]
    assert entry["amiDistributionConfiguration"]["launchPermission"] == {"userIds": ["111111111111"]}


def test_reads_that_lag_the_deletion(resource: Resource) -> None:
    """It is created again, too, if reads still show it."""
    resource.create(**OWNED)
    part(resource, "a").create(**users("111111111111"))
    resource.clock.sleep(30)  # a read of what was written less than five seconds ago could be the new one
    resource.emulator.lag_reads(5)
    resource.emulator.remove(GOLDEN)
    response = resource.update(**OWNED, Description="new")
    assert (response.status, response.reason) == ("SUCCESS", "")
    resource.emulator.lag_reads(0)
    assert resource.live["description"] == "new"
    (entry,) = resource.live["distributions"]
    assert entry["amiDistributionConfiguration"]["launchPermission"] == {"userIds": ["111111111111"]}


def test_a_deletion_during_the_update(resource: Resource, proxy: Proxy) -> None:
    """It is created again, too, if it is deleted while the Update's proposal is recorded."""
    resource.create(**OWNED)

    def remove(operation: str, parameters: dict[str, Any]) -> None:
        if operation == "UpdateItem" and parameters["Key"]["sk"]["S"].startswith("part#"):
            resource.emulator.remove(GOLDEN)
            proxy.fail = lambda _operation, _parameters: None

    proxy.fail = remove
    response = resource.update(**OWNED, Description="new")
    assert (response.status, response.reason) == ("SUCCESS", "")
    assert resource.live["description"] == "new"


def test_an_adopted_configuration_is_not_created(resource: Resource) -> None:
    """An Update of an adopted configuration that was deleted fails, although reads still show it."""
    adopted: dict[str, Any] = {"DistributionConfigurationArn": GOLDEN, "Distributions": [ami()]}
    resource.emulator.seed(name="golden", distributions=[])
    resource.create(**adopted)
    resource.emulator.lag_reads(5)
    resource.emulator.remove(GOLDEN)
    response = resource.update(**adopted, Description="new")
    assert response.status == "FAILED"
    assert "was not found" in response.reason
    resource.emulator.lag_reads(0)
    assert resource.emulator.configurations == {}
