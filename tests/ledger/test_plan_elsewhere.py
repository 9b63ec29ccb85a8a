"""`plan` of parts of a configuration in another account."""

import json
from pathlib import Path
from typing import Any

import pytest

from provider.aws.roles import ASSUMABLE_ROLES
from provider.emulator.emulator import Trust
from tests.cli.commands import command
from tests.cli.plans import TOKEN
from tests.ledger.bodies import USER_IDS
from tests.ledger.test_ledger_requests import CONTRIBUTION, part, users
from tests.ledger.test_other_accounts import ROLE, THERE, live_users
from tests.stack import STACK_ID, Resource, ami


@pytest.fixture
def resource(recorded_resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Resource:
    """An owner in another account and Region, whose role trusts only the owner's stack."""
    monkeypatch.setenv(ASSUMABLE_ROLES, ROLE)
    recorded_resource.emulator.sts.trust = {ROLE: Trust([STACK_ID])}
    properties: dict[str, Any] = {"Name": "golden", "Region": "eu-west-1", "RoleArn": ROLE}
    response = recorded_resource.create(**properties, Contributions=[USER_IDS], Distributions=[ami()])
    assert (response.physical_id, response.reason) == (THERE, "")
    return recorded_resource


def planned(tmp_path: Path, properties: dict[str, Any]) -> dict[str, Any]:
    """Return the planned change of a contribution of stack `team`."""
    file = tmp_path / "team.yaml"
    resource = {"Type": CONTRIBUTION, "Properties": {"ServiceToken": TOKEN, **properties}}
    file.write_text(json.dumps({"Resources": {"Part": resource}}), "utf-8")
    ended = command("plan", file, "--region", "us-east-1", "--account", "123456789012", "--output", "json")
    (change,) = json.loads(ended.stdout)["resources"]
    assert isinstance(change, dict)
    return change


def test_a_part_is_planned_with_the_owners_role(resource: Resource, tmp_path: Path) -> None:
    """A contribution without RoleArn is planned with the owner's role, as it is combined with it."""
    properties = users("1" * 12, arn=THERE)
    change = planned(tmp_path, properties)
    assert (change["action"], [one["new"] for one in change["differences"]][-1]) == ("create", "1" * 12)
    assert part(resource, "team").create(**properties).status == "SUCCESS"
    assert live_users(resource) == ["1" * 12]
    assert planned(tmp_path, properties)["action"] == "none"


def test_a_role_that_may_not_be_assumed(resource: Resource, tmp_path: Path) -> None:
    """If the owner's role may not be assumed, the change is unknown, and the reason says what to allow."""
    resource.emulator.sts.trust = {}
    change = planned(tmp_path, users("1" * 12, arn=THERE))
    assert change["action"] == "unknown"
    assert f"plan may not assume {ROLE}" in change["reason"]
