"""The typed properties: generated from the service model, complete, and up to date."""

import enum
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints, is_typeddict

import pytest
from botocore import xform_name

from provider.authoring.python_types import RENAMED, ROOT, module, properties_by_name
from provider.construct import properties
from provider.construct.arguments import as_properties
from provider.resources import resource_type
from provider.schema.model import Schema, pascal_case


def structures(part: Schema, name: str = ROOT) -> Iterator[tuple[str, Schema]]:
    if part.item is not None:
        yield from structures(part.item, part.item.shape)
    elif part.type_name == "structure":
        yield name, part
        for member in part.members.values():
            yield from structures(member, member.shape)


def enumerations(part: Schema) -> Iterator[Schema]:
    for _, structure in structures(part):
        yield from (member for member in structure.members.values() if member.enum)


def test_the_module_is_up_to_date() -> None:
    """provider/construct/properties.py is what `make docs` generates from the pinned botocore."""
    assert Path(properties.__file__).read_text("utf-8") == module()


def test_each_structure_has_its_type() -> None:
    """Each structure is a TypedDict with all members of the shape in snake_case and the same required members."""
    for name, structure in structures(resource_type().schema):
        result = getattr(properties, name)
        assert is_typeddict(result)
        assert set(get_type_hints(result)) == {RENAMED.get(member, xform_name(member)) for member in structure.members}
        assert result.__required_keys__ == {xform_name(member) for member in structure.required}


def test_each_enumeration_has_its_values() -> None:
    """Each enum of the model is a StrEnum with the same values."""
    found = list(enumerations(resource_type().schema))
    assert found
    for part in found:
        result = getattr(properties, part.shape)
        assert issubclass(result, enum.StrEnum)
        assert tuple(result) == part.enum


def test_everything_is_documented() -> None:
    """Each type and each member has the API's documentation as docstring."""
    source = inspect.getsource(properties)
    assert "The name of the role that grants VM Import/Export permission" in source
    assert source.count("class ") == source.count('):\n    """')


@pytest.mark.parametrize("name", sorted({name for name, _ in structures(resource_type().schema)}))
def test_names_lead_to_properties(name: str) -> None:
    """Each spelling of a member in snake_case maps to its property."""
    structure = dict(structures(resource_type().schema))[name]
    known = properties_by_name(structure)
    for spelling, member in structure.spellings.items():
        assert structure.spellings[known[xform_name(spelling)]] == member
    assert {pascal_case(member) for member in structure.members} <= set(known.values())


def test_only_names_change() -> None:
    """Map keys, values, and names in CloudFormation's or the API's spelling are unchanged."""
    given = {
        "distributions": [{"ami_distribution_configuration": {"ami_tags": {"cost_center": "a_b"}}}],
        "Tags": {"on_delete": "x"},
        "onDelete": "Retain",
        "Fn::If": ["A", {}, {}],
    }
    assert as_properties(given, resource_type().schema) == {
        "Distributions": [{"AmiDistributionConfiguration": {"AmiTags": {"cost_center": "a_b"}}}],
        "Tags": {"on_delete": "x"},
        "onDelete": "Retain",
        "Fn::If": ["A", {}, {}],
    }
