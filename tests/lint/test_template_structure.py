"""`validate` reports mistakes in a template's structure that CloudFormation rejects; `plan` and `rehearse` stop."""

import json
from pathlib import Path

import pytest

from provider.stack_engine.deployment import Deployment
from provider.stack_engine.records import StackLocation
from provider.template.sections import TemplateError, parse
from tests.cli.commands import command
from tests.stack import NAME

RESOURCE_TYPE = "Custom::ImageBuilderDistributionConfiguration"
TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
OWN = f"""\
Resources:
  Images:
    Type: {RESOURCE_TYPE}
    Properties:
      ServiceToken: {TOKEN}
      Name: images
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration: {{Name: "{NAME}"}}
"""
LOCATION = StackLocation(
    "us-east-1", "123456789012", "web", "arn:aws:cloudformation:us-east-1:123456789012:stack/web/1"
)
NULL = "null values are not allowed in templates; remove the key, or use !Ref AWS::NoValue"
NOT_THE_ARN = "ServiceToken: must be the ARN of the provider's Lambda function or of an SNS topic, not "
NOT_SECONDS = "ServiceTimeout: must be a whole number of seconds from 1 to 3600, not "


def validated(file: Path, text: str) -> list[tuple[int, str, str]]:
    """The line, ID, and message of each of validate's findings."""
    file.write_text(text)
    findings = json.loads(command("validate", "--format", "json", file).stdout)["findings"]
    return [(one["line"], one["id"], one["message"]) for one in findings]


def deployed(text: str) -> list[str]:
    """Each mistake that stops a deployment."""
    try:
        Deployment(parse(text, "stack.yaml"), {}, LOCATION, {})
    except TemplateError as error:
        return [str(one) for one in error.all]
    return []


@pytest.mark.parametrize(
    ("old", "new", "line", "id_", "message"),
    [
        (TOKEN, '""', 5, "E3031", f'{NOT_THE_ARN}""'),
        (TOKEN, "x" * 299, 5, "E3031", f'{NOT_THE_ARN}"{"x" * 199}...'),
        (TOKEN, "5", 5, "E3031", f"{NOT_THE_ARN}5"),
        (TOKEN, "[a]", 5, "E3031", f"{NOT_THE_ARN}a list"),
        (TOKEN, "{a: b}", 5, "E3031", f"{NOT_THE_ARN}a mapping"),
        (TOKEN, "", 5, "E0000", f"ServiceToken: {NULL}"),
        (f"ServiceToken: {TOKEN}", "OnDelete: Retain", 4, "E3003", "Properties: ServiceToken is required: the ARN of"),
        *(
            ("Name: images", f"Name: images\n      ServiceTimeout: {timeout}", 7, "E3034", NOT_SECONDS + shown)
            for timeout, shown in [("0", "0"), ("'0'", '"0"'), ("soon", '"soon"'), ("1.5", "1.5"), ("[1]", "a list")]
        ),
        ("    Properties:", "    properties:", 4, "E3001", "Images.properties: did you mean Properties?"),
        ("    Type:", "    type:", 3, "E3001", "Images.type: did you mean Type?"),
        (f"    Type: {RESOURCE_TYPE}\n", "", 2, "E3001", "Images.Type: is required and must be text"),
        (RESOURCE_TYPE, "[a]", 3, "E3001", "Images.Type: is required and must be text"),
        ("    Type:", "    Name: a\n    Type:", 3, "E3001", "Images.Name: unknown key; the keys are Type, "),
        ("    Type:", "    DependOn: A\n    Type:", 3, "E3001", "Images.DependOn: did you mean DependsOn?"),
        ("    Type:", "    DependsOn: A\n    Type:", 3, "E3005", "Images.DependsOn: there is no resource A in this"),
        (
            "Name: images",
            "Name: !Ref Image",
            6,
            "E1020",
            "Name.Ref: there is no resource or parameter Image in this templa",
        ),
        (
            "Name: images",
            "Name: !GetAtt A.B",
            6,
            "E1010",
            "Name.Fn::GetAtt: there is no resource or parameter A in this",
        ),
        (
            f'"{NAME}"',
            '!Sub "golden-${imagebuilder:buildDate}"',
            9,
            "E1019",
            "Distributions[0].AmiDistributionConfiguration.Name.Fn::Sub: there is no resource or parameter "
            "imagebuilder:buildDate in this template; to keep Image Builder's variable as text, write {{ imagebuilder:",
        ),
        ("    Type:", "    DependsOn: {a: b}\n    Type:", 3, "E3005", "Images.DependsOn: must be a logical ID or a"),
        ("Name: images", "Name: images\n      Description:", 7, "E0000", f"Description: {NULL}"),
        (f'"{NAME}"', "null", 9, "E0000", f"Distributions[0].AmiDistributionConfiguration.Name: {NULL}"),
        ("    Type:", "    Metadata:\n    Type:", 3, "E0000", f"Images.Metadata: {NULL}"),
        ("Resources:", "Resources:\n  A:", 2, "E0000", f"A: {NULL}"),
        (
            "Resources:",
            "Resources:\n  A: text",
            2,
            "E0000",
            'A: must be a mapping with Type and Properties, not "text"',
        ),
        (OWN.partition("Properties:")[2], " text", 4, "E3012", 'Properties: must be a mapping, not "text"'),
        (OWN.partition("\n")[2], "", 1, "E0000", f"Resources: {NULL}"),
        (OWN.partition(":")[2], " text", 1, "E0000", 'Resources: must be a mapping, not "text"'),
    ],
)
def test_structure(tmp_path: Path, old: str, new: str, line: int, id_: str, message: str) -> None:
    """A mistake in the structure is reported once, at its line, with its cfn-lint ID."""
    text = OWN.replace(old, new)
    ((found_line, found_id, found),) = validated(tmp_path / "stack.yaml", text)
    assert (found_line, found_id) == (line, id_)
    assert found.startswith(message)
    (stopped,) = deployed(text)
    assert stopped.endswith(found)


def test_all_mistakes_are_reported(tmp_path: Path) -> None:
    """Several mistakes are reported at once."""
    text = OWN.replace("Name: images", "Name:").replace("    Type:", "    Name: a\n    DependOn: A\n    Type:")
    assert [one[:2] for one in validated(tmp_path / "stack.yaml", text)] == [(3, "E3001"), (4, "E3001"), (8, "E0000")]
    assert len(deployed(text)) == 3
    text = OWN.replace(TOKEN, "x").replace("Name: images", "ServiceTimeout: 0\n      Name: images")
    assert [one[:2] for one in validated(tmp_path / "stack.yaml", text)] == [(5, "E3031"), (6, "E3034")]
    assert len(deployed(text)) == 2


@pytest.mark.parametrize(
    "properties", ["Name: a\nServiceToken: {}\nServiceTimeout: 0\nDescription:", '{"name": null, "serviceTimeout": 0}']
)
def test_properties_alone(tmp_path: Path, properties: str) -> None:
    """For properties alone in a file, paths start at the properties."""
    messages = [message for _, _, message in validated(tmp_path / "own.yaml", properties)]
    assert any(NULL in message for message in messages)
    assert not any("Properties" in message for message in messages)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"    Type: {RESOURCE_TYPE}\n", f'    Type: {RESOURCE_TYPE}\n    Version: "1.0"\n'),
        (TOKEN, "arn:aws:lambda:us-east-1:{{resolve:ssm:/account}}:function:provider"),
        (TOKEN, '!Sub "arn:aws:lambda:${AWS::Region}:{{resolve:ssm:/account}}:function:provider"'),
    ],
)
def test_what_is_accepted(tmp_path: Path, old: str, new: str) -> None:
    """A custom resource's Version, and a token that is fully known only at deployment, are accepted."""
    assert validated(tmp_path / "stack.yaml", OWN.replace(old, new)) == []
    assert deployed(OWN.replace(old, new)) == []


def test_a_transform_can_add_resources_and_keys(tmp_path: Path) -> None:
    """With a transform, unknown keys and names of resources are accepted."""
    text = "Transform: T\n" + OWN.replace("    Type:", "    Connectors: {}\n    DependsOn: Added\n    Type:")
    assert validated(tmp_path / "stack.yaml", text) == []
