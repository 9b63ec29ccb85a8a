"""The JSON Schema of whole templates: our types within CloudFormation's public schemas."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from tests.authoring.test_json_schema import AsEditorsSee
from tests.cli.commands import command

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "docs" / "template.schema.json"
API_NAMES = "examples/migrating/lambda"
"""Examples with the API's spelling of properties, which the schema does not have."""
TEMPLATES = [
    path
    for path in (ROOT / "template.yaml", *sorted((ROOT / "examples").rglob("*.yaml")))
    if API_NAMES not in path.as_posix()
]


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(GOLDEN.read_text("utf-8")))


def template(**resource: Any) -> dict[str, Any]:
    return {"Resources": {"It": {"Type": "Custom::ImageBuilderDistributionConfiguration", **resource}}}


def properties(**more: Any) -> dict[str, Any]:
    return {"Name": "golden", "Distributions": [{"Region": "us-east-1"}], **more}


def test_the_copy_is_up_to_date() -> None:
    """docs/template.schema.json is the command's output."""
    assert json.loads(command("schema", "--template").stdout) == json.loads(GOLDEN.read_text("utf-8"))


def test_it_is_a_schema(validator: Draft202012Validator) -> None:
    """The document is a schema of its dialect, and each reference has a definition."""
    Draft202012Validator.check_schema(validator.schema)
    text = json.dumps(validator.schema)
    references = {part.partition('"')[0] for part in text.split('"$ref": "#/$defs/')[1:]}
    assert references <= validator.schema["$defs"].keys()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_examples_are_valid(path: Path, validator: Draft202012Validator) -> None:
    """Each example, as editors see it, has no findings."""
    tree = yaml.load(path.read_text("utf-8"), AsEditorsSee)
    assert [f"{list(one.path)}: {one.message[:200]}" for one in validator.iter_errors(tree)] == []


@pytest.mark.parametrize(
    "wrong",
    [
        template(Properties=properties(Descripton="x")),
        template(Properties={"Distributions": []}),
        template(properties=properties()),
        {**template(Properties=properties()), "Resource": {}},
        {"Resources": {"It": {"Properties": {}}}},
        {"Resources": {"It": {"Type": "AWS::ImageBuilder::Image", "Properties": {"ImageRecipeARN": "x"}}}},
        {**template(Properties=properties()), "Outputs": {"Arn": {"Valeu": "x"}}},
        {**template(Properties=properties()), "Parameters": {"Stage": {"Typ": "String"}}},
    ],
    ids=["property", "neither name nor ARN", "key", "section", "no type", "native property", "output", "parameter"],
)
def test_a_mistake_is_a_finding(wrong: Any, validator: Draft202012Validator) -> None:
    """A mistake in our properties, in included types, or in the template's structure is a finding."""
    assert not validator.is_valid(wrong)


def test_other_types_are_included_by_pattern() -> None:
    """With --include, the properties of the types that match are checked; otherwise they are not."""
    bucket = {"Resources": {"It": {"Type": "AWS::S3::Bucket", "Properties": {"BucketNme": "x"}}}}
    default = Draft202012Validator(json.loads(command("schema", "--template").stdout))
    included = json.loads(command("schema", "--template", "--include", "AWS::S3::*").stdout)
    assert default.is_valid(bucket)
    assert not Draft202012Validator(included).is_valid(bucket)
    assert "AWS::ImageBuilder::Image" not in included["$defs"]


def test_include_is_for_templates() -> None:
    """--include without --template is a mistake."""
    ended = command("schema", "--include", "AWS::S3::*")
    assert (ended.status, ended.stdout) == (2, "")
    assert "--include requires --template" in ended.stderr
