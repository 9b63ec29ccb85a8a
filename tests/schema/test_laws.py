"""Laws of the language, over parameters generated from the API's shapes."""

import string
from typing import Any

from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from provider.resources import resource_type
from provider.schema.diff import differences
from provider.schema.expand import expand
from provider.schema.flatten import flatten
from provider.schema.model import UPDATE, Type, content_members, service_model
from provider.schema.validation import validate
from tests.schema.given import PARAMETERS, as_cloudformation_sends

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)


@given(PARAMETERS)
def test_expand_inverts_flatten(parameters: dict[str, Any]) -> None:
    """Expanding what was flattened gives the parameters back, without a finding."""
    expanded = expand(flatten(parameters, resource_type().schema), resource_type().schema)
    assert expanded.parameters == parameters
    assert expanded.findings == ()


@given(PARAMETERS)
def test_strings_for_scalars_change_nothing(parameters: dict[str, Any]) -> None:
    """Making a string of every scalar, as CloudFormation does, expands to the same parameters."""
    assert (
        expand(as_cloudformation_sends(flatten(parameters, resource_type().schema)), resource_type().schema).parameters
        == parameters
    )


@given(PARAMETERS)
def test_camel_case_is_as_good(parameters: dict[str, Any]) -> None:
    """The API's own camelCase names expand to themselves."""
    assert expand(parameters, resource_type().schema).parameters == parameters


@given(PARAMETERS)
def test_what_the_model_generates_is_valid(parameters: dict[str, Any]) -> None:
    """Parameters made by the model's constraints have no finding of the model's."""
    assert validate(parameters, resource_type().schema) == []


@given(PARAMETERS, st.data())
def test_what_is_accepted_botocore_accepts(parameters: dict[str, Any], data: st.DataObject) -> None:
    """Parameters with something put in their midst that pass our validation pass botocore's own as well."""
    _disturb(parameters, resource_type().schema, data)
    content = {name: parameters[name] for name in content_members() if name in parameters}
    if validate(parameters, resource_type().schema):
        return
    shape = service_model().operation_model(UPDATE).input_shape
    assert shape is not None
    target = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/x"
    report = ParamValidator().validate({**content, "distributionConfigurationArn": target, "clientToken": "t"}, shape)
    assert not report.has_errors(), report.generate_report()


@given(PARAMETERS)
def test_nothing_differs_from_itself(parameters: dict[str, Any]) -> None:
    """A configuration does not differ from itself, nor with Regions and accounts turned round."""
    turned = {**parameters, "distributions": parameters["distributions"][::-1]}
    regions = [entry["region"] for entry in parameters["distributions"]]
    assert differences(parameters, parameters, resource_type().schema) == ()
    if len(set(regions)) == len(regions):
        assert differences(parameters, turned, resource_type().schema) == ()


@given(PARAMETERS, PARAMETERS)
def test_differences_are_seen_from_both_sides(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Two configurations differ in one direction exactly where they differ in the other."""
    there = {(d.path, str(d.old), str(d.new)) for d in differences(old, new, resource_type().schema)}
    back = {(d.path, str(d.new), str(d.old)) for d in differences(new, old, resource_type().schema)}
    assert there == back


@given(st.dictionaries(st.text(string.ascii_letters, max_size=8), ANYTHING, max_size=3))
def test_nonsense_is_told_not_raised(properties: dict[str, Any]) -> None:
    """Whatever the properties are, expanding and validating them ends in findings, never in an exception."""
    expanded = expand(properties, resource_type().schema)
    for finding in (*expanded.findings, *validate(expanded.parameters, resource_type().schema)):
        assert finding.render(properties, resource_type().schema)


def _disturb(value: Any, type_: Type, data: st.DataObject) -> None:
    """Replace one value somewhere below a structure, or take a member away."""
    while type_.kind == "structure" and value:
        name = data.draw(st.sampled_from(sorted(value)))
        inner, inner_type = value[name], type_.members[name]
        if inner_type.kind == "list" and inner and inner_type.item is not None and data.draw(st.booleans()):
            value, type_ = inner[0], inner_type.item
        elif inner_type.kind == "structure" and inner and data.draw(st.booleans()):
            value, type_ = inner, inner_type
        else:
            value[name] = data.draw(ANYTHING)
            return
