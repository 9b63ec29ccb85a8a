"""The examples pass lint and a rehearsal, and send the expected requests."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provider.emulator.emulator import Emulator
from provider.handler import handler
from provider.stack_engine.sink import ResponseSink
from provider.stack_engine.stacks import StackEngine
from provider.template.sections import load
from tests.ledger.dynamodb import require_ledger

EXAMPLES = Path(__file__).parent.parent / "examples"
TEMPLATES = sorted(EXAMPLES.glob("*/*.yaml"))
SHARED = EXAMPLES / "cloudformation" / "shared"
OTHER_TEMPLATES = sorted(EXAMPLES.glob("cloudformation/*/*.yaml"))
"""Templates beside the examples, which cannot be rehearsed alone."""
ELSEWHERE = "two-regions-two-accounts.yaml"
CLI_INPUT = EXAMPLES / "cli" / "update-distribution-configuration.json"
CLI_EXAMPLE = EXAMPLES / "cloudformation" / "update-distribution-configuration.yaml"


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}, cwd=EXAMPLES.parent
    )


def test_the_examples_lint_clean() -> None:
    """cfn-lint finds nothing in any example, not even warnings."""
    command = [Path(sys.executable).with_name("cfn-lint"), *TEMPLATES, *OTHER_TEMPLATES]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_each_example_passes_a_rehearsal(template: Path) -> None:
    """Each example is created and deleted without failures, and without warnings other than expected ones."""
    rehearsal = run("provider", "rehearse", str(template))
    assert rehearsal.returncode == 0, rehearsal.stdout + rehearsal.stderr
    expected = 1 if template.stem == "accounts-from-organization" else 0  # W9335
    assert (rehearsal.stdout + rehearsal.stderr).lower().count("warning") == expected


@pytest.mark.parametrize("folder", ["cloudformation", "sam"])
def test_one_provider_manages_two_regions_and_accounts(folder: str) -> None:
    """The example's configurations have one name and are in two Regions and two accounts."""
    rehearsal = run("provider", "rehearse", str(EXAMPLES / folder / ELSEWHERE))
    created = {tuple(one) for one in re.findall(r"arn:aws:imagebuilder:(.+?):(.+?):.+ \(created\)", rehearsal.stdout)}
    here, there = "123456789012", "210987654321"
    assert created == {("us-east-1", here), ("eu-west-1", here), ("eu-west-1", there)}


def test_the_parameters_of_a_nested_provider_are_valid() -> None:
    """The SAM example passes parameters that the provider accepts and that cover what its resources use."""
    declared = load(EXAMPLES.parent / "template.yaml").parameters
    resources = load(EXAMPLES / "sam" / ELSEWHERE).resources
    given = resources["Provider"]["Properties"]["Parameters"]
    assert all(re.fullmatch(declared[name]["AllowedPattern"], value) for name, value in given.items())
    for resource in resources.values():
        properties = resource["Properties"]
        assert properties.get("Region", given["Regions"]) == given["Regions"]
        assert properties.get("RoleArn", given["AssumableRoleArns"]) == given["AssumableRoleArns"]


def test_the_examples_of_shared_configurations_are_rehearsed_together() -> None:
    """The owner's stack and those of two teams are created and deleted without failures and warnings."""
    require_ledger()
    teams = [argument for team in "ab" for argument in ("--with", str(SHARED / f"team-{team}.yaml"))]
    rehearsal = run("provider", "rehearse", str(SHARED / "owner.yaml"), *teams)
    assert rehearsal.returncode == 0, rehearsal.stdout + rehearsal.stderr
    assert "warning" not in (rehearsal.stdout + rehearsal.stderr).lower()


def test_the_demo_updates_in_place() -> None:
    """The golden image's update exports to S3, adds a Region, and replaces nothing."""
    golden = EXAMPLES / "cloudformation"
    rehearsal = run("provider", "rehearse", *(str(golden / f"golden-image{name}.yaml") for name in ("", "-exported")))
    assert rehearsal.returncode == 0, rehearsal.stdout + rehearsal.stderr
    assert "UPDATE_COMPLETE" in rehearsal.stdout
    assert "S3ExportConfiguration" in rehearsal.stdout
    assert "eu-west-1" in rehearsal.stdout


def test_the_clis_example_sends_the_same_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack of the AWS CLI's example sends the same request as the CLI, except for the client token."""
    with Emulator(region="us-west-2") as emulator, ResponseSink() as sink:
        emulator.seed(
            name="myexampledistribution",
            distributions=[{"region": "us-west-2", "amiDistributionConfiguration": {}}],
        )
        for name, value in emulator.environment().items():
            monkeypatch.setenv(name, value)
        engine = StackEngine(
            invoke=lambda event: handler(event, None),
            sink=sink,
            region="us-west-2",
            account="123456789012",
            on_event=lambda event: None,
        )
        stack = engine.create("example", load(CLI_EXAMPLE), {})
        assert stack.status == "CREATE_COMPLETE"
        updated = run(
            "awscli", "imagebuilder", "update-distribution-configuration", "--cli-input-json", f"file://{CLI_INPUT}"
        )
        assert updated.returncode == 0, updated.stderr
        ours, theirs = updates(emulator)
    assert ours == theirs


def updates(emulator: Emulator) -> list[dict[str, Any]]:
    """Return the bodies of the received Updates without client tokens."""
    bodies = [json.loads(r.body) for r in emulator.requests if r.operation == "UpdateDistributionConfiguration"]
    return [{name: value for name, value in body.items() if name != "clientToken"} for body in bodies]
