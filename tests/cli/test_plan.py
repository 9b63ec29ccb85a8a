"""`plan` shows what the handler does."""

import json
import re
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from tests.cli.commands import EXAMPLES, command, process
from tests.cli.plans import RESOURCE_TYPE, TOKEN, Write, adopt, own, planned, reported
from tests.stack import ARN, NAME, Resource, ami

OTHER_STACK = "arn:aws:cloudformation:us-east-1:1:stack"
ANOTHER = {"amiDistributionConfiguration": {"name": NAME}}


def with_outputs(template: Path, **values: Any) -> Path:
    """The template with these outputs added."""
    tree = json.loads(template.read_text("utf-8"))
    template.write_text(json.dumps({**tree, "Outputs": {name: {"Value": one} for name, one in values.items()}}))
    return template


# what it says is what happens


@pytest.mark.parametrize(
    ("before", "after", "action"),
    [
        (own(), own(), "none"),
        (own(), own(Description="new"), "update"),
        (own(Description="old"), own(), "update"),
        (own(), own(Tags={"Team": "a"}), "update"),
        (own(), own(Distributions=[ami(), ami("eu-west-1")]), "update"),
        (own(), own(Name="Images"), "none"),
        (own(Distributions=[ami("eu-west-1"), ami()]), own(Distributions=[ami(), ami("eu-west-1")]), "none"),
        (own(), {**adopt(), "DistributionConfigurationArn": f"{ARN}images"}, "update"),
        (adopt(), adopt(), "none"),
        (adopt(), adopt(Description="new"), "update"),
    ],
)
def test_plan_is_what_the_handler_does(
    write: Write, resource: Resource, before: dict[str, Any], after: dict[str, Any], action: str
) -> None:
    """The planned action is the handler's: none, or an update with the planned values."""
    resource.emulator.seed(name="web", distributions=[{"region": "us-east-1", **ANOTHER}])
    resource.create(**before)
    (change,) = planned(write(Golden=after), status={"none": 0, "update": 3}[action]).values()
    assert change["action"] == action
    resource.calls()
    done = resource.update(**after)
    wrote = [call for call in resource.calls() if not call.startswith(("Get", "List", "Create"))]
    assert bool(wrote) is (action == "update")
    assert done.status == "SUCCESS"
    assert change["arn"] == done.physical_id
    assert planned(write(Golden=after), status=0)["Golden"]["action"] == "none"


CONTRIBUTION = "Custom::ImageBuilderDistributionContribution"


def test_contribution(write: Write, emulator: Emulator) -> None:
    """A contribution cannot be planned, because the ledger decides; its mistakes are reported."""
    part = {"ServiceToken": TOKEN, "DistributionConfigurationArn": f"{ARN}images", "Distributions": [ami()]}
    emulator.seed(name="images", distributions=[{"region": "us-east-1", **ANOTHER}])
    (change,) = planned(write(Part={"Type": CONTRIBUTION, "Properties": part}), status=3).values()
    assert change["action"] == "unknown"
    assert "another part conflicts with it. Only the provider's ledger has those" in change["reason"]
    wrong = {**part, "Distributions": [{"Region": "us-east-1", "Name": "x"}]}
    (change,) = planned(write(Part={"Type": CONTRIBUTION, "Properties": wrong}), status=1).values()
    assert (change["action"], len(change["findings"])) == ("refused", 1)


def test_shared_configuration(write: Write, resource: Resource) -> None:
    """An owner's update of a shared configuration cannot be planned, because others have parts of it."""
    tags = {
        "image-builder-distribution-provider:stack-id": f"{resource.stack_id} shared",
        "image-builder-distribution-provider:logical-id": "Golden",
    }
    resource.emulator.seed(name="images", distributions=[{"region": "us-east-1", **ANOTHER}], tags=tags)
    template = write(Golden=own(Contributions=["Distributions[].LaunchTemplateConfigurations"]))
    (change,) = planned(template, status=3).values()
    assert change["action"] == "unknown"
    assert f"{ARN}images is shared: it also has the parts of other stacks" in change["reason"]


def test_creation(write: Write, emulator: Emulator) -> None:
    """A configuration that does not exist is created, and all its values are shown."""
    (change,) = planned(write(Golden=own(Description="new")), status=3).values()
    assert (change["action"], change["arn"]) == ("create", f"{ARN}images")
    assert ("Description", None, "new") in reported(change)


def test_it_only_reads(write: Write, resource: Resource) -> None:
    """Planning makes only Get and List calls."""
    emulator = resource.emulator
    emulator.seed(name="web", distributions=[])
    resource.create(**own())
    resource.calls()
    old = write("old.yaml", Golden=own(), Gone=own(Name="gone"), Web=adopt())
    new = write(Golden=own(Name="renamed"), New=own(Name="new"), Web=adopt(Description="x"))
    assert command("plan", new, "--previous", old).status == 3
    assert set(resource.calls()) == {"Get", "ListDistributionConfigurations"}


@pytest.mark.parametrize("properties", [own(Distributions=[{"Region": "us-east-1", "Color": "red"}]), own(Name="a/b")])
def test_findings_are_the_handlers(write: Write, resource: Resource, properties: dict[str, Any]) -> None:
    """All findings have the handler's messages, and the configuration of a resource with errors is not read."""
    (change,) = planned(write(Golden=properties), status=1).values()
    assert resource.calls() == []
    answer = resource.create(**properties)
    assert change["action"] == "refused"
    assert change["reason"].removesuffix("are made") in answer.reason
    assert all(finding["message"] in answer.reason for finding in change["findings"])
    assert {finding["severity"] for finding in change["findings"]} == {"error"}


def test_warnings_do_not_stop_the_plan(write: Write, emulator: Emulator) -> None:
    """A warning is shown, and the resource is planned."""
    (change,) = planned(write(Golden=own(Distributions=[])), status=3).values()
    assert change["action"] == "create"
    assert [finding["severity"] for finding in change["findings"]] == ["warning"]


@pytest.mark.parametrize("owner", ["another resource", "another stack"])
def test_name_that_exists(write: Write, resource: Resource, owner: str) -> None:
    """A configuration with another resource's ownership tags is refused, as in the handler."""
    resource.logical_id = "Golden" if owner == "another stack" else "Other"
    resource.create(**own())
    options = ("--stack-name", "elsewhere") if owner == "another stack" else ()
    (change,) = planned(write(Golden=own()), *options, status=1).values()
    newcomer = Resource(resource.emulator, resource.sink, stack_id="arn:aws:cloudformation:us-east-1:1:stack/new/1")
    reason = newcomer.create(**own()).reason
    problem, _, remediation = change["reason"].partition(". ")
    assert problem in reason
    assert remediation in reason


@pytest.mark.parametrize("options", [(), ("--stack-name", "images")])
def test_adopted_configuration_that_becomes_owned(write: Write, resource: Resource, options: tuple[str, ...]) -> None:
    """Without the deployed template, plan does not know whether the resource adopted the configuration of its name."""
    resource.emulator.seed(name="Golden Own", distributions=[{"region": "us-east-1", **ANOTHER}])
    adopted = {**adopt(), "DistributionConfigurationArn": f"{ARN}golden-own"}
    resource.create(**adopted)
    old, new = write("old.yaml", Golden=adopted), write(Golden=own(Name="golden own", Description="new"))
    change = planned(new, *options, status=3)["Golden"]
    assert (change["action"], change["arn"]) == ("unknown", f"{ARN}golden-own")
    assert "exists without this resource's ownership tags" in change["reason"]
    assert "use --previous FILE with the deployed template" in change["reason"]
    assert reported(change) == [("Description", None, "new")]
    assert planned(new, "--previous", old, status=3)["Golden"]["action"] == "update"
    another = write("another.yaml", Other=own())
    (refused, _) = planned(new, "--previous", another, status=1).values()
    assert refused["action"] == "refused"
    assert "is not managed by this resource" in refused["reason"]


def test_adopted_from_another_owner_that_becomes_owned(write: Write, resource: Resource) -> None:
    """Ownership tags show the resource that a configuration was released to only if it is in the owner's stack."""
    Resource(resource.emulator, resource.sink, "Before").create(**own(Name="web"))
    Resource(resource.emulator, resource.sink, "Golden", stack_id=f"{OTHER_STACK}/new/1").create(**adopt())
    old, new = write("old.yaml", Golden=adopt()), write(Golden=own(Name="web"))
    for options, reason in (((), "use --previous FILE"), (("--previous", old), "the ID of this resource's stack is")):
        change = planned(new, *options, status=3)["Golden"]
        assert change["action"] == "unknown"
        assert reason in change["reason"]
    Resource(resource.emulator, resource.sink, "Second").create(**own(Name="second"))
    resource.create(**{**adopt(), "DistributionConfigurationArn": f"{ARN}second"})
    assert planned(write(Golden=own(Name="second")), status=3)["Golden"]["action"] == "update"


def test_adopting_a_missing_configuration(write: Write, emulator: Emulator) -> None:
    """An ARN of a configuration that does not exist is refused."""
    (change,) = planned(write(Golden=adopt()), status=1).values()
    assert "was not found in account 123456789012, Region us-east-1" in change["reason"]


def test_two_resources_with_one_name(write: Write, emulator: Emulator) -> None:
    """A name that the plan creates for one resource is in use for the next."""
    changes = planned(write(First=own(), Second=own()), status=1)
    assert [one["action"] for one in changes.values()] == ["create", "refused"]
    assert "is owned by resource First" in changes["Second"]["reason"]


# with the previous template


@pytest.mark.parametrize(("on_delete", "fate"), [({}, "delete"), ({"OnDelete": "Retain"}, "retain")])
def test_replacement(write: Write, resource: Resource, on_delete: dict[str, str], fate: str) -> None:
    """Another name replaces the configuration, and OnDelete determines whether the old one is retained."""
    resource.create(**own(**on_delete))
    old, new = write("old.yaml", Golden=own(**on_delete)), write(Golden=own(Name="renamed"))
    (change,) = planned(new, "--previous", old, status=3).values()
    assert (change["action"], change["arn"]) == ("replace", f"{ARN}renamed")
    assert (change["replaced"]["action"], change["replaced"]["arn"]) == (fate, f"{ARN}images")


@pytest.mark.parametrize(
    ("removed", "fate", "status"),
    [
        (own(), "delete", 3),
        (own(OnDelete="Retain"), "retain", 0),
        ({"Type": RESOURCE_TYPE, "DeletionPolicy": "Retain", "Properties": own()}, "retain", 0),
        (adopt(), "retain", 0),
        (own(Name="never-made"), "none", 0),
    ],
)
def test_removed_resource(write: Write, resource: Resource, removed: dict[str, Any], fate: str, status: int) -> None:
    """A configuration whose resource is removed is deleted, or retained according to its properties and policy."""
    resource.emulator.seed(name="web", distributions=[])
    resource.logical_id = "Gone"
    resource.create(**own())
    kept = own(Name="kept")
    Resource(resource.emulator, resource.sink, "Kept").create(**kept)
    old, new = write("old.yaml", Kept=kept, Gone=removed), write(Kept=kept)
    changes = planned(new, "--previous", old, status=status)
    assert {name: change["action"] for name, change in changes.items()} == {"Kept": "none", "Gone": fate}


def test_removed_tag(write: Write, resource: Resource) -> None:
    """A tag that only the previous template has is removed; without that template, this is unknown."""
    before, after = own(Tags={"Team": "a", "Stage": "b"}), own(Tags={"Team": "a"})
    resource.create(**before)
    old, new = write("old.yaml", Golden=before), write(Golden=after)
    assert reported(planned(new, "--previous", old, status=3)["Golden"]) == [('Tags["Stage"]', "b", None)]
    assert planned(new, status=0)["Golden"]["action"] == "none"


def test_drift(write: Write, resource: Resource) -> None:
    """A manual change is shown as drift, with an exit status of its own, if CloudFormation sends no request."""
    resource.create(**own(Description="x"))
    resource.send("Update", own(Description="by hand"), old={}, physical_id=resource.physical_id)
    file = write(Golden=own(Description="x"))
    change = planned(file, "--previous", file, status=4)["Golden"]
    assert (change["action"], reported(change)) == ("drift", [("Description", "by hand", "x")])
    assert json.loads(command("plan", file, "--previous", file, "--output", "json").stdout)["drift"] is True
    assert planned(file, status=3)["Golden"]["action"] == "update"
    both = write("both.yaml", Golden=own(Description="x"), New=own(Name="new"))
    assert planned(both, "--previous", file, status=3)["Golden"]["action"] == "drift"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (own(ServiceToken=f"{TOKEN}-2"), "Modifying service token is not allowed."),
        ({"Type": "AWS::CloudFormation::CustomResource", "Properties": own()}, "Update of resource type is not"),
        ({"Type": "AWS::SNS::Topic"}, "Update of resource type is not permitted"),
    ],
)
def test_updates_that_cloudformation_rejects(
    write: Write, emulator: Emulator, changed: dict[str, Any], message: str
) -> None:
    """An update that CloudFormation does not allow is refused with its message."""
    changes = planned(write(Golden=changed), "--previous", write("old.yaml", Golden=own()), status=1)
    assert message in changes["Golden"]["reason"]


# what only the deployment knows


def test_placeholders_are_marked(write: Write, resource: Resource) -> None:
    """A difference that depends on a placeholder is marked, no other is, and the placeholder is named."""
    key = {"Fn::ImportValue": "image-key"}
    resource.create(**own(Distributions=[ami(KmsKeyId="alias/key", Description="old")]))
    file = write(Golden=own(Distributions=[ami(KmsKeyId=key, Description="new")]))
    differences = planned(file, status=3)["Golden"]["differences"]
    known = {one["path"].rpartition(".")[2]: one["known"] for one in differences}
    assert known == {"KmsKeyId": False, "Description": True}
    shown = command("plan", file).stdout
    assert "the export image-key of another stack is assumed to be 'image-key'" in shown
    place = 'Distributions["us-east-1"].AmiDistributionConfiguration.KmsKeyId'
    assert f"      with placeholders for values that are known only at deployment: {place}\n" in shown


def test_a_placeholder_for_a_region_is_named_once(write: Write, emulator: Emulator) -> None:
    """A Region that is known only at deployment has one placeholder, which is named once."""
    file = write(Golden=own(Distributions=[ami("{{resolve:ssm:/region}}")]))
    shown = command("plan", file).stdout
    (line,) = [line for line in shown.splitlines() if "with placeholders" in line]
    assert line.count("Distributions[") == 1


def test_removed_resource_without_configuration(write: Write, emulator: Emulator) -> None:
    """A removed resource whose configuration no longer exists is neither retained nor deleted."""
    arguments = (
        "plan",
        write(Other=own(Name="other")),
        "--previous",
        write("old.yaml", Golden=own(), Other=own(Name="other")),
    )
    (line,) = [line for line in command(*arguments).stdout.splitlines() if "Golden" in line]
    assert line.endswith("images no longer exists, so nothing is deleted")


def test_placeholders_have_no_findings(write: Write, emulator: Emulator) -> None:
    """Findings about placeholders are omitted; those about values beside them are not."""
    accounts = [{"Fn::ImportValue": "team"}, "12345"]
    file = write(Golden=own(Distributions=[ami(TargetAccountIds=accounts)]))
    findings = planned(file, status=1)["Golden"]["findings"]
    assert [one["path"] for one in findings] == ["Distributions[0].AmiDistributionConfiguration.TargetAccountIds[1]"]


@pytest.mark.parametrize(
    "properties",
    [
        own(Name={"Fn::ImportValue": "name"}),
        own(Name={"Fn::Sub": "${AWS::StackName}-images"}),
        own(Name="{{resolve:ssm:/images/name}}"),
        own(Distributions=[{"Region": "us-east-1", "AmiDistributionConfiguration": {"Fn::ImportValue": "ami"}}]),
    ],
)
def test_unknown(write: Write, emulator: Emulator, properties: dict[str, Any]) -> None:
    """If a name or structure is known only at deployment, the configuration cannot be planned, with the reason."""
    change = planned(write(Golden=properties), status=3)["Golden"]
    assert change["action"] == "unknown"
    assert "known only at deployment" in change["reason"]


def test_unknown_before(write: Write, emulator: Emulator) -> None:
    """A removed configuration whose name was known only at deployment cannot be planned."""
    unknown = own(Name={"Fn::ImportValue": "name"})
    old = write("old.yaml", Stays=unknown, Renamed=unknown, Gone=unknown, Waits=own(Tags={"A": {"Ref": "Gone"}}))
    changes = planned(write(Stays=unknown, Renamed=own(Name="renamed")), "--previous", old, status=3)
    assert {name: one["action"] for name, one in changes.items()} == {
        "Stays": "none",
        "Renamed": "unknown",
        "Gone": "unknown",
        "Waits": "unknown",
    }


def test_external_values_can_be_given(write: Write, emulator: Emulator) -> None:
    """With --import and --resolve, values have no placeholders, so their findings and differences count."""
    file = write(Golden=own(Name={"Fn::ImportValue": "name"}, Description="{{resolve:ssm:/text}}"))
    options = ("--import", "name=pictures", "--resolve", "ssm:/text=told")
    change = planned(file, *options, status=3)["Golden"]
    assert (change["action"], change["arn"]) == ("create", f"{ARN}pictures")
    assert ("Description", None, "told") in reported(change)
    assert all(one["known"] for one in change["differences"])
    assert planned(file, "--import", "name=a/b", status=1)["Golden"]["findings"]


def test_values_of_ssm_parameters_can_be_given(tmp_path: Path, resource: Resource) -> None:
    """With the values of its SSM parameters, an unchanged stack has no changes; without them, it may have."""
    export = {"RoleName": "vmimport", "DiskImageFormat": "VHD", "S3Bucket": "images"}
    resource.create(**own(Distributions=[{**ami(), "S3ExportConfiguration": export}]))
    by_reference = own(Distributions=[{**ami(), "S3ExportConfiguration": {**export, "S3Bucket": {"Ref": "Bucket"}}}])
    tree = {
        "Parameters": {"Bucket": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/images/bucket"}},
        "Resources": {"Golden": {"Type": RESOURCE_TYPE, "Properties": by_reference}},
    }
    file = tmp_path / "stack.json"
    file.write_text(json.dumps(tree), "utf-8")
    assert planned(file, "--resolve", "ssm:/images/bucket=images", status=0)["Golden"]["action"] == "none"
    changed = planned(file, "--resolve", "ssm:/images/bucket=other", status=3)["Golden"]
    assert [one["known"] for one in changed["differences"]] == [True]
    assert [one["known"] for one in planned(file, status=3)["Golden"]["differences"]] == [False]


def test_rules(tmp_path: Path, resource: Resource) -> None:
    """A plan evaluates the Rules of the new template, but not those of the deployed one."""
    resource.create(**own())
    tree = {"Resources": {"Golden": {"Type": RESOURCE_TYPE, "Properties": own()}}}
    new, old = tmp_path / "new.json", tmp_path / "old.json"
    rule = {"Assertions": [{"Assert": {"Fn::Equals": ["a", "b"]}, "AssertDescription": "a is b"}]}
    new.write_text(json.dumps(tree), "utf-8")
    old.write_text(json.dumps({**tree, "Rules": {"Same": rule}}), "utf-8")
    assert planned(new, "--previous", old, status=0)["Golden"]["action"] == "none"
    ended = command("plan", old)
    assert ended.status == 2
    assert "Rules.Same.Assertions[0]: the assertion is false: a is b" in ended.stderr


def test_resources_of_other_functions(write: Write, emulator: Emulator) -> None:
    """A custom resource with another function's properties is skipped, with a note."""
    generic = "AWS::CloudFormation::CustomResource"
    other = {"Type": generic, "Properties": {"ServiceToken": TOKEN, "Bucket": "b"}}
    file = write(Golden={"Type": generic, "Properties": own(Tags={"Bucket": {"Ref": "Other"}})}, Other=other)
    assert list(planned(file, status=3)) == ["Golden"]
    assert "note: Other is skipped: by its properties, it belongs to another function" in command("plan", file).stdout
    alone = command("plan", write(Other=other))
    assert alone.status == 2
    assert "nothing to plan; by its properties, Other belongs to another function" in alone.stderr


def test_stack_name(write: Write, emulator: Emulator) -> None:
    """--stack-name sets the stack's name."""
    file = write(Golden=own(Name={"Fn::Sub": "${AWS::StackName}-images"}))
    assert planned(file, "--stack-name", "prod", status=3)["Golden"]["arn"] == f"{ARN}prod-images"
    assert "assuming that the stack's name is 'stack'; to change it, use --stack-name" in command("plan", file).stdout


def test_reference_between_resources(write: Write, emulator: Emulator) -> None:
    """Ref of a planned resource gives its ARN; a resource that refers to a refused one cannot be planned."""
    second = own(Name="second", Tags={"First": {"Ref": "First"}})
    changes = planned(write(Second=second, First=own()), status=3)
    assert ('Tags["First"]', None, f"{ARN}images") in reported(changes["Second"])
    changes = planned(write(Second=second, First=own(Color="red")), status=1)
    assert changes["Second"]["action"] == "unknown"
    assert "First is not deployed yet" in changes["Second"]["reason"]


# what goes in and comes out


def test_document(write: Write, emulator: Emulator) -> None:
    """The JSON always has the same members."""
    emulator.seed(name="web", distributions=[], tags={"Team": "a"})
    ended = command("plan", write(Web=adopt(Distributions=[], Description="x")), "--output", "json")
    (resource,) = json.loads(ended.stdout)["resources"]
    (warning,) = resource.pop("findings")
    assert json.loads(ended.stdout) | {"resources": []} == {
        "region": "us-east-1",
        "account": "123456789012",
        "changes": True,
        "drift": False,
        "notes": [],
        "resources": [],
        "configurations": [],
    }
    assert (set(warning), warning["path"]) == ({"severity", "rule", "path", "message"}, "Distributions")
    assert resource == {
        "logicalId": "Web",
        "action": "update",
        "arn": f"{ARN}web",
        "reason": "",
        "warnings": [],
        "differences": [{"path": "Description", "old": None, "new": "x", "known": True, "owners": None}],
        "replaced": None,
    }


def test_text_output(write: Write, resource: Resource) -> None:
    """The text has the findings, then each resource with its differences, then the number of changes by action."""
    resource.create(**own(Description="old"))
    bad = own(Name="bad", Distributions=[{"Region": "us-east-1"}])
    ended = command("plan", write(Bad=bad, Golden=own(Description="new"), New=own(Name="new")))
    lines = ended.stdout.splitlines()
    assert lines[0].startswith("error: Bad: Distributions[0]: ")
    assert f"~ Golden: {ARN}images is changed" in lines
    assert '      ~ Description: "old" -> "new"' in lines
    assert lines[-1] == "Plan: 1 create, 1 update, 1 refused."
    assert ended.stderr == "Reading Image Builder in us-east-1, account 123456789012 ...\n"


def test_ownership_tags_alone(write: Write, resource: Resource) -> None:
    """A change without a difference has its reason; the summary counts what is unchanged."""
    resource.create(**own())
    adopting = {**own(), "DistributionConfigurationArn": f"{ARN}images"}
    del adopting["Name"]
    lines = command("plan", write(Golden=adopting)).stdout.splitlines()
    assert lines[0] == f"~ Golden: {ARN}images is changed: only its ownership tags change"
    assert command("plan", write(Golden=own())).stdout.splitlines()[-1] == "Plan: 1 unchanged."


def test_property_file(tmp_path: Path, resource: Resource) -> None:
    """A file with only properties is planned for whichever resource owns the configuration."""
    resource.create(**own())
    file = tmp_path / "properties.json"
    file.write_text(json.dumps({"name": "images", "description": "new", "distributions": [ami()]}), "utf-8")
    assert reported(planned(file, status=3)["Properties"]) == [("Description", None, "new")]


def test_standard_input_and_parameters(emulator: Emulator) -> None:
    """`-` reads the template from standard input, and --parameter sets its parameters."""
    text = (EXAMPLES / "golden-image.yaml").read_text("utf-8")
    ended = command("plan", "-", "-p", "Stage=development", stdin=text)
    assert f"{ARN}golden-image-development is created" in ended.stdout
    assert ended.status == 3


def test_chosen_resource(write: Write, emulator: Emulator) -> None:
    """--resource omits all other resources, and they do not affect the exit status."""
    file = write(Good=own(), Bad=own(Color="red"))
    assert list(planned(file, "--resource", "Good", status=3)) == ["Good"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a: b", (), "has no Resources section"),
        ("Resources: {A: {Type: AWS::S3::Bucket}}", (), "so there is nothing to plan"),
        (f"Resources: {{A: {{Type: {RESOURCE_TYPE[:-1]}}}}}", (), f"it should be {RESOURCE_TYPE}"),
        (
            f"Resources: {{A: {{Type: {RESOURCE_TYPE}, Properties: {{Name: !Ref B}}}}}}",
            (),
            "there is no resource or parameter B",
        ),
        (f"Resources: {{A: {{Type: {RESOURCE_TYPE}}}}}", (), "ServiceToken is required"),
        ("Name: a", ("-p", "A=b"), "no template declares the parameter A"),
        ("Name: a", ("--resource", "Golden"), "no such resource: Golden; choose from Properties"),
        ("Name: a", ("--endpoint-url", "localhost"), "must have the form http://HOST:PORT"),
        ("Name: a", ("--account", "1"), "12 digits"),
        ("Name: a", ("--profile", "nobody"), "nobody"),
        ("Name: [", (), "is not YAML: line 1"),
        ("Name: a\nDistributions: [null]", (), "Error: stack.yaml: Distributions[0]: null values are not allowed"),
        ("Name: a\nDescription: !Ref B", (), "Error: stack.yaml: Description.Ref: there is no resource or parameter B"),
        (
            "Name: !Transform {Name: M}",
            (),
            "Error: stack.yaml: Name: Fn::Transform is not supported here",
        ),
    ],
)
def test_user_errors(tmp_path: Path, emulator: Emulator, text: str, options: tuple[str, ...], message: str) -> None:
    """A mistake of the user ends with status 2 and a message on standard error."""
    file = tmp_path / "stack.yaml"
    file.write_text(text, "utf-8")
    ended = command("plan", file, *options)
    assert (ended.status, ended.stdout) == (2, "")
    assert message in " ".join(ended.stderr.split())


def test_service_that_cannot_be_read(write: Write, emulator: Emulator) -> None:
    """If the live state cannot be read, the status is 2, and the message has the service's error."""
    emulator.fail_with("GetDistributionConfiguration", "AccessDeniedException", 403, "You shall not read.")
    ended = command("plan", write(Golden=own()))
    assert (ended.status, ended.stdout) == (2, "")
    assert "AccessDeniedException" in ended.stderr
    assert "You shall not read" in ended.stderr


# whose it is


@pytest.fixture
def identities() -> Iterator[tuple[str, list[str]]]:
    """An STS endpoint that returns an identity: its URL, and the access keys of its requests."""
    asked: list[str] = []

    class Sts(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
            answer = b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>210987654321</Account>"
            answer += b"</GetCallerIdentityResult></GetCallerIdentityResponse>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Sts) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_account_and_profile(write: Write, tmp_path: Path, identities: tuple[str, list[str]]) -> None:
    """The account is that of the credentials, and --profile overrides keys in the environment."""
    url, asked = identities
    config = tmp_path / "config"
    with Emulator("eu-west-1", "210987654321") as emulator:
        emulator.seed(name="images", distributions=[])
        # An endpoint in the profile is the service's own as far as anybody can see: STS is asked.
        config.write_text(
            "[profile sandbox]\nregion = eu-west-1\naws_access_key_id = SANDBOX\naws_secret_access_key = secret\n"
            f"services = here\n[services here]\nimagebuilder =\n  endpoint_url = {emulator.url}\n"
        )
        environment = {"AWS_CONFIG_FILE": str(config), "AWS_ENDPOINT_URL_STS": url, "AWS_ACCESS_KEY_ID": "OTHER"}
        ended = process("plan", write(Golden=own()), "--profile", "sandbox", AWS_SECRET_ACCESS_KEY="x", **environment)
        assert [one.parameters for one in emulator.requests] == [
            {"distributionConfigurationArn": ARN.replace("us-east-1:123456789012", "eu-west-1:210987654321") + "images"}
        ]
    assert ended.status == 3, ended.stderr
    assert "in eu-west-1, account 210987654321 ..." in ended.stderr
    assert asked == ["SANDBOX"]


def test_credential_process_runs_once(write: Write, tmp_path: Path, identities: tuple[str, list[str]]) -> None:
    """A credential process runs once, although both the account and the configurations are read."""
    url, asked = identities
    runs, program, config = tmp_path / "runs", tmp_path / "program.py", tmp_path / "config"
    credentials = {"Version": 1, "AccessKeyId": "PROGRAM", "SecretAccessKey": "secret"}
    program.write_text(f"open({str(runs)!r}, 'a').write('run ')\nprint({json.dumps(credentials)!r})\n")
    with Emulator("us-east-1", "210987654321") as emulator:
        config.write_text(
            f"[default]\nregion = us-east-1\ncredential_process = {sys.executable} {program}\nservices = here\n"
            f"[services here]\nimagebuilder =\n  endpoint_url = {emulator.url}\n"
        )
        environment = {"AWS_CONFIG_FILE": str(config), "AWS_ENDPOINT_URL_STS": url}
        ended = process("plan", write(Golden=own()), AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "none"), **environment)
    assert ended.status == 3, ended.stderr
    assert (asked, runs.read_text()) == (["PROGRAM"], "run ")


def test_unknown_account(write: Write, tmp_path: Path) -> None:
    """If STS does not respond, the message says how to specify the account."""
    environment = {"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "x", "AWS_REGION": "us-east-1"}
    ended = process("plan", write(Golden=own()), AWS_SECRET_ACCESS_KEY="x", **environment)
    assert ended.status == 2
    assert "use --account ID" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_endpoint_of_another_account(write: Write, emulator: Emulator) -> None:
    """At a custom endpoint, a configuration is found in the list whatever its account is."""
    with Emulator("us-east-1", "210987654321") as elsewhere:
        arn = elsewhere.seed(name="images", distributions=[])
        change = planned(write(Golden=own()), "--endpoint-url", elsewhere.url, status=3)["Golden"]
    assert arn in change["reason"]
    assert emulator.requests == []


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            {"Fn::GetAtt": "Golden.ARN"},
            "Outputs.Wrong.Value.Fn::GetAtt: Golden has no attribute ARN; did you mean Arn?",
        ),
        ({"Fn::Sub": "${Golden.region}"}, "Outputs.Wrong.Value.Fn::Sub: Golden has no attribute region; did you"),
        (
            {"Fn::Select": [5, {"Fn::Split": [",", {"Fn::GetAtt": "Golden.Regions"}]}]},
            "Outputs.Wrong.Value.Fn::Select: cannot select value 5 of 1",
        ),
    ],
    ids=["GetAtt", "Sub", "Select"],
)
def test_outputs_are_evaluated(write: Write, emulator: Emulator, call: dict[str, Any], message: str) -> None:
    """An output that CloudFormation would reject is an error in the template, whatever is planned."""
    later = {"Fn::Select": [1, {"Fn::Split": ["-", {"Fn::GetAtt": "Golden.RequestId"}]}]}
    assert command("plan", with_outputs(write(Golden=own()), Later=later)).status == 3
    ended = command("plan", with_outputs(write(Golden=own()), Later=later, Wrong=call))
    assert ended.status == 2
    assert message in ended.stderr


def test_attribute_that_is_known_only_at_deployment(write: Write, emulator: Emulator) -> None:
    """A resource that uses an attribute of another's future update cannot be planned."""
    second = own(Name="second", Description={"Fn::GetAtt": ["Golden", "RequestId"]})
    changes = planned(write(Golden=own(), Second=second), status=3)
    assert changes["Second"]["action"] == "unknown"
    assert "known only at deployment" in changes["Second"]["reason"]


def test_placeholders_are_valid(write: Write, emulator: Emulator) -> None:
    """A placeholder is valid for its property, and is still marked."""
    permission = {"UserIds": ["{{resolve:ssm:/accounts/prod}}"]}
    export = {"RoleName": "vmimport", "DiskImageFormat": "{{resolve:ssm:/format}}", "S3Bucket": "archive"}
    entry = {**ami(LaunchPermission=permission), "S3ExportConfiguration": export}
    (change,) = planned(write(Golden=own(Distributions=[entry])), status=3).values()
    assert (change["action"], change["findings"]) == ("create", [])
    (distributions,) = (one for one in change["differences"] if one["path"].startswith("Distributions"))
    ((account,),) = (one["AmiDistributionConfiguration"]["LaunchPermission"]["UserIds"] for one in distributions["new"])
    assert re.fullmatch("[0-9]{12}", account)
    assert not distributions["known"]
    shown = command("plan", write(Golden=own(Distributions=[entry]))).stdout
    assert f"{{{{resolve:ssm:/accounts/prod}}}} is assumed to be '{account}'" in shown
    assert "S3ExportConfiguration.DiskImageFormat" in shown.partition("with placeholders")[2]


def test_creation_may_be_a_replacement(write: Write, emulator: Emulator) -> None:
    """For a creation, a note says which option shows replacements; with --previous there is no such note."""
    file = write(Golden=own())
    assert "another one is unknown without --stack-name NAME or --previous FILE" in command("plan", file).stdout
    named = command("plan", file, "--stack-name", "images").stdout
    assert "an adopted one is unknown without --previous FILE; no configuration has the ownership tags of" in named
    assert "--previous" not in command("plan", file, "--previous", write("old.yaml", Golden=own(Name="old"))).stdout


def test_unused_values(write: Write, emulator: Emulator) -> None:
    """A note names the values of --import and --resolve that are not used, and no others."""
    waits = own(Name="waits", Description={"Fn::Sub": "${Refused}: {{resolve:ssm:/later}}"})
    golden = own(Name={"Fn::ImportValue": "name"}, Description="{{resolve:ssm:/text}}")
    file = write(Golden=golden, Refused=own(Name="a/b"), Waits=waits)
    references = ("--resolve", "ssm:/text=c", "--resolve", "ssm:text=d", "--resolve", "ssm:/later=e")
    options = ("--import", "name=a", "--import", "nmae=b", *references)
    notes = [line for line in command("plan", file, *options).stdout.splitlines() if "has no effect" in line]
    assert notes == [
        "note: --import nmae has no effect: the templates have no such export",
        "note: --resolve ssm:text has no effect: the templates have no such dynamic reference or account source",
    ]
