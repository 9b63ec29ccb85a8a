"""The roles allow exactly the calls that the function makes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from provider.arn import slug
from provider.emulator.emulator import Emulator, RecordedRequest
from provider.emulator.server import Reply
from provider.resources.image_builder import OPERATIONS
from provider.schema.model import TARGET
from provider.stack_engine.sink import ResponseSink
from provider.template.sections import Template, load
from tests.stack import ARN, Resource, ami

ROOT = Path(__file__).parent.parent

Statement = dict[str, Any]

ACCOUNT = {"AWS::Partition": "aws", "AWS::Region": "us-east-1", "AWS::AccountId": "123456789012"}
NAMES = "golden*"
"""The name pattern of the tested life cycles, as a deployment would limit it."""


def owned(one: Resource) -> None:
    """Create, update content and tags, rename, and delete both."""
    assert one.create(Name="golden", Distributions=[ami()], Tags={"team": "a", "stage": "b"}).status == "SUCCESS"
    one.update(Name="golden", Description="d", Distributions=[ami()], Tags={"team": "b"})
    first = one.physical_id
    assert one.update(Name="golden-two", Distributions=[ami()]).physical_id != first
    assert one.send("Delete", {"Name": "golden", "Distributions": [ami()]}, physical_id=first).status == "SUCCESS"
    assert one.delete().status == "SUCCESS"


def adopted(one: Resource) -> None:
    """Adopt a configuration, own it, adopt it again, and retain it."""
    arn = one.emulator.seed(name="golden-found", distributions=[])
    assert one.create(DistributionConfigurationArn=arn, Distributions=[ami()]).status == "SUCCESS"
    assert one.update(Name="golden-found", Distributions=[ami()]).status == "SUCCESS"
    assert one.update(DistributionConfigurationArn=arn, Distributions=[ami()]).status == "SUCCESS"
    assert one.delete().status == "SUCCESS"


def in_use(one: Resource) -> None:
    """Delete a configuration that a pipeline uses."""
    one.create(Name="golden-used", Distributions=[ami()])
    one.emulator.seed_pipeline("nightly", one.physical_id)
    assert "nightly" in one.delete().reason


def failed(one: Resource) -> None:
    """A Create whose name exists, a rename that is rolled back, and the cleanup of both."""
    one.emulator.seed(name="golden-taken", distributions=[])
    assert one.create(Name="golden-taken", Distributions=[ami()]).status == "FAILED"
    one.create(Name="golden-old", Distributions=[ami()])
    renamed = {"Name": "golden-new", "Distributions": [ami()], "Tags": {"team": "a"}}
    one.emulator.fail_with("CreateDistributionConfiguration", "ServiceException", 500, "no", times=99)
    assert one.send("Update", renamed, old=one.properties).status == "FAILED"
    one.emulator.reset_faults()
    assert one.roll_back(renamed).status == "SUCCESS"


def unverified_location(one: Resource) -> None:
    """A function whose location is not verified searches the list for a name."""
    one = replace(one, context=replace(one.context, invoked_function_arn="arn:aws:lambda:::function:shared"))
    assert one.send("Delete", {"Name": "golden-gone"}, physical_id="images-Golden-1ABCDEFGHIJKL").status == "SUCCESS"


class Untagging(Emulator):
    """An Image Builder that omits tags from its responses, as its model allows."""

    def _reply(self, *call: Any) -> Reply:
        reply = super()._reply(*call)
        content = json.loads(reply.body)
        content.get("distributionConfiguration", {}).pop("tags", None)
        return replace(reply, body=json.dumps(content).encode())


LIVES = {Emulator: (owned, adopted, in_use, failed, unverified_location), Untagging: (owned,)}


@pytest.fixture(scope="module")
def requests() -> list[RecordedRequest]:
    """The requests that Image Builder receives during the life cycles."""
    arrived = []
    for kind, lives in LIVES.items():
        with pytest.MonkeyPatch.context() as patch, kind() as emulator, ResponseSink() as sink:
            for name, value in emulator.environment().items():
                patch.setenv(name, value)
            for life in lives:
                life(Resource(emulator, sink, logical_id=life.__name__))
            arrived += emulator.requests
    return arrived


@pytest.fixture(scope="module")
def application() -> Template:
    return load(ROOT / "template.yaml")


@pytest.fixture(scope="module")
def statements(application: Template) -> list[Statement]:
    return list(statements_of(application, "ProviderRole"))


def statements_of(application: Template, role: str) -> Iterator[Statement]:
    """Return the statements of a role, including conditional ones."""
    for policy in application.resources[role]["Properties"]["Policies"]:
        yield from (policy["Fn::If"][1] if "Fn::If" in policy else policy)["PolicyDocument"]["Statement"]


def actions(statement: Statement) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else list(action)


def pattern(statement: Statement) -> str:
    """Return the pattern of a statement's resources in an application that is deployed with NAMES."""
    resource: str | Mapping[str, str] = statement["Resource"]
    text = resource if isinstance(resource, str) else resource["Fn::Sub"]
    for name, value in {**ACCOUNT, "NamePattern": NAMES}.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def subject(request: RecordedRequest) -> str:
    """Return the ARN that IAM checks for a call; lists have none."""
    given = request.parameters
    made = f"{ARN}{slug(given['name'])}" if "name" in given else "*"
    return str(given.get(TARGET) or given.get("resourceArn") or made)


def called(requests: list[RecordedRequest]) -> set[str]:
    return {request.operation for request in requests}


def test_the_role_allows_exactly_the_called_actions(
    requests: list[RecordedRequest], statements: list[Statement]
) -> None:
    """The role allows exactly the Image Builder operations that the life cycles call."""
    allowed = [name for s in statements for name in actions(s) if name.startswith("imagebuilder:")]
    assert sorted(allowed) == sorted(f"imagebuilder:{operation}" for operation in called(requests))
    assert called(requests) == set(OPERATIONS)


def test_every_call_is_within_the_resources_of_its_action(
    requests: list[RecordedRequest], statements: list[Statement]
) -> None:
    """Each call's resource matches the resources of a statement that allows it."""
    resources = {name: pattern(s) for s in statements for name in actions(s) if name.startswith("imagebuilder:")}
    assert not [
        (request.operation, subject(request))
        for request in requests
        if not fnmatchcase(subject(request), resources[f"imagebuilder:{request.operation}"])
    ]


@pytest.mark.parametrize(
    "beyond",
    [
        f"{ARN}another",
        f"{ARN}golden".replace("123456789012", "999999999999"),
        f"{ARN}golden".replace("us-east-1", "eu-west-1"),
        f"{ARN}golden".replace("distribution", "infrastructure"),
    ],
    ids=["another name", "another account", "another Region", "another kind"],
)
def test_other_configurations_are_not_covered(statements: list[Statement], beyond: str) -> None:
    """No statement covers configurations of other names, accounts, Regions, or resource types."""
    narrow = [pattern(s) for s in statements if s["Resource"] != "*" and "imagebuilder:" in str(s["Action"])]
    assert narrow
    assert not [resource for resource in narrow if fnmatchcase(beyond, resource)]


def test_only_unlimitable_actions_cover_all_resources(
    requests: list[RecordedRequest], statements: list[Statement]
) -> None:
    """A statement for all resources has only actions that IAM cannot limit to resources."""
    wide = {name for statement in statements if statement["Resource"] == "*" for name in actions(statement)}
    without = {f"imagebuilder:{request.operation}" for request in requests if subject(request) == "*"}
    assert wide == {*without, "ec2:DescribeLaunchTemplates"}


@pytest.mark.parametrize("role", ["ProviderRole", "LastResortRole"])
def test_no_action_is_a_wildcard(application: Template, role: str) -> None:
    """Every action has its full name."""
    assert not [name for s in statements_of(application, role) for name in actions(s) if "*" in name]


def test_the_last_resort_may_log_and_send_to_the_queue(application: Template) -> None:
    """The last-resort function may only write its log and send to the encrypted queue."""
    targets = {name: s["Resource"] for s in statements_of(application, "LastResortRole") for name in actions(s)}
    log, queue, key = (
        {"Fn::GetAtt": ["ProviderLogGroup", "Arn"]},
        {"Fn::GetAtt": ["Unanswered", "Arn"]},
        {"Ref": "KmsKeyArn"},
    )
    assert targets == {
        "logs:CreateLogStream": log,
        "logs:PutLogEvents": log,
        "sqs:SendMessage": queue,
        "kms:Decrypt": key,
        "kms:GenerateDataKey": key,
    }


def test_ssm_parameters_are_opt_in(application: Template) -> None:
    """The role may access SSM parameters only if the application's parameters name them."""
    assert application.parameters["SsmParameterPattern"]["Default"] == ""
    assert application.conditions["MayNameSsmParameters"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "SsmParameterPattern"}, ""]}]
    }


def test_the_ledger_is_opt_in_and_limited_to_its_table(application: Template) -> None:
    """By default, the role may not access DynamoDB; with the ledger, it may read and update items of one table."""
    assert application.parameters["Ledger"]["Default"] == "Disabled"
    policies = application.resources["ProviderRole"]["Properties"]["Policies"]
    [(condition, policy, otherwise)] = [
        policy["Fn::If"] for policy in policies if "dynamodb:" in json.dumps(policy) and "kms" not in json.dumps(policy)
    ]
    assert (condition, otherwise) == ("HasLedger", {"Ref": "AWS::NoValue"})
    [statement] = policy["PolicyDocument"]["Statement"]
    assert not [name for name in actions(statement) if "Delete" in name or "Put" in name or "Table" in name]
    which, own, existing = statement["Resource"]["Fn::If"]
    assert (which, own) == ("CreatesLedgerTable", {"Fn::GetAtt": ["LedgerTable", "Arn"]})
    assert existing["Fn::Sub"].endswith(":table/${LedgerTableName}")


def test_every_role_is_bounded(application: Template) -> None:
    """Each role has the permissions boundary of the parameter, or none."""
    roles = [one["Properties"] for one in application.resources.values() if one["Type"] == "AWS::IAM::Role"]
    assert len(roles) == 2
    bound = {"Fn::If": ["HasPermissionsBoundary", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
    assert all(role["PermissionsBoundary"] == bound for role in roles)


def test_only_lambda_can_assume_the_roles(application: Template) -> None:
    """Each role trusts only the Lambda service."""
    for one in application.resources.values():
        if one["Type"] == "AWS::IAM::Role":
            [trust] = one["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_no_invoke_permission_is_added(application: Template) -> None:
    """The application adds no permission to invoke its functions, except for the ledger's schedule."""
    permission = application.resources["SweepPermission"]
    assert permission["Properties"]["SourceArn"] == {"Fn::GetAtt": ["SweepSchedule", "Arn"]}
    types = {one["Type"] for one in application.resources.values() if one is not permission}
    assert not types & {"AWS::Lambda::Permission", "AWS::Lambda::Url", "AWS::SQS::QueuePolicy"}
    functions = [one for one in application.resources.values() if one["Type"] == "AWS::Serverless::Function"]
    assert not [one for one in functions if {"Events", "FunctionUrlConfig"} & set(one["Properties"])]
