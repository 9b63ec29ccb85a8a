"""Findings for unknown values, parameters, and combinations of conditions."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provider.lint.catalog import CHECKS
from provider.lint.condition_outcomes import Conditions
from provider.lint.diagnostic import Diagnostic
from provider.lint.function_check import function_findings
from provider.lint.template_check import check, check_properties
from provider.resources import resource_type
from provider.schema.flatten import flatten
from provider.template.intrinsics import FUNCTIONS, UNSUPPORTED_FUNCTIONS
from provider.template.sections import load
from tests.schema.given import PARAMETERS
from tests.schema.test_laws import ANYTHING

NO_VALUE = {"Ref": "AWS::NoValue"}
AMI = {"Region": "us-east-1", "AmiDistributionConfiguration": {"Name": "x {{ imagebuilder:buildDate }}"}}
GOOD: dict[str, Any] = {"Name": "golden", "Distributions": [AMI]}

WRITTEN = [
    resource["Properties"]
    for template in sorted((Path(__file__).parent / "corpus").glob("*.yaml"))
    for resource in load(template).resources.values()
    # A finding about a call does not depend on its value.
    if "Properties" in resource and not any(function_findings(resource["Properties"], {}))
]
PARAMETER = {"Ref": "P"}
PROPERTIES = st.sampled_from(WRITTEN) | PARAMETERS.map(lambda parameters: flatten(parameters, resource_type().schema))


def is_call(value: Any) -> bool:
    return isinstance(value, dict) and any(key == "Ref" or key.startswith("Fn::") for key in value)


def paths_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every path below the root, except in the arguments of functions."""
    if is_call(value):
        return
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from paths_in(inner, (*path, key))


def put(properties: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy with another value at `path`."""
    changed = deepcopy(properties)
    parent = changed
    for element in path[:-1]:
        parent = parent[element]
    parent[path[-1]] = value
    return changed


def at(properties: Any, path: tuple[str | int, ...]) -> Any:
    for element in path:
        properties = properties[element]
    return properties


def template(properties: Any, **sections: Any) -> dict[str, Any]:
    images = {"Type": "Custom::ImageBuilderDistributionConfiguration", "Properties": properties}
    return {"Resources": {"Images": images}, **sections}


def ids(found: list[Diagnostic]) -> list[str]:
    return [one.id for one in found]


@given(PROPERTIES, st.data())
def test_unknown_values_add_no_finding(properties: dict[str, Any], data: st.DataObject) -> None:
    """Replacing a part of the properties without findings by a reference never adds a finding."""
    before = {(one.path, one.id) for one in check_properties(properties)}
    free = [path for path in paths_in(properties) if not any(found[: len(path)] == path for found, _ in before)]
    assume(free)
    path = data.draw(st.sampled_from(free))
    after = {(one.path, one.id) for one in check_properties(put(properties, path, {"Ref": "Elsewhere"}))}
    assert after <= before


@given(PROPERTIES, st.data())
def test_choice_between_equal_values(properties: dict[str, Any], data: st.DataObject) -> None:
    """An Fn::If with two equal values has the same findings as the value itself."""
    path = data.draw(st.sampled_from(list(paths_in(properties))))
    value = at(properties, path)
    chosen = put(properties, path, {"Fn::If": ["Either", value, value]})
    assert {one.message for one in check_properties(chosen)} == {one.message for one in check_properties(properties)}


@given(PROPERTIES, st.data())
def test_no_value(properties: dict[str, Any], data: st.DataObject) -> None:
    """An additional member or entry that is AWS::NoValue changes no finding."""
    holders = [path for path in [(), *paths_in(properties)] if isinstance(at(properties, path), list | dict)]
    path = data.draw(st.sampled_from([path for path in holders if not is_call(at(properties, path))]))
    holder = at(properties, path)
    more = [NO_VALUE, *holder] if isinstance(holder, list) else {"Anything": NO_VALUE, **holder}
    changed: dict[str, Any] = put(properties, path, more) if path else dict(more)
    assert {one.message for one in check_properties(changed)} == {one.message for one in check_properties(properties)}


@given(st.dictionaries(st.sampled_from([*GOOD, "Tags", "Ref", "Fn::If"]) | st.text(max_size=3), ANYTHING, max_size=3))
def test_arbitrary_input_yields_findings(properties: dict[str, Any]) -> None:
    """Whatever the properties are, each finding has an ID and a line of text, and nothing is raised."""
    assert all(one.id in CHECKS and one.message for one in check_properties(properties))


@pytest.mark.parametrize(
    "unknown",
    [
        {"Ref": "Parameter"},
        {"Fn::GetAtt": ["Other", "Arn"]},
        {"Fn::Transform": {"Name": "Macro", "Parameters": {}}},
        {"Fn::Transform": {"Name": "AWS::Include"}, "Region": "us-east-1"},
        {"Fn::ForEach::Each": ["Name", ["A", "B"], {"${Name}": "x"}]},
        {"Fn::If": ["Unknown", {"Ref": "One"}, {"Ref": "Other"}]},
    ],
    ids=lambda node: str(node)[:40],
)
def test_values_that_only_a_deployment_knows(unknown: object) -> None:
    """A call whose type is unknown is accepted for every property."""
    assert check_properties({"Name": unknown, "Distributions": unknown, "Tags": unknown, "OnDelete": unknown}) == []
    fast = {"Enabled": unknown, "MaxParallelLaunches": unknown, "SnapshotConfiguration": unknown}
    ami = {"Name": unknown, "TargetAccountIds": [unknown], "LaunchPermission": {"UserGroups": [unknown]}}
    parameter = {"ParameterName": "x", "AmiAccountId": "123456789012", "DataType": unknown}
    entry = {
        "Region": "eu-west-1",
        "AmiDistributionConfiguration": ami,
        "FastLaunchConfigurations": [fast, unknown],
        "SsmParameterConfigurations": [parameter],
    }
    assert check_properties({**GOOD, "Distributions": [AMI, entry, unknown], "Tags": {"Team": unknown}}) == []


TYPED: dict[str, Any] = {
    "Text": {"Type": "String"},
    "Number": {"Type": "Number"},
    "Stored": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/text"},
    "List": {"Type": "CommaDelimitedList"},
    "StoredList": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/list"},
    "Zones": {"Type": "List<AWS::EC2::AvailabilityZone::Name>"},
}
TEXTS = [
    *({"Ref": name} for name in ("Text", "Number", "Stored", "AWS::Region", "Images")),
    *({"Fn::Sub": text} for text in ("${Text}", "${Images}")),
    {"Fn::Join": [",", {"Ref": "List"}]},
    {"Fn::ImportValue": "accounts"},
    {"Fn::If": ["C", {"Ref": "Text"}, {"Fn::Sub": "${Text}"}]},
    "{{resolve:ssm:/accounts}}",
]
LISTS = [
    *({"Ref": name} for name in ("List", "StoredList", "Zones", "AWS::NotificationARNs")),
    {"Fn::Split": [",", {"Ref": "Text"}]},
    {"Fn::GetAZs": ""},
    {"Fn::If": ["C", {"Ref": "List"}, {"Fn::GetAZs": {"Ref": "AWS::Region"}}]},
]
EITHER = [
    {"Ref": "Undeclared"},
    {"Fn::GetAtt": ["Other", "Values"]},
    {"Fn::Select": [0, {"Ref": "List"}]},
    {"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "K"]},
]


def of_types(properties: dict[str, Any]) -> list[str]:
    sections = {"Mappings": {"M": {"us-east-1": {"K": "x"}}}, "Conditions": {"C": {"Fn::Equals": [1, 2]}}}
    found = check(template({**GOOD, **properties}, Parameters=TYPED, **sections))
    return [one.message for one in found if one.id == "E9202"]


@pytest.mark.parametrize("value", [*TEXTS, *EITHER], ids=str)
def test_text_is_valid_for_scalars(value: Any) -> None:
    """A value that is or can be text is accepted for text, a number, and a boolean, and text is not for a list."""
    accounts = {"Region": "us-east-2", "AmiDistributionConfiguration": {"TargetAccountIds": [value]}}
    fast = {"Region": "us-west-2", "FastLaunchConfigurations": [{"Enabled": value, "MaxParallelLaunches": value}]}
    assert of_types({"Description": value, "Tags": {"T": value}, "Distributions": [AMI, accounts, fast]}) == []
    found = of_types({"Distributions": [{"Region": "us-east-1", "AmiDistributionConfiguration": value}]})
    found += of_types({"Distributions": [{"Region": "us-east-1", "LicenseConfigurationArns": value}]})
    assert len(found) == (0 if value in EITHER else 2)
    assert all(one.endswith(", which is text") for one in found)


@pytest.mark.parametrize("value", [*LISTS, *EITHER], ids=str)
def test_a_list_is_valid_for_lists(value: Any) -> None:
    """A value that is or can be a list is accepted for a list, and a list is not for text or within a list."""
    ami = {"Region": "us-east-2", "AmiDistributionConfiguration": {"TargetAccountIds": value}}
    assert of_types({"Distributions": [AMI, ami]}) == []
    assert of_types({"Distributions": value}) == []
    nested = {"Region": "us-east-2", "AmiDistributionConfiguration": {"TargetAccountIds": [value]}}
    found = of_types({"Description": value, "Distributions": [AMI, nested]})
    assert len(found) == (0 if value in EITHER else 2)
    assert all(one.endswith(", which is a list") for one in found)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"Fn::Sub": ["${A}-x", "A", "b"]}, "must be text, or [text, {Variable: value}]"),
        ({"Fn::Sub": ["${A}-x", "A"]}, "must be text, or [text, {Variable: value}]"),
        ({"Fn::Sub": ["${A}-x"]}, "must be text, or [text, {Variable: value}]"),
        ({"Fn::Sub": {"A": "b"}}, "must be text, or [text, {Variable: value}]"),
        ({"Fn::Sub": "${a b}"}, "${a b}: a variable's name can have only letters"),
        ({"Fn::Sub": "x-${List}"}, "!Ref List is a list, but must be text; combine its items with Fn::Join"),
        ({"Fn::Sub": ["${A}", {"A": {"Fn::GetAZs": ""}}]}, "!GetAZs  is a list, but must be text"),
        ({"Fn::Split": [",", {"Ref": "List"}]}, "!Ref List is a list, but must be text"),
        ({"Fn::Split": [","]}, "must be [delimiter, text]"),
        ({"Fn::Join": [",", {"Ref": "Text"}]}, "!Ref Text is text, but must be a list; separate its items"),
        ({"Fn::Join": [",", [{"Ref": "List"}]]}, "!Ref List is a list, but must be text"),
        ({"Fn::Join": [",", "a"]}, "must be a list of text"),
        ({"Fn::Select": [0, {"Ref": "Text"}]}, "!Ref Text is text, but must be a list"),
        ({"Fn::Select": [2, ["a", "b"]]}, "cannot select value 2 of 2"),
        ({"Fn::GetAtt": "Images"}, "must be [LogicalId, Attribute] or LogicalId.Attribute"),
        ({"Fn::If": ["C", 1]}, "must be [condition, value if true, value if false]"),
        ({"Fn::FindInMap": ["M", "us-east-9", "K"]}, "Mappings has no M.us-east-9.K: us-east-9 does not exist"),
        ({"Ref": ["Text"]}, "must be the name of a parameter or resource"),
        ({"Fn::Sub": ["${A}-x", {"A": {"Ref": "Text"}}]}, ""),
        ({"Fn::Sub": "${Text}-${!List}-${AWS::Region}-${Images.Arn}"}, ""),
        ({"Fn::Join": [",", [{"Ref": "Text"}, 1]]}, ""),
        ({"Fn::Join": [",", {"Fn::Split": ["/", {"Fn::Sub": "${Text}"}]}]}, ""),
        ({"Fn::Select": [7, {"Ref": "List"}]}, ""),
        ({"Fn::Select": [{"Ref": "Number"}, ["a", "b"]]}, ""),
        ({"Fn::FindInMap": ["M", {"Ref": "AWS::Region"}, "K"]}, ""),
        ({"Fn::FindInMap": ["M", "us-east-1", "K"]}, ""),
        ({"Fn::FindInMap": ["M", "us-east-9", "K", {"DefaultValue": "x"}]}, ""),
        ({"Fn::Transform": {"Name": "Macro"}}, ""),
    ],
    ids=str,
)
def test_the_form_of_calls(call: dict[str, Any], message: str) -> None:
    """A call in a wrong form, or with text for a list or a list for text, is reported with what it must be."""
    mappings = {"M": {"us-east-1": {"K": "x"}}}
    found = check(template({**GOOD, "Description": call}, Parameters=TYPED, Mappings=mappings))
    calls = [one.message for one in found if one.id == "E9105"]
    assert len(calls) == bool(message)
    assert all(one.startswith(f"Description.{next(iter(call))}: {message}") for one in calls)


@pytest.mark.parametrize(
    ("transform", "call"),
    [
        ("Macro", {"Fn::FindInMap": ["M", "a", "b"]}),
        ("AWS::LanguageExtensions", {"Fn::Select": ["${I}", ["a", "b"]]}),
    ],
    ids=str,
)
def test_forms_that_a_transform_can_change(transform: str, call: dict[str, Any]) -> None:
    """A call that a transform can correct is not reported."""
    assert check({"Transform": transform, **template({**GOOD, "Description": call})}) == []


def test_values_beside_references_are_checked() -> None:
    """A mistake beside a reference is found: an unknown name, a missing member, a count, an invalid entry."""
    ref = {"Ref": "Parameter"}
    entry = {
        "Region": ref,
        "AmiDistributionConfiguration": {"Name": "plain", "KmsKey": ref, "LaunchPermission": {"UserIds": [ref, "1"]}},
        "S3ExportConfiguration": {"RoleName": ref, "S3Bucket": ref},
    }
    found = check_properties({"Name": ref, "Distributions": [entry], "Tags": {str(n): ref for n in range(51)}})
    assert sorted(ids(found)) == ["E9101", "E9201", "E9204", "E9206", "E9302", "E9307"]


@pytest.mark.parametrize(
    ("conditions", "parameters", "outcomes"),
    [
        ({"A": {"Fn::Equals": [{"Ref": "P"}, "a"]}, "B": {"Fn::Not": [{"Condition": "A"}]}}, {}, {"A", "B"}),
        ({"A": {"Fn::Equals": [{"Ref": "P"}, "a"]}, "B": {"Fn::Equals": ["b", {"Ref": "P"}]}}, {}, {"A", "B", ""}),
        (
            {"A": {"Fn::Equals": [{"Ref": "P"}, "a"]}, "B": {"Fn::Equals": ["b", {"Ref": "P"}]}},
            {"P": {"AllowedValues": ["a", "b"]}},
            {"A", "B"},
        ),
        ({"A": {"Fn::Equals": [{"Ref": "P"}, 1]}, "B": {"Fn::Equals": [{"Ref": "P"}, "1"]}}, {}, {"AB", ""}),
        ({"A": {"Fn::Equals": [{"Ref": "P"}, {"Ref": "Q"}]}, "B": {"Condition": "A"}}, {}, {"AB", ""}),
        ({"A": {"Fn::Equals": ["a", "a"]}, "B": {"Fn::Equals": [True, "false"]}}, {}, {"A"}),
        (
            {
                "A": {"Fn::And": [{"Condition": "C"}, {"Condition": "D"}]},
                "B": {"Fn::Or": [{"Condition": "C"}, {"Condition": "D"}]},
                "C": {"Fn::Equals": [{"Ref": "P"}, "c"]},
                "D": {"Fn::Equals": [{"Ref": "Q"}, "d"]},
            },
            {},
            {"AB", "B", ""},
        ),
        ({"A": {"Condition": "B"}, "B": {"Condition": "A"}}, {}, {"AB", "A", "B", ""}),
        ({"A": "nonsense"}, {}, {"AB", "A", "B", ""}),
    ],
    ids=["opposites", "exclusive", "either", "literals", "references", "constants", "and-or", "cycle", "unknown"],
)
def test_outcomes_of_conditions(conditions: Any, parameters: Any, outcomes: set[str]) -> None:
    """The outcomes of conditions are those that some values of the parameters cause, and no others."""
    found = Conditions(conditions, parameters).outcomes(["A", "B"])
    assert {"".join(name for name, holds in outcome.items() if holds) for outcome in found} == outcomes
    assert len(found) == len(outcomes)


def test_many_conditions() -> None:
    """With too many combinations to try all, each branch of each condition is still checked."""
    names = [f"C{number}" for number in range(40)]
    conditions = {name: {"Fn::Equals": [{"Ref": name}, "yes"]} for name in names}
    groups = [{"Fn::If": [name, f"yes-{name}", f"no-{name}"]} for name in names]
    ami = {"Name": AMI["AmiDistributionConfiguration"]["Name"], "LaunchPermission": {"UserGroups": groups}}  # type: ignore[index] # a mapping
    distributions = [{"Region": "us-east-1", "AmiDistributionConfiguration": ami}]
    found = check(template({"Name": "golden", "Distributions": distributions}, Conditions=conditions))
    assert len(found) == 2 * len(names)


@pytest.mark.parametrize(
    "name",
    [
        {"Fn::Join": ["", ["golden", NO_VALUE, "!"]]},
        {"Fn::Join": ["-", ["golden", {"Fn::If": ["C", "!", "?"]}]]},
        {"Fn::Sub": ["golden${End}", {"End": {"Fn::Join": ["", ["!"]]}}]},
    ],
    ids=str,
)
def test_composed_texts(name: Any) -> None:
    """A text that is composed of known texts is checked, with AWS::NoValue and Fn::If as in a deployment."""
    assert {*ids(check_properties({**GOOD, "Name": name}))} == {"E9206"}


def test_loops() -> None:
    """A resource within Fn::ForEach is checked once, as it is written, and its findings have its path."""
    images = template({"Name": "golden-${Name}", "Distributions": [{"Region": "us-east-1"}]})["Resources"]
    loop = {"Fn::ForEach::Each": ["Name", ["A", "B"], {"Images${Name}": images["Images"]}]}
    (found,) = check({"Transform": "AWS::LanguageExtensions", "Resources": loop})
    assert found.path == ("Resources", "Fn::ForEach::Each", 2, "Images${Name}", "Properties", "Distributions", 0)
    assert check({"Resources": {"Fn::ForEach::Each": []}}) == []


def test_loop_variables_are_unknown() -> None:
    """`${...}` in a text is unknown with the transform that expands loops, and a mistake without it."""
    made = template({"Name": "golden-${Name}", "Distributions": [AMI]})
    assert ids(check(made)) == ["E9206"]
    assert check({**made, "Transform": ["AWS::LanguageExtensions"]}) == []


def test_condition_of_a_resource() -> None:
    """A mistake that occurs only if the resource is not created is not reported."""
    made = template({"Name": {"Fn::If": ["Made", "golden", "!"]}, "Distributions": [AMI]}, Conditions={"Made": "x"})
    assert ids(check(made)) == ["E9206"]
    made["Resources"]["Images"]["Condition"] = "Made"
    assert check(made) == []


@pytest.mark.parametrize(
    "nonsense",
    [
        {},
        {"Resources": []},
        {"Resources": {"A": None, "B": {"Type": 1}}},
        template([]),
        template("text"),
        template({"Ref": "P"}),
        template(GOOD, Conditions=[], Parameters="x"),
        template({"Name": {"Fn::If": ["C", "golden", "other"]}, "Distributions": [AMI]}, Parameters={"P": None}),
    ],
    ids=lambda tree: str(tree)[:60],
)
def test_invalid_templates(nonsense: Any) -> None:
    """An invalid template has no findings and raises nothing."""
    assert check(nonsense) == []


def test_known_functions() -> None:
    """The functions for properties are those that cfn-lint knows, except for one that only Rules can use."""
    from cfnlint.helpers import FUNCTIONS as KNOWN

    assert {name for name in KNOWN if "ForEach" not in name} - {"Fn::Contains"} == {*FUNCTIONS, *UNSUPPORTED_FUNCTIONS}


def test_misspelled_type() -> None:
    """A type with one wrong letter is the provider's, whatever the properties are; a very different one is not."""
    kind = "Custom::ImageBuilderDistributionConfiguration"
    empty = {"Properties": {"ServiceToken": {"Ref": "P"}}}
    assert "E9104" in ids(check({"Resources": {"A": {"Type": f"{kind}n", **empty}}}))
    assert check({"Resources": {"A": {"Type": kind.replace("Configuration", ""), **empty}}}) == []


@pytest.mark.parametrize("kind", ["custom::{}", "Custom:{}", "Custom:::{}"])
def test_type_with_other_colons_and_case(kind: str) -> None:
    """A type with other colons or letter case is the provider's, and the finding shows the correct one."""
    kind = kind.format("ImageBuilderDistributionConfiguration")
    for written in (kind, kind.upper()):
        (found,) = check({"Resources": {"A": {"Type": written}}})[:1]
        assert (found.id, found.path) == ("E9104", ("Resources", "A", "Type"))
        assert f"ResourceType is {written!r}; it should be Custom::ImageBuilderDistributionConfig" in found.message


def test_misspelled_properties_key() -> None:
    """If Properties is misspelled, no required property is reported as missing; if it is absent, they are."""
    kind = "Custom::ImageBuilderDistributionConfiguration"
    assert check({"Resources": {"A": {"Type": kind, "properties": {"Name": "a"}}}}) == []
    assert ids(check({"Resources": {"A": {"Type": kind, "Name": "a"}}})) == ["E9201", "E9301"]


def test_dependent_conditions() -> None:
    """If the conditions of two resources can depend on each other through a mapping, equal names are not reported."""
    mapped = {"Fn::FindInMap": ["Stages", PARAMETER, "Kind"]}
    conditions = {"C": {"Fn::Equals": [PARAMETER, "a"]}, "D": {"Fn::Equals": [mapped, "b"]}}
    made = template(GOOD, Conditions=conditions)
    images = made["Resources"]["Images"]
    made["Resources"] = {"A": {**images, "Condition": "C"}, "B": {**images, "Condition": "D"}}
    assert check(made) == []
    made["Resources"]["B"]["Condition"] = "C"
    assert ids(check(made)) == ["E9312"]


def test_own_condition_among_many() -> None:
    """With too many combinations to try all, the resource's own condition is true in those that are tried."""
    numbers = range(12)
    equal = {n: {"Fn::Equals": [{"Ref": f"P{n}"}, "v"]} for n in numbers}
    wanted = {"Fn::And": [equal[0], equal[1], {"Fn::Not": [equal[2]]}, {"Fn::Not": [equal[3]]}]}
    others = {f"C{n}": equal[n] for n in numbers}
    conditions = Conditions.of({"Conditions": {"Wanted": wanted, **others}})
    outcomes = conditions.outcomes(["Wanted", *others], "Wanted")
    assert outcomes
    assert all(outcome["Wanted"] and outcome["C0"] and not outcome["C3"] for outcome in outcomes)
    assert {outcome["C11"] for outcome in outcomes} == {True, False}


def with_parameter(properties: Any, path: tuple[str | int, ...], **parameter: Any) -> list[Diagnostic]:
    """The findings if a parameter is at this path in the properties."""
    return check(template(put(properties, path, PARAMETER), Parameters={"P": {"Type": "String", **parameter}}))


@given(PROPERTIES.filter(lambda properties: "Fn::If" not in str(properties)), st.data())
def test_defaults_have_the_findings_of_literals(properties: dict[str, Any], data: st.DataObject) -> None:
    """Without conditions, the Default of a parameter has the same findings as the literal text."""
    texts = [path for path in paths_in(properties) if isinstance(at(properties, path), str)]
    path = data.draw(st.sampled_from(texts or [("Description",)]))
    properties = {"Description": "x", **properties}
    literal = check(template(properties))
    by_default = with_parameter(properties, path, Default=at(properties, path))
    assert {one.id for one in by_default} == {one.id for one in literal}


STACK_NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,127}", fullmatch=True)
PIECES = st.text("Ag0- /.{", max_size=4) | st.sampled_from(["{{ imagebuilder:buildDate }}", "lt-", "1" * 12])


@given(PIECES, PIECES, STACK_NAMES)
def test_texts_with_pseudo_parameters(before: str, after: str, stack_name: str) -> None:
    """A finding beside a pseudo parameter is a finding with every value that it can have."""

    def with_name(name: Any) -> dict[str, Any]:
        ami = {"Name": name, "LaunchPermission": {"UserIds": [name]}}
        templates = [{"AccountId": "123456789012", "LaunchTemplateId": name}]
        entry = {"Region": "us-east-1", "AmiDistributionConfiguration": ami, "LaunchTemplateConfigurations": templates}
        return {"Name": name, "Distributions": [entry]}

    found = {
        (one.path, one.id) for one in check_properties(with_name({"Fn::Sub": f"{before}${{AWS::StackName}}{after}"}))
    }
    assert found <= {(one.path, one.id) for one in check_properties(with_name(before + stack_name + after))}


KEEP = {**GOOD, "OnDelete": "Delete"}


@pytest.mark.parametrize(
    (("parameter", "expected")),
    [
        ({"Default": "Keep"}, ["E9205"]),
        ({"AllowedValues": ["Keep", "Leave"]}, ["E9205", "E9205"]),
        ({"AllowedValues": ["Keep", "Retain"]}, ["W9207"]),
        ({"Default": "Retain", "AllowedValues": ["Retain", "Keep"]}, ["W9207"]),
        ({"Default": "Keep", "AllowedValues": ["Keep", "Leave", "Retain"]}, ["E9205", "W9207"]),
        ({"Default": "Retain"}, []),
        ({}, []),
        ({"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/keep"}, []),
        ({"Default": "{{resolve:ssm:/keep}}"}, []),
    ],
    ids=lambda value: str(value),
)
def test_values_of_parameters(parameter: dict[str, Any], expected: list[str]) -> None:
    """An invalid value is an error if it is the default or if no allowed value is valid; otherwise it is a warning."""
    found = with_parameter(KEEP, ("OnDelete",), **parameter)
    assert ids(found) == expected
    assert all('(if parameter P is "' in one.message for one in found)
    assert all(one.path == ("Resources", "Images", "Properties", "OnDelete") for one in found)


@pytest.mark.parametrize("name", ["Region", "Partition", "AccountId"])
@pytest.mark.parametrize("branch", [1, 2])
def test_values_behind_a_condition_on_the_deployment(name: str, branch: int) -> None:
    """A default is reported if it is used under a condition on a pseudo parameter, in either branch."""
    value = {"Fn::If": ["C", NO_VALUE, NO_VALUE]}
    value["Fn::If"][branch] = PARAMETER
    condition = {"Fn::Equals": [{"Ref": f"AWS::{name}"}, "x"]}
    parameters = {"P": {"Type": "String", "Default": "Keep"}}
    found = check(template({**GOOD, "OnDelete": value}, Parameters=parameters, Conditions={"C": condition}))
    assert ids(found) == ["E9205"]


def test_values_behind_conditions_on_the_deployment_and_a_parameter() -> None:
    """A default is not reported if a parameter without a value decides, together with a pseudo parameter."""
    here, wanted = {"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]}, {"Fn::Equals": [{"Ref": "Q"}, "yes"]}
    value = {"Fn::If": ["Here", {"Fn::If": ["Wanted", PARAMETER, NO_VALUE]}, NO_VALUE]}
    both = {"Fn::And": [{"Condition": "Here"}, {"Condition": "Wanted"}]}
    parameters = {"P": {"Type": "String", "Default": "Keep"}, "Q": {"Type": "String"}}
    for used in (value, {"Fn::If": ["Both", PARAMETER, NO_VALUE]}):
        conditions = {"Here": here, "Wanted": wanted, "Both": both}
        assert check(template({**GOOD, "OnDelete": used}, Parameters=parameters, Conditions=conditions)) == []


@pytest.mark.parametrize(
    "sections",
    [
        {"Rules": {"R": {"Assertions": [{"Assert": {"Fn::Contains": [["Delete"], PARAMETER]}}]}}},
        {"Conditions": {"C": {"Fn::Not": [{"Fn::Equals": [PARAMETER, "Keep"]}]}}},
        {"Conditions": {"C": {"Fn::Equals": [{"Ref": "Q"}, "yes"]}}},
        {"Conditions": {"C": {"Fn::Equals": [{"Ref": "Off"}, "yes"]}}},
        {"Conditions": {"C": {"Fn::Equals": [{"Fn::FindInMap": ["M", PARAMETER, "K"]}, "yes"]}}},
    ],
    ids=["rules", "the value itself", "another parameter", "another by default", "a mapping"],
)
def test_values_that_may_never_occur(sections: dict[str, Any]) -> None:
    """A value is not reported if Rules can forbid it, or if it is only used under a condition that can exclude it."""
    used = {**KEEP, "OnDelete": {"Fn::If": ["C", PARAMETER, "Delete"]} if "Conditions" in sections else PARAMETER}
    parameters = {"P": {"Type": "String", "Default": "Keep"}, "Q": {"Type": "String"}, "Off": {"Default": "no"}}
    parameters["Off"]["Type"] = "String"
    assert check(template(used, Parameters=parameters, **sections)) == []


def test_two_parameters_in_one_text() -> None:
    """Each parameter in a text is checked with the Default of the other, and each mistake is reported once."""
    name = {"Fn::Sub": "${P}/${Q}"}
    parameters = {"P": {"Type": "String", "AllowedValues": ["a", "b"]}, "Q": {"Type": "String", "Default": "c"}}
    found = check(template({**GOOD, "Name": name}, Parameters=parameters))
    assert [one.message.partition(" (")[2] for one in found] == [
        'if parameter Q is "c" and parameter P is "a")',
        'if parameter Q is "c" and parameter P is "b")',
    ]


@pytest.mark.parametrize(
    (("call", "expected")),
    [
        ({"Fn::GetAtt": "Images.ARN"}, "Arn"),
        ({"Fn::GetAtt": ["Images", "region"]}, "Regions"),
        ({"Fn::Sub": ["${Images.dateupdated}${X}", {"X": "x"}]}, "DateUpdated"),
        ({"Fn::GetAtt": ["Images", {"Ref": "Attribute"}]}, ""),
        ({"Fn::GetAtt": ["Others", "ARN"]}, ""),
        ({"Fn::GetAtt": "Images.Arn"}, ""),
    ],
    ids=str,
)
def test_unknown_attributes(call: dict[str, Any], expected: str) -> None:
    """An unknown attribute is reported at its call with the most similar known one."""
    found = check(template(GOOD, Outputs={"O": {"Value": {"Fn::Base64": call}}}))
    assert [one.path[:4] for one in found] == [("Outputs", "O", "Value", "Fn::Base64")] * bool(expected)
    assert all(one.message.endswith(f"; did you mean {expected}?") for one in found)


@pytest.mark.parametrize(
    (("first", "second", "expected")),
    [
        ("Golden Image", "golden_image", True),
        (PARAMETER, PARAMETER, True),
        ({"Fn::Sub": "a-${AWS::Region}"}, {"Fn::Join": ["", ["A_", {"Ref": "AWS::Region"}]]}, True),
        ("golden", {"Fn::If": ["C", "golden", "other"]}, True),
        ({"Fn::If": ["C", "golden", "other"]}, {"Fn::If": ["C", "other", "golden"]}, False),
        ("golden", "golden2", False),
        (PARAMETER, {"Ref": "Q"}, False),
        ({"Fn::Transform": {"Name": "Random"}}, {"Fn::Transform": {"Name": "Random"}}, False),
        ({"Ref": "AWS::NoValue"}, {"Ref": "AWS::NoValue"}, False),
    ],
    ids=str,
)
def test_names_with_the_same_arn(first: Any, second: Any, expected: bool) -> None:
    """If the names of two resources have the same ARN under some outcome, the second is reported."""
    conditions = {"C": {"Fn::Equals": [PARAMETER, "yes"]}}
    made = template({**GOOD, "Name": first}, Conditions=conditions)
    made["Resources"]["More"] = {**made["Resources"]["Images"], "Properties": {**GOOD, "Name": second}}
    found = [one.path for one in check(made) if one.id == "E9312"]
    assert found == [("Resources", "More", "Properties", "Name")] * expected
    made["Resources"]["Images"]["Condition"] = "C"
    made["Conditions"]["D"] = {"Fn::Not": [{"Condition": "C"}]}
    made["Resources"]["More"]["Condition"] = "D"
    assert not any(one.id == "E9312" for one in check(made))
