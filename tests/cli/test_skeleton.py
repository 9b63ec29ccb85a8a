"""`skeleton` prints a template that works unchanged."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import command, process

ARN = "arn:aws:imagebuilder:eu-west-1:210987654321:distribution-configuration/base"
PART = ("--type", "contribution")
OPTIONS: list[tuple[str, ...]] = [
    (),
    ("--required",),
    ("--adopt", ARN),
    ("--format", "json"),
    PART,
    (*PART, "--required"),
    (*PART, "--format", "json"),
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_a_skeleton_passes_validation(options: tuple[str, ...], tmp_path: Path) -> None:
    """`validate` finds no errors or warnings in a skeleton."""
    file = tmp_path / "stack.template"
    file.write_text(command("skeleton", *options).stdout)
    assert command("validate", "--strict", file).status == 0


def test_cfn_lint_finds_nothing_in_skeletons(tmp_path: Path) -> None:
    """cfn-lint accepts a skeleton with all properties and one with the required properties."""
    files = [tmp_path / "all.yaml", tmp_path / "required.json"]
    files[0].write_text(command("skeleton").stdout)
    files[1].write_text(command("skeleton", "--required", "--format", "json").stdout)
    linted = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), *files], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize("options", [(), ("--required", "--adopt", ARN)], ids=["all", "adopt"])
def test_a_skeleton_can_be_deployed(options: tuple[str, ...], tmp_path: Path) -> None:
    """A stack from a skeleton is created and deleted in a rehearsal."""
    file = tmp_path / "stack.yaml"
    file.write_text(command("skeleton", *options).stdout)
    ended = process("rehearse", file)
    assert ended.status == 0, ended.stdout + ended.stderr
    assert "Rehearsal succeeded" in ended.stdout


def test_adopt() -> None:
    """With --adopt, the skeleton has the ARN, and the name is commented out."""
    lines = [line.strip() for line in command("skeleton", "--adopt", ARN).stdout.splitlines()]
    assert f"DistributionConfigurationArn: {ARN}" in lines
    assert "# Name: golden-image" in lines
    assert "Name: golden-image" not in lines


def test_an_invalid_arn() -> None:
    """--adopt with anything except an ARN is rejected, and nothing is printed."""
    ended = command("skeleton", "--adopt", "base")
    assert (ended.status, ended.stdout) == (2, "")
    assert "'base' is not the ARN of a distribution configuration" in ended.stderr


def test_a_contribution() -> None:
    """With --type contribution, the skeleton names the configuration that it contributes to, and has no name."""
    shown = command("skeleton", *PART, "--required", "--format", "json").stdout
    ((_, resource),) = json.loads(shown)["Resources"].items()
    assert resource["Type"] == "Custom::ImageBuilderDistributionContribution"
    assert resource["Properties"].keys() >= {"DistributionConfigurationArn", "Distributions"}
    assert resource["Properties"]["Distributions"] == [{"Region": "us-east-1"}]


def test_a_contribution_adopts_nothing() -> None:
    """--adopt is rejected for a contribution."""
    ended = command("skeleton", *PART, "--adopt", ARN)
    assert (ended.status, ended.stdout) == (2, "")
    assert "--adopt applies only to configurations." in ended.stderr


def test_json_has_the_same_resource() -> None:
    """--format json prints a JSON template with one resource of this provider."""
    ((_, resource),) = json.loads(command("skeleton", "--format", "json").stdout)["Resources"].items()
    assert resource["Type"] == "Custom::ImageBuilderDistributionConfiguration"
    assert resource["Properties"]["Name"] == "golden-image"
