"""What is wrong around a resource's properties: `validate`, `plan` and `rehearse` say it in the same words."""

from pathlib import Path

import pytest

from provider.emulator.emulator import Emulator
from provider.lint import keys
from provider.template import sections as template
from tests.cli.commands import command
from tests.stack import NAME

KIND = "Custom::ImageBuilderDistributionConfiguration"
OWN = f"""\
Resources:
  Images:
    Type: {KIND}
    Properties:
      ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:provider
      Name: images
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration: {{Name: "{NAME}"}}
"""


def told(file: Path) -> dict[str, tuple[int, str]]:
    """How each of the commands ends with a file, and what it says, whitespace apart."""
    ended = {name: command(name, file) for name in ("validate", "plan", "rehearse")}
    return {name: (one.status, " ".join((one.stdout + one.stderr).split())) for name, one in ended.items()}


@pytest.fixture
def file(tmp_path: Path, emulator: Emulator) -> Path:
    """Where a template can be written, in reach of a service for `plan`."""
    return tmp_path / "stack.yaml"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{OWN}---\n{OWN}", 10, "a second document begins here; a template is a single document"),
        (f"{OWN}   A: {{}}", 10, "this key is at no level that is open"),
        ("// what for\n{}", 1, "is not JSON: JSON has no comments"),
        (f"{OWN}  A: &a {{Type: T}}\n  B: *a", 11, "CloudFormation takes no YAML aliases"),
    ],
)
def test_text_that_cannot_be_read(file: Path, text: str, line: int, said: str) -> None:
    """What is wrong with YAML or JSON is told with its line, and nothing is called what it is not."""
    file.write_text(text)
    for name, (status, text) in told(file).items():
        assert status == 2
        assert said.rpartition(": ")[2] in text
        assert (f"stack.yaml:{line}:" if name == "validate" else f"line {line}, column") in text
        assert ("is not YAML" in text) is (name != "validate" and "level" in said)


TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
NULL = "null values are not allowed in templates; leave it out, or give it !Ref AWS::NoValue"
NOT_THE_ARN = "ServiceToken: must be the ARN of the provider's Lambda function, or of an SNS topic, not "
NOT_SECONDS = "ServiceTimeout: must be whole seconds from 1 to 3600, not "


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        *((TOKEN, token, 5, NOT_THE_ARN + told) for token, told in [('""', '""'), ("x", '"x"'), ("[a]", "a list")]),
        (TOKEN, "5", 5, NOT_THE_ARN + "5"),
        (TOKEN, "x" * 99, 5, f'{NOT_THE_ARN}"{"x" * 59}...'),
        (TOKEN, "{a: b}", 5, NOT_THE_ARN + "a mapping"),
        (TOKEN, "", 5, f"ServiceToken: {NULL}"),
        (f"ServiceToken: {TOKEN}", "OnDelete: Retain", 4, "Properties: a ServiceToken is needed: the ARN of the"),
        *(
            ("Name: images", f"Name: images\n      ServiceTimeout: {timeout}", 7, NOT_SECONDS + told)
            for timeout, told in [("0", "0"), ("'0'", '"0"'), ("soon", '"soon"'), ("1.5", "1.5"), ("[1]", "a list")]
        ),
        ("    Properties:", "    properties:", 4, "Images: properties should be Properties"),
        ("    Type:", "    type:", 3, "Images: type should be Type"),
        (f"    Type: {KIND}\n", "", 2, "Images: a Type is needed, as text"),
        (KIND, "[a]", 3, "Images: a Type is needed, as text"),
        (
            "    Type:",
            "    Name: a\n    Type:",
            3,
            "Images: unknown key Name beside Type and Properties; there are Type, ",
        ),
        ("    Type:", "    DependOn: A\n    Type:", 3, "Images: DependOn should be DependsOn"),
        ("    Type:", "    DependsOn: A\n    Type:", 3, "DependsOn: there is no resource A in this template"),
        ("    Type:", "    DependsOn: {a: b}\n    Type:", 3, "DependsOn: must be a logical ID, or a list of them"),
        ("Name: images", "Name: images\n      Description:", 7, f"Description: {NULL}"),
        (f'"{NAME}"', "null", 9, f"Distributions[0].AmiDistributionConfiguration.Name: {NULL}"),
        ("    Type:", "    Metadata:\n    Type:", 3, f"Images.Metadata: {NULL}"),
        ("Resources:", "Resources:\n  A:", 2, f"A: {NULL}"),
        ("Resources:", "Resources:\n  A: text", 2, 'A: must be a mapping with Type and Properties, not "text"'),
        (OWN.partition("Properties:")[2], " text", 4, 'Properties: must be a mapping, not "text"'),
        (OWN.partition("\n")[2], "", 1, f"Resources: {NULL}"),
        (OWN.partition(":")[2], " text", 1, 'Resources: must map names to what they stand for, not be "text"'),
    ],
)
def test_frame(file: Path, old: str, new: str, line: int, said: str) -> None:
    """What CloudFormation refuses around a resource's properties is told at its line, with the cure, once."""
    file.write_text(OWN.replace(old, new))
    for name, (status, text) in told(file).items():
        assert status == (2 if name != "validate" or " E0000: " in text else 1)
        assert text.count(said) == 1
        assert f"{line}:" in text or name != "validate"
    report = told(file)["validate"][1]
    assert f"stack.yaml:{line}:" in report
    assert "1 error, 0 warnings" in report


def test_all_mistakes_are_told(file: Path) -> None:
    """What is wrong in several places is told of all of them at once, a line each."""
    file.write_text(
        OWN.replace("Name: images", "Name:").replace("    Type:", "    Name: a\n    DependOn: A\n    Type:")
    )
    for _, text in told(file).values():
        assert all(said in text for said in (f"Name: {NULL}", "unknown key Name", "DependOn should be DependsOn"))
    for name in ("plan", "rehearse"):
        lines = command(name, file).stderr.splitlines()
        assert [line.removeprefix("Error: ").partition(": Resources.")[0] for line in lines] == ["stack.yaml"] * 3
    file.write_text(OWN.replace(TOKEN, "x").replace("Name: images", "ServiceTimeout: 0\n      Name: images"))
    for _, text in told(file).values():
        assert NOT_THE_ARN in text
        assert NOT_SECONDS in text


@pytest.mark.parametrize(
    "properties", ["Name: a\nServiceToken: {}\nServiceTimeout: 0\nDescription:", '{"name": null, "serviceTimeout": 0}']
)
def test_properties_alone(file: Path, properties: str) -> None:
    """Of properties in a file alone the same is told, by the path that they have there."""
    file.write_text(properties)
    for name in ("validate", "plan"):
        text = told(file)[name][1]
        assert NULL in text
        assert "Properties" not in text


@pytest.mark.parametrize("kind", [KIND[:-7], KIND.upper(), KIND.replace("::", ":"), KIND.replace("C", "c", 1)])
def test_type_that_is_ours_misspelt(file: Path, kind: str) -> None:
    """A type that is meant to be ours is told what it should be."""
    file.write_text(OWN.replace(KIND, kind))
    for status, text in told(file).values():
        assert status in (1, 2)
        assert f"ResourceType is '{kind}'; it should be {KIND} or AWS::CloudFormation::CustomResource" in text


def test_type_that_is_a_neighbour_s(file: Path) -> None:
    """A type that is much like ours, with properties of its own, is another's and left alone."""
    neighbour = KIND.replace("Distribution", "Infrastructure")
    file.write_text(f"Resources: {{A: {{Type: '{neighbour}', Properties: {{InstanceProfileName: x}}}}}}")
    for status, text in told(file).values():
        assert status in (0, 2)
        assert "should be" not in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (f"    Type: {KIND}\n", f'    Type: {KIND}\n    Version: "1.0"\n'),
        (TOKEN, "arn:aws:lambda:us-east-1:{{resolve:ssm:/account}}:function:provider"),
        (TOKEN, '!Sub "arn:aws:lambda:${AWS::Region}:{{resolve:ssm:/account}}:function:provider"'),
    ],
)
def test_what_nobody_refuses(file: Path, old: str, new: str) -> None:
    """A custom resource's version, and a token that only the deployment knows whole, are taken by all."""
    file.write_text(OWN.replace(old, new))
    assert {name: status for name, (status, _) in told(file).items()} == {"validate": 0, "plan": 3, "rehearse": 0}


def test_the_keys_of_a_resource_are_the_same() -> None:
    """The engine and the linter know the same keys of a resource, and take the same slips for the same ones."""
    assert keys.RESOURCE_KEYS == template.RESOURCE_KEYS
    slips = ("properties", "Propertys", "type", "DependsON", "Metdata", "Name", "Distributions", "Foo")
    assert [keys.meant(slip) for slip in slips] == [template._meant(slip) for slip in slips]


def test_a_resource_called_properties_is_one_of_many(file: Path) -> None:
    """A template with a resource of that name is no file of properties: places are told from the template's root."""
    file.write_text(OWN.replace("Images:", "Properties:") + OWN.removeprefix("Resources:\n").replace("name", "none"))
    file.write_text(file.read_text().replace("  Images:", "  Other:").replace("Name: images", "Name: !Ref Nothing"))
    assert "Resources.Other.Properties.Name" in told(file)["plan"][1] + told(file)["rehearse"][1]
