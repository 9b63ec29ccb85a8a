"""`plan` of configurations with several owners: it is compared with what the real handler then does."""

import json
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from provider.cloudformation.deadline import Deadline
from provider.handler import LEDGER_TABLE
from provider.ledger.parts import Body, Event, Revision, propose
from provider.ledger.store import Store
from provider.ledger.table import DynamoTable
from provider.resources.ownership import Owner
from tests.cli.commands import command
from tests.cli.plans import RESOURCE_TYPE, TOKEN
from tests.ledger.bodies import TEMPLATES, USER_IDS
from tests.ledger.dynamodb import Proxy, create_table
from tests.ledger.test_ledger_requests import CONTRIBUTION, GOLDEN, overwrite, owned, part, template, users
from tests.stack import ARN, NAME, ReceivedResponse, Resource, ami

PERMISSION = 'Distributions["us-east-1"].AmiDistributionConfiguration.LaunchPermission.UserIds'
READS = {"Query"}

Write = Callable[..., Path]


@pytest.fixture
def resource(recorded_resource: Resource, monkeypatch: pytest.MonkeyPatch) -> Resource:
    """A configuration resource of a provider with a ledger, which cannot reach Organizations."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_ORGANIZATIONS", "http://127.0.0.1:1")
    return recorded_resource


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a template with these resources: their properties by logical ID; those with `Part` are contributions."""

    def written(name: str = "stack.yaml", /, **resources: Mapping[str, Any]) -> Path:
        whole = {
            logical_id: {
                "Type": CONTRIBUTION if "Part" in logical_id else RESOURCE_TYPE,
                "Properties": {"ServiceToken": TOKEN, **properties},
            }
            for logical_id, properties in resources.items()
        }
        file = tmp_path / name
        file.write_text(json.dumps({"Resources": whole}), "utf-8")
        return file

    return written


def document(*arguments: str | Path, status: int) -> dict[str, Any]:
    """Return a plan. Fails if the command ends with another status."""
    ended = command("plan", *arguments, "--output", "json")
    assert ended.status == status, ended.stdout + ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def planned(*arguments: str | Path, status: int) -> dict[str, Any]:
    """Return the only change of a plan."""
    (change,) = document(*arguments, status=status)["resources"]
    assert isinstance(change, dict)
    return change


def names(owners: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Return the stacks' names and logical IDs of resources."""
    return [(one["stackId"].split("/")[1], one["logicalId"]) for one in owners]


def held(paths: list[dict[str, Any]]) -> list[Any]:
    """Return values with the names of the resources that have them."""
    return [(one["path"], one["value"], sorted(names(one["owners"]))) for one in paths]


def recorded() -> list[Any]:
    """Return what `owners` shows."""
    return held(json.loads(command("owners", GOLDEN, "--format", "json").stdout)["paths"])


def merged(plan: Mapping[str, Any]) -> list[Any]:
    """Return what a plan says about the only recorded configuration after the deployment."""
    (found,) = plan["configurations"]
    assert found["arn"] == GOLDEN
    return held(found["paths"])


def differing(change: Mapping[str, Any]) -> list[Any]:
    """Return the differences of a change, and the stacks of their owners."""
    return [
        (one["path"], one["old"], one["new"], [stack for stack, _ in names(one["owners"])])
        for one in change["differences"]
    ]


def without_ids(reason: str) -> str:
    """Return a reason without the stacks' IDs: the ID of a stack that does not exist yet is unknown to a plan."""
    return re.sub(r":stack/([a-z-]+)/[0-9a-f-]+", r":stack/\1", reason)


def succeeds_as_planned(action: str, answer: Callable[[], ReceivedResponse], *arguments: str | Path) -> dict[str, Any]:
    """Plan a request, let the handler process it, and compare. Returns the change."""
    found = document(*arguments, status=0 if action == "none" else 3)
    change: dict[str, Any] = found["resources"][0]
    assert change["action"] == action
    response = answer()
    assert (response.status, response.reason) == ("SUCCESS", "")
    assert merged(found) == recorded()
    return change


def fails_as_planned(answer: Callable[[], ReceivedResponse], *arguments: str | Path) -> str:
    """Plan a request that is rejected, let the handler process it, and compare the reasons. Returns the reason."""
    before = recorded()
    change = planned(*arguments, status=1)
    response = answer()
    assert (change["action"], response.status) == ("refused", "FAILED")
    assert without_ids(change["reason"]) in without_ids(response.reason)
    assert recorded() == before
    reason: str = change["reason"]
    return reason


def later(resource: Resource) -> None:
    """Let a second pass: the dates of requests have whole seconds."""
    resource.clock.sleep(1)


# parts


def test_a_part_is_added_changed_and_withdrawn(resource: Resource, write: Write) -> None:
    """A plan of a contribution shows what its part changes in the merged configuration, and who owns it."""
    owned(resource)
    other, team = part(resource, "b"), part(resource, "team")
    other.create(**users("222222222222"))
    one = users("111111111111", "222222222222")
    arguments = ("--stack-name", "team")
    change = succeeds_as_planned("create", lambda: team.create(**one), write(Part=one), *arguments)
    assert differing(change) == [(f'{PERMISSION}["111111111111"]', None, "111111111111", ["team"])]
    assert change["arn"] == GOLDEN
    later(resource)
    two = users("222222222222")
    change = succeeds_as_planned("update", lambda: team.update(**two), write(Part=two), *arguments)
    assert differing(change) == [(f'{PERMISSION}["111111111111"]', "111111111111", None, ["team"])]
    assert planned(write(Part=two), *arguments, status=0)["action"] == "none"
    later(resource)
    own = resource.sibling("Own", team.stack_id)
    own.context = resource.context
    other_properties: dict[str, Any] = {"Name": "own", "Distributions": [ami()]}
    own.create(**other_properties)
    old, new = write("old.yaml", Part=two, Own=other_properties), write("new.yaml", Own=other_properties)
    plan = document(new, "--previous", old, *arguments, status=3)
    assert [(one["logicalId"], one["action"]) for one in plan["resources"]] == [("Own", "none"), ("Part", "delete")]
    team.delete()
    assert merged({"configurations": [one for one in plan["configurations"] if one["arn"] == GOLDEN]}) == recorded()


def test_a_part_that_conflicts_is_refused(resource: Resource, write: Write) -> None:
    """A part that the handler rejects is refused with its reason, and the merged configuration stays as it is."""
    owned(resource)
    part(resource, "b").create(**template("lt-0123456789abcdef0", SetDefaultVersion=False))
    team = part(resource, "team")
    for properties, reason in [
        (template("lt-0123456789abcdef0", SetDefaultVersion=True), "SetDefaultVersion conflicts: resource Part"),
        (users("1" * 12, region="eu-west-1"), "does not exist in the owner"),
        ({**users("1" * 12), "Description": "x"}, "Description is not allowed by the owner, resource Golden"),
    ]:
        arguments = (write(Part=properties), "--stack-name", "team")
        assert reason in fails_as_planned(partial(team.create, **properties), *arguments)
        later(resource)


def test_a_limit_is_checked(resource: Resource, write: Write) -> None:
    """A part that exceeds a limit with those of others is refused."""
    owned(resource)
    many = [f"{number:012}" for number in range(1000)]
    part(resource, "b").create(**users(*many))
    more = users(*(f"9{number:011}" for number in range(600)))
    team = part(resource, "team")
    reason = fails_as_planned(lambda: team.create(**more), write(Part=more), "--stack-name", "team")
    assert "would have 1600 entries, and Image Builder allows" in reason


def test_a_configuration_without_an_owner(resource: Resource, write: Write) -> None:
    """A part of a configuration that no recorded resource owns is refused."""
    resource.emulator.seed(name="golden", distributions=[{"region": "us-east-1"}])
    team = part(resource, "team")
    change = planned(write(Part=users("1" * 12)), "--stack-name", "team", status=1)
    response = team.create(**users("1" * 12))
    assert change["reason"] in response.reason
    assert "no resource with Contributions owns this configuration" in change["reason"]


def test_a_part_moves_to_another_configuration(resource: Resource, write: Write) -> None:
    """A changed ARN is a replacement: the new part is added, and the old one is withdrawn."""
    owned(resource)
    second = resource.sibling("Second")
    second.context = resource.context
    second.create(Name="second", Contributions=[USER_IDS], Distributions=[ami()])
    team = part(resource, "team")
    before, after = users("1" * 12), users("1" * 12, arn=f"{ARN}second")
    team.create(**before)
    arguments = (write(Part=after), "--previous", write("old.yaml", Part=before), "--stack-name", "team")
    change = planned(*arguments, status=3)
    assert (change["action"], change["arn"]) == ("replace", f"{ARN}second")
    assert (change["replaced"]["action"], change["replaced"]["arn"]) == ("delete", GOLDEN)
    assert differing(change["replaced"]) == [(f'{PERMISSION}["111111111111"]', "1" * 12, None, ["team"])]
    assert team.update(**after).status == "SUCCESS"
    assert command("owners", f"{ARN}second").stdout.count("team") == 2


# owners


def test_an_owners_update_keeps_the_parts(resource: Resource, write: Write) -> None:
    """An owner's update shows only what changes of the merged configuration."""
    properties = owned(resource)
    part(resource, "b").create(**users("2" * 12))
    later(resource)
    new = {**properties, "Description": "new", "Tags": {"Team": "images"}}
    change = succeeds_as_planned("update", lambda: resource.update(**new), write(Golden=new))
    assert differing(change) == [
        ("Description", None, "new", ["images"]),
        ('Tags["Team"]', None, "images", ["images"]),
    ]
    assert planned(write(Golden=new), status=0)["action"] == "none"


def test_narrowing_is_refused(resource: Resource, write: Write) -> None:
    """Contributions that no longer allow a part are refused, and so is an owner that drops a Region in use."""
    properties = owned(resource)
    part(resource, "b").create(**users("2" * 12))
    for change in ({"Contributions": [TEMPLATES]}, {"Distributions": [ami("eu-west-1")]}):
        later(resource)
        new = {**properties, **change}
        reason = fails_as_planned(partial(resource.update, **new), write(Golden=new))
        assert "other resources have parts that this would no longer allow: resource Part of stack" in reason


def test_an_owners_delete_with_parts_is_refused(resource: Resource, write: Write) -> None:
    """An owner with parts of others cannot be removed, unless it is retained."""
    properties = owned(resource)
    part(resource, "b").create(**users("2" * 12))
    later(resource)
    kept: dict[str, Any] = {"Name": "kept", "Distributions": [ami()]}
    sibling = resource.sibling("Kept")
    sibling.context = resource.context
    sibling.create(**kept)
    old = write("old.yaml", Golden=properties, Kept=kept)
    (_, change) = document(write(Kept=kept), "--previous", old, status=1)["resources"]
    response = resource.delete()
    assert (change["action"], response.status) == ("refused", "FAILED")
    assert change["reason"] in response.reason
    later(resource)
    retained = {**properties, "OnDelete": "Retain"}
    assert resource.update(**retained).status == "SUCCESS"
    old = write("old.yaml", Golden=retained, Kept=kept)
    plan = document(write(Kept=kept), "--previous", old, status=0)
    assert plan["resources"][1]["action"] == "retain"
    later(resource)
    assert resource.delete().status == "SUCCESS"
    assert merged({"configurations": [one for one in plan["configurations"] if one["arn"] == GOLDEN]}) == recorded()


def test_a_rename_with_parts_is_refused(resource: Resource, write: Write) -> None:
    """An owner's rename is refused while other stacks have parts."""
    properties = owned(resource)
    part(resource, "b").create(**users("2" * 12))
    later(resource)
    new = {**properties, "Name": "renamed"}
    change = planned(write(Golden=new), "--stack-name", "images", status=1)
    response = resource.update(**new)
    assert (change["action"], response.status) == ("refused", "FAILED")
    assert change["reason"] in response.reason
    assert "cannot be replaced, because other stacks have parts of it" in change["reason"]


def test_an_adopter_takes_over(resource: Resource, write: Write) -> None:
    """An adopter's plan shows the parts that stay, and the previous owner's update is refused."""
    properties = owned(resource)
    part(resource, "b").create(**users("2" * 12))
    later(resource)
    adopter = resource.sibling("New", "arn:aws:cloudformation:us-east-1:123456789012:stack/new/1")
    adopter.context = resource.context
    adopting: dict[str, Any] = {
        "DistributionConfigurationArn": GOLDEN,
        "Distributions": [ami(Description="new")],
        "Contributions": [USER_IDS],
    }
    narrow = {**adopting, "Contributions": [TEMPLATES]}
    assert "resource Part" in fails_as_planned(
        lambda: adopter.create(**narrow), write(New=narrow), "--stack-name", "new"
    )
    later(resource)
    succeeds_as_planned("update", lambda: adopter.create(**adopting), write(New=adopting), "--stack-name", "new")
    later(resource)
    arguments = (write(New=adopting), "--stack-name", "new")
    assert planned(*arguments, status=0)["action"] == "none"
    assert "has been adopted by resource New" in fails_as_planned(
        lambda: resource.update(**properties, Description="x"),
        write(Golden={**properties, "Description": "x"}),
        "--previous",
        write("old.yaml", Golden=properties),
        "--stack-name",
        "images",
    )


def test_drift_is_overwritten(resource: Resource, write: Write) -> None:
    """A plan compares with the live configuration: what others changed in it is overwritten."""
    properties = owned(resource)
    part(resource, "b").create(**users("2" * 12))
    overwrite(distributions=[{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}])
    later(resource)
    new = {**properties, "Description": "new"}
    change = succeeds_as_planned("update", lambda: resource.update(**new), write(Golden=new))
    assert (f'{PERMISSION}["222222222222"]', None, "222222222222", ["b"]) in differing(change)
    overwrite(distributions=[])
    old = write("old.yaml", Golden=new)
    assert planned(write(Golden=new), "--previous", old, status=4)["action"] == "drift"


def test_one_template_with_an_owner_and_parts(resource: Resource, write: Write) -> None:
    """Each resource of a template is planned with the effects of those before it."""
    owner: dict[str, Any] = {"Name": "golden", "Contributions": [USER_IDS], "Distributions": [ami()]}
    one = {**users("1" * 12), "DistributionConfigurationArn": {"Fn::GetAtt": ["Golden", "Arn"]}}
    two = {**template("lt-0123456789abcdef0"), "DistributionConfigurationArn": {"Ref": "Golden"}}
    plan = document(write(Golden=owner, PartOne=one, PartTwo=two), "--stack-name", "images", status=1)
    found = {change["logicalId"]: change for change in plan["resources"]}
    assert [found[name]["action"] for name in ("Golden", "PartOne", "PartTwo")] == ["create", "create", "refused"]
    assert "LaunchTemplateConfigurations" in found["PartTwo"]["reason"]
    resource.create(**owner)
    first = resource.sibling("PartOne")
    first.context, first.resource_type = resource.context, CONTRIBUTION
    first.create(**users("1" * 12))
    assert merged(plan) == recorded()
    assert resource.calls().count("Create") == 1


# what is read


def test_it_only_reads_the_ledger(resource: Resource, write: Write, proxy: Proxy) -> None:
    """The table and the configurations are only read."""
    properties = owned(resource)
    part(resource, "b").create(**users("2" * 12))
    resource.calls()
    proxy.operations.clear()
    document(write(Golden={**properties, "Description": "new"}, Part=users("1" * 12)), status=3)
    assert {*proxy.operations} <= READS
    assert {*resource.calls()} <= {"Get", "ListDistributionConfigurations"}


@pytest.mark.parametrize("how", ["no table", "another table", "denied"])
def test_without_the_ledger_the_plan_is_unknown(
    resource: Resource, write: Write, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Without a readable table, parts and shared configurations are unknown, and the plan says how to find out."""
    properties = owned(resource)
    part(resource, "b").create(**users("2" * 12))
    if how == "no table":
        monkeypatch.delenv(LEDGER_TABLE)
    elif how == "another table":
        monkeypatch.setenv(LEDGER_TABLE, "missing")
    else:
        proxy.fail = lambda _operation, _parameters: "AccessDeniedException"
    plan = document(write(Golden=properties, Part=users("1" * 12)), status=3)
    assert [one["action"] for one in plan["resources"]] == ["unknown", "unknown"]
    assert all("--table NAME" in one["reason"] for one in plan["resources"])
    assert plan["configurations"] == []
    assert any("the ledger is not read" in note for note in plan["notes"]) == (how != "no table")


def test_a_lost_record_is_refused(
    resource: Resource, write: Write, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a table that has no record of a shared configuration, its owner is refused as by the handler."""
    properties = owned(resource)
    create_table(proxy.url, "no-records")
    monkeypatch.setenv(LEDGER_TABLE, "no-records")
    later(resource)
    change = planned(write(Golden={**properties, "Description": "new"}), status=1)
    response = resource.update(**properties, Description="new")
    assert (change["action"], response.status) == ("refused", "FAILED")
    assert change["reason"] in response.reason


def test_the_option_names_the_table(resource: Resource, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """--table overrides the environment variable."""
    owned(resource)
    table = os.environ[LEDGER_TABLE]
    monkeypatch.delenv(LEDGER_TABLE)
    assert planned(write(Part=users("1" * 12)), "--table", table, status=3)["action"] == "create"


def test_the_output_for_people(resource: Resource, write: Write) -> None:
    """The text says what happens to a part, and shows the merged configuration with the owners."""
    owned(resource)
    part(resource, "b").create(**users("2" * 12))
    shown = command("plan", write(Part=users("1" * 12)), "--stack-name", "team").stdout
    assert f"+ Part: a part of {GOLDEN} is added" in shown
    assert f"{GOLDEN} after the deployment" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert [PERMISSION, "Part", "(team):", '"111111111111"'] in lines
    assert [PERMISSION, "Part", "(b):", '"222222222222"'] in lines


# which stack, and what depends on other values


def test_a_removed_part_without_the_previous_template(resource: Resource, write: Write) -> None:
    """Without --previous, the stack's parts that the template lacks are found in the configurations that it names."""
    owned(resource)
    team = part(resource, "team")
    team.create(**users("1" * 12))
    plan = document(write(Part2=users("2" * 12)), "--stack-name", "team", status=3)
    added, removed = plan["resources"]
    assert (added["action"], removed["logicalId"], removed["action"]) == ("create", "Part", "delete")
    assert "use --previous FILE" in removed["reason"]


def test_the_name_of_the_file_is_the_stacks(resource: Resource, write: Write) -> None:
    """Without --stack-name, a part is that of the stack with the name of the file; another stack's part is noted."""
    owned(resource)
    part(resource, "team").create(**users("1" * 12))
    assert planned(write("team.yaml", Part=users("1" * 12)), status=0)["action"] == "none"
    plan = document(write("other.yaml", Part=users("1" * 12)), status=3)
    assert plan["resources"][0]["action"] == "create"
    assert any("stack/team/1 has a part; if FILE is for that stack, use --stack-name" in one for one in plan["notes"])


def test_a_conflict_of_a_placeholder_is_unknown(resource: Resource, write: Write) -> None:
    """A conflict that depends on a value that is known only at deployment is unknown, and with the value, it is not."""
    tags = "Distributions[].AmiDistributionConfiguration.AmiTags"
    resource.create(Name="golden", Contributions=[tags], Distributions=[ami(AmiTags={"Owner": "images"})])
    tag = {"AmiTags": {"Owner": {"Fn::ImportValue": "team"}}}
    properties = {
        "DistributionConfigurationArn": GOLDEN,
        "Distributions": [{"Region": "us-east-1", "AmiDistributionConfiguration": tag}],
    }
    change = planned(write(Part=properties), status=3)
    assert change["action"] == "unknown"
    assert "known only at deployment" in change["reason"]
    assert "conflicts" in planned(write(Part=properties), "--import", "team=team", status=1)["reason"]
    assert planned(write(Part=properties), "--import", "team=images", status=3)["action"] == "create"


def test_requests_in_progress(resource: Resource, write: Write, table_name: str) -> None:
    """A lease that another request holds, and its proposal, are seen as by a request that waits for it."""
    properties = owned(resource)
    store = Store(DynamoTable(table_name, "us-east-1", Deadline(60), Random()), resource.clock.time)
    lease = store.take(store.lease(GOLDEN), "another request", resource.clock.time() + 40)
    assert lease is not None
    other = Owner(part(resource, "b").stack_id, "Part")
    wanted = {
        "distributions": [
            {"region": "us-east-1", "amiDistributionConfiguration": {"launchPermission": {"userIds": ["2" * 12]}}}
        ]
    }
    now = resource.clock.time()
    event = Event(other, Revision(now, "another request"), "Create", now + 600)
    assert store.put(None, propose(None, GOLDEN, event, Body(wanted)))
    plan = document(write(Golden={**properties, "Description": "new"}), status=3)
    assert ("b", "Part") in [owner for _, _, owners in merged(plan) for owner in owners]
    assert store.lease(GOLDEN).holder == "another request"
