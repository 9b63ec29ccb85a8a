"""`convert` to native resources: the properties that they have or lack, and the text that is unchanged."""

import difflib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provider.authoring.native import NativeMembers, native_name
from provider.cli.convert.document import Document
from provider.cli.convert.to_native import to_native
from provider.cli.native_schema import native_members, native_schema
from provider.resources import resource_type
from provider.schema.flatten import flatten
from provider.schema.model import NAME, TARGET, Schema
from provider.template.reader import read
from tests.cli.commands import EXAMPLES, ROOT, Ended, command
from tests.schema.given import PARAMETERS

OURS, NATIVE = "Custom::ImageBuilderDistributionConfiguration", "AWS::ImageBuilder::DistributionConfiguration"
TOKEN = "!ImportValue image-builder-distribution-provider-ServiceToken"


def converted(text: str, tmp_path: Path, *options: str) -> Ended:
    file = tmp_path / "template.yaml"
    file.write_text(text)
    return command("convert", file, *options)


def changes(before: str, after: str) -> list[str]:
    """The removed and added lines, without their indentation."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[:2] + line[2:].strip() for line in lines if line[:1] in "+-"]


def test_lacking_properties_are_reported(tmp_path: Path) -> None:
    """--to native removes the properties that the native resource lacks, reports each, and keeps everything else."""
    file = EXAMPLES / "golden-image-exported.yaml"
    ended = command("convert", file, "--to", "native")
    assert ended.status == 1
    assert changes(file.read_text(), ended.stdout)[:4] == [
        f"- Type: {OURS}",
        f"+ Type: {NATIVE}",
        f"- ServiceToken: {TOKEN}",
        "- ServiceTimeout: 900",
    ]
    assert "S3ExportConfiguration" not in ended.stdout
    assert ":50:11: not converted: omitted: the native resource lacks S3ExportConfiguration" in ended.stderr
    assert ":71:12: not converted: the native resource has no attribute Regions, only Arn" in ended.stderr


OF_OURS = f"""\
Resources:
  Dist:
    Type: {OURS}
    Properties:
      ServiceToken: {TOKEN}
      # what it is called
      name: x y
      OnDelete: Retain   # keep it
      distributions:
        - s3ExportConfiguration:
            roleName: vmimport
            diskImageFormat: RAW
            s3Bucket: b
          # here
          region: us-east-1
          amiDistributionConfiguration: !If [A, {{launchPermission: {{userIds: !Ref Ids}}}}, {{}}]
Outputs:
  Arn: {{Value: !GetAtt Dist.DistributionConfigurationArn}}
  Also: {{Value: !Sub "${{Dist.DistributionConfigurationArn}}"}}
"""


def test_names_and_policies_become_native(tmp_path: Path) -> None:
    """Names become those of the native schema, OnDelete becomes policies, and the ARN attributes become Arn."""
    ended = converted(OF_OURS, tmp_path, "--to", "native")
    assert (
        ended.stdout
        == f"""\
Resources:
  Dist:
    Type: {NATIVE}
    DeletionPolicy: Retain
    UpdateReplacePolicy: Retain
    Properties:
      # what it is called
      Name: x y
      Distributions:
        -{" "}
          # here
          Region: us-east-1
          AmiDistributionConfiguration: !If [A, {{LaunchPermissionConfiguration: {{UserIds: !Ref Ids}}}}, {{}}]
Outputs:
  Arn: {{Value: !GetAtt Dist.Arn}}
  Also: {{Value: !Sub "${{Dist.Arn}}"}}
"""
    )


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("name: x y", "distributionConfigurationArn: !Ref Arn", "7:7: not converted: the native resource cannot adopt"),
        ("OnDelete: Retain", "OnDelete: !Ref Keep", "8:7: not converted: a DeletionPolicy, which replaces"),
        ("name: x y", "name: x y\n      foo: bar", "8:7: not converted: foo is unknown and unchanged"),
        ("Dist.DistributionConfigurationArn}}", "Dist.Name}}", "19:17: not converted: the native resource has no"),
    ],
    ids=["adopted", "policy worked out", "unknown", "attribute"],
)
def test_losses_are_reported(old: str, new: str, lost: str, tmp_path: Path) -> None:
    """Anything without a native counterpart is reported with its position, and the status is 1."""
    ended = converted(OF_OURS.replace(old.replace("}}", "}"), new.replace("}}", "}")), tmp_path, "--to", "native")
    assert ended.status == 1
    assert f"template.yaml:{lost}" in ended.stderr


ADOPTING = """\
Resources:
  Dist:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: !ImportValue t
      DistributionConfigurationArn: %s
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration: {}
"""
HERE = "arn:${AWS::Partition}:imagebuilder:${AWS::Region}:${AWS::AccountId}:distribution-configuration/web-images"


@pytest.mark.parametrize(
    "arn",
    [
        f"!Sub {HERE}",
        f"!Sub\n        {HERE}",
        f"{{'Fn::Sub': '{HERE}'}}",
        "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/web-images",
        "'arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/web-images'  # live",
    ],
)
def test_an_adopting_resource_gets_the_name_in_its_arn(arn: str, tmp_path: Path) -> None:
    """For a resource that adopts, convert describes how to go back to native, and takes the Name from the ARN."""
    ended = converted(ADOPTING % arn, tmp_path, "--to", "native")
    assert ended.status == 1
    assert "To go back to native: 1. Remove Dist from the stack." in ended.stderr
    assert "set Name to the exact name" in ended.stderr
    assert "docs/migrating.md#migrating-back" in ended.stderr
    assert "error" not in ended.stderr
    resource = read(ended.stdout.encode()).tree["Resources"]["Dist"]
    assert list(resource["Properties"]) == ["Name", "Distributions"]
    assert resource["Properties"]["Name"] == "web-images"
    assert resource["DeletionPolicy"] == "Retain"


@pytest.mark.parametrize("arn", ["!Ref Arn", "!Sub '${Base}/web'", "!Sub ['${A}', {A: x}]", "!GetAtt Other.Arn"])
def test_an_unknown_arn_has_no_name(arn: str, tmp_path: Path) -> None:
    """If the text does not show the ARN, the Name is left to the user."""
    ended = converted(ADOPTING % arn, tmp_path, "--to", "native")
    assert ended.status == 1
    assert "To go back to native" in ended.stderr
    assert list(read(ended.stdout.encode()).tree["Resources"]["Dist"]["Properties"]) == ["Distributions"]


def test_an_adopting_resource_in_json(tmp_path: Path) -> None:
    """In JSON, the name from the ARN is a JSON string."""
    properties = {"ServiceToken": "t", "DistributionConfigurationArn": {"Fn::Sub": HERE}, "Distributions": []}
    text = json.dumps({"Resources": {"Dist": {"Type": OURS, "Properties": properties}}}, indent=2)
    ended = converted(text, tmp_path, "--to", "native")
    assert json.loads(ended.stdout)["Resources"]["Dist"]["Properties"] == {"Name": "web-images", "Distributions": []}


def test_a_contribution(tmp_path: Path) -> None:
    """A contribution is left unchanged, and reported: a native resource has none."""
    part = {"Type": "Custom::ImageBuilderDistributionContribution", "Properties": {"ServiceToken": "t"}}
    own = {"Type": OURS, "Properties": {"ServiceToken": "t", "Name": "golden", "Distributions": []}}
    ended = converted(json.dumps({"Resources": {"Golden": own, "Part": part}}), tmp_path, "--to", "native")
    assert json.loads(ended.stdout)["Resources"]["Part"] == part
    assert "Part is unchanged: nobody can contribute to a native resource" in ended.stderr


SOURCES = [
    file
    for folder, names in ((ROOT / "examples", "*/*.yaml"), (ROOT / "tests" / "lint" / "corpus", "good-*.yaml"))
    for file in sorted(folder.glob(names))
    if f"Type: {OURS}" in file.read_text()
]


@pytest.mark.parametrize("file", SOURCES, ids=lambda path: path.stem)
def test_round_trip(file: Path, tmp_path: Path) -> None:
    """Other resources, sections, and comments are unchanged by a conversion, and converting back restores the type."""
    native = command("convert", file, "--to", "native")
    before, after = (read(text.encode()).tree for text in (file.read_text(), native.stdout))
    ours = [name for name, one in before["Resources"].items() if one.get("Type") == OURS]
    others = [name for name in before["Resources"] if name not in ours]
    assert [after["Resources"][name] for name in others] == [before["Resources"][name] for name in others]
    assert [after.get(section) for section in ("Parameters", "Conditions", "Mappings", "Transform")] == [
        before.get(section) for section in ("Parameters", "Conditions", "Mappings", "Transform")
    ]
    assert {after["Resources"][name]["Type"] for name in ours} == {NATIVE}
    comments = [line.strip() for line in file.read_text().splitlines() if line.strip().startswith("#")]
    assert [text for text in comments if text not in native.stdout] == []
    back = read(converted(native.stdout, tmp_path).stdout.encode()).tree["Resources"]
    assert all(back[name]["Type"] == OURS and back[name]["Properties"]["ServiceTimeout"] == 900 for name in ours)


def test_duplicate_names_are_kept(tmp_path: Path) -> None:
    """Two spellings of one property are kept and reported, because with native names one would hide the other."""
    text = f"""\
A:
  Type: {OURS}
  Properties:
    Name: golden
    Distributions:
    - region: us-east-1
      AmiDistributionConfiguration: {{Name: "golden {{{{ imagebuilder:buildDate }}}}"}}
      Region: us-west-2
"""
    ended = converted(text, tmp_path, "--to", "native")
    assert (ended.status, ended.stdout) == (1, text.replace(OURS, NATIVE))
    twice = "not converted: Region is specified twice and unchanged; remove one"
    assert f"template.yaml:6:7: {twice}" in ended.stderr
    assert f"template.yaml:8:7: {twice}" in ended.stderr


def test_errors_in_the_result_are_reported(tmp_path: Path) -> None:
    """Errors in the properties are reported with their position in the result, and the status is 1."""
    text = f"""\
A:
  Type: {OURS}
  Properties:
    ServiceToken: t
    Name: golden
    Distributions:
      Region: us-east-1
B:
  Type: {OURS}
  Properties:
    ServiceToken: t
    Name: golden
    Distributions:
    - Region: us-east-1
      AmiDistributionConfiguration: {{Name: golden}}
"""
    ended = converted(text, tmp_path, "--to", "native")
    assert ended.status == 1
    assert "the result:5:5: error E9202: Distributions: must be a list, not a mapping" in ended.stderr
    assert "the result:13:38: error E9307: Distributions[0].AmiDistributionConfiguration.Name: must" in ended.stderr


NATIVE_MEMBERS = native_members(native_schema())


def natively(value: Any, part: Schema, native: NativeMembers) -> Any:
    """The parameters, by the API's names, without those that the native resource lacks."""
    if part.type_name == "list" and part.item is not None:
        return [natively(entry, part.item, native) for entry in value]
    if part.type_name != "structure":
        return value
    names = {member: native_name(part, member, native) for member in value}
    return {name: natively(value[m], part.members[m], native[name]) for m, name in names.items() if name}


@settings(deadline=None, max_examples=50)
@given(PARAMETERS, st.sampled_from([False, True, None]), st.sampled_from([2, 4]))
def test_any_layout_is_converted(parameters: dict[str, Any], flow: bool | None, indent: int) -> None:
    """In any layout (blocks, braces, or both), the edited text has the converted values."""
    ours = {"Type": OURS, "Properties": {"ServiceToken": "t", **flatten(parameters, resource_type().schema)}}
    text = yaml.safe_dump({"Resources": {"A": ours}}, default_flow_style=flow, indent=indent, sort_keys=False)
    # In braces from the first line on, it would be JSON.
    document = Document.of(f"---\n{text}".encode())
    to_native(document)
    output = read(document.result().encode()).tree["Resources"]["A"]
    wanted = {name: value for name, value in parameters.items() if name not in ("onDelete", TARGET)}
    in_arn = re.fullmatch("arn:.*/([a-z0-9-]+)", parameters.get(TARGET, ""))
    if in_arn:
        wanted.setdefault(NAME, in_arn[1])
    assert output["Properties"] == natively(wanted, resource_type().schema, NATIVE_MEMBERS)
    assert output["Type"] == NATIVE
    assert any("S3ExportConfiguration" in note.text for note in document.notes) == any(
        "s3ExportConfiguration" in one for one in parameters["distributions"]
    )


OF_THE_TYPE_THAT_ANY_FUNCTION_MAY_HAVE = f"""\
A:
  Type: {OURS}
  Properties: {{ServiceToken: t, Name: a, Distributions: [{{Region: us-east-1}}]}}
B:
  Type: AWS::CloudFormation::CustomResource
  Properties: {{ServiceToken: t, Name: b, Distributions: [{{Region: us-east-1}}]}}
C:
  Type: AWS::CloudFormation::CustomResource
  Properties: {{ServiceToken: t, Bucket: c}}
"""


def test_custom_resources_are_recognized_by_their_properties(tmp_path: Path) -> None:
    """AWS::CloudFormation::CustomResource is converted if it has this provider's properties; others are unchanged."""
    template = OF_THE_TYPE_THAT_ANY_FUNCTION_MAY_HAVE
    for text in (template, "Resources:\n  " + template.strip().replace("\n", "\n  ") + "\n"):
        tree = yaml.safe_load(converted(text, tmp_path, "--to", "native").stdout)
        kinds = [one["Type"] for one in tree.get("Resources", tree).values()]
        assert kinds == [NATIVE, NATIVE, "AWS::CloudFormation::CustomResource"]
        assert '"name": "b"' in converted(text, tmp_path, "--to", "cli", "--resource", "B").stdout
        assert "there is no C; there are A, B" in converted(text, tmp_path, "--to", "cli", "--resource", "C").stderr
    alone = template.partition("B:\n")[2].partition("C:\n")[0].replace("\n  ", "\n").strip()
    assert '"name": "b"' in converted(alone, tmp_path, "--to", "cli").stdout
    foreign = converted("C:\n" + template.partition("C:\n")[2], tmp_path, "--to", "native")
    assert foreign.status == 2
    assert "nor AWS::CloudFormation::CustomResource resources with this provider's properties" in foreign.stderr


PLACED = f"""\
Resources:
  Dist:
    Type: {OURS}
    Properties:
      ServiceToken: {TOKEN}
      Name: golden
      PLACE
      Distributions: [{{Region: us-east-1, AmiDistributionConfiguration: {{Name: "{{{{ imagebuilder:buildDate }}}}"}}}}]
"""


def test_another_location(tmp_path: Path) -> None:
    """A native resource is in the Region and account of its stack, so convert names the stack that it needs."""
    place = "Region: eu-west-1\n      RoleArn: arn:aws:iam::210987654321:role/images"
    ended = converted(PLACED.replace("PLACE", place), tmp_path, "--to", "native")
    assert ended.status == 1
    assert not {"Region", "RoleArn"} & yaml.safe_load(ended.stdout)["Resources"]["Dist"]["Properties"].keys()
    assert "is in the Region of its stack. Put Dist into a stack in eu-west-1" in ended.stderr
    assert "is in the account of its stack. Put Dist into a stack in account 210987654321" in ended.stderr


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("Region: !Ref AWS::Region", ""),
        ("Region: !Ref Place", "Put Dist into a stack in that Region"),
        ("RoleArn: !Ref Role", "Put Dist into a stack in the account of this role"),
    ],
    ids=["own Region", "Region", "role"],
)
def test_a_location_from_a_reference(tmp_path: Path, place: str, message: str) -> None:
    """The stack's own Region needs no other stack; another reference does."""
    ended = converted(PLACED.replace("PLACE", place), tmp_path, "--to", "native")
    assert ended.status == bool(message)
    assert message in ended.stderr
    assert ("into a stack in" in ended.stderr) is bool(message)
