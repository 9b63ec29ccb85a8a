"""Samples and starter templates are complete and pass all checks."""

import re
from collections.abc import Iterator

import pytest
import yaml

from provider.authoring.samples import as_example, sample
from provider.authoring.starter_template import COMMENTED_OUT, StarterTemplate
from provider.resources import resource_type
from provider.schema.check import validate_properties
from provider.schema.expand import expand
from provider.schema.flatten import flatten_value
from provider.schema.model import Schema
from provider.schema.validation import validate

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/base"


def structures(part: Schema) -> Iterator[Schema]:
    if part.type_name == "structure":
        yield part
        for member in part.members.values():
            yield from structures(member)
    elif part.item is not None:
        yield from structures(part.item)


def test_a_sample_has_every_member_and_is_valid() -> None:
    """Each structure of the model has a sample with all its members, and the model accepts it."""
    for part in structures(resource_type().schema):
        value = sample(part)
        assert set(value) == set(part.members), part.shape
        assert validate(value, part) == [], part.shape


def test_examples_can_be_copied() -> None:
    """No example makes an image public, and each has its required properties first."""
    for part in structures(resource_type().schema):
        example = as_example(sample(part), part)
        assert "userGroups" not in str(example), part.shape
        assert {*[*example][: len(part.required)]} == {*part.required}, part.shape


@pytest.mark.parametrize("adopt", ["", ARN], ids=["own", "adopt"])
@pytest.mark.parametrize("required", [False, True], ids=["all", "required"])
def test_a_skeleton_has_no_findings(required: bool, adopt: str) -> None:
    """The properties of a skeleton have no errors or warnings."""
    template = StarterTemplate(required, adopt).as_template()
    expanded = expand(template["Resources"]["GoldenImage"]["Properties"], resource_type().schema)
    assert validate_properties(expanded, resource_type().rules) == []


@pytest.mark.parametrize("required", [False, True], ids=["all", "required"])
def test_yaml_and_json_are_equal(required: bool) -> None:
    """The commented YAML and the JSON are the same template."""
    result = StarterTemplate(required)
    text = (
        result.as_yaml()
        .replace("!ImportValue ", "Fn::ImportValue: ")
        .replace("ServiceToken: Fn::ImportValue: ", "ServiceToken:\n        Fn::ImportValue: ")
    )
    assert yaml.safe_load(text) == result.as_template()


def test_commented_out_properties_are_valid() -> None:
    """Without the comment sign, each property that is commented out is YAML with the sample's value."""
    text = StarterTemplate().as_yaml()
    for shape, member in COMMENTED_OUT:
        part = next(one for one in structures(resource_type().schema) if one.shape == shape)
        wanted = flatten_value({member: sample(part.members[member], shape, member)}, part)
        ((name, value),) = wanted.items()
        lines = text[text.index(f"# {name}:") :].splitlines()
        block = [lines[0].strip()[2:]]
        for line in lines[1:]:
            if not line.strip().startswith("#  "):
                break
            block.append(line.strip()[2:])
        assert yaml.safe_load("\n".join(block)) == {name: value}


def test_every_property_is_in_the_skeleton() -> None:
    """The skeleton has each property of the model, as a value or commented out, with a comment about it."""
    lines = [re.sub(r"^[ #-]+", "", line) for line in StarterTemplate().as_yaml().splitlines()]
    for part in structures(resource_type().schema):
        for name in part.members:
            assert any(line.startswith(name[0].upper() + name[1:] + ":") for line in lines), name


def test_required_properties() -> None:
    """A skeleton of required properties has a target, and one Region with an output."""
    template = StarterTemplate(required=True).as_template()
    assert template["Resources"]["GoldenImage"]["Properties"] == {
        "ServiceToken": {"Fn::ImportValue": "image-builder-distribution-provider-ServiceToken"},
        "ServiceTimeout": 900,
        "Name": "golden-image",
        "Distributions": [
            {
                "Region": "us-east-1",
                "AmiDistributionConfiguration": {"Name": "golden-image-{{ imagebuilder:buildDate }}"},
            }
        ],
    }
