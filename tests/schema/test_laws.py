"""Laws of the schema, for parameters that are generated from it."""

import string
from typing import Any

from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from provider.resources import resource_type
from provider.schema.diff import ABSENT, differences
from provider.schema.expand import expand
from provider.schema.finding import Spelling
from provider.schema.flatten import flatten
from provider.schema.model import UPDATE, Schema, content_members, service_model
from provider.schema.validation import validate
from tests.schema.given import PARAMETERS, as_cloudformation_sends

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=6,
)


@given(PARAMETERS)
def test_expand_inverts_flatten(parameters: dict[str, Any]) -> None:
    """Expanding flattened parameters restores them without findings."""
    expanded = expand(flatten(parameters, resource_type().schema), resource_type().schema)
    assert expanded.parameters == parameters
    assert expanded.findings == ()


@given(PARAMETERS)
def test_strings_for_scalars_change_nothing(parameters: dict[str, Any]) -> None:
    """If every scalar is a string, as CloudFormation delivers them, expanding restores the same parameters."""
    assert (
        expand(as_cloudformation_sends(flatten(parameters, resource_type().schema)), resource_type().schema).parameters
        == parameters
    )


@given(PARAMETERS)
def test_camel_case_is_accepted(parameters: dict[str, Any]) -> None:
    """The API's camelCase names are accepted, too."""
    assert expand(parameters, resource_type().schema).parameters == parameters


@given(PARAMETERS)
def test_what_the_model_generates_is_valid(parameters: dict[str, Any]) -> None:
    """Parameters that are generated from the model's constraints satisfy them."""
    assert validate(parameters, resource_type().schema) == []


@given(PARAMETERS, st.data())
def test_what_is_accepted_botocore_accepts(parameters: dict[str, Any], data: st.DataObject) -> None:
    """Mutated parameters that pass our validation pass botocore's validation, too."""
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
    """A configuration equals itself, also with the entries of all its lists in another order."""
    turned = _turned(parameters)
    assert differences(parameters, parameters, resource_type().schema) == ()
    assert differences(parameters, turned, resource_type().schema) == ()


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned(entry) for key, entry in value.items()}
    return [_turned(entry) for entry in value[::-1]] if isinstance(value, list) else value


def test_reordered_entries_do_not_differ() -> None:
    """Only an added entry differs, although the others are in another order and omit a default."""
    before = [{"launchTemplateId": "1"}, {"launchTemplateId": "2", "setDefaultVersion": True}]
    after = [{"launchTemplateId": "0"}, {"launchTemplateId": "2"}, {"launchTemplateId": "1"}]
    assert _differences("launchTemplateConfigurations", before, after) == [
        ('LaunchTemplateConfigurations["0"]', ABSENT, {"LaunchTemplateId": "0"})
    ]


def test_entries_without_a_unique_key_can_be_reordered() -> None:
    """Entries with the same key are equal if they have equal members; the others differ at their own index."""
    before, after = (
        [{"parameterName": "/a", "amiAccountId": account} for account in accounts] for accounts in ("12", "31")
    )
    assert _differences("ssmParameterConfigurations", before, before[::-1]) == []
    assert _differences("ssmParameterConfigurations", before, after) == [
        ("SsmParameterConfigurations[0]", ABSENT, {"ParameterName": "/a", "AmiAccountId": "3"}),
        ("SsmParameterConfigurations[1]", {"ParameterName": "/a", "AmiAccountId": "2"}, ABSENT),
    ]


def _differences(member: str, *values: list[Any]) -> list[tuple[str, object, object]]:
    old, new = ({"distributions": [{"region": "r", member: value}]} for value in values)
    found = differences(old, new, resource_type().schema)
    return [(one.path.removeprefix('Distributions["r"].'), one.old, one.new) for one in found]


@given(PARAMETERS, PARAMETERS)
def test_differences_are_symmetric(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Two configurations have the same differences in both directions."""
    there = {(d.path, str(d.old), str(d.new)) for d in differences(old, new, resource_type().schema)}
    back = {(d.path, str(d.new), str(d.old)) for d in differences(new, old, resource_type().schema)}
    assert there == back


@given(st.dictionaries(st.text(string.ascii_letters, max_size=8), ANYTHING, max_size=3))
def test_arbitrary_input_yields_findings(properties: dict[str, Any]) -> None:
    """Expanding and validating any properties yields findings and never raises an exception."""
    expanded = expand(properties, resource_type().schema)
    for finding in (*expanded.findings, *validate(expanded.parameters, resource_type().schema)):
        assert Spelling(properties, resource_type().schema).render(finding)


def _disturb(value: Any, schema: Schema, data: st.DataObject) -> None:
    """Replace one value below a structure, or remove a member."""
    while schema.type_name == "structure" and value:
        name = data.draw(st.sampled_from(sorted(value)))
        inner, inner_type = value[name], schema.members[name]
        if inner_type.type_name == "list" and inner and inner_type.item is not None and data.draw(st.booleans()):
            value, schema = inner[0], inner_type.item
        elif inner_type.type_name == "structure" and inner and data.draw(st.booleans()):
            value, schema = inner, inner_type
        else:
            value[name] = data.draw(ANYTHING)
            return
