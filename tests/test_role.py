"""The roles allow exactly the calls that the function makes."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from provider.arn import configuration_arn
from provider.aws.roles import ASSUMABLE_ROLES, is_assumable
from provider.emulator.emulator import Emulator, RecordedRequest
from provider.emulator.server import Reply
from provider.reconciler.source_resolution import OPERATIONS as OPERATIONS_OF_SOURCES
from provider.resources.image_builder import OPERATIONS
from provider.schema.model import TARGET
from provider.stack_engine.sink import ResponseSink
from provider.template.sections import Template, load
from tests.deployed import deployed
from tests.stack import ARN, Resource, ami

ROOT = Path(__file__).parent.parent

Statement = dict[str, Any]

ROLE = "arn:aws:iam::210987654321:role/images"
DEPLOYMENTS = {
    "by default": {"NamePattern": "golden*"},
    "elsewhere": {
        "NamePattern": "golden*",
        "Regions": "eu-west-1,us-west-2",
        "AssumableRoleArns": "arn:aws:iam::210987654321:role/image?,arn:aws:iam::*:role/teams/*",
    },
}
"""The parameters of the tested deployments; the names are limited, as they should be."""


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


def in_another_region(one: Resource) -> None:
    """Create in another Region, replace it in a third, and delete both; adopt what is there."""
    assert one.create(Name="golden", Region="eu-west-1", Distributions=[ami()], Tags={"team": "a"}).status == "SUCCESS"
    first, properties = one.physical_id, one.properties
    assert one.update(Name="golden", Region="us-west-2", Distributions=[ami()]).physical_id != first
    assert one.send("Delete", properties, physical_id=first).status == "SUCCESS"
    adopter = one.sibling("Adopter")
    assert adopter.create(DistributionConfigurationArn=one.physical_id, Distributions=[ami()]).status == "SUCCESS"
    assert one.delete().status == "SUCCESS"


def in_another_account(one: Resource) -> None:
    """Create with a role, move to the function's account, and back."""
    with_role: dict[str, Any] = {"Name": "golden", "RoleArn": ROLE, "Distributions": [ami()]}
    for properties in (with_role, {"Name": "golden", "Distributions": [ami()]}, with_role):
        first, before = one.physical_id, one.properties
        assert (one.update(**properties) if first else one.create(**properties)).status == "SUCCESS"
        assert not first or one.send("Delete", before, physical_id=first).status == "SUCCESS"
    assert one.delete().status == "SUCCESS"


class Untagging(Emulator):
    """An Image Builder that omits tags from its responses, as its model allows."""

    def _reply(self, *call: Any) -> Reply:
        reply = super()._reply(*call)
        content = json.loads(reply.body)
        content.get("distributionConfiguration", {}).pop("tags", None)
        return replace(reply, body=json.dumps(content).encode())


LIVES: dict[str, dict[type[Emulator], tuple[Callable[[Resource], None], ...]]] = {
    "by default": {Emulator: (owned, adopted, in_use, failed, unverified_location), Untagging: (owned,)},
    "elsewhere": {Emulator: (owned, in_another_region, in_another_account)},
}
"""The life cycles that each deployment must allow."""


@pytest.fixture(scope="module")
def application() -> Template:
    return load(ROOT / "template.yaml")


@pytest.fixture(scope="module", params=DEPLOYMENTS)
def deployment(request: pytest.FixtureRequest) -> str:
    """The name of a deployment."""
    return str(request.param)


@pytest.fixture(scope="module")
def requests(deployment: str, application: Template) -> list[RecordedRequest]:
    """The requests that the function sends with its own role during the life cycles of a deployment."""
    function = deployed(application, DEPLOYMENTS[deployment])["ProviderFunction"]["Properties"]
    arrived: list[RecordedRequest] = []
    for kind, lives in LIVES[deployment].items():
        with pytest.MonkeyPatch.context() as patch, kind() as emulator, ResponseSink() as sink:
            for name, value in {**function["Environment"]["Variables"], **emulator.environment()}.items():
                patch.setenv(name, value)
            for life in lives:
                life(Resource(emulator, sink, logical_id=life.__name__))
            arrived += emulator.requests
    return [request for request in arrived if not request.role]


@pytest.fixture(scope="module")
def statements(deployment: str, application: Template) -> list[Statement]:
    return list(statements_of(application, "ProviderRole", DEPLOYMENTS[deployment]))


def statements_of(application: Template, role: str, given: dict[str, str]) -> Iterator[Statement]:
    """Return the statements of a role in a deployment with these parameters."""
    for policy in deployed(application, given)[role]["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def allows(statement: Statement, action: str, resource: str, region: str) -> bool:
    """Return whether a statement allows an action on an ARN, in the Region of the endpoint that is called."""
    regions = statement.get("Condition", {"StringEquals": {"aws:RequestedRegion": region}})
    return (
        action in listed(statement["Action"])
        and any(fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
        and region in listed(regions["StringEquals"]["aws:RequestedRegion"])
    )


def action(request: RecordedRequest) -> str:
    return f"{'sts' if request.operation == 'AssumeRole' else 'imagebuilder'}:{request.operation}"


def subject(request: RecordedRequest) -> str:
    """Return the ARN that IAM checks for a call; lists have none."""
    given = request.parameters
    made = configuration_arn("aws", request.region, request.account, given["name"]) if "name" in given else "*"
    return str(given.get(TARGET) or given.get("resourceArn") or given.get("RoleArn") or made)


def test_the_role_allows_exactly_the_called_actions(
    deployment: str, requests: list[RecordedRequest], statements: list[Statement]
) -> None:
    """The role allows exactly the Image Builder operations that the life cycles call, and STS only with roles."""
    allowed = [name for s in statements for name in listed(s["Action"]) if name.startswith(("imagebuilder:", "sts:"))]
    of_sts = ["sts:AssumeRole"] if deployment == "elsewhere" else []
    assert sorted(allowed) == sorted([*of_sts, *(f"imagebuilder:{operation}" for operation in OPERATIONS)])
    called = {action(request) for request in requests}
    assert called <= {*allowed}
    assert called == {*allowed} or deployment == "elsewhere"


def test_no_role_can_be_assumed_by_default(application: Template) -> None:
    """Without `AssumableRoleArns`, the role has no STS permission, and the function gets no list of roles."""
    resources = deployed(application, {})
    assert "sts:" not in json.dumps(resources["ProviderRole"]["Properties"]["Policies"])
    assert ASSUMABLE_ROLES not in resources["ProviderFunction"]["Properties"]["Environment"]["Variables"]


def test_every_call_is_within_the_resources_of_its_action(
    requests: list[RecordedRequest], statements: list[Statement]
) -> None:
    """Each call's resource and Region match a statement that allows it."""
    assert not [
        (request.operation, subject(request), request.region)
        for request in requests
        if not any(allows(s, action(request), subject(request), request.region) for s in statements)
    ]


@pytest.mark.parametrize(
    "beyond",
    [
        f"{ARN}another",
        f"{ARN}golden".replace("123456789012", "999999999999"),
        f"{ARN}golden".replace("us-east-1", "eu-central-1"),
        f"{ARN}golden".replace("distribution", "infrastructure"),
    ],
    ids=["another name", "another account", "another Region", "another kind"],
)
def test_other_configurations_are_not_covered(statements: list[Statement], beyond: str) -> None:
    """No statement covers configurations of other names, accounts, Regions, or resource types."""
    region = beyond.split(":")[3]
    for operation in OPERATIONS:
        if not operation.startswith("List") or operation == "ListTagsForResource":
            assert not any(allows(s, f"imagebuilder:{operation}", beyond, region) for s in statements)


def test_lists_are_limited_to_the_regions(deployment: str, statements: list[Statement]) -> None:
    """The actions that IAM cannot limit to resources are allowed only in the function's Region and in `Regions`."""
    regions = ["us-east-1", *DEPLOYMENTS[deployment].get("Regions", "").split(",")]
    for region in ("us-east-1", "eu-west-1", "us-west-2", "eu-central-1"):
        allowed = any(allows(s, "imagebuilder:ListDistributionConfigurations", "*", region) for s in statements)
        assert allowed == (region in regions)


@pytest.mark.parametrize(
    ("role", "is_covered"),
    [
        (ROLE, True),
        ("arn:aws:iam::210987654321:role/image", False),
        ("arn:aws:iam::999999999999:role/teams/images", True),
        ("arn:aws:iam::999999999999:role/images", False),
    ],
)
def test_only_the_listed_roles_can_be_assumed(application: Template, role: str, is_covered: bool) -> None:
    """The role allows `sts:AssumeRole` of exactly the roles in `AssumableRoleArns`, which the function checks, too."""
    given = DEPLOYMENTS["elsewhere"]
    statements = statements_of(application, "ProviderRole", given)
    assert any(allows(s, "sts:AssumeRole", role, "us-east-1") for s in statements) == is_covered
    variables = deployed(application, given)["ProviderFunction"]["Properties"]["Environment"]["Variables"]
    assert is_assumable(role, variables[ASSUMABLE_ROLES]) == is_covered


def test_only_unlimitable_actions_cover_all_resources(
    requests: list[RecordedRequest], statements: list[Statement]
) -> None:
    """A statement for all resources has only actions that IAM cannot limit to resources."""
    wide = {name for statement in statements if statement["Resource"] == "*" for name in listed(statement["Action"])}
    unlimited = {name for name in OPERATIONS if name.startswith("List")} - {"ListTagsForResource"}
    assert wide == {*(f"imagebuilder:{name}" for name in unlimited), "ec2:DescribeLaunchTemplates"}
    assert {request.operation for request in requests if subject(request) == "*"} <= unlimited


@pytest.mark.parametrize("role", ["ProviderRole", "LastResortRole"])
def test_no_action_is_a_wildcard(application: Template, role: str) -> None:
    """Every action has its full name."""
    everything = {"SsmParameterPattern": "*", **DEPLOYMENTS["elsewhere"]}
    assert not [
        name for s in statements_of(application, role, everything) for name in listed(s["Action"]) if "*" in name
    ]


def test_the_last_resort_may_log_and_send_to_the_queue(application: Template) -> None:
    """The last-resort function may only write its log and send to the encrypted queue."""
    key = "arn:aws:kms:us-east-1:123456789012:key/a"
    statements = statements_of(application, "LastResortRole", {"KmsKeyArn": key})
    assert {name: s["Resource"] for s in statements for name in listed(s["Action"])} == {
        "logs:CreateLogStream": "<ProviderLogGroup.Arn>",
        "logs:PutLogEvents": "<ProviderLogGroup.Arn>",
        "sqs:SendMessage": "<Unanswered.Arn>",
        "kms:Decrypt": key,
        "kms:GenerateDataKey": key,
    }


def test_ssm_parameters_are_opt_in(application: Template) -> None:
    """The role may access SSM parameters only if the application's parameters name them."""
    assert application.parameters["SsmParameterPattern"]["Default"] == ""
    assert application.conditions["MayNameSsmParameters"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "SsmParameterPattern"}, ""]}]
    }


def test_account_sources_are_opt_in(application: Template) -> None:
    """By default, the role may read no account source. Each parameter allows exactly what a source needs."""
    defaults = {"OrganizationsRoleArn": "", "OrganizationsAccess": "Denied", "SourceParameterPattern": ""}
    assert {name: application.parameters[name]["Default"] for name in defaults} == defaults
    conditions = {
        "HasOrganizationsRole": {"Fn::Not": [{"Fn::Equals": [{"Ref": "OrganizationsRoleArn"}, ""]}]},
        "MayReadOrganizations": {"Fn::Equals": [{"Ref": "OrganizationsAccess"}, "Allowed"]},
        "MayReadSourceParameters": {"Fn::Not": [{"Fn::Equals": [{"Ref": "SourceParameterPattern"}, ""]}]},
    }
    assert {name: application.conditions[name] for name in conditions} == conditions
    policies = [policy["Fn::If"] for policy in application.resources["ProviderRole"]["Properties"]["Policies"][1:]]
    allowed = {
        condition: {action for one in policy["PolicyDocument"]["Statement"] for action in listed(one["Action"])}
        for condition, policy, _ in policies
        if condition in conditions
    }
    assert allowed == {
        "HasOrganizationsRole": {"sts:AssumeRole"},
        "MayReadOrganizations": {f"organizations:{name}" for name in OPERATIONS_OF_SOURCES["organizations"]},
        "MayReadSourceParameters": {f"ssm:{name}" for name in OPERATIONS_OF_SOURCES["ssm"]},
    }
    (role,) = (
        policy["PolicyDocument"]["Statement"]
        for condition, policy, _ in policies
        if condition == "HasOrganizationsRole"
    )
    assert role[0]["Resource"] == {"Ref": "OrganizationsRoleArn"}


def test_the_ledger_is_opt_in_and_limited_to_its_table(application: Template) -> None:
    """By default, the role may not access DynamoDB; with the ledger, it may read and update items of one table."""
    assert application.parameters["Ledger"]["Default"] == "Disabled"
    policies = application.resources["ProviderRole"]["Properties"]["Policies"]
    [(condition, policy, otherwise)] = [
        policy["Fn::If"] for policy in policies if "dynamodb:" in json.dumps(policy) and "kms" not in json.dumps(policy)
    ]
    assert (condition, otherwise) == ("HasLedger", {"Ref": "AWS::NoValue"})
    [statement] = policy["PolicyDocument"]["Statement"]
    assert not [name for name in listed(statement["Action"]) if "Delete" in name or "Put" in name or "Table" in name]
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
