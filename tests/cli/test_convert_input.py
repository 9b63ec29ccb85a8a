"""`convert` between the AWS CLI's input and templates, with the examples in the AWS documentation."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from provider.authoring.block import SERVICE_TOKEN
from provider.cli.convert.cli_input import from_input
from provider.cli.convert.document import Document
from provider.resources import resource_type
from provider.schema.flatten import flatten
from provider.template.reader import read
from tests.cli.commands import EXAMPLES, command
from tests.schema.given import PARAMETERS

HERE = Path(__file__).parent / "convert_examples"
GUIDE = "https://docs.aws.amazon.com/imagebuilder/latest/userguide/"
CLI = "https://awscli.amazonaws.com/v2/documentation/api/latest/reference/imagebuilder/"
TEMPLATES = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/"


class Example(NamedTuple):
    """An example in the AWS documentation, and the IDs of the findings in it."""

    file: str
    source: str
    findings: tuple[str, ...] = ()


OF_THE_CLI = [
    Example("update-distribution-configuration.json", CLI + "update-distribution-configuration.html"),
    Example("create-distribution-configuration.json", CLI + "create-distribution-configuration.html"),
    Example("container.json", GUIDE + "cr-upd-container-distribution-settings.html"),
    Example("vm-disks.json", GUIDE + "cr-upd-ami-distribution-settings.html"),
    Example("organizations.json", GUIDE + "cr-upd-ami-distribution-settings.html"),
    Example("launch-templates.json", GUIDE + "dist-using-launch-template.html", ("E9206", "E9206")),
    Example(
        "ami-settings-with-mistakes.json",
        GUIDE + "cr-upd-ami-distribution-settings.html",
        ("E9206", "E9101", "E9101", "E9101"),
    ),
]
OF_THE_NATIVE_RESOURCE = [
    Example(file, TEMPLATES + "aws-resource-imagebuilder-distributionconfiguration.html", ("E9308", "E9308", "E9206"))
    for file in ("native.yaml", "native.json")
]


def resource(text: str) -> dict[str, Any]:
    ((_, found),) = read(text.encode()).tree["Resources"].items()
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("example", [*OF_THE_CLI, *OF_THE_NATIVE_RESOURCE], ids=lambda one: one.file)
def test_examples_are_converted(example: Example, tmp_path: Path) -> None:
    """Each example becomes a resource of this provider, and only the errors that it has are reported."""
    result = tmp_path / "made.yaml"
    ended = command("convert", HERE / example.file, "--output", result)
    reported = [line.partition("error ")[2][:5] for line in ended.stderr.splitlines() if ": error E" in line]
    assert tuple(reported) == example.findings
    assert ended.status == bool(example.findings)
    assert resource(result.read_text())["Type"] == "Custom::ImageBuilderDistributionConfiguration"
    assert command("validate", result).status == ended.status


@pytest.mark.parametrize("example", [one for one in OF_THE_CLI if not one.findings], ids=lambda one: one.file)
def test_input_survives_a_round_trip(example: Example, tmp_path: Path) -> None:
    """Input that is converted and converted back lacks only the token, and the right command is named."""
    template = tmp_path / "template.yaml"
    template.write_text(command("convert", HERE / example.file).stdout)
    back = command("convert", template, "--to", "cli")
    original = json.loads((HERE / example.file).read_text())
    verb = "update" if "distributionConfigurationArn" in original else "create"
    assert json.loads(back.stdout) == {name: one for name, one in original.items() if name != "clientToken"}
    assert f"aws imagebuilder {verb}-distribution-configuration" in back.stderr
    assert back.status == 0


@pytest.mark.parametrize("example", OF_THE_NATIVE_RESOURCE, ids=lambda one: one.file)
def test_native_examples_survive_a_round_trip(example: Example, tmp_path: Path) -> None:
    """A native example that is converted and converted back is the same text."""
    there = tmp_path / example.file
    there.write_text(command("convert", HERE / example.file).stdout)
    assert command("convert", there, "--to", "native").stdout == (HERE / example.file).read_text()


COMMENTED = """\
---
# Golden images
distributionConfigurationArn: 'arn:aws:imagebuilder:us-west-2:123456789012:distribution-configuration/golden' # it
clientToken: abc
# Now the Regions
distributions:
- region: us-west-2 # first
  amiDistributionConfiguration:
    name: >-
      a {{ imagebuilder:buildDate }}
      b
    launchPermission: {userIds: ["012345678901"]}
    amiTags:
      kmsKeyId: a key of a tag stays as it is
description: "x"
"""


def test_comments_of_yaml_input_are_kept(tmp_path: Path) -> None:
    """YAML input keeps its comments, quotes, and order; only names change, and the token is removed."""
    file = tmp_path / "input.yaml"
    file.write_text(COMMENTED)
    ended = command("convert", file)
    assert ended.status == 0, ended.stderr
    assert (
        ended.stdout
        == """\
Resources:
  Golden:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: !ImportValue image-builder-distribution-provider-ServiceToken
      ServiceTimeout: 900
      # Golden images
      DistributionConfigurationArn: 'arn:aws:imagebuilder:us-west-2:123456789012:distribution-configuration/golden' # it
      # Now the Regions
      Distributions:
      - Region: us-west-2 # first
        AmiDistributionConfiguration:
          Name: >-
            a {{ imagebuilder:buildDate }}
            b
          LaunchPermission: {UserIds: ["012345678901"]}
          AmiTags:
            kmsKeyId: a key of a tag stays as it is
      Description: "x"
"""
    )
    assert "input.yaml:4:1: clientToken is omitted: the client token is always" in ended.stderr


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_unknown_names_are_kept_and_reported(form: str, tmp_path: Path) -> None:
    """A name that the API does not know stays in the result and is reported as an error."""
    tree = {"name": "golden", "distributions": [{"region": "us-east-1", "amiDistributionConfiguration": {"nam": "x"}}]}
    file = tmp_path / f"input.{form}"
    file.write_text(json.dumps(tree) if form == "json" else yaml.safe_dump(tree))
    ended = command("convert", file)
    assert ended.status == 1
    properties = resource(ended.stdout)["Properties"]
    assert properties["Distributions"][0]["AmiDistributionConfiguration"] == {"nam": "x"}
    assert "E9101: Distributions[0].AmiDistributionConfiguration.nam: unknown property" in ended.stderr


def test_the_skeleton_of_the_aws_cli_is_converted(tmp_path: Path) -> None:
    """The output of --generate-cli-skeleton is converted completely, and missing values are reported."""
    file = tmp_path / "skeleton.json"
    file.write_text(command("update-distribution-configuration", "--generate-cli-skeleton").stdout)
    ended = command("convert", file)
    assert ended.status == 1
    assert "Name: must contain {{ imagebuilder:buildDate }}" in ended.stderr
    first = resource(ended.stdout)["Properties"]["Distributions"][0]
    original = json.loads(file.read_text())["distributions"][0]
    assert [name[0].lower() + name[1:] for name in first] == list(original)


def test_functions_are_not_converted_to_input() -> None:
    """A resource with functions is not converted to input, and each function is reported with its position."""
    ended = command("convert", EXAMPLES / "adopt-and-export-to-s3.yaml", "--to", "cli")
    assert (ended.status, ended.stdout) == (1, "")
    places = [line.partition(".yaml:")[2] for line in ended.stderr.splitlines()]
    assert places[0] == "24:7: not converted: Fn::Sub: the value is known only at deployment. Write the value itself"
    assert not any("ImportValue" in place for place in places)


def test_dynamic_references_are_not_converted_to_input() -> None:
    """A resource with a dynamic reference is not converted to input, and its position is reported."""
    text = (
        "A:\n  Type: Custom::ImageBuilderDistributionConfiguration\n  Properties:\n    Name: '{{resolve:ssm:name}}'\n"
    )
    ended = command("convert", "-", "--to", "cli", stdin=text)
    assert (ended.status, ended.stdout) == (1, "")
    assert ended.stderr.startswith("stdin:4:5: not converted: Name: the value is known only at deployment.")


def test_members_that_the_call_lacks_are_reported(tmp_path: Path) -> None:
    """OnDelete, and tags of an update, are reported as omitted; strings are converted to the API's types."""
    file = tmp_path / "template.yaml"
    file.write_text(f"""\
Resources:
  A:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      DistributionConfigurationArn: arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/a
      OnDelete: Delete
      Tags: {{Team: images}}
      Distributions: [{{Region: us-east-1, FastLaunchConfigurations: [{{Enabled: "true", MaxParallelLaunches: "6"}}]}}]
  B: {{Type: "{"Custom::ImageBuilderDistributionConfiguration"}", Properties: {{Name: b}}}}
""")
    ended = command("convert", file, "--to", "cli", "--resource", "A")
    assert ended.status == 1
    launch = json.loads(ended.stdout)["distributions"][0]["fastLaunchConfigurations"][0]
    assert launch == {"enabled": True, "maxParallelLaunches": 6}
    assert ":6:7: not converted: OnDelete is omitted: UpdateDistributionConfiguration has no such" in ended.stderr
    assert ":7:7: not converted: Tags is omitted: UpdateDistributionConfiguration has no such" in ended.stderr


def test_values_are_those_that_a_deployment_sends(tmp_path: Path) -> None:
    """Scalars become the text that CloudFormation sends, or booleans and numbers where the API has them."""
    file = tmp_path / "template.yaml"
    file.write_text("""\
A:
  Type: Custom::ImageBuilderDistributionConfiguration
  Properties:
    Name: golden
    Description: 2026-01-31
    Distributions:
    - Region: us-east-1
      AmiDistributionConfiguration:
        Name: "golden {{ imagebuilder:buildDate }}"
        TargetAccountIds: [123456789012]
        AmiTags: {Version: 1.10, Count: 5, Golden: yes}
      FastLaunchConfigurations:
      - {Enabled: yes, MaxParallelLaunches: 6}
""")
    ended = command("convert", file, "--to", "cli")
    assert ended.status == 0, ended.stderr
    result = json.loads(ended.stdout)
    (distribution,) = result["distributions"]
    image = distribution["amiDistributionConfiguration"]
    assert result["description"] == "2026-01-31"
    assert image["targetAccountIds"] == ["123456789012"]
    assert image["amiTags"] == {"Version": "1.10", "Count": "5", "Golden": "true"}
    assert distribution["fastLaunchConfigurations"] == [{"enabled": True, "maxParallelLaunches": 6}]


def test_errors_in_the_result_are_reported(tmp_path: Path) -> None:
    """Input that the service would reject ends with status 1, and each error has the API's names and its position."""
    file, result = tmp_path / "template.yaml", tmp_path / "input.json"
    image = '{Region: us-east-1, AmiDistributionConfiguration: {Name: "x {{ imagebuilder:buildDate }}"}}'
    file.write_text(f"""\
Type: Custom::ImageBuilderDistributionConfiguration
Properties: {{Name: golden, Distributions: [{image}, {image}, {{AmiDistributionConfiguration: {{}}}}]}}
""")
    ended = command("convert", file, "--to", "cli", "--output", result)
    assert ended.status == 1
    line = 1 + max(at for at, text in enumerate(result.read_text().splitlines()) if '"region"' in text)
    assert f"{result}:{line}:7: error E9305: distributions[1].region: " in ended.stderr
    assert "error E9201: distributions[2].region: is required" in ended.stderr


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_duplicate_names_are_kept(form: str, tmp_path: Path) -> None:
    """Two spellings of one member are both kept in the result and reported as an error."""
    tree = {"name": "golden", "distributions": [{"region": "us-east-1", "Region": "us-west-2"}]}
    file = tmp_path / f"input.{form}"
    file.write_text(json.dumps(tree) if form == "json" else yaml.safe_dump(tree, sort_keys=False))
    ended = command("convert", file)
    assert ended.status == 1
    assert resource(ended.stdout)["Properties"]["Distributions"] == tree["distributions"]
    assert "E9102: Distributions[0].region: specified twice, as region and Region; remove one" in ended.stderr


@settings(deadline=None, max_examples=50)
@given(PARAMETERS, st.sampled_from([False, True, None]), st.sampled_from(["yaml", "json"]))
def test_any_input_is_converted(parameters: dict[str, Any], flow: bool | None, form: str) -> None:
    """In any layout, the members of the input become the properties with CloudFormation's names."""
    text = yaml.safe_dump(parameters, default_flow_style=flow, sort_keys=False)
    # In braces from the first line on, it would be JSON.
    document = Document.of((f"---\n{text}" if form == "yaml" else json.dumps(parameters)).encode())
    properties = resource(from_input(document, SERVICE_TOKEN))["Properties"]
    assert {name: one for name, one in properties.items() if not name.startswith("Service")} == flatten(
        parameters, resource_type().schema
    )
