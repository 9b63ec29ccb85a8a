"""Owners and contributions through the real handler, with emulators of Image Builder and DynamoDB."""

import json
import logging
import uuid
from dataclasses import replace
from typing import Any

import pytest

from provider.aws.client import client as api_client
from provider.handler import LEDGER_TABLE, SWEEP, respond
from provider.ledger.table import PARTITION_KEY, SORT_KEY
from provider.resources.ownership import SHARED_TAG
from provider.schema.rules import OWNERSHIP_TAGS
from tests.ledger.bodies import TEMPLATES, USER_IDS
from tests.ledger.dynamodb import Proxy, client, create_table
from tests.stack import ARN, Context, Resource, ami

CONTRIBUTION = "Custom::ImageBuilderDistributionContribution"
GOLDEN = f"{ARN}golden"


@pytest.fixture
def resource(resource: Resource, proxy: Proxy, table_name: str, monkeypatch: pytest.MonkeyPatch) -> Resource:
    """A configuration resource of a provider with a ledger."""
    monkeypatch.setenv(LEDGER_TABLE, table_name)
    resource.context = Context(milliseconds=120_000)
    return resource


def part(owner: Resource, name: str) -> Resource:
    """Return a contribution of another stack."""
    found = owner.sibling("Part", f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/1")
    found.resource_type = CONTRIBUTION
    return found


def users(*accounts: str, region: str = "us-east-1", arn: str = GOLDEN) -> dict[str, Any]:
    """Return the properties of a contribution of launch permissions."""
    permission = {"LaunchPermission": {"UserIds": [*accounts]}}
    return {
        "DistributionConfigurationArn": arn,
        "Distributions": [{"Region": region, "AmiDistributionConfiguration": permission}],
    }


def template(identifier: str, **members: Any) -> dict[str, Any]:
    """Return the properties of a contribution of a launch template."""
    entry = {"LaunchTemplateId": identifier, **members}
    return {
        "DistributionConfigurationArn": GOLDEN,
        "Distributions": [{"Region": "us-east-1", "LaunchTemplateConfigurations": [entry]}],
    }


def owned(resource: Resource, **members: Any) -> dict[str, Any]:
    """Create the owner's configuration, which allows user IDs and launch templates; return its properties."""
    properties: dict[str, Any] = {
        "Name": "golden",
        "Contributions": [USER_IDS, TEMPLATES],
        "Distributions": [ami(**members)],
    }
    assert resource.create(**properties).status == "SUCCESS"
    return properties


def live_users(resource: Resource) -> list[str]:
    """Return the live user IDs."""
    (entry,) = resource.emulator.configurations[GOLDEN]["distributions"]
    found: list[str] = entry["amiDistributionConfiguration"].get("launchPermission", {}).get("userIds", [])
    return found


def sort_keys(proxy: Proxy, table_name: str) -> set[str]:
    """Return the sort keys of the items of the configuration."""
    items = client(proxy.url).scan(TableName=table_name)["Items"]
    return {item[SORT_KEY]["S"] for item in items if item[PARTITION_KEY]["S"] == GOLDEN}


def test_a_contribution_is_merged(resource: Resource, proxy: Proxy, table_name: str) -> None:
    """A contribution adds its part, and its response has an ID of its own and its attributes."""
    owned(resource)
    team = part(resource, "a")
    response = team.create(**users("111111111111"))
    assert (response.status, response.reason) == ("SUCCESS", "")
    assert response.data == {"DistributionConfigurationArn": GOLDEN, "Regions": "us-east-1"}
    assert response.physical_id != GOLDEN
    assert live_users(resource) == ["111111111111"]
    assert sort_keys(proxy, table_name) == {
        f"part#{resource.stack_id}#{resource.logical_id}",
        f"part#{team.stack_id}#Part",
    }


def test_the_owner_is_recorded_and_unchanged(resource: Resource) -> None:
    """With the ledger, an owner gets the same response and the same content as without it."""
    response = resource.create(Name="golden", Distributions=[ami()], Tags={"a": "b"})
    assert response.status == "SUCCESS"
    assert response.physical_id == GOLDEN
    assert response.data["Name"] == "golden"
    assert resource.live["tags"].keys() == {"a", *OWNERSHIP_TAGS}
    assert resource.calls()[:1] == ["Create"]
    updated = resource.update(Name="golden", Distributions=[ami(Description="new")], Tags={"c": "d"})
    assert updated.status == "SUCCESS"
    assert updated.data["ClientToken"] == resource.sent["RequestId"]
    assert resource.live["distributions"][0]["amiDistributionConfiguration"]["description"] == "new"
    assert resource.live["tags"].keys() == {"c", *OWNERSHIP_TAGS}
    assert resource.update(Name="golden", Distributions=[ami(Description="new")], Tags={"c": "d"}).status == "SUCCESS"
    assert resource.calls().count("Update") == 1
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_the_owners_update_keeps_the_parts(resource: Resource) -> None:
    """An owner's update changes its own values, and the parts stay."""
    properties = owned(resource)
    part(resource, "a").create(**users("111111111111"))
    assert resource.update(**properties, Description="new").status == "SUCCESS"
    assert resource.live["description"] == "new"
    assert live_users(resource) == ["111111111111"]


def test_a_withdrawal_removes_only_what_nobody_else_has(resource: Resource) -> None:
    """Updating and deleting a part changes only its own values."""
    owned(resource)
    one, two = part(resource, "a"), part(resource, "b")
    one.create(**users("111111111111", "222222222222"))
    two.create(**users("222222222222"))
    assert one.update(**users("333333333333", "222222222222")).physical_id == one.physical_id
    assert live_users(resource) == ["222222222222", "333333333333"]
    assert one.delete().status == "SUCCESS"
    assert live_users(resource) == ["222222222222"]
    assert two.delete().status == "SUCCESS"
    assert "launchPermission" not in resource.live["distributions"][0]["amiDistributionConfiguration"]


def test_an_owner_with_parts_is_not_deleted(resource: Resource) -> None:
    """While other resources have parts, the owner's Delete fails and names them; afterward it succeeds."""
    owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    response = resource.delete()
    assert response.status == "FAILED"
    assert f"resource Part of stack {team.stack_id}" in response.reason
    team.delete()
    assert resource.delete().status == "SUCCESS"
    assert resource.emulator.configurations == {}


def test_with_retain_the_parts_stay_and_can_be_withdrawn(resource: Resource, proxy: Proxy, table_name: str) -> None:
    """With OnDelete: Retain, the content and the parts stay; with the last part, the owner's record goes, too."""
    properties = owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    resource.update(**properties, OnDelete="Retain")
    assert resource.delete().status == "SUCCESS"
    assert live_users(resource) == ["111111111111"]
    assert team.delete().status == "SUCCESS"
    assert live_users(resource) == []
    items = client(proxy.url).scan(TableName=table_name)["Items"]
    assert not any("accepted" in item for item in items)


def test_a_conflict_names_both_owners_and_the_path(resource: Resource) -> None:
    """A contribution that conflicts with an accepted one fails; the live content is unchanged."""
    owned(resource)
    one, two = part(resource, "a"), part(resource, "b")
    one.create(**template("lt-00000000000000001", SetDefaultVersion="false"))
    response = two.create(**template("lt-00000000000000001"))
    assert response.status == "FAILED"
    for text in (one.stack_id, two.stack_id, "SetDefaultVersion"):
        assert text in response.reason
    two.physical_id = response.physical_id
    assert two.delete(**template("lt-00000000000000001")).status == "SUCCESS"
    (entry,) = resource.live["distributions"]
    assert entry["launchTemplateConfigurations"] == [
        {"launchTemplateId": "lt-00000000000000001", "setDefaultVersion": False}
    ]


def test_what_is_not_allowed_is_rejected(resource: Resource) -> None:
    """A contribution outside the allowed paths, in an unknown Region, or without an owner is rejected."""
    team = part(resource, "a")
    assert "does not exist" in team.create(**users("111111111111")).reason
    owned(resource)
    wrong = {**users("111111111111"), "Distributions": [ami()]}
    assert f"it allows {USER_IDS}, {TEMPLATES}" in team.create(**wrong).reason
    assert "does not exist in the owner" in team.create(**users("111111111111", region="eu-west-1")).reason
    assert team.create(**users("111111111111")).status == "SUCCESS"


def test_an_unrecorded_owner_has_no_parts(resource: Resource, monkeypatch: pytest.MonkeyPatch, table_name: str) -> None:
    """An owner from before the ledger is recorded at its next update; until then, contributions are rejected."""
    monkeypatch.delenv(LEDGER_TABLE)
    resource.create(Name="golden", Distributions=[ami()])
    monkeypatch.setenv(LEDGER_TABLE, table_name)
    team = part(resource, "a")
    assert "no resource with Contributions owns" in team.create(**users("111111111111")).reason
    resource.update(Name="golden", Distributions=[ami()], Contributions=["Distributions"])
    assert team.create(**users("111111111111")).status == "SUCCESS"


def test_narrowing_contributions_fails(resource: Resource) -> None:
    """Narrowing Contributions below what parts use fails, names them, and changes nothing."""
    properties = owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    response = resource.update(**{**properties, "Contributions": [TEMPLATES]}, Description="new")
    assert response.status == "FAILED"
    assert f"resource Part of stack {team.stack_id} uses" in response.reason
    assert "description" not in resource.live
    assert resource.roll_back({**properties, "Contributions": [TEMPLATES]}).status == "SUCCESS"


def test_a_rename_with_parts_of_other_stacks_fails(resource: Resource) -> None:
    """An owner's rename is rejected while other stacks have parts; without them, it succeeds."""
    properties = owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    response = resource.update(**{**properties, "Name": "other"})
    assert response.status == "FAILED"
    assert team.stack_id in response.reason
    team.delete()
    before = dict(properties)
    renamed = resource.update(**{**properties, "Name": "other"})
    assert renamed.physical_id == f"{ARN}other"
    assert resource.send("Delete", before, physical_id=GOLDEN).status == "SUCCESS"
    assert [*resource.emulator.configurations] == [f"{ARN}other"]


def test_an_adopter_keeps_the_parts(resource: Resource) -> None:
    """Adopting moves the ownership and keeps the parts; the previous owner's updates fail until the adopter is gone."""
    properties = owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    adopter = resource.sibling("Adopter")
    adopted = {k: v for k, v in properties.items() if k != "Name"} | {"DistributionConfigurationArn": GOLDEN}
    assert adopter.create(**adopted, Description="adopted").status == "SUCCESS"
    assert resource.live["description"] == "adopted"
    assert live_users(resource) == ["111111111111"]
    response = resource.update(**properties, Description="mine")
    assert response.status == "FAILED"
    assert "--resources-to-skip" in response.reason
    assert adopter.delete().status == "SUCCESS"
    assert "description" not in resource.live
    assert live_users(resource) == ["111111111111"]
    assert resource.update(**properties, Description="mine").status == "SUCCESS"
    assert resource.live["description"] == "mine"


def test_late_copies_are_recognized(resource: Resource) -> None:
    """An older event never replaces a newer part, and a Delete that overtakes its Create leaves a tombstone."""
    owned(resource)
    team = part(resource, "a")
    now = resource.clock.time()
    team.create(**users("111111111111"))
    created = team.sent
    team.send("Update", users("222222222222"), old=users("111111111111"), date=now + 10)
    late = team.redeliver(created)
    assert late.status == "FAILED"
    assert "a newer request" in late.reason
    assert live_users(resource) == ["222222222222"]
    other = part(resource, "b")
    other.physical_id = "invented"
    assert other.send("Delete", users("333333333333"), date=now + 20).status == "SUCCESS"
    assert other.send("Create", users("333333333333"), date=now + 10).status == "FAILED"
    assert live_users(resource) == ["222222222222"]


def test_a_contribution_moves_to_another_configuration(resource: Resource) -> None:
    """A change of the ARN is a replacement; its rollback withdraws what the failed update left behind."""
    owned(resource)
    other = resource.sibling("Other")
    other.create(Name="other", Contributions=[USER_IDS], Distributions=[ami()])
    team = part(resource, "a")
    team.create(**users("111111111111"))
    old, first = users("111111111111"), team.physical_id
    new = users("111111111111", arn=f"{ARN}other")
    moved = team.send("Update", new, old=old)
    assert moved.physical_id != first
    assert live_users(resource) == ["111111111111"]
    assert team.send("Update", old, old=new, physical_id=first).status == "SUCCESS"
    assert "launchPermission" not in other.live["distributions"][0]["amiDistributionConfiguration"]
    assert live_users(resource) == ["111111111111"]
    assert team.send("Delete", old, physical_id=first).status == "SUCCESS"
    assert live_users(resource) == []


def test_without_the_ledger_nothing_is_shared(resource: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the ledger, Contributions and contributions are rejected; the reason names the parameter Ledger."""
    monkeypatch.delenv(LEDGER_TABLE)
    response = resource.create(Name="golden", Distributions=[ami()], Contributions=["Distributions"])
    assert "Contributions requires the ledger" in response.reason
    assert "parameter Ledger" in response.reason
    resource.create(Name="golden", Distributions=[ami()])
    team = part(resource, "a")
    response = team.create(**users("111111111111"))
    assert "parameter Ledger" in response.reason
    team.physical_id = response.physical_id
    assert team.delete(**users("111111111111")).status == "SUCCESS"


def test_an_unreachable_ledger_fails_every_event(resource: Resource, proxy: Proxy) -> None:
    """If the ledger cannot be reached, every event that needs it fails and says so, and nothing is written."""
    properties = owned(resource)
    before = resource.live
    proxy.fail = lambda _operation, _parameters: "ResourceNotFoundException"
    team = part(resource, "a")
    for response in (
        team.create(**users("111111111111")),
        resource.update(**properties, Description="new"),
        resource.delete(),
        resource.delete(**properties, OnDelete="Retain"),
        resource.sibling("Other").create(Name="other", Distributions=[ami()]),
    ):
        assert response.status == "FAILED"
        assert "the ledger" in response.reason
    assert resource.emulator.configurations == {GOLDEN: before}


def overwrite(**content: Any) -> None:
    """Replace the configuration's content, as another client would."""
    api = api_client("imagebuilder", "us-east-1")
    api.update_distribution_configuration(distributionConfigurationArn=GOLDEN, clientToken=str(uuid.uuid4()), **content)


def swept(resource: Resource, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Run a sweep, and return its log lines about configurations."""
    capsys.readouterr()
    respond(SWEEP, resource.context, resource.clock)
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    return [line for line in lines if line["message"] in ("sweep", "drift")]


def test_the_schedules_event_sweeps(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """The schedule's event repairs our own late write, and reports drift, without a response."""
    owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    late = resource.live["distributions"]
    team.update(**users("222222222222"))
    assert [line["result"] for line in swept(resource, capsys)] == ["unchanged"]
    overwrite(distributions=late)
    assert [line["result"] for line in swept(resource, capsys)] == ["repaired"]
    assert live_users(resource) == ["222222222222"]
    overwrite(distributions=late, description="by hand")
    (line,) = swept(resource, capsys)
    assert (line["message"], line["result"], line["arn"]) == ("drift", "drifted", GOLDEN)
    assert {"path": "Description", "new": "by hand"} in line["changes"]
    assert resource.live["description"] == "by hand"


def test_drift_is_repaired_if_the_provider_says_so(
    resource: Resource, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With Drift: Repair, a sweep restores the content."""
    owned(resource)
    overwrite(distributions=resource.live["distributions"], description="by hand")
    monkeypatch.setenv("LEDGER_DRIFT", "Repair")
    assert [line["result"] for line in swept(resource, capsys)] == ["repaired"]
    assert "description" not in resource.live


@pytest.mark.parametrize("is_used", [False, True])
def test_an_unfinished_configuration_is_deleted_after_three_hours(
    resource: Resource, capsys: pytest.CaptureFixture[str], is_used: bool
) -> None:
    """A sweep deletes a configuration that no request will finish, unless a pipeline uses it: then it reports it."""
    resource.emulator.fail_with("TagResource", "InvalidParameterException", 400, "no", times=99)
    assert resource.create(Name="golden", Distributions=[ami()]).status == "FAILED"
    resource.emulator.reset_faults()
    if is_used:
        resource.emulator.seed_pipeline("nightly", GOLDEN)
    resource.clock.sleep(3 * 3600 - 60)
    assert [line["result"] for line in swept(resource, capsys)] == ["unchanged"]
    resource.clock.sleep(120)
    (line,) = swept(resource, capsys)
    assert line["result"] == ("unfinished" if is_used else "deleted")
    assert (GOLDEN in resource.emulator.configurations) is is_used
    assert not is_used or "image pipelines use it" in line["problem"]


def test_a_missing_configuration_is_reported(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """A sweep reports a configuration with accepted parts that does not exist, and goes on with the others."""
    owned(resource)
    resource.sibling("Other").create(Name="other", Distributions=[ami()])
    resource.emulator.remove(GOLDEN)
    assert sorted(line["result"] for line in swept(resource, capsys)) == ["missing", "unchanged"]


def test_a_sweep_never_raises(resource: Resource, proxy: Proxy, caplog: pytest.LogCaptureFixture) -> None:
    """A sweep of an unreachable ledger logs the problem and returns."""
    proxy.fail = lambda _operation, _parameters: "AccessDeniedException"
    with caplog.at_level(logging.ERROR):
        respond(SWEEP, replace(resource.context), resource.clock)


def test_a_shared_configuration_is_safe_without_the_ledger(
    resource: Resource, monkeypatch: pytest.MonkeyPatch, proxy: Proxy, table_name: str
) -> None:
    """Without the owner's record, every write, adoption, and Delete is rejected and names the two ways out."""
    properties = owned(resource)
    assert resource.live["tags"][OWNERSHIP_TAGS[0]] == f"{resource.stack_id} shared"
    part(resource, "a").create(**users("111111111111"))
    plain = {name: value for name, value in properties.items() if name != "Contributions"}
    adopter = resource.sibling("Adopter")
    adopted: dict[str, Any] = {"DistributionConfigurationArn": GOLDEN, "Distributions": [ami()]}
    create_table(proxy.url, "empty")
    for table in ("", "empty"):
        monkeypatch.setenv(LEDGER_TABLE, table)
        for response in (
            resource.send("Update", {**plain, "Description": "new"}, old=properties),
            adopter.create(**adopted),
            resource.delete(),
        ):
            assert response.status == "FAILED"
            assert "--release" in response.reason
            assert "LedgerTableName" in response.reason
        assert resource.send("Delete", {**plain, "OnDelete": "Retain"}).status == "SUCCESS"
    assert live_users(resource) == ["111111111111"]
    monkeypatch.setenv(LEDGER_TABLE, table_name)
    assert resource.update(**properties, Description="new").status == "SUCCESS"


def test_the_mark_follows_contributions(resource: Resource) -> None:
    """The tags say that a configuration is shared exactly while its owner has Contributions."""
    properties = owned(resource)
    plain = {name: value for name, value in properties.items() if name != "Contributions"}
    assert resource.update(**plain).status == "SUCCESS"
    assert resource.live["tags"][OWNERSHIP_TAGS[0]] == resource.stack_id
    adopter = resource.sibling("Adopter")
    adopted = {**plain, "DistributionConfigurationArn": GOLDEN, "Contributions": [USER_IDS]}
    del adopted["Name"]
    assert adopter.create(**adopted).status == "SUCCESS"
    assert SHARED_TAG in resource.live["tags"]
    assert adopter.delete().status == "SUCCESS"
    assert SHARED_TAG not in resource.live["tags"]


def test_after_the_last_part_a_retained_configuration_is_not_shared(resource: Resource) -> None:
    """With the last part of an owner that is gone, the mark goes, too, so that anyone can adopt the configuration."""
    properties = owned(resource)
    team = part(resource, "a")
    team.create(**users("111111111111"))
    resource.update(**properties, OnDelete="Retain")
    resource.delete()
    assert resource.live["tags"][OWNERSHIP_TAGS[0]] == f"{resource.stack_id} shared"
    team.delete()
    assert resource.live["tags"][OWNERSHIP_TAGS[0]] == resource.stack_id
