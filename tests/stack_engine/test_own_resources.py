"""Mistakes in a custom resource that CloudFormation rejects are reported before anything is sent."""

import json
from typing import Any

import pytest

from provider.stack_engine.deployment import Deployment
from provider.stack_engine.records import StackLocation
from provider.template.sections import TemplateError, parse
from tests.stack_engine.scripted import TOKEN

RESOURCE_TYPE = "Custom::ImageBuilderDistributionConfiguration"
LOCATION = StackLocation(
    "us-east-1", "123456789012", "web", "arn:aws:cloudformation:us-east-1:123456789012:stack/web/1"
)
STORED = "AWS::SSM::Parameter::Value<String>"


def deployed(properties: dict[str, Any], **given: str) -> Deployment:
    """A resource of the provider with these properties, among others that could give it a ServiceToken."""
    resources = {
        "A": {"Type": RESOURCE_TYPE, "Properties": properties},
        "Function": {"Type": "AWS::Lambda::Function"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Nested": {"Type": "AWS::CloudFormation::Stack"},
    }
    parameters = {
        "Token": {"Type": "String", "Default": TOKEN},
        "Stored": {"Type": STORED, "Default": "/provider/token"},
    }
    sections = {"Resources": resources, "Parameters": parameters}
    return Deployment(parse(json.dumps(sections), "t.json"), given, LOCATION, {})


@pytest.mark.parametrize(
    "token",
    [
        TOKEN,
        f"{TOKEN}:live",
        "arn:aws-us-gov:sns:us-gov-west-1:123456789012:provider",
        {"Ref": "Token"},
        {"Ref": "Stored"},
        {"Ref": "Topic"},
        {"Fn::GetAtt": ["Function", "Arn"]},
        {"Fn::GetAtt": ["Nested", "Outputs.ServiceToken"]},
        {"Fn::ImportValue": "provider-ServiceToken"},
        {"Fn::ImportValue": {"Fn::Sub": "${Token}-x"}},
        {"Fn::Sub": "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:provider"},
        "{{resolve:ssm:/provider/token}}",
    ],
)
def test_valid_service_tokens(token: object) -> None:
    """A ServiceToken can be the ARN of a function or topic, or a value that is known only at deployment."""
    assert deployed({"ServiceToken": token}).order


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("provider", 'must be the ARN of the provider\'s Lambda function or of an SNS topic, not "provider"'),
        ("arn:aws:iam::123456789012:role/provider", "must be the ARN"),
        ("arn:aws:lambda:us-east-1:1234:function:provider", "must be the ARN"),
        ({"Ref": "Token"}, "must be the ARN"),
        ({"Ref": "AWS::StackName"}, "must be the ARN"),
        (["a"], "must be the ARN of the provider's Lambda function or of an SNS topic, not a list"),
        ("", 'must be the ARN of the provider\'s Lambda function or of an SNS topic, not ""'),
        (
            {"Ref": "AWS::NoValue"},
            "Resources.A.Properties: ServiceToken is required: the ARN of the provider's function",
        ),
        ({"Fn::GetAtt": ["A", "Arn"]}, "circular dependency between resources: A -> A"),
    ],
)
def test_invalid_service_tokens(token: object, message: str) -> None:
    """A ServiceToken that evaluates to something else, or that comes from the resource itself, is rejected."""
    with pytest.raises(TemplateError) as caught:
        deployed({"ServiceToken": token}, Token="provider")
    assert message in str(caught.value)


def test_several_mistakes() -> None:
    """An error contains all mistakes that were found together; its text is the first one."""
    with pytest.raises(TemplateError) as caught:
        deployed({"ServiceToken": "provider", "ServiceTimeout": 0})
    first, second = map(str, caught.value.all)
    assert first == str(caught.value)
    assert second == "Resources.A.Properties.ServiceTimeout: must be a whole number of seconds from 1 to 3600, not 0"


def test_unknown_service_timeout() -> None:
    """A ServiceTimeout from a dynamic reference is accepted."""
    assert deployed({"ServiceToken": TOKEN, "ServiceTimeout": "{{resolve:ssm:/seconds}}"}).order


@pytest.mark.parametrize("seconds", [1, "3600", 300])
def test_valid_service_timeouts(seconds: object) -> None:
    """A ServiceTimeout is a whole number of seconds from 1 to 3600."""
    sent = deployed({"ServiceToken": TOKEN, "ServiceTimeout": seconds}).properties("A")
    assert sent["ServiceTimeout"] == str(seconds)


@pytest.mark.parametrize("seconds", [0, 3601, -1, 1.5, "5m", "", ["1"]])
def test_invalid_service_timeouts(seconds: object) -> None:
    """Any other ServiceTimeout is rejected at its path."""
    with pytest.raises(
        TemplateError, match=r"A\.Properties\.ServiceTimeout: must be a whole number of seconds from 1 to 3600"
    ):
        deployed({"ServiceToken": TOKEN, "ServiceTimeout": seconds})


def test_parameter_types() -> None:
    """An unknown parameter type is rejected, and the most similar type is suggested."""
    text = {"Parameters": {"P": {"Type": "Sting", "Default": "a"}}, "Resources": {"A": {"Type": "T"}}}
    template = parse(json.dumps(text), "t")
    with pytest.raises(TemplateError, match=r"Parameters\.P\.Type: there is no type Sting; did you mean String\?"):
        Deployment(template, {}, LOCATION, {})
