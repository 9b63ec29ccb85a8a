"""The way from the native resource to ours, as docs/migrating.md has it."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import command

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/web-images"
DISTRIBUTIONS = """
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration: {Name: "web {{ imagebuilder:buildDate }}"}
"""
NATIVE = f"""
  Distribution:
    Type: AWS::ImageBuilder::DistributionConfiguration
    DeletionPolicy: Retain
    Properties:
      Name: Web Images{DISTRIBUTIONS}"""
OURS = f"""
  WebImages:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: !ImportValue image-builder-distribution-provider-ServiceToken
      DistributionConfigurationArn: {ARN}{DISTRIBUTIONS}"""
OWNED = OURS.replace(f"DistributionConfigurationArn: {ARN}", "Name: Web Images")
LIVE = {
    "arn": ARN,
    "name": "Web Images",
    "distributions": [
        {"region": "us-east-1", "amiDistributionConfiguration": {"name": "web {{ imagebuilder:buildDate }}"}}
    ],
    "tags": {"Team": "web"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The templates on the way, and the configuration as the native resource made it."""
    for name, resource in (("native", NATIVE), ("adopted", OURS), ("owned", OWNED)):
        (tmp_path / f"{name}.yaml").write_text(f"Resources:{resource}", "utf-8")
    (tmp_path / "live.json").write_text(json.dumps({"distributionConfiguration": LIVE}), "utf-8")
    return tmp_path


def rehearsed(folder: Path, *names: str) -> list[str]:
    """What each step of a rehearsal that went well showed."""
    files = [folder / f"{name}.yaml" for name in names]
    ended = command("rehearse", *files, "--existing", folder / "live.json", "--stack-name", "web")
    assert ended.status == 0, ended.stdout + ended.stderr
    return ended.stdout.split("\n\n")


def test_taking_over_changes_nothing(folder: Path) -> None:
    """The update that takes the native resource's place adopts what is there, and a deletion leaves it there."""
    shown = rehearsed(folder, "native", "adopted")
    assert sum("No configuration changed." in part for part in shown) == 3


def test_owning_comes_last(folder: Path) -> None:
    """The name instead of the ARN only puts the stack's marks on it; from then on the stack deletes it, too."""
    shown = rehearsed(folder, "native", "adopted", "owned")
    changes = [part for part in shown if ARN in part and "->" not in part]
    assert any("(changed)" in part and "Tags[" in part and "Distributions" not in part for part in changes)
    assert any("(deleted)" in part for part in changes)
