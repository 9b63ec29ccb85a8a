"""Runs the commands that the pages show, with an emulator, and compares the output with what the pages show."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from aws_cdk import App, Stack

from provider.construct import DistributionConfiguration
from provider.emulator.emulator import Emulator
from tests.cli.commands import process
from tests.docs.page import ROOT
from tests.docs.shown import BLOCKS, Shown
from tests.ledger.test_ledger_requests import owned
from tests.stack import ARN, Resource

pytest_plugins = ["tests.ledger.conftest"]

EXAMPLES = ROOT / "examples" / "cloudformation"
INVALID = """\
Resources:
  GoldenImage:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:provider
      Name: golden
      Distributions:
        - AmiDistributionConfiguration:
            Name: golden
          Region: us-east-1
"""
"""The template whose findings docs/linting.md shows."""
STATUS = {" plan ": 3}
"""The exit status of commands, by a part of their text, if it is not 0: plan's 3 means that something would change."""
LEDGER = ("contributions.md", "drift.md", "ledger.md")
RUN = [block for block in BLOCKS if not block.language and not block.note[0]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with what the commands name: a checkout's parts, and a user's templates."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    for name in ("examples", "events"):
        (tmp_path / name).symlink_to(ROOT / name)
    program = tmp_path / "bin" / "image-builder-distribution"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m provider "$@"\n', "utf-8")
    program.chmod(0o755)
    (tmp_path / "stack.yaml").write_text((EXAMPLES / "golden-image.yaml").read_text("utf-8"), "utf-8")
    (tmp_path / "team-a.yaml").write_text((EXAMPLES / "shared" / "team-a.yaml").read_text("utf-8"), "utf-8")
    (tmp_path / "accounts.json").write_text('["111122223333"]', "utf-8")
    return tmp_path


def run(command: str, folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command in the folder, with the environment of a user's shell."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    path = os.pathsep.join((str(folder / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        ["bash", "-uc", command],
        cwd=folder,
        env={**clean, "PATH": path, "PYTHONPATH": str(ROOT), "ARN": f"{ARN}golden", **environment},
        input="y\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def expected(command: str) -> int:
    """Return the exit status that a command should have."""
    return next((status for part, status in STATUS.items() if part in f" {command} "), 0)


def check(block: Shown, folder: Path, environment: Mapping[str, str]) -> None:
    """Run the commands of a block in their order."""
    for command in block.commands:
        ended = run(command, folder, environment)
        assert ended.returncode == expected(command), f"{command}\n{ended.stdout}{ended.stderr}"


def blocks(*, with_ledger: bool, with_output: bool = False) -> list[object]:
    """The blocks that run here, as parameters of a test."""
    return [
        pytest.param(block, id=block.where)
        for block in RUN
        if (block.page.name in LEDGER) == with_ledger and block.text.startswith("$ ") == with_output
    ]


@pytest.mark.parametrize("block", blocks(with_ledger=False))
def test_the_commands_of_a_block_succeed(block: Shown, folder: Path, emulator: Emulator) -> None:
    """Each command of a block runs and ends with the status that it documents."""
    check(block, folder, emulator.environment())


@pytest.mark.parametrize("block", blocks(with_ledger=True))
def test_the_commands_with_the_ledger_succeed(block: Shown, folder: Path, recorded_resource: Resource) -> None:
    """Each command that needs the ledger runs with the records of a real request."""
    owned(recorded_resource)
    variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    check(block, folder, {**variables, "TABLE": os.environ["LEDGER_TABLE_NAME"]})


@pytest.mark.parametrize("block", blocks(with_ledger=False, with_output=True))
def test_the_output_of_a_command_is_the_shown_one(block: Shown, folder: Path) -> None:
    """A command whose output is shown below it prints exactly that."""
    (folder / "stack.yaml").write_text(INVALID, "utf-8")
    command, _, output = block.text.removeprefix("$ ").partition("\n")
    assert run(command, folder, {}).stdout == output


def page_block(page: str, start: str) -> str:
    """Return the text of the block of a page that starts with a text."""
    (found,) = [block.text for block in BLOCKS if block.page.name == page and block.text.startswith(start)]
    return found


def test_the_demo_prints_what_the_pages_show() -> None:
    """`make demo` prints what docs/commands.md and the README show, except for the times."""
    recipe = re.search(
        r"^demo:.*\n\t@\$\(BIN\)/python -m provider (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    assert recipe
    ended = process(*recipe[1].split(), COLUMNS="150")
    assert ended.status == 0

    def without_times(text: str) -> str:
        return re.sub(r"^  \d\d:\d\d:\d\d", "  TIME", text, flags=re.MULTILINE)

    shown, _, last = page_block("commands.md", "Update golden-image").partition("[...]\n")
    assert without_times(shown) in without_times(ended.stdout)
    assert ended.stdout.endswith(last)
    assert last == page_block("README.md", "Rehearsal")


def test_the_response_to_invalid_properties_is_the_shown_one() -> None:
    """The response to events/create-invalid.json is what docs/behavior.md shows."""
    ended = process("invoke", "events/create-invalid.json")
    reason = " ".join(page_block("behavior.md", "4 problems").split())
    assert reason in ended.stdout.replace('\\"', '"')


def test_a_mistake_in_an_app_is_reported_as_shown() -> None:
    """`cdk synth` reports a misspelled property as docs/cdk.md shows."""
    app = App(context={"aws:cdk:bundling-stacks": []})
    mistake = {"ami_distribution_configration": {"name": "golden-{{ imagebuilder:buildDate }}"}}
    distributions = [{"region": "us-east-1", "ami_distribution_configuration": {}, **mistake}]
    DistributionConfiguration(Stack(app, "golden-image"), "GoldenImage", name="golden", distributions=distributions)  # type: ignore[arg-type]  # the mistake
    with pytest.raises(RuntimeError) as error:
        app.synth()
    shown = page_block("cdk.md", "ValidationFailed").splitlines()[-1].strip()
    assert shown in str(error.value)
