"""The provider has one version, and whatever is deployed reports it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from cfnlint.decode import cfn_yaml

from provider import __version__
from provider.construct import DistributionConfigurationProvider
from tests.construct.conftest import NOT_BUILT
from tests.construct.synthesis import resources_of
from tests.stack import Resource, ami

ROOT = Path(__file__).parent.parent
TAG = "image-builder-distribution:version"


@pytest.fixture(scope="module")
def application() -> dict[str, Any]:
    """The application's template."""
    found: dict[str, Any] = cfn_yaml.load(str(ROOT / "template.yaml"))
    return found


def test_the_package_has_the_version_of_the_code() -> None:
    """The project takes its version from `provider.__version__`, which is a semantic version."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "provider.__version__"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_application_has_the_version_of_the_code(application: dict[str, Any]) -> None:
    """The application's output, the tag of each function, and its publication have the code's version."""
    version = {"Fn::FindInMap": ["Provider", "Release", "Version"]}
    assert application["Mappings"]["Provider"]["Release"]["Version"] == __version__
    assert application["Outputs"]["Version"]["Value"] == version
    functions = [one["Properties"] for one in application["Resources"].values() if one["Type"].endswith("::Function")]
    assert [one["Tags"] for one in functions] == [{TAG: version}] * 2
    assert application["Metadata"]["AWS::ServerlessRepo::Application"]["SemanticVersion"] == __version__


def test_the_construct_tags_its_functions(tmp_path: Path) -> None:
    """The construct's functions have the same tag as the application's."""
    app = App(outdir=str(tmp_path), context=NOT_BUILT, builtin_cloud_formation_validation=False)
    DistributionConfigurationProvider(stack := Stack(app, "images"), "Provider")
    functions = [one["Properties"] for one in resources_of(stack, "AWS::Lambda::Function")]
    assert [one["Tags"] for one in functions] == [[{"Key": TAG, "Value": __version__}]] * 2


def test_every_log_line_has_the_version(resource: Resource, capsys: pytest.CaptureFixture[str]) -> None:
    """Each log line of a request has the provider's version."""
    resource.create(Name="golden", Distributions=[ami()])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["version"] for line in lines} == {__version__}
