"""What CloudFormation refuses in a custom resource itself is refused before anything is sent."""

import json
from typing import Any

import pytest

from provider.stack_engine.deployment import Deployment
from provider.stack_engine.records import StackLocation
from provider.template.sections import TemplateError, parse
from tests.stack_engine.scripted import TOKEN

OURS = "Custom::ImageBuilderDistributionConfiguration"
PLACE = StackLocation("us-east-1", "123456789012", "web", "arn:aws:cloudformation:us-east-1:123456789012:stack/web/1")
STORED = "AWS::SSM::Parameter::Value<String>"


def deployed(properties: dict[str, Any], **given: str) -> Deployment:
    """A resource of ours with these properties, among others that could give it a ServiceToken."""
    resources = {
        "A": {"Type": OURS, "Properties": properties},
        "Function": {"Type": "AWS::Lambda::Function"},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Nested": {"Type": "AWS::CloudFormation::Stack"},
    }
    parameters = {
        "Token": {"Type": "String", "Default": TOKEN},
        "Stored": {"Type": STORED, "Default": "/provider/token"},
    }
    sections = {"Resources": resources, "Parameters": parameters}
    return Deployment(parse(json.dumps(sections), "t.json"), given, PLACE, {})


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
def test_service_tokens_that_may_be_right(token: object) -> None:
    """The ARN of a function or a topic will do, and so will what only a real deployment knows."""
    assert deployed({"ServiceToken": token}).order


@pytest.mark.parametrize(
    ("token", "said"),
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
def test_service_tokens_that_are_wrong(token: object, said: str) -> None:
    """What is no such ARN once it is worked out, or comes from the resource itself, is refused."""
    with pytest.raises(TemplateError) as caught:
        deployed({"ServiceToken": token}, Token="provider")
    assert said in str(caught.value)


def test_all_that_is_wrong_is_known() -> None:
    """A refusal knows all mistakes that were found at once, the first one being told."""
    with pytest.raises(TemplateError) as caught:
        deployed({"ServiceToken": "provider", "ServiceTimeout": 0})
    first, second = map(str, caught.value.all)
    assert first == str(caught.value)
    assert second == "Resources.A.Properties.ServiceTimeout: must be a whole number of seconds from 1 to 3600, not 0"


def test_service_timeout_that_only_a_deployment_knows() -> None:
    """What a dynamic reference will give may be a number."""
    assert deployed({"ServiceToken": TOKEN, "ServiceTimeout": "{{resolve:ssm:/seconds}}"}).order


@pytest.mark.parametrize("seconds", [1, "3600", 300])
def test_service_timeouts_that_are_right(seconds: object) -> None:
    """A ServiceTimeout is whole seconds, from one to an hour."""
    sent = deployed({"ServiceToken": TOKEN, "ServiceTimeout": seconds}).properties("A")
    assert sent["ServiceTimeout"] == str(seconds)


@pytest.mark.parametrize("seconds", [0, 3601, -1, 1.5, "5m", "", ["1"]])
def test_service_timeouts_that_are_wrong(seconds: object) -> None:
    """Any other ServiceTimeout is refused with its place."""
    with pytest.raises(
        TemplateError, match=r"A\.Properties\.ServiceTimeout: must be a whole number of seconds from 1 to 3600"
    ):
        deployed({"ServiceToken": TOKEN, "ServiceTimeout": seconds})


def test_parameter_types() -> None:
    """A parameter's type is one that CloudFormation has; the nearest one is named."""
    text = {"Parameters": {"P": {"Type": "Sting", "Default": "a"}}, "Resources": {"A": {"Type": "T"}}}
    template = parse(json.dumps(text), "t")
    with pytest.raises(TemplateError, match=r"Parameters\.P\.Type: there is no type Sting; did you mean String\?"):
        Deployment(template, {}, PLACE, {})
