"""The workflows on GitHub run what exists, with pinned actions and few permissions. `make audit` runs actionlint."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
PINNED = re.compile(r"^ *(?:- )?uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
WRITES = {
    ("botocore.yml", "contents"),
    ("botocore.yml", "pull-requests"),
    ("docs.yml", "id-token"),
    ("docs.yml", "pages"),
    ("release.yml", "attestations"),
    ("release.yml", "contents"),
    ("release.yml", "id-token"),
}
"""All that the workflows may write."""


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def content(path: Path) -> dict[str, Any]:
    """A workflow's content. YAML 1.1 reads the key `on` as true."""
    found: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return found


def steps(path: Path) -> list[dict[str, Any]]:
    """All steps of a workflow."""
    return [step for job in content(path)["jobs"].values() for step in job.get("steps", [])]


def test_there_is_a_workflow_for_each_purpose() -> None:
    """There are workflows for checks, releases, the documentation, and the newest botocore."""
    assert [path.name for path in WORKFLOWS] == ["botocore.yml", "ci.yml", "docs.yml", "release.yml"]


def test_actions_are_pinned(workflow: Path) -> None:
    """Each action is pinned to a commit, with its version as a comment, from which Dependabot updates both."""
    lines = [line for line in workflow.read_text("utf-8").splitlines() if "uses:" in line and "./.github" not in line]
    assert lines
    assert [line for line in lines if not PINNED.match(line)] == []


def test_an_action_has_one_version() -> None:
    """All workflows use the same version of an action."""
    used = {tuple(step["uses"].split("@")) for path in WORKFLOWS for step in steps(path) if "uses" in step}
    assert len(used) == len({name for name, _ in used})


def test_every_target_exists(workflow: Path) -> None:
    """The workflows run the targets of the Makefile and the script of the checks, so that everyone can run the same."""
    runs = [step["run"] for step in steps(workflow) if "run" in step]
    targets = {
        name for line in runs for found in re.findall(r"^make (.+)$", line, re.MULTILINE) for name in found.split()
    }
    assert targets <= TARGETS
    assert ".ci/run" in runs or workflow.name != "ci.yml"


def test_permissions_are_few(workflow: Path) -> None:
    """By default, a workflow only reads; the jobs that write say what, and no credentials stay in the checkout."""
    found = content(workflow)
    assert found["permissions"] == {"contents": "read"}
    writes = {
        (workflow.name, scope)
        for job in found["jobs"].values()
        for scope, access in job.get("permissions", {}).items()
        if access == "write"
    }
    assert writes == {one for one in WRITES if one[0] == workflow.name}
    checkouts = [step for step in steps(workflow) if step.get("uses", "").startswith("actions/checkout@")]
    assert [one for one in checkouts if one["with"]["persist-credentials"] is not False] == []


def test_every_job_has_a_limit(workflow: Path) -> None:
    """A job that hangs ends after at most two hours."""
    jobs = [job for job in content(workflow)["jobs"].values() if "uses" not in job]
    assert all(1 <= job["timeout-minutes"] <= 120 for job in jobs)


def test_no_expression_becomes_a_command(workflow: Path) -> None:
    """No script contains an expression, whose value could be a command; values come from variables."""
    assert [step["run"] for step in steps(workflow) if "${{" in step.get("run", "")] == []


def test_dependabot_watches_every_other_package() -> None:
    """Dependabot updates the actions, and the npm packages of every folder with a lock file."""
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf-8"))["updates"]
    folders = {folder for one in updates for folder in one.get("directories", [one.get("directory")])}
    locked = {
        f"/{path.parent.relative_to(ROOT)}"
        for top in ("benchmarks", "e2e", "examples", "requirements", "website")
        for path in (ROOT / top).rglob("package-lock.json")
        if "node_modules" not in path.parts
    }
    assert folders == {"/", *locked}
