"""The provider as a construct: the same resources as template.yaml, one per stack, and no cdk-nag findings."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnCondition, CfnResource, Duration, Fn, Stack, Validations
from aws_cdk.aws_dynamodb import Table
from aws_cdk.aws_ec2 import IVpc, SecurityGroup, Vpc
from aws_cdk.aws_iam import AccountPrincipal, IRole, ManagedPolicy, PolicyStatement, Role
from aws_cdk.aws_kms import Key
from aws_cdk.aws_lambda import ApplicationLogLevel, Architecture
from aws_cdk.aws_logs import RetentionDays
from aws_cdk.aws_sns import Topic
from cdk_nag import AwsSolutionsChecks

from provider.construct import DistributionConfiguration, DistributionConfigurationProvider, DriftMode, Ledger
from provider.construct.limits import LEDGER_TIMEOUT, LISTS, MAX_PERCENTAGE, MINIMUM_TIMEOUT, PATTERNS, SWEEP_MINUTES
from provider.construct.properties import Distribution
from provider.resources import DISTRIBUTION_CONFIGURATION
from provider.template.sections import load, made_of
from tests.construct.synthesis import resources_of, template_of
from tests.deployed import deployed

APPLICATION = load(Path(__file__).parents[2] / "template.yaml")
BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
ORGANIZATIONS_ROLE = "arn:aws:iam::444455556666:role/list-accounts"
TOPIC = "arn:aws:sns:us-east-1:123456789012:on-call"
ROLE = "arn:aws:iam::210987654321:role/images"
CONSTRUCTS = {"Log": "ProviderLogGroup", "Role": "ProviderRole", "Function": "ProviderFunction",
              "LastResort": "LastResortFunction"}  # fmt: skip
"""Construct IDs -> logical IDs in template.yaml, if they differ."""

DISTRIBUTIONS: list[Distribution] = [{"region": "us-east-1", "ami_distribution_configuration": {}}]


def in_vpc(stack: Stack) -> IVpc:
    """A VPC with two private subnets."""
    subnets = ["subnet-0a", "subnet-0b"]
    zones = ["us-east-1a", "us-east-1b"]
    return Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-0e", availability_zones=zones, private_subnet_ids=subnets)


DEPLOYMENTS: dict[str, tuple[dict[str, str], Callable[[Stack], dict[str, Any]]]] = {
    "by default": ({}, lambda stack: {}),
    "narrowed": (
        {
            "NamePattern": "golden-*",
            "ExportBucketPattern": "archive-*",
            "SsmParameterPattern": "images/*",
            "LaunchTemplates": "Denied",
            "Regions": "eu-west-1,us-west-2",
            "AssumableRoleArns": f"{ROLE},arn:aws:iam::*:role/teams/*",
            "SourceParameterPattern": "images/accounts",
            "OrganizationsRoleArn": ORGANIZATIONS_ROLE,
            "OrganizationsAccess": "Allowed",
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
            "regions": ["eu-west-1", "us-west-2"],
            "assumable_role_arns": [ROLE, "arn:aws:iam::*:role/teams/*"],
            "source_parameter_pattern": "images/accounts",
            "organizations_role_arn": ORGANIZATIONS_ROLE,
            "organizations_access": True,
            "permissions_boundary": ManagedPolicy.from_managed_policy_arn(stack, "Boundary", BOUNDARY),
            "encryption_key": Key.from_key_arn(stack, "Key", KEY),
            "memory_size": 512,
            "timeout": Duration.minutes(5),
            "log_level": ApplicationLogLevel.DEBUG,
            "log_retention": RetentionDays.ONE_MONTH,
            "alarm_topic": Topic.from_topic_arn(stack, "Topic", TOPIC),
        },
    ),
    "in a VPC, on x86": (
        {"SubnetIds": "subnet-0a,subnet-0b", "SecurityGroupIds": "sg-0c,sg-0d", "Architecture": "x86_64"},
        lambda stack: {
            "vpc": in_vpc(stack),
            "security_groups": [SecurityGroup.from_security_group_id(stack, one, one) for one in ("sg-0c", "sg-0d")],
            "architecture": Architecture.X86_64,
        },
    ),
    "with a ledger": ({"Ledger": "Enabled"}, lambda stack: {"ledger": Ledger()}),
    "with an encrypted ledger": (
        {
            "Ledger": "Enabled",
            "Drift": "Repair",
            "MaxAccountRemovals": "50",
            "SweepMinutes": "5",
            "KmsKeyArn": KEY,
            "AlarmTopic": TOPIC,
            "OrganizationsRoleArn": ORGANIZATIONS_ROLE,
        },
        lambda stack: {
            "ledger": Ledger(drift=DriftMode.REPAIR, max_account_removals=50, sweep_interval=Duration.minutes(5)),
            "encryption_key": Key.from_key_arn(stack, "Key", KEY),
            "alarm_topic": Topic.from_topic_arn(stack, "Topic", TOPIC),
            "organizations_role_arn": ORGANIZATIONS_ROLE,
        },
    ),
    "with an existing table": (
        {"Ledger": "Enabled", "LedgerTableName": "earlier"},
        lambda stack: {"ledger": Ledger(table=Table.from_table_name(stack, "Earlier", "earlier"))},
    ),
    "without exports": ({"ExportBucketPattern": ""}, lambda stack: {"export_bucket_pattern": ""}),
}
"""Equivalent deployments: template.yaml's parameters, and the construct's arguments."""


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
    names |= {name: "SweepPermission" for name, one in template_of(stack)["Resources"].items() if is_permission(one)}
    return deployed(APPLICATION, given), deployed(made_of(template_of(stack), "images"), {}, names)


def is_permission(resource: dict[str, Any]) -> bool:
    return bool(resource["Type"] == "AWS::Lambda::Permission")


ALIKE = ("ProviderRole", "LastResortRole", "ProviderLogGroup", "Unanswered", "UnansweredAlarm", "LastResortAlarm",
         "ErrorsAlarm", "ThrottlesAlarm", "DurationAlarm", "LedgerTable", "SweepAlias", "SweepInvokeConfig",
         "SweepSchedule", "SweepPermission", "FailedSweepsFilter", "FailedSweepsAlarm",
    "SweepErrorsAlarm", "DriftFilter", "DriftAlarm",
         "HeldRemovalsFilter", "HeldRemovalsAlarm")  # fmt: skip


def test_resources_are_those_of_the_application(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """All resources but the functions are the same as in template.yaml: roles, queue, alarms, the ledger's table."""
    application, construct = both
    for name in ALIKE:
        assert (name in construct) == (name in application), name
        ours, theirs = construct.get(name, {}), application.get(name, {})
        assert comparable(ours) == comparable(theirs), name


def comparable(resource: dict[str, Any]) -> dict[str, Any]:
    """The settings of a resource, with a target's input as an event, and whether it waits for another resource."""
    properties = dict(resource.get("Properties", {}))
    if "Targets" in properties:
        properties["Targets"] = [
            {"Arn": target["Arn"], "Input": json.loads(target["Input"])} for target in properties["Targets"]
        ]
    policies = {name: resource.get(name) for name in ("DeletionPolicy", "UpdateReplacePolicy")}
    return {"Properties": properties, **policies, "waits": "DependsOn" in resource}


def test_nothing_of_the_application_is_missing() -> None:
    """The comparison covers all resources of template.yaml but the dashboard, which the construct lacks."""
    functions = {"ProviderFunction", "LastResortFunction"}
    assert set(APPLICATION.resources) == {*ALIKE, *functions, "OperationsDashboard"}


@pytest.mark.parametrize("name", ["ProviderFunction", "LastResortFunction"])
def test_functions_are_those_of_the_application(both: tuple[dict[str, Any], dict[str, Any]], name: str) -> None:
    """Both functions have template.yaml's settings, including retries and the failure destination."""
    application, construct = both
    theirs, ours = dict(application[name]["Properties"]), dict(construct[name]["Properties"])
    assert ours.pop("Code")
    assert theirs.pop("CodeUri")
    assert {one["Key"]: one["Value"] for one in ours.pop("Tags")} == theirs.pop("Tags")
    asynchronous = theirs.pop("EventInvokeConfig")
    assert ours == theirs
    (found,) = [
        one["Properties"]
        for one in construct.values()
        if one["Type"] == "AWS::Lambda::EventInvokeConfig"
        and (one["Properties"]["FunctionName"], one["Properties"]["Qualifier"]) == (f"<{name}>", "$LATEST")
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
    lists = {"regions": "Regions", "assumable_role_arns": "AssumableRoleArns"}
    for argument, name in lists.items():
        (pattern, words), declared = LISTS[argument], APPLICATION.parameters[name]
        assert declared["AllowedPattern"] == f"^({pattern}(,{pattern})*)?$"
        assert declared["ConstraintDescription"] == f"{words}, separated by commas without spaces, or nothing"
    patterns: dict[str, Any] = {
        "name_pattern": "Golden Image*",
        "export_bucket_pattern": "A",
        "ssm_parameter_pattern": "/images/*",
        "source_parameter_pattern": "/images/accounts",
        "organizations_role_arn": "list-accounts",
    }
    wrong: dict[str, Any] = {"regions": ["Ireland"], "assumable_role_arns": ["arn:aws:iam::123456789012:user/a"]}
    found = DistributionConfigurationProvider(stack, "A", timeout=Duration.seconds(3), **patterns, **wrong).validate()
    assert [text.partition(":")[0] for text in found] == [*patterns, *lists, "timeout"]
    with pytest.raises(RuntimeError, match="lowercase letters"):
        app.synth()


def test_a_ledger_has_the_limits_of_the_application(app: App) -> None:
    """Synth rejects what template.yaml rejects: a short timeout, another interval, and more than all removals."""
    parameters = APPLICATION.parameters
    assert tuple(parameters["SweepMinutes"]["AllowedValues"]) == SWEEP_MINUTES
    assert tuple(parameters["MaxAccountRemovals"][key] for key in ("MinValue", "MaxValue")) == (0, MAX_PERCENTAGE)
    defaults = tuple(str(parameters[name]["Default"]) for name in ("Drift", "MaxAccountRemovals", "SweepMinutes"))
    ours = Ledger()
    assert defaults == (ours.drift.value, str(ours.max_account_removals), f"{ours.sweep_interval.to_minutes():g}")
    assert [one.value for one in DriftMode] == parameters["Drift"]["AllowedValues"]
    (rule,) = APPLICATION.rules["LedgerTimeout"]["Assertions"]
    assert min(map(int, rule["Assert"]["Fn::Contains"][0])) == LEDGER_TIMEOUT
    wrong = Ledger(max_account_removals=101, sweep_interval=Duration.minutes(7))
    stack = Stack(app, "images")
    found = DistributionConfigurationProvider(stack, "A", timeout=Duration.seconds(60), ledger=wrong).validate()
    assert found == [
        "timeout: must be at least 120 seconds with a ledger, not 60",
        "ledger.max_account_removals: must be a percentage from 0 to 100, not 101",
        "ledger.sweep_interval: must be 5, 10, 15, 30, or 60 minutes, not 7",
    ]


def test_a_tables_own_key_is_used(stack: Stack, provider: Callable[..., DistributionConfigurationProvider]) -> None:
    """If an existing table has a key, the provider may use that key for it, and not its own."""
    key = Key.from_key_arn(stack, "TableKey", f"{KEY}-of-table")
    table = Table.from_table_attributes(stack, "Earlier", table_name="earlier", encryption_key=key)
    made = provider(ledger=Ledger(table=table), encryption_key=Key.from_key_arn(stack, "Key", KEY))
    (role,) = [
        one for one in resources_of(stack, "AWS::IAM::Role") if "permissions" in one["Properties"]["Description"]
    ]
    policies = {one["PolicyName"]: one["PolicyDocument"]["Statement"] for one in role["Properties"]["Policies"]}
    assert [one["Resource"] for one in policies["ledger-key"]] == [f"{KEY}-of-table"]
    assert made.ledger_table is table


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


def assumable(stack: Stack) -> tuple[list[Any], list[Any]]:
    """The roles that the role of the stack's only provider may assume, and those that the function knows."""
    statements = [
        statement
        for role in resources_of(stack, "AWS::IAM::Role")
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    lists = [one["Resource"] for one in statements if one["Action"] == "sts:AssumeRole"]
    functions = [one["Properties"].get("Environment", {}) for one in resources_of(stack, "AWS::Lambda::Function")]
    return lists, [one["Variables"][key] for one in functions for key in one.get("Variables", {}) if "ROLE" in key]


def test_a_configurations_role_is_allowed(stack: Stack) -> None:
    """The stack's provider may assume the roles of its configurations, each listed once, and no others."""
    DistributionConfiguration(stack, "One", name="one", distributions=DISTRIBUTIONS)
    assert assumable(stack) == ([], [])
    provider = DistributionConfigurationProvider.get_or_create(stack)
    by_name = Role.from_role_name(stack, "ByName", "images")
    roles: list[IRole | str] = [ROLE, Role.from_role_arn(stack, "ByArn", ROLE), by_name, by_name]
    for number, role in enumerate(roles):
        DistributionConfiguration(
            stack, f"C{number}", provider=provider, name=f"c{number}", distributions=DISTRIBUTIONS, role=role
        )
    of_name = {
        "Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, ":iam::", {"Ref": "AWS::AccountId"}, ":role/images"]]
    }
    (allowed,), (known,) = assumable(stack)
    assert allowed == [ROLE, of_name]
    assert known["Fn::Join"][1][0].startswith(f"{ROLE},arn:")
    given = [one["Properties"].get("RoleArn") for one in resources_of(stack, DISTRIBUTION_CONFIGURATION)]
    assert given == [None, ROLE, ROLE, of_name, of_name]


def test_a_role_of_another_account_is_allowed(app: App) -> None:
    """A role that the app creates in another account, with a name, is allowed by its ARN; its trust is unchanged."""
    here, there = (
        Stack(app, name, env={"account": account, "region": "us-east-1"})
        for name, account in (("here", "123456789012"), ("there", "210987654321"))
    )
    role = Role(there, "Images", role_name="images", assumed_by=AccountPrincipal("123456789012"))
    DistributionConfiguration(here, "Golden", name="golden", distributions=DISTRIBUTIONS, role=role)
    (allowed,), (known,) = assumable(here)
    assert (
        allowed
        == known
        == {"Fn::Join": ["", ["arn:", {"Ref": "AWS::Partition"}, f":iam:{ROLE.partition(':iam:')[2]}"]]}
    )
    (trust,) = resources_of(there, "AWS::IAM::Role")
    assert len(trust["Properties"]["AssumeRolePolicyDocument"]["Statement"]) == 1


def test_a_deployed_provider_is_not_changed(stack: Stack) -> None:
    """For a role with a deployed provider, nothing is added: its stack must list the role."""
    token = "arn:aws:lambda:us-east-1:123456789012:function:provider"
    provider = DistributionConfigurationProvider.from_service_token(stack, "Provider", token)
    DistributionConfiguration(stack, "G", provider=provider, name="golden", distributions=DISTRIBUTIONS, role=ROLE)
    assert [one["Type"] for one in template_of(stack)["Resources"].values()] == [DISTRIBUTION_CONFIGURATION]


@pytest.mark.parametrize("environment", [{}, {"region": "us-east-1", "account": "123456789012"}], ids=["any", "one"])
def test_cdk_nag_passes(app: App, environment: dict[str, str]) -> None:
    """The AWS Solutions pack passes, with and without a fixed account and Region."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = Stack(app, "images", env=environment or None)
    provider = DistributionConfigurationProvider(
        stack,
        "Provider",
        ssm_parameter_pattern="images/*",
        regions=["eu-west-1"],
        assumable_role_arns=["arn:aws:iam::*:role/teams/*", "arn:aws:iam::*:role/images"],
        source_parameter_pattern="images/*",
        organizations_role_arn=ORGANIZATIONS_ROLE,
        organizations_access=True,
        vpc=in_vpc(stack),
        ledger=Ledger(),
    )
    DistributionConfiguration(stack, "Golden", provider=provider, name="golden", distributions=DISTRIBUTIONS, role=ROLE)
    app.synth()


def test_subnets_require_a_vpc(app: App, stack: Stack) -> None:
    """Subnets or security groups without a VPC are rejected at synth."""
    group = SecurityGroup.from_security_group_id(stack, "Group", "sg-0c")
    DistributionConfigurationProvider(stack, "Provider", security_groups=[group])
    with pytest.raises(RuntimeError, match="vpc: is required with vpc_subnets and security_groups"):
        app.synth()


def test_cdk_nag_rejects_other_wildcards(app: App) -> None:
    """The pack fails on a wildcard without an acknowledgment."""
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    stack = Stack(app, "images")
    provider = DistributionConfigurationProvider(stack, "Provider")
    provider.role.add_to_policy(PolicyStatement(actions=["s3:*"], resources=["*"]))
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        app.synth()
