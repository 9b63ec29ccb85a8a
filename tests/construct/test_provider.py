"""The provider as a construct: the same resources as template.yaml, one per stack, and no cdk-nag findings."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnCondition, CfnResource, Duration, Fn, Stack, Validations
from aws_cdk.aws_iam import ManagedPolicy, PolicyStatement
from aws_cdk.aws_kms import Key
from aws_cdk.aws_lambda import ApplicationLogLevel
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_sns import Topic
from cdk_nag import AwsSolutionsChecks

from provider.construct import DistributionConfiguration, DistributionConfigurationProvider
from provider.construct.limits import MINIMUM_TIMEOUT, PATTERNS
from provider.construct.properties import Distribution
from provider.template.intrinsics import Evaluator
from provider.template.sections import Template, load, made_of
from tests.construct.synthesis import resources_of, template_of

APPLICATION = load(Path(__file__).parents[2] / "template.yaml")
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
PSEUDO = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"}
CONSTRUCTS = {"Log": "ProviderLogGroup", "Role": "ProviderRole", "Function": "ProviderFunction",
              "LastResort": "LastResortFunction"}  # fmt: skip
"""Construct IDs -> logical IDs in template.yaml, if they differ."""

DISTRIBUTIONS: list[Distribution] = [{"region": "us-east-1", "ami_distribution_configuration": {}}]

DEPLOYMENTS: dict[str, tuple[dict[str, str], Callable[[Stack], dict[str, Any]]]] = {
    "by default": ({}, lambda stack: {}),
    "narrowed": (
        {
            "NamePattern": "golden-*",
            "ExportBucketPattern": "archive-*",
            "SsmParameterPattern": "images/*",
            "LaunchTemplates": "Denied",
            "PermissionsBoundary": BOUNDARY,
            "KmsKeyArn": KEY,
            "MemorySize": "512",
            "Timeout": "300",
            "LogLevel": "DEBUG",
            "LogRetentionInDays": "30",
            "AlarmTopic": TOPIC,
        },
        lambda stack: {
            "name_pattern": "golden-*",
            "export_bucket_pattern": "archive-*",
            "ssm_parameter_pattern": "images/*",
            "launch_templates": False,
            "permissions_boundary": ManagedPolicy.from_managed_policy_arn(stack, "Boundary", BOUNDARY),
            "encryption_key": Key.from_key_arn(stack, "Key", KEY),
            "memory_size": 512,
            "timeout": Duration.minutes(5),
            "log_level": ApplicationLogLevel.DEBUG,
            "log_retention": RetentionDays.ONE_MONTH,
            "alarm_topic": Topic.from_topic_arn(stack, "Topic", TOPIC),
        },
    ),
    "without exports": ({"ExportBucketPattern": ""}, lambda stack: {"export_bucket_pattern": ""}),
}
"""Equivalent deployments: template.yaml's parameters, and the construct's arguments."""


@dataclass
class LogicalIds:
    """Resolves references to parameters and to template.yaml's logical IDs."""

    names: Mapping[str, str]
    parameters: Mapping[str, Any]

    def reference(self, name: str, path: object) -> Any:
        return self.parameters[name] if name in self.parameters else f"<{self.names.get(name, name)}>"

    def attribute(self, name: str, attribute: str, path: object) -> str:
        return f"<{self.names.get(name, name)}.{attribute}>"

    def exported(self, name: str, path: object) -> str:
        raise NotImplementedError

    def resolve(self, text: str, path: object) -> str:
        raise NotImplementedError


def evaluated(template: Template, given: Mapping[str, str], names: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """A template's resources by template.yaml's logical IDs, with functions evaluated and scalars as text."""
    defaults = {name: parameter.get("Default", "") for name, parameter in template.parameters.items()}
    known = {**defaults, **given, **PSEUDO, "AWS::StackName": "images"}
    evaluator = Evaluator(template.mappings, template.conditions, LogicalIds(names, known))
    return {
        names.get(name, name): _text(evaluator.evaluate(resource, ("Resources", name)))
        for name, resource in template.resources.items()
    }


def _text(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _text(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_text(entry) for entry in value]
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")


@pytest.fixture
def provider(stack: Stack) -> Callable[..., DistributionConfigurationProvider]:
    """Create the stack's provider."""
    return lambda **arguments: DistributionConfigurationProvider(stack, "Provider", **arguments)


@pytest.fixture(params=DEPLOYMENTS.values(), ids=list(DEPLOYMENTS))
def both(
    request: pytest.FixtureRequest, stack: Stack, provider: Callable[..., DistributionConfigurationProvider]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """The resources of template.yaml and of the construct for one deployment, by the same logical IDs."""
    given, arguments = request.param
    result = provider(**arguments(stack))
    names = {
        str(stack.resolve(resource.logical_id)): CONSTRUCTS.get(child.node.id, child.node.id)
        for child in result.node.children
        if isinstance(resource := child.node.default_child, CfnResource)
        and not child.node.id.startswith("ImmutableRole")  # the CDK's wrapper of the role
    }
    return evaluated(APPLICATION, given, {}), evaluated(made_of(template_of(stack), "images"), {}, names)


ALIKE = ("ProviderRole", "LastResortRole", "ProviderLogGroup", "Unanswered", "UnansweredAlarm", "LastResortAlarm",
         "ErrorsAlarm", "ThrottlesAlarm", "DurationAlarm")  # fmt: skip


def test_resources_are_those_of_the_application(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """Roles and their statements, the log group, the queue, and the alarms are the same as in template.yaml."""
    application, construct = both
    for name in ALIKE:
        ours, theirs = construct[name], application[name]
        assert ours["Properties"] == theirs["Properties"], name
        assert ours.get("DeletionPolicy") == theirs.get("DeletionPolicy"), name


def test_nothing_of_the_application_is_missing() -> None:
    """The comparison covers all resources of template.yaml but those that the construct lacks."""
    functions = {"ProviderFunction", "LastResortFunction"}
    ledger = {
        name
        for name, one in APPLICATION.resources.items()
        if one.get("Condition") in ("HasLedger", "CreatesLedgerTable")
    }
    assert set(APPLICATION.resources) - ledger == {*ALIKE, *functions, "OperationsDashboard"}


@pytest.mark.parametrize("name", ["ProviderFunction", "LastResortFunction"])
def test_functions_are_those_of_the_application(both: tuple[dict[str, Any], dict[str, Any]], name: str) -> None:
    """Both functions have template.yaml's settings, including retries and the failure destination."""
    application, construct = both
    theirs, ours = dict(application[name]["Properties"]), dict(construct[name]["Properties"])
    assert ours.pop("Code")
    assert theirs.pop("CodeUri")
    asynchronous = theirs.pop("EventInvokeConfig")
    assert ours == theirs
    (found,) = [
        one["Properties"]
        for one in construct.values()
        if one["Type"] == "AWS::Lambda::EventInvokeConfig" and one["Properties"]["FunctionName"] == f"<{name}>"
    ]
    assert (
        found["DestinationConfig"]["OnFailure"]["Destination"]
        == (asynchronous["DestinationConfig"]["OnFailure"]["Destination"])
    )
    for setting in ("MaximumEventAgeInSeconds", "MaximumRetryAttempts"):
        assert found[setting] == asynchronous[setting]


def test_arguments_have_the_limits_of_the_application(app: App, stack: Stack) -> None:
    """If template.yaml rejects a parameter, synth rejects the argument for it with the same message."""
    parameters = {"".join(map(str.title, name.split("_"))): limit for name, limit in PATTERNS.items()}
    for name, (pattern, words) in parameters.items():
        declared = APPLICATION.parameters[name]
        assert (declared["AllowedPattern"], declared["ConstraintDescription"]) == (pattern, words)
    assert min(APPLICATION.parameters["Timeout"]["AllowedValues"]) == MINIMUM_TIMEOUT
    patterns: dict[str, Any] = {
        "name_pattern": "Golden Image*",
        "export_bucket_pattern": "A",
        "ssm_parameter_pattern": "/images/*",
    }
    found = DistributionConfigurationProvider(stack, "A", timeout=Duration.seconds(3), **patterns).validate()
    assert [text.partition(":")[0] for text in found] == [*patterns, "timeout"]
    with pytest.raises(RuntimeError, match="lowercase letters"):
        app.synth()


@pytest.mark.parametrize(
    "pattern",
    [
        lambda: Fn.select(0, Fn.split(",", Fn.import_value("names"))),
        lambda: Fn.sub("${AWS::StackName}-*"),
        lambda: Fn.import_value("names") + "*",
        lambda: Fn.condition_if("Wide", "*", "golden-*").to_string(),
    ],
    ids=["select", "sub", "import", "if"],
)
def test_cdk_nag_accepts_tokens(app: App, stack: Stack, pattern: Callable[[], str]) -> None:
    """A pattern can be a token, and the AWS Solutions pack finds the acknowledgment for it."""
    CfnCondition(stack, "Wide", expression=Fn.condition_equals(stack.region, "us-east-1"))
    Validations.of(app).add_plugins(AwsSolutionsChecks())
    DistributionConfigurationProvider(stack, "Provider", name_pattern=pattern(), export_bucket_pattern=pattern())
    app.synth()


def test_a_stack_has_one_provider(stack: Stack) -> None:
    """All configurations of a stack that name no provider share one."""
    first, second = (
        DistributionConfiguration(stack, name, name=name, distributions=DISTRIBUTIONS) for name in ("one", "two")
    )
    tokens = [
        one["Properties"]["ServiceToken"]
        for one in resources_of(stack, "Custom::ImageBuilderDistributionConfiguration")
    ]
    assert tokens[0] == tokens[1]
    assert len(resources_of(stack, "AWS::Lambda::Function")) == 2
    assert first.node.path != second.node.path


def test_the_provider_is_deleted_last(stack: Stack) -> None:
    """A configuration depends on all resources needed for a response, including the last resort, and on no alarm."""
    DistributionConfiguration(stack, "Golden", name="golden", distributions=DISTRIBUTIONS)
    resources = template_of(stack)["Resources"]
    needed, new = set(), {"Golden"}
    while new:
        needed |= new
        new = {name for name in resources for one in needed if f'"{name}"' in json.dumps(resources[one])} - needed
    assert {one["Type"] for name, one in resources.items() if name not in needed} == {
        "AWS::CloudWatch::Alarm",
        "AWS::SQS::QueuePolicy",
    }


def test_a_deployed_provider_adds_nothing(stack: Stack) -> None:
    """A configuration with a deployed provider's ServiceToken is the only resource in its stack."""
    token = "arn:aws:lambda:us-east-1:123456789012:function:provider"
    deployed = DistributionConfigurationProvider.from_service_token(stack, "Provider", token)
    DistributionConfiguration(stack, "Golden", provider=deployed, name="golden", distributions=DISTRIBUTIONS)
    (golden,) = template_of(stack)["Resources"].values()
    assert golden["Properties"]["ServiceToken"] == token


@pytest.mark.parametrize("environment", [{}, {"region": "us-east-1", "account": "123456789012"}], ids=["any", "one"])
def test_cdk_nag_passes(app: App, environment: dict[str, str]) -> None:
    """The AWS Solutions pack passes, with and without a fixed account and Region."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = Stack(app, "images", env=environment or None)
    provider = DistributionConfigurationProvider(stack, "Provider", ssm_parameter_pattern="images/*")
    DistributionConfiguration(stack, "Golden", provider=provider, name="golden", distributions=DISTRIBUTIONS)
    app.synth()


def test_cdk_nag_rejects_other_wildcards(app: App) -> None:
    """The pack fails on a wildcard without an acknowledgment."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = Stack(app, "images")
    provider = DistributionConfigurationProvider(stack, "Provider")
    provider.role.add_to_policy(PolicyStatement(actions=["s3:*"], resources=["*"]))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
