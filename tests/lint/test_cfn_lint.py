"""The rules in cfn-lint: configuration, ignored checks, SAM templates, and documentation."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from provider.cli.main import run as run_commands
from provider.lint.catalog import CHECKS
from provider.schema.rules import RULES
from tests.cli.commands import EXAMPLES, ROOT, command
from tests.lint.docs import PAGE, with_table

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Resources:
  First:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties: &properties
      ServiceToken: arn:aws:lambda:us-east-1:123456789012:function:provider
      Name: golden
      OnDelete: Keep
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration: {Name: golden}
          FastLaunchConfigurations: [{Enabled: true, MaxParallelLaunches: 2}]
"""
SECOND = """
  Second:
    Type: Custom::ImageBuilderDistributionConfiguration
    Metadata: {cfn-lint: {config: {ignore_checks: [E9307]}}}
    Properties:
"""


def template() -> str:
    """A template with two similar resources; the second ignores a rule."""
    properties = TEMPLATE.partition("&properties")[2].lstrip("\n").replace("Name: golden", "Name: second", 1)
    return TEMPLATE.replace("&properties", "") + SECOND + properties


def run(program: str, *arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    executable = Path(sys.executable).with_name(program)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command_line = [str(executable), *map(str, arguments)]
    return subprocess.run(command_line, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_configuration_of_cfn_lint(tmp_path: Path) -> None:
    """`append_rules` in .cfnlintrc loads the rules, also for SAM templates; .cfnlintrc and Metadata can ignore them."""
    (tmp_path / ".cfnlintrc").write_text("append_rules: [provider.lint]\nignore_checks: [W9310]\n")
    (tmp_path / "stack.yaml").write_text(template())
    ended = run("cfn-lint", "stack.yaml", "--format", "json", cwd=tmp_path)
    found = [(match["Location"]["Path"][1], match["Rule"]["Id"]) for match in json.loads(ended.stdout)]
    assert sorted(found) == [("First", "E9205"), ("First", "E9307"), ("Second", "E9205")]


def test_sam_validate(tmp_path: Path) -> None:
    """Linting a text through cfn-lint's API, as `sam validate --lint` does, also applies .cfnlintrc."""
    (tmp_path / ".cfnlintrc").write_text("append_rules: [provider.lint]\n")
    (tmp_path / "stack.yaml").write_text(template())
    script = (
        "from cfnlint.api import ManualArgs, lint;"
        "print(*sorted({match.rule.id for match in lint(open('stack.yaml').read(), config=ManualArgs())}))"
    )
    assert run("python", "-c", script, cwd=tmp_path).stdout.split() == ["E9205", "E9307", "W9310"]


def test_validate_starts_without_cfn_lint() -> None:
    """`validate` does not import cfn-lint, which would more than double its run time."""
    script = (
        "import runpy, sys\n"
        "try: runpy.run_module('provider', run_name='__main__')\n"
        "finally: print('cfnlint' in sys.modules)"
    )
    ended = run("python", "-c", script, "validate", "examples/cloudformation/golden-image.yaml")
    assert ended.stdout.splitlines() == ["No problems found: 1 resource in 1 file.", "False"]


def test_every_rule_of_the_service_has_an_id() -> None:
    """Each row of RULES has an ID whose letter is its severity."""
    severities = {check.rule: (check.id[0], check.severity) for check in CHECKS.values()}
    assert {rule.id: (rule.severity.name[0], rule.severity) for rule in RULES}.items() <= severities.items()


@pytest.mark.parametrize("name", ["Rule", "E9001", "__path"])
def test_attributes_of_the_module(name: str) -> None:
    """The module that cfn-lint searches for rules has no other attributes."""
    import provider.lint

    assert not hasattr(provider.lint, name)


def test_the_documentation_has_all_ids() -> None:
    """The table of checks in docs/linting.md is generated from the catalog by `make docs`."""
    text = PAGE.read_text("utf-8")
    assert all(f"`{id_}`" in text for id_ in CHECKS)
    assert text == with_table(text)


def test_the_pre_commit_hook_runs() -> None:
    """The hook runs the package's console script with a command that takes files."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    script, *arguments = hook["entry"].split()
    module = run_commands.__module__.replace("provider.", "image_builder_distribution.", 1)
    assert project["scripts"][script] == f"{module}:{run_commands.__name__}"
    assert command(*arguments, EXAMPLES / "golden-image.yaml").status == 0
