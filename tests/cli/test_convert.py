"""`convert` from native resources to this provider's: the changes, and the text that is unchanged."""

import difflib
import json
from pathlib import Path
from typing import Any

import pytest

from provider.template.reader import read
from tests.cli.commands import Ended, command

OURS, NATIVE = "Custom::ImageBuilderDistributionConfiguration", "AWS::ImageBuilder::DistributionConfiguration"
TOKEN = "!ImportValue image-builder-distribution-provider-ServiceToken"
WRITTEN_BY_HAND = """\
AWSTemplateFormatVersion: 2010-09-09
Conditions: {Prod: !Equals [ !Ref Stage, prod ]}
Resources:
    # Where the images go.
    Dist:
        Type:   'AWS::ImageBuilder::DistributionConfiguration'   # native
        DeletionPolicy: Retain
        Properties:   # all of them
            # As in the console
            Name: "Web Images"

            Distributions:
            -   Region: us-east-1
                AmiDistributionConfiguration: { Name: "x {{ imagebuilder:buildDate }}", Description: "it's #1" }
            - Region:
                !Ref   AWS::Region
              AmiDistributionConfiguration: !If [Prod, {LaunchPermissionConfiguration: {UserIds: ['123456789012']}}, {}]
    Pipeline:
        Type: AWS::ImageBuilder::ImagePipeline
        DependsOn: [Dist, Other]
        Properties:
            Name: !Sub 'p-${Dist}-${Dist.Arn}-${!Dist}-${Distance}'
            DistributionConfigurationArn: !Ref Dist
            Other: !GetAtt 'Dist.Arn'
            Long: {"Fn::GetAtt": [Dist, Arn]}
            Shadowed: !Sub ["${Dist}", {Dist: x}]
            Text: Dist
Outputs:
    Arn: {Value: {"Ref": "Dist"}}
"""


def converted(text: str, tmp_path: Path, *options: str, name: str = "template.yaml") -> Ended:
    file = tmp_path / name
    file.write_bytes(text.encode())
    return command("convert", file, *options)


def changes(before: str, after: str) -> list[str]:
    """The removed and added lines, without their indentation."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return [line[:2] + line[2:].strip() for line in lines if line[:1] in "+-"]


def test_a_native_resource_becomes_ours_and_nothing_else_changes(tmp_path: Path) -> None:
    """Only the type changes, and two properties are added; comments, quotes, and layout are unchanged."""
    ended = converted(WRITTEN_BY_HAND, tmp_path)
    assert ended.status == 0
    assert changes(WRITTEN_BY_HAND, ended.stdout) == [
        "- Type:   'AWS::ImageBuilder::DistributionConfiguration'   # native",
        "+ Type:   'Custom::ImageBuilderDistributionConfiguration'   # native",
        f"+ ServiceToken: {TOKEN}",
        "+ ServiceTimeout: 900",
    ]
    assert "template.yaml:6:17: Dist creates and owns a configuration of its Name" in ended.stderr
    assert "use --adopt" in ended.stderr


def test_adopting_takes_another_logical_id(tmp_path: Path) -> None:
    """--adopt replaces the name by the ARN, and the logical ID everywhere in the template."""
    ended = converted(WRITTEN_BY_HAND, tmp_path, "--adopt")
    assert ended.status == 0
    arn = "arn:${AWS::Partition}:imagebuilder:${AWS::Region}:${AWS::AccountId}:distribution-configuration/web-images"
    expected = WRITTEN_BY_HAND.replace("    Dist:\n", "    DistAdopted:\n").replace(NATIVE, OURS)
    expected = expected.replace('            Name: "Web Images"\n', "").replace("[Dist, Other]", "[DistAdopted, Other]")
    expected = expected.replace("-${Dist}-${Dist.Arn}-", "-${DistAdopted}-${DistAdopted.Arn}-")
    expected = expected.replace("!Ref Dist\n", "!Ref DistAdopted\n").replace("'Dist.Arn'", "'DistAdopted.Arn'")
    expected = expected.replace("[Dist, Arn]", "[DistAdopted, Arn]").replace('"Ref": "Dist"', '"Ref": "DistAdopted"')
    ours = f"ServiceToken: {TOKEN}|ServiceTimeout: 900|DistributionConfigurationArn: !Sub {arn}|".replace(
        "|", "\n            "
    )
    assert ended.stdout == expected.replace("            # As in", f"            {ours}# As in")


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "DeletionPolicy: Retain",
            "DeletionPolicy: Delete",
            "it has no DeletionPolicy: Retain. Add it and deploy that",
        ),
        ('Name: "Web Images"', "Name: !Sub web-${Stage}", "its Name is not plain text"),
        ('Name: "Web Images"', "Description: x", "its Name is not plain text"),
        ('Name: "Web Images"', "Name: '{{resolve:ssm:/Prod/Image_Name}}'", "its Name is a dynamic reference"),
        ('Name: "Web Images"', "Name: web-{{resolve:ssm:/Stage:1}}", "its Name is a dynamic reference"),
        ('Name: "Web Images"', "Name: web-${AWS::StackName}", "'web-${AWS::StackName}' is not a valid Name"),
        ('Name: "Web Images"', "Name: 01234567", "its Name, 01234567, is not text in YAML; put it in quotes"),
    ],
    ids=["not retained", "function", "no name", "dynamic", "partly dynamic", "invalid", "octal"],
)
def test_adopting_requires_a_retained_and_named_configuration(old: str, new: str, why: str, tmp_path: Path) -> None:
    """A native resource is unchanged if CloudFormation would delete its configuration, or if its name is unknown."""
    text = WRITTEN_BY_HAND.replace(old, new)
    ended = converted(text, tmp_path, "--adopt")
    assert (ended.status, ended.stdout) == (1, text)
    assert f"template.yaml:6:17: not converted: Dist is unchanged: {why}" in ended.stderr


def test_adopting_renames_only_references_of_cloudformation(tmp_path: Path) -> None:
    """A key DependsOn within properties, such as that of a container, does not refer to resources."""
    task = """\
    Task:
        Type: AWS::ECS::TaskDefinition
        DependsOn: Dist
        Properties:
            ContainerDefinitions:
            - {Name: Dist, Image: "dist:1"}
            - {Name: proxy, DependsOn: [{ContainerName: Dist, Condition: START}]}
Outputs:
"""
    text = WRITTEN_BY_HAND.replace("Outputs:\n", task)
    ended = converted(text, tmp_path, "--adopt")
    assert ended.status == 0
    assert "        DependsOn: DistAdopted\n" in ended.stdout
    assert "{Name: proxy, DependsOn: [{ContainerName: Dist, Condition: START}]}" in ended.stdout


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("        DeletionPolicy: Retain", "        Tags: {Team: web}", "error E3001: Dist.Tags: unknown key"),
        (
            "        DeletionPolicy: Retain",
            "        DependsOn: Web",
            "error E3005: Dist.DependsOn: there is no",
        ),
    ],
)
def test_the_result_passes_validate(old: str, new: str, message: str, tmp_path: Path) -> None:
    """If `validate` rejects the result, convert reports the same errors and ends with status 1."""
    ended = converted(WRITTEN_BY_HAND.replace(old, new), tmp_path)
    assert ended.status == 1
    assert message in ended.stderr
    result = tmp_path / "result.yaml"
    result.write_text(ended.stdout)
    validated = command("validate", result)
    assert validated.status == 1
    assert message.partition(": ")[2] in validated.stdout


@pytest.mark.parametrize(
    ("properties", "key"),
    [
        ("Name: web, 'Fn::Transform': {Name: AWS::Include}", "Fn::Transform"),
        ("Name: web, Distributions: [{'Fn::Transform': {Name: AWS::Include}}]", "Fn::Transform"),
        ("Name: web, Distributions: !Transform {Name: AWS::Include}", "Fn::Transform"),
        ("Name: web, Distributions: {'Fn::ForEach::R': [R, [a], {'${R}': b}]}", "Fn::ForEach::R"),
    ],
)
@pytest.mark.parametrize("target", ["ours", "native"])
def test_transforms_are_noted(properties: str, key: str, target: str, tmp_path: Path) -> None:
    """A transform or a loop in the properties is unchanged, with a note, in both directions."""
    token = "ServiceToken: !ImportValue t, " if target == "native" else ""
    type_ = NATIVE if target == "ours" else OURS
    resource = f"{{Type: '{type_}', Properties: {{{token}{properties}}}}}"
    text = f"Transform: AWS::LanguageExtensions\nResources:\n  A: {resource}\n"
    ended = converted(text, tmp_path, "--to", target)
    assert f"the properties that {key} " in ended.stderr
    assert "not converted" not in ended.stderr
    assert properties.partition(", ")[2] in ended.stdout


@pytest.mark.parametrize("options", [(), ("--adopt",), ("--to", "native"), ("--to", "cli")])
@pytest.mark.parametrize("name", ["main.tf", "main.tf.json", "state.json"])
def test_terraform(name: str, options: tuple[str, ...], tmp_path: Path) -> None:
    """For a file of Terraform, the error names the guide that describes the migration."""
    block = {"resource": {"aws_imagebuilder_distribution_configuration": {"web": {"name": "web"}}}}
    text = 'resource "aws_imagebuilder_distribution_configuration" "web" {\n  name = "web"\n}\n'
    ended = converted(text if name.endswith(".tf") else json.dumps(block), tmp_path, *options, name=name)
    assert (ended.status, ended.stdout) == (2, "")
    assert "docs/migrating/terraform.md" in ended.stderr


def test_adopting_changes_no_configuration(tmp_path: Path) -> None:
    """Deploying the native template and then the result of --adopt changes no configuration."""
    native = """\
Resources:
  Web:
    Type: AWS::ImageBuilder::DistributionConfiguration
    DeletionPolicy: Retain
    Properties:
      Name: Web Images
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration: {Name: "web {{ imagebuilder:buildDate }}"}
"""
    arn = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/web-images"
    regions = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": "web {{ imagebuilder:buildDate }}"}}]
    adopted = tmp_path / "adopted.yaml"
    adopted.write_text(converted(native, tmp_path, "--adopt").stdout)
    live = tmp_path / "live.json"
    live.write_text(json.dumps({"arn": arn, "name": "Web Images", "distributions": regions}))
    ended = command("rehearse", tmp_path / "template.yaml", adopted, "--existing", live)
    assert ended.status == 0, ended.stdout
    assert ended.stdout.count("No configuration changed.") == 3


@pytest.mark.parametrize("indent", ["\t", "  ", ""], ids=["tabs", "spaces", "one line"])
@pytest.mark.parametrize("options", [(), ("--adopt",)], ids=["own", "adopt"])
def test_json_stays_json(indent: str, options: tuple[str, ...], tmp_path: Path) -> None:
    """A JSON template becomes a JSON template with the same values as in YAML, and keeps its layout."""
    tree: dict[str, Any] = read(WRITTEN_BY_HAND.encode()).tree
    text = json.dumps(tree, indent=indent or None)
    ended = converted(text, tmp_path, *options, name="template.json")
    assert ended.status == 0, ended.stderr
    assert json.loads(ended.stdout) == read(converted(WRITTEN_BY_HAND, tmp_path, *options).stdout.encode()).tree
    taken, put = ([one for one in changes(text, ended.stdout) if one[0] == sign] for sign in "-+")
    assert (len(taken), len(put)) == ((1, 1) if not indent else (1, 3) if not options else (9, 11))


def test_line_breaks_are_kept(tmp_path: Path) -> None:
    """In a file with carriage returns, new lines have carriage returns, too."""
    text = WRITTEN_BY_HAND.replace("\n", "\r\n")
    file = tmp_path / "out.yaml"
    assert converted(text, tmp_path, "--adopt", "--output", str(file)).status == 0
    result = file.read_bytes().decode()
    assert result.count("\n") == result.count("\r\n") == text.count("\n") + 2


@pytest.mark.parametrize("options", [("--adopt",), ()], ids=["adopted", "owned"])
def test_a_byte_order_mark_is_kept(options: tuple[str, ...], tmp_path: Path) -> None:
    """A file with a byte order mark keeps it, in both directions."""
    there = converted("\ufeff" + WRITTEN_BY_HAND, tmp_path, *options)
    assert there.stdout == "\ufeff" + converted(WRITTEN_BY_HAND, tmp_path, *options).stdout
    back = converted(there.stdout, tmp_path, "--to", "native")
    assert back.stdout == "\ufeff" + converted(there.stdout.removeprefix("\ufeff"), tmp_path, "--to", "native").stdout


@pytest.mark.parametrize("properties", ["", "Properties:", "Properties: []", "Properties: golden"])
@pytest.mark.parametrize(("resource_type", "form"), [(NATIVE, "ours"), (OURS, "native"), (OURS, "cli")])
def test_a_resource_without_properties_is_not_converted(
    properties: str, resource_type: str, form: str, tmp_path: Path
) -> None:
    """A resource whose properties are missing or not a mapping is unchanged and reported with its position."""
    text = f"Resources:\n  A:\n    Type: {resource_type}\n    {properties}\n"
    ended = converted(text, tmp_path, "--to", form)
    assert (ended.status, ended.stdout) == (1, "" if form == "cli" else text)
    place, why = ("4:5", "its Properties are not a mapping") if properties else ("3:11", "it has no Properties")
    assert f"template.yaml:{place}: not converted: A is unchanged: {why}" in ended.stderr


def test_loops_are_converted_too(tmp_path: Path) -> None:
    """A native resource in an Fn::ForEach is converted, but cannot adopt."""
    text = """\
Transform: AWS::LanguageExtensions
Resources:
  Fn::ForEach::Teams:
    - Team
    - [A, B]
    - Images${Team}:
        Type: AWS::ImageBuilder::DistributionConfiguration
        DeletionPolicy: Retain
        Properties: {Name: !Sub "images-${Team}", Distributions: !Ref Distributions}
"""
    ended = converted(text, tmp_path)
    loop = read(ended.stdout.encode()).tree["Resources"]["Fn::ForEach::Teams"][2]
    assert loop["Images${Team}"]["Type"] == OURS
    assert list(loop["Images${Team}"]["Properties"]) == ["ServiceToken", "ServiceTimeout", "Name", "Distributions"]
    ended = converted(text, tmp_path, "--adopt")
    assert (ended.status, ended.stdout) == (1, text)
    assert "it is in an Fn::ForEach" in ended.stderr


@pytest.mark.parametrize("wrap", ["{}", "Dist: {}"], ids=["resource", "fragment"])
def test_a_part_of_a_template_is_converted_alone(wrap: str, tmp_path: Path) -> None:
    """A single resource is converted without a template around it, with or without its logical ID."""
    block = json.dumps({"Type": NATIVE, "Properties": {"Name": "a b", "Distributions": [{"Region": "us-east-1"}]}})
    ended = converted(wrap.format(block), tmp_path)
    tree = read(ended.stdout.encode()).tree
    assert tree.get("Dist", tree)["Type"] == OURS
    assert ended.status == 1
    assert "error E9306: Distributions[0]: one or more outputs should be provided" in ended.stderr


@pytest.mark.parametrize(
    ("text", "options", "why"),
    [
        ("a: 1", (), "there is nothing to convert"),
        ("[1]", (), "is not a mapping"),
        ("a: [", (), "template.yaml:1:"),
        ("Resources: {}", ("--to", "native"), "the file contains neither Custom::"),
        (f"A: {{Type: '{OURS}'}}\nB: {{Type: '{OURS}'}}", ("--to", "cli"), "A, B; choose one with --resource"),
        (f"A: {{Type: '{OURS}'}}", ("--to", "cli", "--resource", "B"), "there is no B; there are A"),
        (f"A: {{Type: '{OURS}'}}", ("--to", "native", "--adopt"), "--adopt can be used only with --to ours"),
        ("name: a", ("--adopt",), "--adopt applies only to native resources"),
    ],
)
def test_user_errors(text: str, options: tuple[str, ...], why: str, tmp_path: Path) -> None:
    """A file that cannot be read or has nothing to convert ends with status 2 and a message, without output."""
    ended = converted(text, tmp_path, *options)
    assert (ended.status, ended.stdout) == (2, "")
    assert why in ended.stderr


def test_standard_input(tmp_path: Path) -> None:
    """`-` is standard input, and the result can be written to a file."""
    file = tmp_path / "out.yaml"
    ended = command("convert", "-", "--output", file, stdin=WRITTEN_BY_HAND)
    assert (ended.status, ended.stdout) == (0, "")
    assert f"Type:   '{OURS}'" in file.read_text()
    assert ended.stderr.startswith("stdin:6:17: ")
