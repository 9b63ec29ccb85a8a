"""Samples and skeletons: what they show is complete and passes every check."""

import re
from collections.abc import Iterator

import pytest
import yaml

from provider.authoring.samples import sample
from provider.authoring.starter_template import COMMENTED_OUT, StarterTemplate
from provider.resources import resource_type
from provider.schema.check import validate_properties
from provider.schema.expand import expand
from provider.schema.flatten import flatten_value
from provider.schema.model import Schema
from provider.schema.validation import validate

ARN = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/base"


def structures(type_: Schema) -> Iterator[Schema]:
    if type_.type_name == "structure":
        yield type_
        for member in type_.members.values():
            yield from structures(member)
    elif type_.item is not None:
        yield from structures(type_.item)


def test_a_sample_has_every_member_and_is_valid() -> None:
    """For every structure of the model there is a sample with all of its members, which the model accepts."""
    for type_ in structures(resource_type().schema):
        value = sample(type_)
        assert set(value) == set(type_.members), type_.shape
        assert validate(value, type_) == [], type_.shape


@pytest.mark.parametrize("adopt", ["", ARN], ids=["own", "adopt"])
@pytest.mark.parametrize("required", [False, True], ids=["all", "required"])
def test_a_skeleton_has_no_findings(required: bool, adopt: str) -> None:
    """A skeleton's properties pass the model's constraints and the service's rules, warnings included."""
    template = StarterTemplate(required, adopt).as_template()
    expanded = expand(template["Resources"]["GoldenImage"]["Properties"], resource_type().schema)
    assert validate_properties(expanded, resource_type().rules) == []


@pytest.mark.parametrize("required", [False, True], ids=["all", "required"])
def test_yaml_and_json_say_the_same(required: bool) -> None:
    """The commented YAML is the template that the JSON is."""
    made = StarterTemplate(required)
    text = (
        made.as_yaml()
        .replace("!ImportValue ", "Fn::ImportValue: ")
        .replace("ServiceToken: Fn::ImportValue: ", "ServiceToken:\n        Fn::ImportValue: ")
    )
    assert yaml.safe_load(text) == made.as_template()


def test_comments_hold_what_is_set_aside() -> None:
    """Without the hash in front, each property that is set aside is YAML with the sample's value."""
    text = StarterTemplate().as_yaml()
    for shape, member in COMMENTED_OUT:
        type_ = next(one for one in structures(resource_type().schema) if one.shape == shape)
        wanted = flatten_value({member: sample(type_.members[member], shape, member)}, type_)
        ((name, value),) = wanted.items()
        lines = text[text.index(f"# {name}:") :].splitlines()
        block = [lines[0].strip()[2:]]
        for line in lines[1:]:
            if not line.strip().startswith("#  "):
                break
            block.append(line.strip()[2:])
        assert yaml.safe_load("\n".join(block)) == {name: value}


def test_every_property_is_in_the_skeleton() -> None:
    """The skeleton names each property of the model, as a value or as a comment, with a comment on it."""
    lines = [re.sub(r"^[ #-]+", "", line) for line in StarterTemplate().as_yaml().splitlines()]
    for type_ in structures(resource_type().schema):
        for name in type_.members:
            assert any(line.startswith(name[0].upper() + name[1:] + ":") for line in lines), name


def test_the_required_ones_are_few() -> None:
    """A skeleton of required properties has a target, and a Region with an output."""
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
