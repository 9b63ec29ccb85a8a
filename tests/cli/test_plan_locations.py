"""`plan` of configurations in another Region or account than the stack's."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from provider.emulator.emulator import Emulator, Trust
from tests.cli.commands import command
from tests.cli.plans import Write, own, planned
from tests.stack import ARN, NAME, STACK_ID, Resource, ami

OTHER = "210987654321"
ROLE = f"arn:aws:iam::{OTHER}:role/team/images"
PLACES = [
    ({}, ARN),
    ({"Region": "eu-west-1"}, ARN.replace("us-east-1", "eu-west-1")),
    ({"RoleArn": ROLE}, ARN.replace("123456789012", OTHER)),
    ({"Region": "us-west-2", "RoleArn": ROLE}, f"arn:aws:imagebuilder:us-west-2:{OTHER}:distribution-configuration/"),
]
AT_PLACES = pytest.mark.parametrize(("place", "start"), PLACES[1:], ids=["Region", "account", "both"])
FOREIGN = [place for place in PLACES if "RoleArn" in place[0]]


@pytest.fixture(autouse=True)
def assumable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the function assume all roles."""
    monkeypatch.setenv("ASSUMABLE_ROLE_ARNS", "*")


@AT_PLACES
def test_plan_is_what_the_handler_does(write: Write, resource: Resource, place: dict[str, Any], start: str) -> None:
    """A configuration in another location is created, left unchanged, updated, and deleted as planned."""
    properties = own(**place)
    change = planned(write(Golden=properties), status=3)["Golden"]
    assert (change["action"], change["arn"]) == ("create", f"{start}images")
    assert resource.create(**properties).physical_id == change["arn"]
    assert planned(write(Golden=properties), status=0)["Golden"]["action"] == "none"
    changed = planned(write(Golden=own(Description="new", **place)), status=3)["Golden"]
    assert (changed["action"], changed["arn"]) == ("update", change["arn"])
    old = write("old.yaml", Golden=properties, Other=own(Name="other"))
    removed = planned(write(Other=own(Name="other")), "--previous", old, status=3)["Golden"]
    assert (removed["action"], removed["arn"]) == ("delete", change["arn"])


@pytest.mark.parametrize(("before", "after"), list(permutations(PLACES, 2)))
def test_a_move_replaces(
    write: Write, resource: Resource, before: tuple[dict[str, Any], str], after: tuple[dict[str, Any], str]
) -> None:
    """A changed Region or account is a replacement, which shows both ARNs, as in a deployment."""
    (old, old_start), (new, new_start) = before, after
    resource.create(**own(**old))
    previous, file = write("old.yaml", Golden=own(**old)), write(Golden=own(**new))
    arguments = (file, "--previous", previous, "--account", "123456789012")
    change = planned(*arguments, status=3)["Golden"]
    assert (change["action"], change["arn"]) == ("replace", f"{new_start}images")
    assert (change["replaced"]["action"], change["replaced"]["arn"]) == ("delete", f"{old_start}images")
    shown = command("plan", *arguments).stdout
    assert f"{old_start}images is replaced by {new_start}images" in shown
    assert resource.update(**own(**new)).physical_id == change["arn"]


def test_a_move_without_the_previous_template(write: Write, resource: Resource) -> None:
    """Ownership tags show the configuration in the stack's Region that a moved resource had before."""
    resource.create(**own())
    change = planned(write(Golden=own(Region="eu-west-1")), "--stack-name", "images", status=3)["Golden"]
    assert (change["action"], change["replaced"]["arn"]) == ("replace", f"{ARN}images")


def test_a_removed_resource_in_another_account(write: Write, resource: Resource) -> None:
    """Ownership tags in another account show a removed resource if another resource has a role there."""
    resource.create(**own(Name="gone", RoleArn=ROLE))
    kept = Resource(resource.emulator, resource.sink, "Kept", clock=resource.clock)
    kept.create(**own(RoleArn=ROLE))
    changes = planned(write(Kept=own(RoleArn=ROLE)), status=3)
    start = ARN.replace("123456789012", OTHER)
    assert {name: (one["action"], one["arn"]) for name, one in changes.items()} == {
        "Kept": ("none", f"{start}images"),
        "Golden": ("delete", f"{start}gone"),
    }


def test_a_role_of_the_same_account_is_in_place(write: Write, resource: Resource) -> None:
    """Another role of the same account changes nothing in the configuration."""
    resource.create(**own(RoleArn=ROLE))
    changed = own(RoleArn=f"arn:aws:iam::{OTHER}:role/other")
    change = planned(write(Golden=changed), "--previous", write("old.yaml", Golden=own(RoleArn=ROLE)), status=0)[
        "Golden"
    ]
    assert (change["action"], change["replaced"]) == ("none", None)


def test_requests_go_to_their_places(write: Write, emulator: Emulator) -> None:
    """Each configuration is read in its own Region and account only, and one role is assumed once."""
    resources = {f"Golden{index}": own(**place) for index, (place, _) in enumerate(PLACES)}
    planned(write(**resources, Again=own(Name="again", RoleArn=ROLE)), status=3)
    reads = [one for one in emulator.requests if one.operation == "GetDistributionConfiguration"]
    assert len(reads) == len(resources) + 1
    for one in reads:
        arn = one.parameters["distributionConfigurationArn"].split(":")
        assert arn[3:5] == [one.region, one.account]
    assert [one.operation for one in emulator.requests].count("AssumeRole") == 1


def test_the_external_id(write: Write, resource: Resource) -> None:
    """A role is assumed with the stack's ID, if the ownership tags in the stack's location show it."""
    resource.create(**own())
    resource.emulator.sts.trust = {ROLE: Trust([STACK_ID])}
    golden, other = own(), own(Name="other", RoleArn=ROLE)
    changes = planned(write(Golden=golden, Other=other), status=3)
    assert changes["Other"]["action"] == "create"
    assert planned(write(Other=other), "--stack-name", "images", status=3)["Other"]["action"] == "create"
    assert planned(write(Other=other), status=3)["Other"]["action"] == "unknown"
    previous = write("old.yaml", Golden=golden)
    assert planned(write(Other=other), "--previous", previous, status=3)["Other"]["action"] == "create"


def test_the_external_id_of_a_new_stack(write: Write, emulator: Emulator) -> None:
    """If the stack's ID is unknown, the external ID is that of a new stack, so that a pattern can allow it."""
    emulator.sts.trust = {ROLE: Trust(["arn:aws:cloudformation:us-east-1:123456789012:stack/images/*"])}
    file = write(Golden=own(RoleArn=ROLE))
    assert planned(file, "--stack-name", "images", status=3)["Golden"]["action"] == "create"
    assert planned(file, "--stack-name", "others", status=3)["Golden"]["action"] == "unknown"


@pytest.mark.parametrize(("place", "start"), FOREIGN, ids=["account", "both"])
def test_a_role_that_may_not_be_assumed(write: Write, emulator: Emulator, place: dict[str, Any], start: str) -> None:
    """If the caller may not assume the role, only its resources are unknown, and the reason says what to allow."""
    emulator.sts.trust = {}
    changes = planned(write(Golden=own(**place), Home=own(Name="home")), status=3)
    assert changes["Home"]["action"] == "create"
    assert (changes["Golden"]["action"], changes["Golden"]["arn"]) == ("unknown", f"{start}images")
    reason = changes["Golden"]["reason"]
    assert f"plan may not assume {ROLE} with your credentials and the external ID arn:aws:cloudformation:" in reason
    assert "allow sts:AssumeRole on the role to your user or role, and in the role's trust policy" in reason


def test_a_move_to_an_unreadable_account(write: Write, resource: Resource) -> None:
    """If the new location cannot be read, the change is unknown, and what happens to the old configuration is shown."""
    resource.create(**own())
    resource.emulator.sts.trust = {}
    previous = write("old.yaml", Golden=own())
    change = planned(write(Golden=own(RoleArn=ROLE)), "--previous", previous, status=3)["Golden"]
    assert (change["action"], change["replaced"]["action"]) == ("unknown", "delete")
    back = planned(previous, "--previous", write(Golden=own(RoleArn=ROLE)), status=3)["Golden"]
    assert (back["action"], back["arn"]) == ("unknown", f"{ARN}images")


def test_unchanged_properties_in_an_unreadable_account(write: Write, emulator: Emulator) -> None:
    """If the properties are unchanged, CloudFormation sends nothing, whatever the live state is."""
    emulator.sts.trust = {}
    file = write(Golden=own(RoleArn=ROLE))
    assert planned(file, "--previous", file, status=0)["Golden"]["action"] == "none"


def test_a_disabled_region(write: Write, emulator: Emulator) -> None:
    """If a Region cannot be read, only its resources are unknown."""
    emulator.disabled_regions.add("af-south-1")
    changes = planned(write(Golden=own(Region="af-south-1"), Home=own(Name="home")), status=3)
    assert changes["Home"]["action"] == "create"
    assert changes["Golden"]["action"] == "unknown"
    assert (
        "in account 123456789012, Region af-south-1 is unknown, because it cannot be read"
        in changes["Golden"]["reason"]
    )


@pytest.mark.parametrize(
    "place",
    [{"Region": {"Fn::ImportValue": "region"}}, {"RoleArn": {"Fn::GetAtt": "Role.Arn"}}],
    ids=["Region", "role"],
)
def test_a_location_that_only_a_deployment_knows(write: Write, emulator: Emulator, place: dict[str, Any]) -> None:
    """A Region or role that is known only at deployment makes the change unknown."""
    role = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {}}}
    change = planned(write(Golden=own(**place), Role=role), status=3)["Golden"]
    assert (change["action"], change["arn"]) == ("unknown", "")
    assert "its location" in change["reason"]
    assert emulator.requests == []


def test_a_region_that_an_option_gives(write: Write, emulator: Emulator) -> None:
    """A location is known if its values are given."""
    file = write(Golden=own(Region={"Fn::ImportValue": "region"}))
    change = planned(file, "--import", "region=eu-west-1", status=3)["Golden"]
    assert change["arn"] == f"{PLACES[1][1]}images"


def test_references_to_another_location(write: Write, emulator: Emulator) -> None:
    """Ref and the stack's own Region are evaluated as in a deployment."""
    home = own(Region={"Ref": "AWS::Region"}, Name="home")
    golden = own(RoleArn={"Fn::Sub": f"arn:${{AWS::Partition}}:iam::{OTHER}:role/images"}, Description={"Ref": "Home"})
    changes = planned(write(Home=home, Golden=golden), status=3)
    assert changes["Home"]["arn"] == f"{ARN}home"
    assert changes["Golden"]["arn"] == f"{PLACES[2][1]}images"
    assert ("Description", f"{ARN}home") in [(one["path"], one["new"]) for one in changes["Golden"]["differences"]]


def test_an_adopted_configuration_in_another_account(write: Write, emulator: Emulator, tmp_path: Path) -> None:
    """A configuration of another account is adopted with a role, and without one, the resource is refused."""
    arn = emulator.at("eu-west-1", OTHER).seed(
        name="web", distributions=[{"region": "eu-west-1", "amiDistributionConfiguration": {"name": NAME}}]
    )
    token = own()["ServiceToken"]
    web = {"ServiceToken": token, "DistributionConfigurationArn": arn, "Distributions": [ami("eu-west-1")]}
    assert planned(write(Web={**web, "RoleArn": ROLE}), status=0)["Web"]["action"] == "none"
    assert planned(write(Web=web), status=1)["Web"]["findings"][0]["rule"] == "other-account"
    file = tmp_path / "alone.json"
    file.write_text(json.dumps({**web, "RoleArn": ROLE}))
    assert command("plan", file).status == 0
