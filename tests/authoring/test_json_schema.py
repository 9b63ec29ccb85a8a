"""The JSON Schema of the properties: generated, valid, and useful in an editor that does not know CloudFormation."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from provider.authoring.json_schema import schema
from provider.authoring.starter_template import StarterTemplate
from provider.resources import CONTRIBUTION, resource_type
from provider.schema.flatten import flatten

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "docs" / "properties.schema.json"
VALIDATOR = Draft202012Validator(schema())
SOUND: dict[str, Any] = {
    "Name": "golden",
    "Distributions": [
        {
            "Region": "us-east-1",
            "AmiDistributionConfiguration": {"TargetAccountIds": ["012345678901"]},
            "LaunchTemplateConfigurations": [{"LaunchTemplateId": "lt-0a1b2c3d4e5f67890", "SetDefaultVersion": True}],
            "FastLaunchConfigurations": [{"Enabled": True, "MaxParallelLaunches": 6}],
        }
    ],
}


class AsEditorsSee(yaml.SafeLoader):
    """Reads a tagged value without its tag, as editors do."""


def untagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


AsEditorsSee.add_multi_constructor("!", untagged)


def properties_in_examples() -> Iterator[Any]:
    for file in sorted((ROOT / "examples").glob("*/*.yaml")):
        template = yaml.load(file.read_text(), AsEditorsSee)
        for name, resource in template["Resources"].items():
            if resource["Type"].startswith("Custom::ImageBuilder"):
                yield pytest.param(resource["Properties"], id=f"{file.stem}-{name}")


def test_the_copy_is_up_to_date() -> None:
    """docs/properties.schema.json is what `make docs` generates from the pinned botocore."""
    assert json.loads(GOLDEN.read_text()) == schema()


def test_the_schema_is_valid() -> None:
    """The schema is valid by the metaschema of draft 2020-12."""
    Draft202012Validator.check_schema(schema())


def test_all_properties_at_once_are_accepted() -> None:
    """The schema accepts the skeleton with all properties."""
    properties = StarterTemplate().as_template()["Resources"]["GoldenImage"]["Properties"]
    assert [error.message for error in VALIDATOR.iter_errors(properties)] == []


@pytest.mark.parametrize("properties", list(properties_in_examples()))
def test_functions_in_short_form_are_accepted(properties: Any) -> None:
    """The schema accepts the examples as editors see them, where a tagged value is a string or a list."""
    assert [error.message for error in VALIDATOR.iter_errors(properties)] == []


@pytest.mark.parametrize("function", [{"Ref": "A"}, {"Fn::If": ["A", 1, 2]}, {"Fn::GetAtt": ["A", "B"]}])
@pytest.mark.parametrize("place", ["Name", "Distributions", "Tags", "OnDelete"])
def test_functions_in_long_form_are_accepted_anywhere(place: str, function: dict[str, Any]) -> None:
    """Each value can be a mapping with the name of a function."""
    assert VALIDATOR.is_valid({**SOUND, place: function})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("Nam",), "golden"),
        (("DistributionConfigurationArn",), "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/a"),
        (("Name",), 7),
        (("Distributions", 0, "Regoin"), "us-east-1"),
        (("Distributions", 0, "AmiDistributionConfiguration", "TargetAccountIds", 0), "12345678901"),
        (("Distributions", 0, "AmiDistributionConfiguration", "TargetAccountIds"), []),
        (("Distributions", 0, "LaunchTemplateConfigurations", 0, "LaunchTemplateId"), "lt-123"),
        (("Distributions", 0, "LaunchTemplateConfigurations", 0, "SetDefaultVersion"), 1),
        (("Distributions", 0, "FastLaunchConfigurations", 0, "MaxParallelLaunches"), 0),
        (("Tags",), {"aws:team": "a"}),
    ],
    ids=lambda value: str(value[-1]) if isinstance(value, tuple) else "",
)
def test_mistakes_are_rejected(path: tuple[str | int, ...], value: object) -> None:
    """The schema rejects unknown names, two targets, wrong types, and values outside their limits and patterns."""
    properties = json.loads(json.dumps(SOUND))
    assert VALIDATOR.is_valid(properties)
    here = properties
    for element in path[:-1]:
        here = here[element]
    here[path[-1]] = value
    assert not VALIDATOR.is_valid(properties)


@pytest.mark.parametrize("text", ["true", "False", "TRUE"])
def test_booleans_can_be_strings(text: str) -> None:
    """The schema accepts the strings that the provider converts to booleans."""
    changed = json.loads(json.dumps(SOUND))
    changed["Distributions"][0]["FastLaunchConfigurations"][0]["Enabled"] = text
    assert VALIDATOR.is_valid(changed)


def test_every_property_is_described() -> None:
    """Each property in the schema has the API's documentation as its description."""

    def structures(part: Any) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            if isinstance(part.get("properties"), dict):
                yield part["properties"]
            for inner in part.values():
                yield from structures(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from structures(inner)

    of_cloudformation = {"ServiceToken", "ServiceTimeout"}
    silent = [
        name
        for properties in structures(schema())
        for name, one in properties.items()
        if name not in of_cloudformation and not one.get("description")
    ]
    assert silent == []


KINDS = {yaml.ScalarNode: "", yaml.SequenceNode: " sequence", yaml.MappingNode: " mapping"}


def tags(node: yaml.Node | None) -> Iterator[str]:
    """The short forms of functions in a document, each with its type of node, as customTags lists them."""
    if node is not None and node.tag.startswith("!"):
        yield f"{node.tag}{KINDS[type(node)]}"
    if isinstance(node, yaml.CollectionNode):
        for inner in node.value:
            for one in inner if isinstance(inner, tuple) else (inner,):
                yield from tags(one)


def test_the_guide_lists_all_short_forms() -> None:
    """docs/linting.md configures yaml-language-server for all short forms that the examples use."""
    text = (ROOT / "docs" / "linting.md").read_text("utf-8")
    _, _, settings = text.partition('"yaml.customTags": ')
    reported = json.loads(settings[: settings.index("]") + 1])
    used = {tag for file in (ROOT / "examples").rglob("*.yaml") for tag in tags(yaml.compose(file.read_text("utf-8")))}
    assert used
    assert used - set(reported) == set()


def test_no_definition_is_described() -> None:
    """No definition has a description, because yaml-language-server would show it instead of the property's."""
    definitions = schema()["$defs"].values()
    described = [one for each in definitions for one in (each, *each.get("anyOf", ())) if "description" in one]
    assert described == []


def test_names_are_those_of_cloudformation() -> None:
    """The schema has the names that flatten makes of the API's names."""
    named = flatten(
        {"distributions": [{"region": "us-east-1", "s3ExportConfiguration": {"roleName": "vmimport"}}]},
        resource_type().schema,
    )
    export = schema()["$defs"]["S3ExportConfiguration"]["anyOf"][0]
    assert set(named["Distributions"][0]["S3ExportConfiguration"]) <= set(export["properties"])


@pytest.mark.parametrize(
    ("entry", "is_valid"),
    [
        ({"OrganizationalUnit": "ou-ab12-11111111", "Except": ["222233334444"]}, True),
        ({"OrganizationalUnit": "r-ab12"}, True),
        ({"Parameter": "/images/accounts"}, True),
        ({"Parameter": "/images/accounts", "Except": ["222233334444"]}, False),
        ({"OrganizationalUnit": "r-ab12", "Parameter": "/images/accounts"}, False),
        ({"Except": ["222233334444"]}, False),
        ({}, False),
    ],
)
def test_account_sources_are_known(entry: dict[str, Any], is_valid: bool) -> None:
    """A list of accounts accepts each variant of a source, and no mixture; other lists accept none."""
    region = {"Region": "us-east-1", "AmiDistributionConfiguration": {"TargetAccountIds": [entry]}}
    assert VALIDATOR.is_valid({"Name": "golden", "Distributions": [region]}) is is_valid
    licenses = {"Region": "us-east-1", "LicenseConfigurationArns": [entry]}
    assert not VALIDATOR.is_valid({"Name": "golden", "Distributions": [licenses]})


def test_a_contribution() -> None:
    """A contribution requires the configuration's ARN; its entries require only what identifies them."""
    validator = Draft202012Validator(schema(CONTRIBUTION))
    part = {
        "Region": "us-east-1",
        "FastLaunchConfigurations": [{"AccountId": "111122223333", "MaxParallelLaunches": 6}],
    }
    target = {"DistributionConfigurationArn": {"Fn::ImportValue": "golden-image-Arn"}}
    assert validator.is_valid({**target, "Distributions": [part]})
    assert not validator.is_valid({"Distributions": [part]})
    assert not validator.is_valid({**target, "Distributions": [part], "Name": "golden"})
    assert not VALIDATOR.is_valid({"Name": "golden", "Distributions": [part]})
