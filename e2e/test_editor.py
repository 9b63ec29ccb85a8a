"""The JSON Schema of templates in yaml-language-server, with the settings that docs/linting.md shows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.language_server import LanguageServer
from e2e.tools import ROOT

PAGE = (ROOT / "docs" / "linting.md").read_text("utf-8")
SCHEMA = ROOT / "docs" / "template.schema.json"
EXAMPLES = ROOT / "examples" / "cloudformation"
TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  GoldenImage:
    Type: Custom::ImageBuilderDistributionConfiguration
    Properties:
      ServiceToken: !ImportValue image-builder-distribution-provider-ServiceToken
      Name: !Sub "golden-${AWS::Region}"
      Distributions:
        - Region: us-east-1
          AmiDistributionConfiguration:
            Name: golden-{{ imagebuilder:buildDate }}
"""


def settings() -> dict[str, Any]:
    """Return the settings that the page shows, as the server receives them: nested, with the schema's path."""
    (block,) = re.findall(r"```json\n(\{\s+\"yaml\.schemas\".*?)```", PAGE, re.DOTALL)
    found = json.loads(block)
    (pattern,) = found["yaml.schemas"].values()
    schemas = {SCHEMA.as_uri(): pattern}
    yaml = {"customTags": found["yaml.customTags"], "schemas": schemas, "completion": True, "hover": True}
    return {"yaml": {**yaml, "validate": True, "schemaStore": {"enable": False}}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace, in which the settings apply the schema to a folder's templates."""
    found = tmp_path_factory.mktemp("workspace")
    (found / "templates").mkdir()
    return found


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[LanguageServer]:
    with LanguageServer(folder, settings()) as running:
        yield running


def messages(diagnostics: list[dict[str, Any]]) -> list[str]:
    return [f"{one['range']['start']['line'] + 1}: {one['message']}" for one in diagnostics]


def test_a_template_has_no_findings(server: LanguageServer, folder: Path) -> None:
    """A correct template, with functions in short form, has no diagnostics."""
    assert server.open(folder / "templates" / "correct.yaml", TEMPLATE) == []


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_examples_have_no_findings(example: Path, server: LanguageServer, folder: Path) -> None:
    """The examples have no diagnostics."""
    assert messages(server.open(folder / "templates" / example.name, example.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("correct", "wrong", "finding"),
    [
        ("AmiDistributionConfiguration:", "AmiDistributionConfigration:", "10: Property AmiDistributionConfigration"),
        ("    Properties:", "    properties:", "5: Property properties is not allowed."),
        ("Resources:", "Resource:", "2: Property Resource is not allowed."),
        ("        - Region: us-east-1\n          Ami", "        - Ami", '9: Missing property "Region".'),
    ],
    ids=["property", "key of a resource", "section", "missing property"],
)
def test_a_mistake_is_shown(correct: str, wrong: str, finding: str, server: LanguageServer, folder: Path) -> None:
    """A misspelled or missing key is a diagnostic at its line."""
    file = folder / "templates" / f"{abs(hash(wrong))}.yaml"
    found = messages(server.open(file, TEMPLATE.replace(correct, wrong, 1)))
    assert any(one.startswith(finding) for one in found), found


def test_properties_are_completed(server: LanguageServer, folder: Path) -> None:
    """In an entry of Distributions, the editor offers the properties of the API."""
    file = folder / "templates" / "completed.yaml"
    text = f"{TEMPLATE}          S3\n"
    server.open(file, text)
    offered = server.completions(file, len(text.splitlines()) - 1, len("          S3"))
    assert {"S3ExportConfiguration", "LaunchTemplateConfigurations"} <= offered


def test_resource_types_are_completed(server: LanguageServer, folder: Path) -> None:
    """As a resource's Type, the editor offers this provider's types and the native ones."""
    file = folder / "templates" / "types.yaml"
    text = "Resources:\n  GoldenImage:\n    Type: "
    server.open(file, text)
    offered = server.completions(file, 2, len("    Type: "))
    assert {"Custom::ImageBuilderDistributionConfiguration", "AWS::ImageBuilder::ImagePipeline"} <= offered


def test_a_property_is_explained(server: LanguageServer, folder: Path) -> None:
    """Hovering over a property shows the API's description."""
    file = folder / "templates" / "hovered.yaml"
    server.open(file, TEMPLATE)
    assert "AMI" in server.hover(file, 9, 15)


def test_the_first_line_can_name_the_schema(folder: Path) -> None:
    """Without settings for the schema, a first line names it, as the page shows."""
    (line,) = re.findall(r"^(# yaml-language-server: \$schema=\S*template\.schema\.json)$", PAGE, re.MULTILINE)
    (folder / "docs").mkdir()
    (folder / "docs" / SCHEMA.name).write_bytes(SCHEMA.read_bytes())
    given = settings()
    del given["yaml"]["schemas"]
    with LanguageServer(folder, given) as server:
        text = f"{line}\n{TEMPLATE}"
        assert server.open(folder / "named.yaml", text) == []
        wrong = server.open(folder / "wrong.yaml", text.replace("Distributions", "Distribution"))
    assert any("Distribution is not allowed" in one for one in messages(wrong)), messages(wrong)
