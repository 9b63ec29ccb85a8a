"""Sources are read in the function's account and Region, wherever the configuration is."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from provider.aws.roles import ASSUMABLE_ROLES
from tests.sources.conftest import Script
from tests.stack import STACK_ID, Resource, ami

ROLE = "arn:aws:iam::210987654321:role/images"
ORGANIZATIONS_ROLE = "arn:aws:iam::444455556666:role/list-accounts"
ACCOUNT_ID = "111122223333"
OWN = ("emulator", "us-east-1")
"""The function's access key and Region."""


def respond(operation: str, _: Mapping[str, Any]) -> Mapping[str, Any]:
    """Respond with one account."""
    if operation == "GetParameter":
        return {"Parameter": {"Type": "StringList", "Value": ACCOUNT_ID}}
    return {"Accounts": [{"Id": ACCOUNT_ID, "State": "ACTIVE"}], "OrganizationalUnits": []}


@pytest.fixture
def sources(script: Script, resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Script:
    """Sources with one account. STS is the emulator."""
    script.respond = respond
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", resource.emulator.url)
    return script


def targets(*entries: object, **place: str) -> dict[str, Any]:
    """Return properties with these target accounts."""
    return {"Name": "golden", "Distributions": [ami(TargetAccountIds=[*entries])], **place}


def assumptions(resource: Resource) -> list[tuple[str, str | None]]:
    """Return the role and the external ID of each AssumeRole so far."""
    calls = [one.parameters for one in resource.emulator.requests if one.operation == "AssumeRole"]
    return [(call["RoleArn"], call.get("ExternalId")) for call in calls]


def test_another_region_and_role(resource: Resource, sources: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """With Region and RoleArn, sources are still read with the function's role, in its Region."""
    monkeypatch.setenv(ASSUMABLE_ROLES, ROLE)
    unit = {"OrganizationalUnit": "ou-ab12-11111111"}
    properties = targets(unit, {"Parameter": "accounts"}, Region="eu-west-1", RoleArn=ROLE)
    assert resource.create(**properties).status == "SUCCESS"
    assert {*sources.signers} == {OWN}
    assert assumptions(resource) == [(ROLE, STACK_ID)]
    (arn,) = resource.emulator.configurations
    assert arn.split(":")[3:5] == ["eu-west-1", "210987654321"]


def test_the_role_of_organizations(resource: Resource, sources: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """Organizations' role is assumed without an external ID, needs no other permission, and is not used for SSM."""
    monkeypatch.setenv("ORGANIZATIONS_ROLE_ARN", ORGANIZATIONS_ROLE)
    monkeypatch.delenv(ASSUMABLE_ROLES, raising=False)
    unit = {"OrganizationalUnit": "ou-ab12-11111111"}
    assert resource.create(**targets(unit, {"Parameter": "accounts"})).status == "SUCCESS"
    assert assumptions(resource) == [(ORGANIZATIONS_ROLE, None)]
    (key,) = {key for key, _ in sources.signers} - {"emulator"}
    assert resource.emulator.sts.caller(key).account == "444455556666"
    used = [
        (operation, key == "emulator") for (operation, _), (key, _) in zip(sources.calls, sources.signers, strict=True)
    ]
    assert {*used} == {
        ("ListAccountsForParent", False),
        ("ListOrganizationalUnitsForParent", False),
        ("GetParameter", True),
    }
    assert {one.account for one in resource.emulator.requests if one.operation != "AssumeRole"} == {"123456789012"}


def test_expired_credentials(resource: Resource, sources: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the credentials of Organizations' role have expired, they are renewed once, and the call is repeated."""
    monkeypatch.setenv("ORGANIZATIONS_ROLE_ARN", ORGANIZATIONS_ROLE)
    first: Iterator[str] = iter(["ExpiredTokenException"])
    sources.respond = lambda operation, given: next(first, "") or respond(operation, given)
    assert resource.create(**targets({"OrganizationalUnit": "ou-ab12-11111111"})).status == "SUCCESS"
    assert assumptions(resource) == [(ORGANIZATIONS_ROLE, None)] * 2
