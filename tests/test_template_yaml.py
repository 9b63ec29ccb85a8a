"""The SAM application: what it allows, what it ships."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name

from provider.local.template import load
from provider.properties.model import service_model

ROOT = Path(__file__).parent.parent
TOOLS = ("__main__", "cli", "construct", "lint", "local")

Statement = dict[str, Any]


@pytest.fixture(scope="module")
def statements() -> list[Statement]:
    resources = load(ROOT / "template.yaml").resources

    def policies() -> Iterator[dict[str, Any]]:
        for policy in resources["ProviderRole"]["Properties"]["Policies"]:
            yield policy["Fn::If"][1] if "Fn::If" in policy else policy

    return [statement for policy in policies() for statement in policy["PolicyDocument"]["Statement"]]


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the build puts beside the dependencies; the installation of these is left out."""
    target = tmp_path_factory.mktemp("artifact")
    command = [
        "make",
        "--no-print-directory",
        "build-ProviderFunction",
        f"ARTIFACTS_DIR={target}",
        "PIP=true",
    ]
    subprocess.run(command, cwd=ROOT, check=True)
    return target


def actions(statement: Statement) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def called_operations() -> set[str]:
    """The Image Builder operations that a module of the function names, as a method or as a string."""
    operations = service_model().operation_names
    spelled = {spelling: name for name in operations for spelling in (name, xform_name(name))}
    names: set[str] = set()
    for path in (ROOT / "provider").rglob("*.py"):
        if path.relative_to(ROOT / "provider").with_suffix("").parts[0] not in TOOLS:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names.add(getattr(node, "attr", "") or str(getattr(node, "value", "")))
    return {spelled[name] for name in names & spelled.keys()}


def test_the_application_lints_clean() -> None:
    """cfn-lint has nothing to say about the application, warnings included."""
    command = [Path(sys.executable).with_name("cfn-lint"), ROOT / "template.yaml"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_readme_names_every_parameter() -> None:
    """Whoever deploys the application finds each of its parameters in the README."""
    readme = (ROOT / "README.md").read_text("utf-8")
    parameters = load(ROOT / "template.yaml").parameters
    assert parameters
    assert not [name for name in parameters if f"`{name}`" not in readme]


def test_the_role_allows_what_the_function_calls_and_nothing_more(statements: list[Statement]) -> None:
    """The role's Image Builder actions are the operations that the function's code names, one for one."""
    allowed = {
        name.partition(":")[2]
        for statement in statements
        for name in actions(statement)
        if name.startswith("imagebuilder:")
    }
    assert allowed == called_operations()


def test_no_action_is_a_wildcard(statements: list[Statement]) -> None:
    """Every action is named in full."""
    assert not [name for statement in statements for name in actions(statement) if "*" in name]


def test_only_lists_reach_every_resource(statements: list[Statement]) -> None:
    """A statement for all resources holds only actions that IAM cannot narrow: lists and descriptions."""
    reaching_all = [name for statement in statements if statement["Resource"] == "*" for name in actions(statement)]
    assert reaching_all
    assert {name.partition(":")[2][:4] for name in reaching_all} <= {"List", "Desc"}


def test_configurations_are_narrowed_by_account_region_and_name(statements: list[Statement]) -> None:
    """What changes a configuration reaches this account, this Region and the wanted names only."""
    [configurations] = [s for s in statements if "imagebuilder:DeleteDistributionConfiguration" in actions(s)]
    assert configurations["Resource"] == {
        "Fn::Sub": "arn:${AWS::Partition}:imagebuilder:${AWS::Region}:${AWS::AccountId}"
        ":distribution-configuration/${NamePattern}"
    }


def test_the_lock_of_what_ships_has_no_markers() -> None:
    """No requirement that ships hangs on a marker, which pip would judge by the building machine."""
    pinned = [line for line in (ROOT / "requirements/lambda.lock").read_text().splitlines() if "==" in line]
    assert pinned
    assert not [line for line in pinned if ";" in line]


def test_tools_do_not_ship(artifact: Path) -> None:
    """The artifact has the handler and none of the tools, byte code included."""
    shipped = {path.stem for path in (artifact / "provider").iterdir()}
    assert "handler" in shipped
    assert not shipped & {*TOOLS, "__pycache__"}


def test_what_ships_needs_nothing_that_does_not(artifact: Path) -> None:
    """Every module of the artifact can be imported with the tools absent."""
    script = (
        "import importlib, pkgutil, sys\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import provider\n"
        "assert provider.__file__.startswith(sys.argv[1]), provider.__file__\n"
        "for module in pkgutil.walk_packages(provider.__path__, 'provider.'):\n"
        "    importlib.import_module(module.name)\n"
    )
    command = [sys.executable, "-I", "-B", "-c", script, str(artifact)]
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "PATH": ""}
    imported = subprocess.run(command, cwd=artifact, env=environment, capture_output=True, text=True, check=False)
    assert (imported.returncode, imported.stderr) == (0, "")
