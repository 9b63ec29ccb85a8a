"""Upgrading and uninstalling as in docs/operating.md. The tests run in order on one installation."""

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.account import PROVIDER_STACK, Account
from e2e.conftest import Application
from e2e.tools import ROOT
from provider.emulator.emulator import Emulator

EXAMPLES = ROOT / "examples" / "cloudformation"
GOLDEN, EXPORTED = EXAMPLES / "golden-image.yaml", EXAMPLES / "golden-image-exported.yaml"


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """The Image Builder emulator of an otherwise empty account."""
    with Emulator() as running:
        yield running


@pytest.fixture(scope="module")
def installed(
    application: Application, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Account]:
    """An account with the application and a stack that uses it."""
    with Account(tmp_path_factory.mktemp("installed"), emulator.environment()) as running:
        running.deploy_application(application.template)
        assert running.create("golden", GOLDEN) == "CREATE_COMPLETE"
        yield running


@pytest.fixture
def release(application: Application, tmp_path: Path) -> Path:
    """The template of a newer release with different code."""
    built = shutil.copytree(application.template.parent, tmp_path / "release")
    (built / "ProviderFunction" / "RELEASE").write_text("newer", "utf-8")
    return built / application.template.name


def test_an_upgrade_affects_no_stack(installed: Account, emulator: Emulator, release: Path) -> None:
    """New code and parameters change only the function; a stack uses the new version from its next update on."""
    token = installed.outputs(PROVIDER_STACK)["ServiceToken"]
    before = installed.functions.get_function_configuration(FunctionName=token)
    configurations, calls = emulator.configurations, len(emulator.requests)
    installed.deploy_application(release, MemorySize="512", LogLevel="DEBUG")
    after = installed.functions.get_function_configuration(FunctionName=token)
    assert installed.settled(PROVIDER_STACK) == "UPDATE_COMPLETE"
    assert installed.outputs(PROVIDER_STACK)["ServiceToken"] == token
    assert (before["MemorySize"], after["MemorySize"]) == (256, 512)
    assert before["CodeSha256"] != after["CodeSha256"]
    assert (emulator.configurations, len(emulator.requests)) == (configurations, calls)
    assert installed.update("golden", EXPORTED) == "UPDATE_COMPLETE"
    assert emulator.configurations.keys() == configurations.keys()
    assert emulator.configurations != configurations


def for_production() -> dict[str, str]:
    """Return the parameters of the command for production in docs/parameters.md."""
    page = (ROOT / "docs" / "parameters.md").read_text("utf-8").replace("\\\n", " ")
    (given,) = re.findall(r"^sam deploy --parameter-overrides (.+)$", page, re.MULTILINE)
    return dict(one.split("=", 1) for one in shlex.split(given))


def test_an_upgrade_keeps_parameters(installed: Account, application: Application, release: Path) -> None:
    """Parameters that were restricted after the first deployment keep their values if they are not passed again."""
    installed.deploy_application(application.template, **for_production())
    installed.deploy_application(release)
    (stack,) = installed.stacks.describe_stacks(StackName=PROVIDER_STACK)["Stacks"]
    values = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert values["NamePattern"] == "golden-*"
    assert values.items() >= for_production().items()


def test_uninstalling_leaves_the_log(installed: Account, emulator: Emulator) -> None:
    """If no stack uses the provider, it can be deleted; only its log group remains."""
    group = installed.outputs(PROVIDER_STACK)["LogGroupName"]
    assert installed.delete("golden") == "DELETE_COMPLETE"
    assert installed.delete(PROVIDER_STACK) == "DELETE_COMPLETE"
    assert emulator.configurations == {}
    assert installed.functions.list_functions()["Functions"] == []
    (kept,) = installed.logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
    assert (kept["logGroupName"], kept["retentionInDays"]) == (group, 90)
