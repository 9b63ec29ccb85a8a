"""Properties that the app's own provider does not allow are reported at synth."""

from typing import Any

import pytest
from aws_cdk import App, CfnCondition, CfnParameter, Environment, Fn, Stack, Token
from aws_cdk.aws_iam import ManagedPolicy, Policy, PolicyStatement

from provider.construct import DistributionConfiguration, DistributionConfigurationProvider
from provider.construct.provider import DeployedProvider
from tests.stack import ARN, NAME

AMI: dict[str, Any] = {"region": "us-east-1", "ami_distribution_configuration": {"name": NAME}}
SSM = [{**AMI, "ssm_parameter_configurations": [{"parameter_name": "/images/golden"}]}]
TEMPLATES = [{**AMI, "launch_template_configurations": [{"launch_template_id": "lt-0123456789abcdef0"}]}]


def export_to(bucket: Any) -> list[dict[str, Any]]:
    return [{**AMI, "s3_export_configuration": {"role_name": "a", "disk_image_format": "RAW", "s3_bucket": bucket}}]


def targets(source: dict[str, Any]) -> list[Any]:
    """A list of distributions with an account and a source as target accounts."""
    ami = AMI["ami_distribution_configuration"]
    return [{**AMI, "ami_distribution_configuration": {**ami, "target_account_ids": ["123456789012", source]}}]


def errors(
    stack: Stack, provider: DistributionConfigurationProvider | DeployedProvider | None = None, **properties: Any
) -> list[str]:
    """The errors of a configuration with this provider."""
    target = {} if "adopt" in properties else {"name": "golden"}
    properties = {**target, "distributions": [AMI], **properties}
    found = DistributionConfiguration(stack, f"Golden{len(stack.node.children)}", provider=provider, **properties)
    return found.validate()


def test_the_default_provider_allows_no_ssm_parameters(app: App, stack: Stack) -> None:
    """Synth fails if the stack's default provider manages a configuration with an SSM parameter."""
    (message,) = errors(stack, distributions=SSM)
    assert message == (
        'distributions[0].ssm_parameter_configurations[0].parameter_name: "/images/golden" is not allowed by the '
        'provider images/ImageBuilderDistributionProvider, whose ssm_parameter_pattern is ""; to allow it, create the '
        'provider with one that matches "images/golden"'
    )
    with pytest.raises(RuntimeError, match="ssm_parameter_pattern"):
        app.synth()


@pytest.mark.parametrize(
    ("arguments", "properties", "start"),
    [
        ({"name_pattern": "web-*"}, {}, 'name: "golden" is not allowed by the provider images/P, whose name_pattern'),
        ({"name_pattern": "web-*"}, {"adopt": f"{ARN}golden"}, "adopt: "),
        ({"export_bucket_pattern": ""}, {"distributions": export_to("archive")},
         "distributions[0].s3_export_configuration.s3_bucket: "),
        ({"export_bucket_pattern": "archive"}, {"distributions": export_to("archive2")},
         "distributions[0].s3_export_configuration.s3_bucket: "),
        ({"ssm_parameter_pattern": "Images/*"}, {"distributions": SSM},
         "distributions[0].ssm_parameter_configurations[0].parameter_name: "),
        ({"launch_templates": False}, {"distributions": TEMPLATES},
         "distributions[0].launch_template_configurations[0]: the provider images/P has launch_templates=False"),
        ({"source_parameter_pattern": "images/a*"}, {"distributions": targets({"parameter": "/images/b"})},
         "distributions[0].ami_distribution_configuration.target_account_ids[1].parameter: "),
        ({}, {"distributions": targets({"organizational_unit": "r-ab12"})},
         "distributions[0].ami_distribution_configuration.target_account_ids[1].organizational_unit: the provider "
         "images/P may not read organizational units; create it with organizations_role_arn or organizations_access"),
    ],
    ids=["name", "ARN", "no buckets", "bucket", "parameter", "launch template", "source", "unit"],
)  # fmt: skip
def test_what_the_provider_does_not_allow_fails(
    stack: Stack, arguments: dict[str, Any], properties: dict[str, Any], start: str
) -> None:
    """A value that no pattern of the provider matches is an error, at its path."""
    (message,) = errors(stack, DistributionConfigurationProvider(stack, "P", **arguments), **properties)
    assert message.startswith(start)


@pytest.mark.parametrize(
    ("arguments", "properties"),
    [
        ({"name_pattern": "web-*"}, {"name": "Web_Images"}),
        ({"name_pattern": "gold?n"}, {"adopt": f"{ARN}golden"}),
        ({"export_bucket_pattern": "archive-*"}, {"distributions": export_to("archive-1")}),
        ({"ssm_parameter_pattern": "images/*"}, {"distributions": SSM}),
        ({"ssm_parameter_pattern": ""}, {"distributions": [{**AMI, "ssm_parameter_configurations": []}]}),
        ({"launch_templates": False}, {}),
        ({}, {"distributions": TEMPLATES}),
        ({"source_parameter_pattern": "images/*"}, {"distributions": targets({"parameter": "/images/a:3"})}),
        (
            {"organizations_role_arn": "arn:aws:iam::123456789012:role/a"},
            {"distributions": targets({"organizational_unit": "r-ab12"})},
        ),
        ({"organizations_access": True}, {"distributions": targets({"organizational_unit": "r-ab12"})}),
    ],
    ids=[
        *("name", "ARN", "bucket", "parameter", "no parameters", "no launch templates", "launch template"),
        *("source", "organizations role", "organizations access"),
    ],
)
def test_what_the_provider_allows_is_valid(stack: Stack, arguments: dict[str, Any], properties: dict[str, Any]) -> None:
    """A value that the provider's pattern matches is valid."""
    assert errors(stack, DistributionConfigurationProvider(stack, "P", **arguments), **properties) == []


def test_tokens_are_not_compared(stack: Stack) -> None:
    """A token, and a pattern that is a token, are not compared; but without a pattern, no value is allowed."""
    bucket = CfnParameter(stack, "Bucket").value_as_string
    narrow = DistributionConfigurationProvider(stack, "Narrow", export_bucket_pattern="archive")
    unknown = DistributionConfigurationProvider(stack, "Unknown", export_bucket_pattern=bucket)
    none = DistributionConfigurationProvider(stack, "None", export_bucket_pattern="")
    assert errors(stack, narrow, distributions=export_to(bucket)) == []
    assert errors(stack, unknown, distributions=export_to("archive"), name="silver") == []
    (message,) = errors(stack, none, distributions=export_to(bucket), name="bronze")
    assert "this value is not allowed" in message


def test_each_branch_of_a_condition_is_checked(stack: Stack) -> None:
    """A value that a condition chooses is checked; one that a condition leaves out is not."""
    CfnCondition(stack, "Prod", expression=Fn.condition_equals(stack.region, "us-east-1"))
    provider = DistributionConfigurationProvider(stack, "P", export_bucket_pattern="archive")
    bucket = Token.as_string(Fn.condition_if("Prod", "archive", "other"))
    (message,) = errors(stack, provider, distributions=export_to(bucket))
    assert '"other" is not allowed' in message
    absent = Token.as_string(Fn.condition_if("Prod", "archive", Fn.ref("AWS::NoValue")))
    assert [
        text for text in errors(stack, provider, distributions=export_to(absent), name="b") if "allowed" in text
    ] == []


def test_a_deployed_provider_is_not_checked(stack: Stack) -> None:
    """What a deployed provider allows is unknown."""
    deployed = DistributionConfigurationProvider.from_service_token(stack, "P", "arn:aws:lambda:us-east-1:1:function:p")
    assert errors(stack, deployed, distributions=SSM) == []


def test_permissions_that_the_app_adds_count(stack: Stack) -> None:
    """If the app adds a policy with the action to the provider's role, synth cannot know what the role allows."""
    for number, actions in enumerate((["ssm:Get*"], ["*"], ["s3:GetObject"])):
        provider = DistributionConfigurationProvider(stack, f"P{number}")
        provider.role.add_to_policy(PolicyStatement(actions=actions, resources=["*"]))
        assert (errors(stack, provider, distributions=SSM, name=f"golden{number}") == []) == (number < 2)
    inline = DistributionConfigurationProvider(stack, "Inline")
    statement = PolicyStatement(actions=["ssm:GetParameter"], resources=["*"])
    Policy(stack, "Added", statements=[statement]).attach_to_role(inline.role)
    assert errors(stack, inline, distributions=SSM, name="inline") == []
    managed = DistributionConfigurationProvider(stack, "Managed")
    managed.role.add_managed_policy(ManagedPolicy.from_aws_managed_policy_name("AmazonSSMReadOnlyAccess"))
    assert errors(stack, managed, distributions=SSM, name="managed") == []


@pytest.mark.parametrize(
    ("account", "region", "expected"),
    [
        ("123456789012", "us-east-1", []),
        ("210987654321", "us-east-1", ["adopt: is in the account 123456789012, but the provider there/P is in 2109"]),
        ("123456789012", "eu-west-1", ["adopt: is in the Region us-east-1, but the provider there/P is in eu-west-1"]),
    ],
    ids=["here", "account", "Region"],
)
def test_an_arn_is_in_a_location_that_the_provider_reaches(
    app: App, account: str, region: str, expected: list[str]
) -> None:
    """Without a role, the provider manages only configurations in its own account and Region."""
    stack = Stack(app, "there", env=Environment(account=account, region=region))
    provider = DistributionConfigurationProvider(stack, "P")
    found = errors(stack, provider, adopt=f"{ARN}golden")
    assert len(found) == len(expected)
    assert all(message.startswith(start) for message, start in zip(found, expected, strict=True))
    role = f"arn:aws:iam::{ARN.split(':')[4]}:role/images"
    assert errors(stack, provider, adopt=f"{ARN}bronze", role=role) == []
    if account == "123456789012":
        wide = DistributionConfigurationProvider(stack, "Wide", regions=["us-east-1"])
        assert errors(stack, wide, adopt=f"{ARN}silver") == []


@pytest.mark.parametrize(("region", "count"), [("us-east-1", 0), ("us-west-2", 0), ("eu-west-1", 1)])
def test_a_region_is_one_of_the_providers(app: App, region: str, count: int) -> None:
    """A Region that is neither the provider's own nor one of its `regions` is an error, unless a role is given."""
    stack = Stack(app, "there", env=Environment(account="123456789012", region="us-east-1"))
    provider = DistributionConfigurationProvider(stack, "P", regions=["us-west-2"])
    message = (
        'region: "eu-west-1" is not allowed by the provider there/P, which is in us-east-1; to allow it, create the '
        'provider with "eu-west-1" in its regions'
    )
    assert errors(stack, provider, region=region) == [message] * count
    role = "arn:aws:iam::210987654321:role/images"
    assert errors(stack, provider, region=region, role=role, name="silver") == []
    assert errors(Stack(app, "unknown"), region=region, name="bronze") == []


def test_a_roles_permissions_are_not_the_providers(stack: Stack) -> None:
    """What the provider's own role allows does not limit a configuration with another role."""
    provider = DistributionConfigurationProvider(stack, "P", name_pattern="web-*", export_bucket_pattern="")
    role = "arn:aws:iam::210987654321:role/images"
    assert errors(stack, provider, distributions=export_to("archive"), role=role) == []
