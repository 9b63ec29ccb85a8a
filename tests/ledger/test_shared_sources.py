"""`plan` and `export` of recorded account sources."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.commands import command
from tests.cli.plans import RESOURCE_TYPE, TOKEN
from tests.ledger.bodies import USER_IDS
from tests.ledger.test_ledger_requests import CONTRIBUTION, GOLDEN, live_users, owned, part, users
from tests.preflight.account import Account
from tests.sources.conftest import HOME, point_to
from tests.stack import Resource, ami

NAME = "/images/accounts"
SOURCE = {"Parameter": NAME}


@pytest.fixture(scope="module")
def running() -> Iterator[Account]:
    """One server for all tests."""
    with Account() as account:
        yield account


@pytest.fixture
def resource(running: Account, recorded_resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Resource:
    """A configuration resource of a provider with a ledger, and a parameter with two account IDs."""
    running.reset()
    point_to(running.url, monkeypatch)
    running.call("ssm", "put_parameter", HOME, Name=NAME, Value=f"{'1' * 12},{'2' * 12}", Type="StringList")
    return recorded_resource


def sourced(**members: Any) -> dict[str, Any]:
    """Return the properties of a contribution whose user IDs are those of the parameter."""
    permission = {"UserIds": [SOURCE]}
    distribution = {"Region": "us-east-1", "AmiDistributionConfiguration": {"LaunchPermission": permission}}
    return {"DistributionConfigurationArn": GOLDEN, "Distributions": [distribution], **members}


def plan(tmp_path: Path, type_name: str, properties: dict[str, Any], *options: str) -> dict[str, Any]:
    """Return the plan of one resource of stack `team`."""
    file = tmp_path / "stack.yaml"
    resource = {"Type": type_name, "Properties": {"ServiceToken": TOKEN, **properties}}
    file.write_text(json.dumps({"Resources": {"Part": resource}}), "utf-8")
    ended = command("plan", file, "--stack-name", "team", *options, "--output", "json")
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def new_values(found: dict[str, Any]) -> list[Any]:
    """Return the new values of a plan, and whether each is known."""
    return [(one["new"], one["known"]) for one in found["resources"][0]["differences"] if one["new"] != {}]


def test_a_part_with_given_accounts(resource: Resource, tmp_path: Path) -> None:
    """The accounts of --resolve are those of a part's source, as in the deployment."""
    owned(resource)
    part(resource, "b").create(**users("1" * 12))
    found = plan(tmp_path, CONTRIBUTION, sourced(), "--resolve", f"{NAME}={'1' * 12},{'2' * 12}")
    assert new_values(found) == [("2" * 12, True)]
    assert part(resource, "team").create(**sourced()).status == "SUCCESS"
    assert live_users(resource) == ["1" * 12, "2" * 12]


def test_a_part_with_unknown_accounts(resource: Resource, tmp_path: Path) -> None:
    """Without --resolve and without a record, the source itself is shown and marked, and a note says what to give."""
    owned(resource)
    found = plan(tmp_path, CONTRIBUTION, sourced())
    assert found["resources"][0]["action"] == "create"
    assert new_values(found) == [(f"Parameter {NAME}", False)]
    assert any(f"use --resolve {NAME}=ACCOUNTS" in note for note in found["notes"])


def test_recorded_accounts_are_used(resource: Resource, tmp_path: Path) -> None:
    """If the ledger records the accounts of a source, they are used, and a note says so."""
    owned(resource)
    team = part(resource, "team")
    team.create(**sourced())
    found = plan(tmp_path, CONTRIBUTION, sourced(Description="x"))
    assert found["resources"][0]["action"] == "refused"
    found = plan(tmp_path, CONTRIBUTION, sourced())
    assert (found["resources"][0]["action"], new_values(found)) == ("none", [])
    assert any("its 2 accounts are those that the ledger records" in note for note in found["notes"])
    found = plan(tmp_path, CONTRIBUTION, sourced(), "--resolve", f"{NAME}={'1' * 12},{'3' * 12}")
    assert [(one["old"], one["new"]) for one in found["resources"][0]["differences"]] == [
        ("2" * 12, None),
        (None, "3" * 12),
    ]
    assert not any("the ledger records" in note for note in found["notes"])


def test_an_owners_recorded_accounts(resource: Resource, tmp_path: Path) -> None:
    """An owner's source has its recorded accounts, and nothing is said about following sources, because it does."""
    properties: dict[str, Any] = {
        "Name": "golden",
        "Contributions": [USER_IDS],
        "Distributions": [ami(TargetAccountIds=[SOURCE])],
    }
    owner = resource.sibling("Part", "arn:aws:cloudformation:us-east-1:123456789012:stack/team/1")
    owner.context = resource.context
    owner.create(**properties)
    part(resource, "b").create(**users("3" * 12))
    found = plan(tmp_path, RESOURCE_TYPE, properties)
    (change,) = found["resources"]
    assert (change["action"], change["differences"], change["findings"]) == ("none", [], [])


def test_sources_are_exported_as_they_were_written(resource: Resource) -> None:
    """The export has the owner's account sources, not the accounts that they resolve to."""
    properties = owned(resource, TargetAccountIds=[SOURCE])
    for _ in range(2):
        ended = command("export", GOLDEN)
        text = ended.stdout.replace("!ImportValue ", "")
        (exported,) = yaml.safe_load(text)["Resources"].values()
        assert exported["Properties"]["Distributions"] == properties["Distributions"]
        part(resource, "b").create(**users("3" * 12))
