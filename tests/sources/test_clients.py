"""A client of Organizations, SSM, or STS is created only for a request that needs it."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from provider.aws.client import session
from tests.preflight.account import Account
from tests.sources.conftest import Organization
from tests.stack import STACK_ID, Resource, ami

ACCOUNT_ID = "111122223333"
HANDLE = """
import json, sys
from provider.handler import respond
from tests.stack import Context
import time
respond(json.load(sys.stdin), Context(), time)
print(json.dumps([name for name in sys.modules if name.endswith(("account_sources", "source_resolution"))]))
"""


@pytest.fixture
def created(account: Account) -> list[str]:
    """The services whose clients the provider creates."""
    services: list[str] = []

    def record(**given: Any) -> None:
        services.append(given["event_name"].rpartition(".")[2])

    session().register("creating-client-class", record)
    return services


def test_without_sources_there_is_no_other_client(resource: Resource, created: list[str]) -> None:
    """Requests without sources create only the client of Image Builder."""
    resource.create(Name="golden", Distributions=[ami(TargetAccountIds=[ACCOUNT_ID])])
    resource.update(Name="golden", Distributions=[ami(TargetAccountIds=[])])
    resource.delete()
    assert {*created} <= {"imagebuilder"}


def test_a_source_needs_only_its_client(
    resource: Resource, created: list[str], put_parameter: Callable[..., None]
) -> None:
    """A request whose sources are parameters creates no client of Organizations or STS."""
    put_parameter("accounts", ACCOUNT_ID)
    assert resource.create(Name="golden", Distributions=[ami(TargetAccountIds=[{"Parameter": "accounts"}])]).status == (
        "SUCCESS"
    )
    assert {*created} - {"imagebuilder"} == {"ssm"}


def test_invalid_properties_create_no_client(resource: Resource, created: list[str]) -> None:
    """If the properties have problems, no source is read."""
    entries = [{"Parameter": "accounts"}, {"Parameter": "accounts", "Except": ["1"]}]
    response = resource.create(Name="golden", Distributions=[ami(TargetAccountIds=entries)])
    assert "no API calls were made" in response.reason
    assert "ssm" not in created


def test_without_a_role_sts_is_not_called(resource: Resource, created: list[str], organization: Organization) -> None:
    """Without a role for Organizations, the function's own is used, without STS."""
    unit = organization.unit()
    organization.accounts(unit, 1)
    resource.create(Name="golden", Distributions=[ami(TargetAccountIds=[{"OrganizationalUnit": unit}])])
    assert {*created} - {"imagebuilder"} == {"organizations"}


def test_without_sources_their_modules_are_not_loaded(resource: Resource) -> None:
    """A request without sources does not load the modules that resolve them."""
    slot = resource.sink.open(STACK_ID, "Golden", "5e0b0c7e-0000-4000-8000-000000000002", resource.clock.time())
    event = {
        "RequestType": "Create",
        "ServiceToken": resource.context.invoked_function_arn,
        "StackId": STACK_ID,
        "RequestId": "5e0b0c7e-0000-4000-8000-000000000002",
        "LogicalResourceId": "Golden",
        "ResourceType": "Custom::ImageBuilderDistributionConfiguration",
        "ResourceProperties": {"Name": "golden", "Distributions": [ami(TargetAccountIds=[ACCOUNT_ID])]},
        "ResponseURL": slot.url,
    }
    command = [sys.executable, "-c", HANDLE]
    ran = subprocess.run(command, input=json.dumps(event), capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout.splitlines()[-1]) == []
    assert resource.emulator.configurations
