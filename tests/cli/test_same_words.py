"""What is wrong around a resource's properties: `validate`, `plan` and `rehearse` say it in the same words."""

from pathlib import Path

import pytest

from provider.local.emulator import Emulator
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
        (f"{OWN}---\n{OWN}", 10, "a second document begins here, and a template is one alone"),
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
