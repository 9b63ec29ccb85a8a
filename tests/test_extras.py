"""The optional packages: what works without them, and what is reported if one is missing."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
OPTIONAL = {"aws_lambda_powertools", "cfnlint", "crhelper"}
"""The packages that the CDK constructs do not need."""
EXAMPLE = ROOT / "examples" / "cloudformation" / "golden-image.yaml"
BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
"""


def run_without(blocked: set[str], code: str, *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run Python code as if these packages were not installed."""
    variables = {**os.environ, "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1"}
    command = [sys.executable, "-c", BLOCK.format(blocked=blocked) + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=variables)


def command_without(blocked: set[str], *arguments: object) -> "subprocess.CompletedProcess[str]":
    """Run a command as if these packages were not installed."""
    return run_without(blocked, "from provider.cli.main import run; run()", *arguments)


def test_the_extras_contain_the_optional_packages() -> None:
    """The package itself requires no optional package; the extra for commands has those of the commands."""
    required = {Requirement(one).name for one in PROJECT["dependencies"]}
    optional = {
        name: {Requirement(one).name for one in requirements}
        for name, requirements in PROJECT["optional-dependencies"].items()
    }
    assert optional == {
        "cli": {"aws-lambda-powertools", "cfn-lint", "crhelper"},
        "cdk": {"aws-cdk-lib", "constructs"},
        "ledger": {"ministack"},
    }
    assert required == {"boto3", "click", "pyyaml"}


def test_the_constructs_need_no_optional_package() -> None:
    """A CDK app synthesizes, and reports its mistakes, without the packages of the commands."""
    code = """
from aws_cdk import App, Stack
from provider.construct import DistributionConfiguration
stack = Stack(App(context={"aws:cdk:bundling-stacks": []}), "images")
DistributionConfiguration(stack, "Golden", name="golden", distributions=[{"region": "us-east-1"}])
stack.node.root.synth()
"""
    ended = run_without(OPTIONAL, code)
    assert "[images/Golden] distributions[0]: one or more outputs" in ended.stderr


@pytest.mark.parametrize("command", ["validate", "skeleton", "schema"])
def test_most_commands_need_no_optional_package(command: str) -> None:
    """Commands that neither run the handler nor read native schemas work without the optional packages."""
    ended = command_without(OPTIONAL, command, *([EXAMPLE] if command == "validate" else []))
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "package"),
    [
        (("rehearse", EXAMPLE), "aws_lambda_powertools"),
        (("invoke", ROOT / "events" / "create-own.json"), "aws_lambda_powertools"),
        (("docs",), "cfnlint"),
        (("schema", "--template"), "cfnlint"),
    ],
    ids=["rehearse", "invoke", "docs", "schema --template"],
)
def test_a_command_names_the_package_that_it_lacks(arguments: tuple[object, ...], package: str) -> None:
    """A command without one of its packages says how to install it and exits with 2, without a traceback."""
    ended = command_without(OPTIONAL, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"Error: {sys.executable} has no package {package}. ")
    assert "pip install '" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_the_constructs_name_the_package_that_they_lack() -> None:
    """Without the CDK, importing the constructs says how to install it."""
    ended = run_without({"aws_cdk", "jsii"}, "import provider.construct")
    *_, last = ended.stderr.splitlines()
    assert last.startswith("ModuleNotFoundError: ")
    assert "has no package " in last
    assert "[cdk]'" in last
    assert "During handling" not in ended.stderr


def test_a_broken_module_of_the_provider_is_a_traceback() -> None:
    """A missing module of the provider itself is not reported as a missing package."""
    ended = run_without(
        {"nothing"},
        "import sys; sys.modules['provider.cli.validate_command'] = None\nfrom provider.cli.main import run; run()",
        "validate",
        EXAMPLE,
    )
    assert "Traceback" in ended.stderr
    assert "pip install" not in ended.stderr
