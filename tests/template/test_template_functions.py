"""Parameters, conditions, and intrinsic functions are evaluated as in CloudFormation."""

import json
from typing import Any

import pytest

from provider.stack_engine.deployment import Deployment
from provider.stack_engine.records import StackLocation
from provider.template.external_values import ExternalValues
from provider.template.sections import Template, TemplateError, parse
from tests.stack_engine.scripted import TOKEN

STACK_ID = "arn:aws:cloudformation:eu-west-1:123456789012:stack/web/1"
LOCATION = StackLocation("eu-west-1", "123456789012", "web", STACK_ID)
RESOURCE_TYPE = "Custom::ImageBuilderDistributionConfiguration"


def template_with(value: Any, **sections: Any) -> Template:
    """A template whose resource A, of the provider, has `value` as its property P."""
    resource = {"Type": RESOURCE_TYPE, "Properties": {"ServiceToken": TOKEN, "P": value}}
    others = sections.pop("Resources", {})
    return parse(json.dumps({"Resources": {"A": resource, **others}, **sections}), "t.json")


def deployed(template: Template, **given: str) -> Deployment:
    return Deployment(template, given, LOCATION, {})


def result(value: Any, given: dict[str, str] | None = None, **sections: Any) -> Any:
    """The value that is sent for the property P of the template that `template_with` returns."""
    return deployed(template_with(value, **sections), **(given or {})).properties("A").get("P", "nothing")


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


MAPPINGS = {"Map": {"one": {"two": "found", "list": ["a", "b"]}}}


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ({"Fn::Join": ["-", ["a", 1, True]]}, "a-1-true"),
        ({"Fn::Join": ["", {"Fn::Split": [",", "a,b"]}]}, "ab"),
        ({"Fn::Select": ["1", ["a", "b"]]}, "b"),
        ({"Fn::Select": [0, {"Fn::Split": ["/", "x/y"]}]}, "x"),
        ({"Fn::Split": [",", "a,,b"]}, ["a", "", "b"]),
        ({"Fn::FindInMap": ["Map", "one", "two"]}, "found"),
        ({"Fn::FindInMap": ["Map", "one", "list"]}, ["a", "b"]),
        ({"Fn::FindInMap": ["Map", "none", "two", {"DefaultValue": "else"}]}, "else"),
        ({"Fn::Base64": "text"}, "dGV4dA=="),
        ({"Fn::GetAZs": ""}, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]),
        ({"Fn::Length": ["a", "b"]}, "2"),
        ({"Fn::ToJsonString": {"a": [ref("AWS::Region")]}}, '{"a":["eu-west-1"]}'),
        ({"Fn::Sub": "${AWS::Region} ${!Literal} $ {{ imagebuilder:buildDate }}"}, None),
        ({"Fn::Sub": ["${x}-${AWS::AccountId}", {"x": {"Fn::Join": ["", ["a", "b"]]}}]}, "ab-123456789012"),
        (ref("AWS::Partition"), "aws"),
        (ref("AWS::StackName"), "web"),
        (ref("AWS::StackId"), STACK_ID),
        (ref("AWS::URLSuffix"), "amazonaws.com"),
        (ref("AWS::NotificationARNs"), []),
        (ref("AWS::NoValue"), "nothing"),
        (["a", ref("AWS::NoValue"), "b"], ["a", "b"]),
        ({"a": ref("AWS::NoValue")}, {}),
    ],
)
def test_functions(value: Any, sent: Any) -> None:
    """Each function returns the value that CloudFormation's returns."""
    expected = "eu-west-1 ${Literal} $ {{ imagebuilder:buildDate }}" if sent is None else sent
    assert result(value, Mappings=MAPPINGS) == expected


CONDITIONS = {
    "Yes": {"Fn::Equals": [ref("P"), "yes"]},
    "No": {"Fn::Not": [{"Condition": "Yes"}]},
    "Both": {"Fn::And": [{"Condition": "Yes"}, {"Fn::Equals": ["1", 1]}]},
    "Either": {"Fn::Or": [{"Condition": "No"}, {"Condition": "Yes"}]},
}
YES_OR_NO = {"P": {"Type": "String", "Default": "yes"}}


@pytest.mark.parametrize(
    ("condition", "given", "holds"),
    [("Yes", "yes", 1), ("No", "yes", 0), ("Both", "yes", 1), ("Both", "no", 0), ("Either", "no", 1)],
)
def test_conditions(condition: str, given: str, holds: int) -> None:
    """Fn::If chooses by a condition that can be composed of others."""
    value = {"Fn::If": [condition, "then", ref("AWS::NoValue")]}
    sent = result(value, {"P": given}, Conditions=CONDITIONS, Parameters=YES_OR_NO)
    assert sent == ("then" if holds else "nothing")


def test_branch_not_chosen_is_no_dependency() -> None:
    """A resource in the branch that is not chosen is not a dependency, and need not exist."""
    value = {"Fn::If": ["Yes", "then", ref("B")]}
    others = {"B": {"Type": RESOURCE_TYPE, "Condition": "No", "Properties": {"ServiceToken": TOKEN}}}
    assert result(value, Resources=others, Conditions=CONDITIONS, Parameters=YES_OR_NO) == "then"


@pytest.mark.parametrize(
    ("kind", "text", "sent"),
    [
        ("String", "a,b", "a,b"),
        ("Number", "012", "012"),
        ("CommaDelimitedList", "a, b", ["a", "b"]),
        ("List<Number>", "1,2.5", ["1", "2.5"]),
        ("List<AWS::EC2::Subnet::Id>", "subnet-1,subnet-2", ["subnet-1", "subnet-2"]),
    ],
)
def test_parameter_types(kind: str, text: str, sent: Any) -> None:
    """A parameter's type determines whether its value is text or a list of text."""
    assert result(ref("P"), {"P": text}, Parameters={"P": {"Type": kind}}) == sent


def test_ssm_parameters_are_placeholders() -> None:
    """The value of an SSM parameter is a placeholder in its type's format, with a note."""
    kind = "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>"
    template = template_with(ref("P"), Parameters={"P": {"Type": kind, "Default": "/images/base"}})
    deployment = deployed(template)
    assert deployment.properties("A")["P"].startswith("ami-")
    assert [note for note in deployment.notes if "SSM parameter /images/base is assumed to be" in note]


def test_imports_and_dynamic_references_are_placeholders() -> None:
    """An import and a dynamic reference get placeholders, with a note for each."""
    deployment = deployed(template_with([{"Fn::ImportValue": "net-SubnetId"}, "{{resolve:ssm:/a/b:1}}"]))
    assert deployment.properties("A")["P"] == ["net-SubnetId", "a-b"]
    assert len(deployment.notes) == 2


def test_known_external_values_need_no_placeholder() -> None:
    """A known export or dynamic reference returns its value everywhere, without a note."""
    nodes = [
        {"Fn::ImportValue": {"Fn::Sub": "${AWS::Region}-Key"}},
        {"Fn::Split": [",", {"Fn::ImportValue": "two"}]},
        {"Fn::Sub": "{{resolve:ssm:/${AWS::Region}/a}}"},
        "arn:{{resolve:ssm:/a/b:1}}:{{resolve:secretsmanager:c:SecretString:d}}",
    ]
    external = ExternalValues(
        exports={"eu-west-1-Key": "alias/key", "two": "1,2"},
        references={"ssm:/a/b:1": "first", "ssm:/eu-west-1/a": "x", "secretsmanager:c:SecretString:d": ""},
    )
    deployment = Deployment(template_with(nodes), {}, LOCATION, {}, external=external)
    assert deployment.properties("A")["P"] == ["alias/key", ["1", "2"], "x", "arn:first:"]
    assert deployment.notes == []


def test_placeholders_are_made_to_fit() -> None:
    """A placeholder that is a whole value is adapted to its path; a part of a text is unchanged."""
    nodes = [{"Fn::ImportValue": "a"}, "{{resolve:ssm:/b}}", "x{{resolve:ssm:/b}}", ref("P"), ref("Q"), ref("Other")]
    store = "AWS::SSM::Parameter::Value"
    parameters = {
        "P": {"Type": f"{store}<String>", "Default": "/p"},
        "Q": {"Type": f"{store}<List<String>>", "Default": "/q"},
    }
    external = ExternalValues(fit=lambda path, value: f"{value} at {path[4]}" if path else value)
    template = template_with(nodes, Parameters=parameters, Resources={"Other": {"Type": "AWS::S3::Bucket"}})
    deployment = Deployment(template, {}, LOCATION, {}, external=external)
    assert deployment.properties("A")["P"] == ["a at 0", "b at 1", "xb", "p at 3", ["q at 4"], "other at 5"]
    for what in ("the export a", "{{resolve:ssm:/b}}", "parameter P", "parameter Q", "Other"):
        assert any(note.startswith(what) for note in deployment.notes)


def test_imported_service_token_is_a_function() -> None:
    """The placeholder for an imported ServiceToken is the ARN of a function."""
    resource = {"Type": RESOURCE_TYPE, "Properties": {"ServiceToken": {"Fn::ImportValue": "provider-ServiceToken"}}}
    template = parse(json.dumps({"Resources": {"A": resource}}), "t.json")
    assert deployed(template).properties("A")["ServiceToken"].startswith("arn:aws:lambda:eu-west-1:123456789012:")


@pytest.mark.parametrize(
    ("parameter", "text", "message"),
    [
        ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "'c' is not one of the allowed values a, b"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "a1", "does not match [a-z]+"),
        ({"Type": "String", "MinLength": 2}, "a", "is shorter than 2"),
        ({"Type": "String", "MaxLength": "2"}, "abc", "is longer than 2"),
        ({"Type": "Number"}, "a", "'a' is not a number"),
        ({"Type": "Number", "MinValue": 5}, "4", "is less than 5"),
        ({"Type": "List<Number>", "MaxValue": 5}, "4,6", "'6' is more than 5"),
        ({"Type": "String", "AllowedPattern": "x", "ConstraintDescription": "one x"}, "y", ": one x"),
        ({}, "y", "Type is required"),
    ],
)
def test_parameter_values_that_are_not_allowed(parameter: dict[str, Any], text: str, message: str) -> None:
    """A value that the parameter's declaration does not allow is rejected with the allowed values."""
    with pytest.raises(TemplateError) as caught:
        result(ref("P"), {"P": text}, Parameters={"P": parameter})
    assert str(caught.value).startswith("Parameters.P: ")
    assert message in str(caught.value)


def test_missing_and_unknown_parameters() -> None:
    """A parameter without a value, and a value without a parameter, are rejected with a remediation."""
    with pytest.raises(TemplateError, match="needs a value for P: --parameter P="):
        result(ref("P"), Parameters={"P": {"Type": "String"}})
    with pytest.raises(TemplateError, match=r"has no parameter Stge; did you mean Stage\?"):
        result("x", {"Stge": "a"}, Parameters={"Stage": {"Type": "String", "Default": "b"}})


P = "Resources.A.Properties.P"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (ref("B"), f"{P}.Ref: there is no resource or parameter B"),
        ([{"Fn::Sub": "${B}"}], f"{P}[0].Fn::Sub: there is no resource or parameter B"),
        ({"Fn::GetAtt": ["B", "Arn"]}, f"{P}.Fn::GetAtt: there is no resource or parameter B"),
        ({"Fn::Foo": 1}, f"{P}: there is no function Fn::Foo"),
        ({"Fn::Equals": [1, 1]}, f"{P}: Fn::Equals is allowed only in Conditions"),
        ({"Fn::Cidr": []}, f"{P}: Fn::Cidr is not supported"),
        ({"Fn::If": ["Maybe", 1, 2]}, f"{P}.Fn::If: there is no condition Maybe"),
        ({"Fn::If": [ref("AWS::Region"), 1, 2]}, f"{P}.Fn::If: must be the name of a condition"),
        ({"Fn::Base64": ref("B")}, f"{P}.Fn::Base64.Ref: there is no resource or parameter B"),
        ({"Fn::If": ["Maybe"]}, f"{P}.Fn::If: must be [condition,"),
        ({"Fn::Select": [2, ["a"]]}, f"{P}.Fn::Select: cannot select value 2 of 1"),
        ({"Fn::Select": ["x", ["a"]]}, f"{P}.Fn::Select: cannot select value x"),
        ({"Fn::Join": [",", "a"]}, f"{P}.Fn::Join[1]: must be a list of text"),
        ({"Fn::Join": [",", [["a"]]]}, f"{P}.Fn::Join[1]: must be text, not a list"),
        ({"Fn::Split": ["", "a"]}, f"{P}.Fn::Split: the delimiter is empty"),
        ({"Fn::FindInMap": ["Map", "x", "two"]}, f"{P}.Fn::FindInMap: Mappings has no Map.x.two: x does not exist"),
        ({"Fn::Sub": "${a b}"}, f"{P}.Fn::Sub: ${{a b}}: a variable's name can have only letters"),
        ({"Fn::Sub": "${AWS::NotificationARNs}"}, "is a list; combine its items with Fn::Join"),
        ([1, None], f"{P}[1]: null values are not allowed"),
    ],
)
def test_invalid_calls(value: Any, message: str) -> None:
    """A call that CloudFormation cannot evaluate is rejected at its path."""
    with pytest.raises(TemplateError) as caught:
        deployed(template_with(value, Mappings=MAPPINGS))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({"A": {"Condition": "B"}, "B": {"Condition": "A"}}, "circular dependency between conditions: A, B, A"),
        ({"A": {"Condition": "C"}}, "Conditions.A.Condition: there is no condition C"),
        ({"A": "yes"}, "Conditions.A: must be one of Fn::And"),
        ({"A": {"Fn::Not": []}}, "Conditions.A.Fn::Not: must be a list of 1 operand"),
    ],
)
def test_invalid_conditions(conditions: dict[str, Any], message: str) -> None:
    """An invalid condition is rejected, whether it is used or not."""
    with pytest.raises(TemplateError) as caught:
        deployed(template_with("x", Conditions=conditions))
    assert message in str(caught.value)


def test_circular_dependency() -> None:
    """Resources that depend on each other are rejected, and the message shows the cycle."""
    others = {"B": {"Type": "AWS::S3::Bucket", "Properties": {"Name": ref("A")}}}
    with pytest.raises(TemplateError, match=r"circular dependency between resources: (A -> B -> A|B -> A -> B)"):
        deployed(template_with(ref("B"), Resources=others))


def test_resource_whose_condition_is_false_cannot_be_referred_to() -> None:
    """A reference to a resource that is not created is rejected; a DependsOn is ignored."""
    sections: dict[str, Any] = {"Conditions": CONDITIONS, "Parameters": YES_OR_NO}
    others = {"B": {"Type": RESOURCE_TYPE, "Condition": "No", "Properties": {"ServiceToken": TOKEN}}}
    with pytest.raises(TemplateError, match=r"B is not created, because its condition is false"):
        deployed(template_with(ref("B"), Resources=others, **sections))
    others["C"] = {"Type": RESOURCE_TYPE, "DependsOn": ["B"], "Properties": {"ServiceToken": TOKEN}}
    assert deployed(template_with("x", Resources=others, **sections)).order == ("A", "C")


def test_sam_templates() -> None:
    """In a template with a transform, unknown names get placeholders, and Globals is ignored."""
    sections: dict[str, Any] = {"Transform": "AWS::Serverless-2016-10-31", "Globals": {"Function": {"Timeout": 3}}}
    others = {"Job": {"Type": "AWS::Serverless::Function", "Properties": {"Events": {}}}}
    value = [{"Fn::GetAtt": ["JobRole", "Arn"]}, ref("ServerlessRestApi"), {"Fn::GetAtt": ["Job", "Arn"]}]
    sent = result(value, Resources=others, **sections)
    assert sent[1] == "serverlessrestapi"
    assert sent[2] == "arn:aws:lambda:eu-west-1:123456789012:function:job"


def test_service_token_is_required() -> None:
    """A resource of the provider without a ServiceToken is rejected."""
    template = parse(json.dumps({"Resources": {"A": {"Type": RESOURCE_TYPE}}}), "t.json")
    with pytest.raises(TemplateError, match=r"Resources\.A\.Properties: ServiceToken is required"):
        deployed(template)


def test_unknown_policy() -> None:
    """An unknown DeletionPolicy is rejected."""
    template = parse(
        json.dumps(
            {
                "Resources": {
                    "A": {"Type": RESOURCE_TYPE, "DeletionPolicy": "Keep", "Properties": {"ServiceToken": TOKEN}}
                }
            }
        ),
        "t.json",
    )
    with pytest.raises(TemplateError, match=r"Resources\.A\.DeletionPolicy: 'Keep' is not one of Delete, Retain"):
        deployed(template)


def test_unsupported_functions_in_other_resources() -> None:
    """Skipped resources can use functions that are not supported."""
    others = {"Net": {"Type": "AWS::EC2::VPC", "Properties": {"Cidrs": {"Fn::Cidr": ["10.0.0.0/16", 1, 8]}}}}
    assert result("x", Resources=others) == "x"
