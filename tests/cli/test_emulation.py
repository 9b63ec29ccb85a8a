"""The configurations that exist before a rehearsal or an event, in any location."""

import json
from pathlib import Path

import pytest

from provider.cli.emulation import seed_placeholder
from provider.emulator.emulator import Emulator
from tests.cli.commands import command

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/web"
TEMPLATE = """\
Resources:
  Images:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:p
      Name: images
      Distributions: [{Region: us-east-1, AmiDistributionConfiguration: {Name: "i {{ imagebuilder:buildDate }}"}}]
"""


@pytest.mark.parametrize(
    "arn",
    [
        ARN,
        ARN.replace("us-east-1", "eu-west-1"),
        ARN.replace("123456789012", "210987654321"),
        ARN.replace("arn:aws:imagebuilder:us-east-1", "arn:aws-cn:imagebuilder:cn-north-1"),
    ],
)
def test_placeholders_in_any_location(arn: str) -> None:
    """A placeholder is seeded in the Region and account of its ARN, for that Region."""
    region, account = arn.split(":")[3:5]
    emulator = Emulator()
    assert seed_placeholder(emulator, arn)
    assert [*emulator.configurations] == [*emulator.at(region, account).configurations] == [arn]
    assert [one["region"] for one in emulator.configurations[arn]["distributions"]] == [region]


@pytest.mark.parametrize(
    "arn",
    [
        ARN.replace("arn:aws:", "arn:aws-cn:"),
        ARN.replace("us-east-1", "moon-1"),
        ARN.replace("/web", "/Web"),
        ARN.replace("distribution-configuration", "image-pipeline"),
    ],
)
def test_arns_that_cannot_exist(arn: str) -> None:
    """Nothing is seeded for an ARN of the wrong partition, of an unknown Region, or of something else."""
    emulator = Emulator()
    assert not seed_placeholder(emulator, arn)
    assert emulator.configurations == {}


@pytest.fixture
def existing(tmp_path: Path) -> tuple[Path, Path]:
    """Configurations in two locations, as the AWS CLI prints them."""
    files = tmp_path / "here.json", tmp_path / "there.json"
    for file, arn in zip(files, (ARN, ARN.replace("us-east-1:123456789012", "eu-west-1:210987654321")), strict=True):
        file.write_text(json.dumps({"distributionConfiguration": {"arn": arn, "name": "web", "distributions": []}}))
    return files


def test_existing_configurations_in_two_locations(existing: tuple[Path, Path]) -> None:
    """Existing configurations of one name are seeded in the locations of their ARNs, unless options override these."""
    files = [text for file in existing for text in ("--existing", file)]
    ended = command("rehearse", "-", *files, stdin=TEMPLATE)
    assert ended.status == 0, ended.stdout + ended.stderr
    assert "is used as" not in ended.stdout
    ended = command("rehearse", "-", "--region", "us-east-1", "--account", "123456789012", *files, stdin=TEMPLATE)
    assert ended.status == 2
    assert f"there.json: {ARN} already exists" in ended.stderr


def test_existing_configuration_in_an_unknown_region(existing: tuple[Path, Path]) -> None:
    """A Region that fits no partition, in the ARN of an existing configuration, is reported with its file."""
    existing[1].write_text(existing[1].read_text().replace("eu-west-1", "moon-1"))
    files = [text for file in existing for text in ("--existing", file)]
    ended = command("rehearse", "-", *files, stdin=TEMPLATE)
    assert ended.status == 2
    assert "there.json: " in ended.stderr
    assert "moon-1" in ended.stderr
    assert "Traceback" not in ended.stderr
