"""`export` of configurations with several owners."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from provider.handler import LEDGER_TABLE
from provider.schema.rules import OWNERSHIP_TAGS
from tests.cli.commands import Ended, command
from tests.ledger.bodies import TEMPLATES, USER_IDS
from tests.ledger.dynamodb import Proxy, create_table
from tests.ledger.test_ledger_requests import CONTRIBUTION, GOLDEN, live_users, overwrite, owned, part, users
from tests.stack import NAME, Resource, ami


@pytest.fixture
def resource(recorded_resource: Resource) -> Resource:
    """A configuration resource of a provider with a ledger."""
    return recorded_resource


def resources(ended: Ended) -> dict[str, Any]:
    """Return the resources of an exported template."""
    assert ended.status == 0, ended.stderr
    text = ended.stdout.replace("!ImportValue ", "").replace("!Ref ", "")
    found: dict[str, Any] = yaml.safe_load(text)["Resources"]
    return found


def without_token(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties without those that CloudFormation itself reads."""
    return {name: value for name, value in properties.items() if not name.startswith("Service")}


def updates(resource: Resource) -> int:
    """Return how many updates were made since the last call."""
    return resource.calls().count("Update")


def test_only_the_owners_part_is_exported(resource: Resource) -> None:
    """The resource has the owner's part with its Contributions; adopting it changes nothing, and the parts stay."""
    properties = owned(resource)
    part(resource, "b").create(**users("2" * 12))
    ended = command("export", GOLDEN)
    (exported,) = resources(ended).values()
    assert without_token(exported["Properties"]) == {
        "DistributionConfigurationArn": GOLDEN,
        **{name: value for name, value in properties.items() if name != "Name"},
    }
    assert "the parts of resource Part of stack" in ended.stderr
    adopter = resource.sibling("New", "arn:aws:cloudformation:us-east-1:123456789012:stack/new/1")
    adopter.context = resource.context
    updates(resource)
    assert adopter.create(**without_token(exported["Properties"])).status == "SUCCESS"
    assert (updates(resource), live_users(resource)) == (0, ["2" * 12])


def test_the_parts_are_exported_as_contributions(resource: Resource, tmp_path: Path) -> None:
    """With --parts, deploying the template and then deleting the other stacks changes nothing."""
    owned(resource)
    others = [part(resource, name) for name in ("team-a", "team-b")]
    for number, other in enumerate(others):
        other.create(**users(f"{number}" * 12))
    file = tmp_path / "exported.yaml"
    assert command("export", GOLDEN, "--parts", "--output", file).status == 0
    assert command("validate", "--strict", file).status == 0
    ended = command("export", GOLDEN, "--parts")
    assert "are not in this resource" not in ended.stderr
    found = resources(ended)
    assert [*found] == ["Golden", "TeamAPart", "TeamBPart"]
    assert found["TeamAPart"]["Type"] == CONTRIBUTION
    assert found["TeamAPart"]["Properties"]["DistributionConfigurationArn"] == "Golden"
    assert command("plan", file, "--stack-name", "new").status == 3
    updates(resource)
    for name, one in found.items():
        new = resource.sibling(name, "arn:aws:cloudformation:us-east-1:123456789012:stack/new/1")
        new.context, new.resource_type = resource.context, one["Type"]
        properties = without_token(one["Properties"]) | {"DistributionConfigurationArn": GOLDEN}
        assert new.create(**properties).status == "SUCCESS"
    for other in others:
        assert other.delete().status == "SUCCESS"
    assert (updates(resource), live_users(resource)) == (0, ["0" * 12, "1" * 12])


@pytest.mark.parametrize("how", ["no table", "another table", "denied"])
def test_without_records_nothing_is_exported(
    resource: Resource, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A shared configuration whose records cannot be read is not exported, and the message names the option."""
    owned(resource)
    if how == "no table":
        monkeypatch.delenv(LEDGER_TABLE)
    elif how == "another table":
        create_table(proxy.url, "export-empty")
        monkeypatch.setenv(LEDGER_TABLE, "export-empty")
    else:
        proxy.fail = lambda _operation, _parameters: "AccessDeniedException"
    ended = command("export", GOLDEN)
    assert (ended.status, ended.stdout) == (2, "")
    assert ("cannot be reached" if how == "denied" else "use --table NAME") in ended.stderr


def test_drift_is_not_exported(resource: Resource) -> None:
    """If others have parts, what is live and not recorded is left out, and a warning names it."""
    owned(resource)
    part(resource, "b").create(**users("2" * 12))
    overwrite(distributions=[{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}], description="x")
    ended = command("export", GOLDEN)
    (exported,) = resources(ended).values()
    assert "Description" not in exported["Properties"]
    assert "differs from its records at" in ended.stderr
    assert "Description" in ended.stderr


def test_without_parts_what_is_live_is_exported(resource: Resource) -> None:
    """A configuration of one owner is exported as it is live, with the owner's Contributions."""
    owned(resource)
    overwrite(distributions=[{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}], description="x")
    (exported,) = resources(command("export", GOLDEN)).values()
    assert exported["Properties"]["Description"] == "x"
    assert exported["Properties"]["Contributions"] == [USER_IDS, TEMPLATES]
    assert not {*OWNERSHIP_TAGS, "Tags"} & exported["Properties"].keys()


def test_an_adopters_mark_is_not_exported(resource: Resource) -> None:
    """The tag that marks an adopted configuration as shared is not one of the user's tags."""
    arn = resource.emulator.seed(name="golden", distributions=[], tags={"Team": "images"})
    resource.create(DistributionConfigurationArn=arn, Distributions=[ami()], Contributions=[USER_IDS])
    assert any("shared" in key for key in resource.live["tags"])
    (exported,) = resources(command("export", GOLDEN)).values()
    assert "Tags" not in exported["Properties"] or exported["Properties"]["Tags"] == {"Team": "images"}


def test_parts_require_the_table(resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    """--parts without a table is a mistake in the command."""
    owned(resource)
    monkeypatch.delenv(LEDGER_TABLE)
    ended = command("export", GOLDEN, "--parts")
    assert (ended.status, ended.stdout) == (2, "")
    assert "--parts requires the ledger's table" in ended.stderr


def test_convert_warns_about_a_shared_configuration(resource: Resource, tmp_path: Path) -> None:
    """`convert` of the API's output warns that the resource would claim the parts of others."""
    owned(resource)
    output = {"distributionConfiguration": {"arn": GOLDEN, "name": "golden", **resource.live}}
    file = tmp_path / "live.json"
    file.write_text(json.dumps(output), "utf-8")
    assert "the configuration is shared" in command("convert", file).stderr
