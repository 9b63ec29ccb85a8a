"""Owners that come, go, and fail, while other stacks have parts: what is accepted stays live."""

from collections.abc import Mapping
from typing import Any, Literal

import pytest

from tests.ledger.bodies import TEMPLATES, USER_IDS
from tests.ledger.test_ledger_requests import GOLDEN, live_users, owned, part, users
from tests.stack import Resource, ami

NEW_STACK = "arn:aws:cloudformation:us-east-1:123456789012:stack/new/1"
ADOPTED = {
    "DistributionConfigurationArn": GOLDEN,
    "Contributions": [USER_IDS, TEMPLATES],
    "Distributions": [ami(Description="adopter")],
}


@pytest.fixture
def resource(recorded_resource: Resource) -> Resource:
    """A configuration resource of a provider with a ledger."""
    return recorded_resource


@pytest.mark.parametrize("moment", range(1, 6))
def test_an_owner_never_overwrites_what_was_accepted_since(resource: Resource, moment: int) -> None:
    """A part that is accepted after any read of an owner's Update stays live, and the Update succeeds."""
    properties = owned(resource)
    team, reads = part(resource, "a"), 0

    def contribute(operation: str, _parameters: Mapping[str, Any], when: Literal["before", "after"]) -> None:
        nonlocal reads
        reads += operation.startswith("Get") and when == "after"
        if reads == moment:
            resource.emulator.interruption = None
            assert team.create(**users("111111111111")).status == "SUCCESS"

    resource.emulator.interruption = contribute
    response = resource.update(**properties, Tags={"team": "a"})
    assert (response.status, response.reason) == ("SUCCESS", "")
    assert live_users(resource) == (["111111111111"] if team.physical_id else [])
