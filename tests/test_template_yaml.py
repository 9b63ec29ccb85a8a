"""The SAM application: what it allows, what it ships."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provider.image_builder import OPERATIONS
from provider.local.template import Template, load

ROOT = Path(__file__).parent.parent

Statement = dict[str, Any]


@pytest.fixture(scope="module")
def application() -> Template:
    return load(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def statements(application: Template) -> list[Statement]:
    def policies() -> Iterator[dict[str, Any]]:
        for policy in application.resources["ProviderRole"]["Properties"]["Policies"]:
            yield policy["Fn::If"][1] if "Fn::If" in policy else policy

    return [statement for policy in policies() for statement in policy["PolicyDocument"]["Statement"]]


def actions(statement: Statement) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def test_the_application_lints_clean() -> None:
    """cfn-lint has nothing to say about the application, warnings included."""
    command = [Path(sys.executable).with_name("cfn-lint"), ROOT / "template.yaml"]
    linted = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_readme_names_every_parameter(application: Template) -> None:
    """Whoever deploys the application finds each of its parameters in the README."""
    readme = (ROOT / "README.md").read_text("utf-8")
    assert application.parameters
    assert not [name for name in application.parameters if f"`{name}`" not in readme]


def test_the_role_allows_what_the_function_calls_and_nothing_more(statements: list[Statement]) -> None:
    """The role's Image Builder actions are the operations that the function calls, one for one."""
    allowed = {
        name.partition(":")[2]
        for statement in statements
        for name in actions(statement)
        if name.startswith("imagebuilder:")
    }
    assert allowed == set(OPERATIONS)


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


def test_parameters_that_may_be_read_are_asked_for(application: Template) -> None:
    """Nobody's SSM parameters may be read unless whoever deploys the application says which."""
    assert application.parameters["SsmParameterPattern"]["Default"] == ""
    assert application.conditions["MayNameSsmParameters"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "SsmParameterPattern"}, ""]}]
    }


def test_every_role_is_bounded(application: Template) -> None:
    """Each role has the permissions boundary that is asked for, and none otherwise."""
    roles = [one["Properties"] for one in application.resources.values() if one["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 2
    bound = {"Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
    assert all(role["PermissionsBoundary"] == bound for role in roles)


def test_the_log_outlives_the_application(application: Template) -> None:
    """Deleting the application keeps its log, under a name that is not in the way of the next one."""
    log = application.resources["ProviderLogGroup"]
    assert (log["DeletionPolicy"], log["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    assert "LogGroupName" not in log["Properties"]


def test_the_lock_of_what_ships_has_no_markers() -> None:
    """No requirement that ships hangs on a marker, which pip would judge by the building machine."""
    pinned = [line for line in (ROOT / "provider/artifact/lambda.lock").read_text().splitlines() if "==" in line]
    assert pinned
    assert not [line for line in pinned if ";" in line]
