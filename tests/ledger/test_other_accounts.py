"""Recorded configurations in another account: they are reached with their owner's role."""

from collections.abc import Iterator
from typing import Any

import pytest

from provider.aws.roles import ASSUMABLE_ROLES
from provider.emulator.emulator import Emulator, Trust
from tests.cli.commands import command
from tests.ledger.bodies import USER_IDS
from tests.ledger.test_ledger_requests import part, swept, users
from tests.stack import STACK_ID, Resource, ami

ACCOUNT = "210987654321"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/images/distribution"
THERE = f"arn:aws:imagebuilder:eu-west-1:{ACCOUNT}:distribution-configuration/golden"


@pytest.fixture
def resource(recorded_resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Resource:
    """An owner in another account and Region, whose role trusts only the owner's stack."""
    monkeypatch.setenv(ASSUMABLE_ROLES, ROLE)
    recorded_resource.emulator.sts.trust = {ROLE: Trust([STACK_ID])}
    properties: dict[str, Any] = {"Name": "golden", "Region": "eu-west-1", "RoleArn": ROLE}
    response = recorded_resource.create(**properties, Contributions=[USER_IDS], Distributions=[ami()])
    assert (response.physical_id, response.reason) == (THERE, "")
    return recorded_resource


@pytest.fixture(autouse=True)
def _no_request_goes_to_the_wrong_place(emulator: Emulator) -> Iterator[None]:
    """After each test: a call about a configuration is signed for its Region, with credentials of its account."""
    yield
    for request in emulator.requests:
        arn = next((value for key, value in request.parameters.items() if key.endswith("Arn")), "")
        if isinstance(arn, str) and ":imagebuilder:" in arn:
            assert [request.region, request.account] == arn.split(":")[3:5]


def live_users(resource: Resource) -> list[str]:
    """Return the live user IDs."""
    (entry,) = resource.emulator.configurations[THERE]["distributions"]
    found: list[str] = entry["amiDistributionConfiguration"].get("launchPermission", {}).get("userIds", [])
    return found


def test_a_sweep_uses_the_owners_role(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep reads a configuration in another account with its owner's role, for the owner's stack."""
    assert [line["result"] for line in swept(resource, capsys)] == ["unchanged"]


def test_a_role_that_is_not_covered_anymore(
    resource: Resource, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep assumes no role that the provider's parameter does not cover, and says so."""
    monkeypatch.setenv(ASSUMABLE_ROLES, "")
    (line,) = swept(resource, capsys)
    assert line["result"] == "failed"
    assert "AssumableRoleArns does not cover this role" in line["problem"]


def test_a_contribution_uses_the_owners_role(resource: Resource) -> None:
    """A contribution without `RoleArn` is combined and withdrawn with the owner's role."""
    team = part(resource, "a")
    response = team.create(**users("111111111111", arn=THERE))
    assert (response.status, response.reason) == ("SUCCESS", "")
    assert live_users(resource) == ["111111111111"]
    assert team.delete().status == "SUCCESS"
    assert live_users(resource) == []


def test_a_changed_role_is_recorded(
    resource: Resource, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an Update that changes only `RoleArn`, sweeps use the new role."""
    other = f"{ROLE}-2"
    resource.emulator.sts.trust = {one: Trust([STACK_ID]) for one in (ROLE, other)}
    monkeypatch.setenv(ASSUMABLE_ROLES, f"{ROLE}*")
    response = resource.update(**{**resource.properties, "RoleArn": other})
    assert (response.status, response.reason) == ("SUCCESS", "")
    monkeypatch.setenv(ASSUMABLE_ROLES, other)
    assert [line["result"] for line in swept(resource, capsys)] == ["unchanged"]


def test_the_commands_use_the_owners_role(resource: Resource) -> None:
    """`drift` and `owners` reach a configuration in another account with its owner's role."""
    arguments = ("--region", "us-east-1", "--account", "123456789012")
    ended = command("drift", THERE, *arguments)
    assert (ended.status, ended.stdout) == (0, f"unchanged  {THERE}\n")
    assert command("owners", THERE, *arguments).status == 0


def test_retaining_needs_no_role(resource: Resource) -> None:
    """A Delete with `OnDelete: Retain` succeeds although the role cannot be assumed, and the parts stay."""
    team, trust = part(resource, "a"), resource.emulator.sts.trust
    assert team.create(**users("111111111111", arn=THERE)).status == "SUCCESS"
    assert resource.update(**resource.properties, OnDelete="Retain").status == "SUCCESS"
    resource.emulator.sts.trust = {ROLE: Trust([])}
    resource.clock.sleep(7200)  # until the credentials have expired
    assert resource.delete().status == "SUCCESS"
    resource.emulator.sts.trust = trust
    assert live_users(resource) == ["111111111111"]
    assert team.delete().status == "SUCCESS"
    assert live_users(resource) == []
