"""`skeleton`: a block to start from, which works as it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import command, process

ARN = "arn:aws:imagebuilder:eu-west-1:210987654321:distribution-configuration/base"
OPTIONS: list[tuple[str, ...]] = [(), ("--required",), ("--adopt", ARN), ("--format", "json")]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_a_skeleton_passes_validation(options: tuple[str, ...], tmp_path: Path) -> None:
    """`validate` finds nothing in a skeleton, warnings included."""
    file = tmp_path / "stack.template"
    file.write_text(command("skeleton", *options).stdout)
    assert command("validate", "--strict", file).status == 0


def test_cfn_lint_finds_nothing_in_skeletons(tmp_path: Path) -> None:
    """cfn-lint accepts a skeleton with all properties and one with the required ones."""
    files = [tmp_path / "all.yaml", tmp_path / "required.json"]
    files[0].write_text(command("skeleton").stdout)
    files[1].write_text(command("skeleton", "--required", "--format", "json").stdout)
    linted = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), *files], capture_output=True, text=True, check=False
    )
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize("options", [(), ("--required", "--adopt", ARN)], ids=["all", "adopt"])
def test_a_skeleton_lives_through_a_rehearsal(options: tuple[str, ...], tmp_path: Path) -> None:
    """A stack made of a skeleton is created and deleted."""
    file = tmp_path / "stack.yaml"
    file.write_text(command("skeleton", *options).stdout)
    ended = process("rehearse", file)
    assert ended.status == 0, ended.stdout + ended.stderr
    assert "Rehearsal succeeded" in ended.stdout


def test_to_adopt_names_the_configuration() -> None:
    """With --adopt the ARN is there, and a name only as a comment."""
    lines = [line.strip() for line in command("skeleton", "--adopt", ARN).stdout.splitlines()]
    assert f"DistributionConfigurationArn: {ARN}" in lines
    assert "# Name: golden-image" in lines
    assert "Name: golden-image" not in lines


def test_what_is_no_arn_is_a_mistake() -> None:
    """--adopt with something else is refused before anything is printed."""
    ended = command("skeleton", "--adopt", "base")
    assert (ended.status, ended.stdout) == (2, "")
    assert "'base' is not the ARN of a distribution configuration" in ended.stderr


def test_json_has_the_same_resource() -> None:
    """With --format json the skeleton is a JSON template of one resource of ours."""
    ((_, resource),) = json.loads(command("skeleton", "--format", "json").stdout)["Resources"].items()
    assert resource["Type"] == "Custom::ImageBuilderDistributionConfiguration"
    assert resource["Properties"]["Name"] == "golden-image"
