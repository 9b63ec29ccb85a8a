"""An installation of the provider: its stack's outputs and parameters, its alarms, and what its role may access."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from ...preflight.interface import DeniedError, Read, ReadError
from ...resources import resource_type
from ..files import UserError

Reader = Callable[[Read], Mapping[str, Any] | None]

_STACK: Final = "cloudformation:DescribeStacks"
_RESOURCES: Final = "cloudformation:ListStackResources"
_ALARMS: Final = "cloudwatch:DescribeAlarms"
_SIMULATE: Final = "iam:SimulatePrincipalPolicy"
READS: Final = (_STACK, _RESOURCES, _ALARMS, _SIMULATE)
"""The calls that read an installation. The last three are optional."""

TOKEN: Final = "ServiceToken"  # noqa: S105 - the name of an output
ALLOWED: Final = "allowed"
DENIED: Final = "denied"
CONDITIONAL: Final = "depends on conditions"
NONE: Final = "none"
"""The provider's parameters allow nothing of this kind."""


class Installation(NamedTuple):
    """A deployed provider. `version` and `role` are empty for releases whose stack does not have these outputs."""

    stack: str
    function: str
    version: str
    role: str
    parameters: Mapping[str, str]

    @property
    def region(self) -> str:
        """The Region of the function."""
        return self.function.split(":")[3]

    @property
    def account(self) -> str:
        """The account of the function."""
        return self.function.split(":")[4]


class Alarm(NamedTuple):
    """An alarm by its logical ID, with CloudWatch's state (`OK`, `ALARM`, `INSUFFICIENT_DATA`) and its reason."""

    name: str
    state: str
    reason: str


class Access(NamedTuple):
    """What the role may do with a resource: `decision` about the actions; for DENIED, only those that are denied."""

    what: str
    actions: tuple[str, ...]
    resource: str
    decision: str


class _Subject(NamedTuple):
    what: str
    actions: tuple[str, ...]
    resource: str
    """Empty if the parameters allow nothing."""

    @property
    def region(self) -> str:
        """The Region in the resource's ARN; empty if it has none."""
        return self.resource.split(":")[3] if self.resource.count(":") > 4 else ""


def read_installation(read: Reader, stack: str, region: str) -> Installation:
    """The installation whose stack has this name. Raises UserError if there is none, or if it cannot be read."""
    try:
        found = read(Read(_STACK, region, {"StackName": stack}, ("ValidationError",)))
    except DeniedError as error:
        raise UserError(f"you are not permitted to call {error.action} for the stack {stack}") from error
    except ReadError as error:
        raise UserError(str(error)) from error
    if found is None:
        raise UserError(f"there is no stack {stack} in {region}: deploy the provider first, or specify --stack-name")
    (described,) = found["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", ())}
    if TOKEN not in outputs:
        raise UserError(f"{stack} is no stack of the provider: it has no output {TOKEN}")
    parameters = {one["ParameterKey"]: one.get("ParameterValue", "") for one in described.get("Parameters", ())}
    version, role = outputs.get("Version", ""), outputs.get("RoleArn", "")
    return Installation(stack, outputs[TOKEN], version, role, parameters)


def read_alarms(read: Reader, installation: Installation) -> list[Alarm]:
    """The alarms of the installation's stack. Raises DeniedError without a permission, and ReadError."""
    listed = read(Read(_RESOURCES, installation.region, {"StackName": installation.stack}))
    resources = listed["StackResourceSummaries"] if listed else ()
    names = {
        one["PhysicalResourceId"]: one["LogicalResourceId"]
        for one in resources
        if one["ResourceType"] == "AWS::CloudWatch::Alarm"
    }
    if not names:
        return []
    found = read(Read(_ALARMS, installation.region, {"AlarmNames": [*names]}))
    alarms = found["MetricAlarms"] if found else ()
    return [
        Alarm(names[one["AlarmName"]], one["StateValue"], one.get("StateReason", ""))
        for one in sorted(alarms, key=lambda one: list(names).index(one["AlarmName"]))
    ]


def read_access(read: Reader, installation: Installation, arn: str) -> list[Access]:
    """What the role may access: the configuration `arn`, and what the provider's parameters name.

    Raises DeniedError without a permission, and ReadError.
    """
    return [_decided(read, installation, subject) for subject in _subjects(installation, arn)]


def _subjects(installation: Installation, arn: str) -> Iterator[_Subject]:
    """What to simulate: the actions on configurations, and what the parameters allow."""
    service, operations = resource_type().service, resource_type().operations
    lists = tuple(f"{service}:{name}" for name in operations if _is_list(name))
    changes = tuple(f"{service}:{name}" for name in operations if not _is_list(name))
    yield _Subject("the configuration", changes, arn)
    for other in filter(None, installation.parameters.get("Regions", "").split(",")):
        resource = arn.replace(f":{installation.region}:", f":{other}:", 1)
        yield _Subject(f"configurations in {other}", changes, resource)
    yield _Subject("lists", lists, "*")
    yield from _subjects_of_parameters(installation, arn.split(":")[1])


def _subjects_of_parameters(installation: Installation, partition: str) -> Iterator[_Subject]:
    """What the parameters allow. A pattern stands for everything that it matches: IAM matches it, too."""
    region, account, given = installation.region, installation.account, installation.parameters.get
    parameters = f"arn:{partition}:ssm:{region}:{account}:parameter/{{}}"
    for what, action, parameter, resource in (
        ("export buckets", "s3:ListBucket", "ExportBucketPattern", f"arn:{partition}:s3:::{{}}"),
        ("SSM parameters", "ssm:GetParameter", "SsmParameterPattern", parameters),
        ("source parameters", "ssm:GetParameter", "SourceParameterPattern", parameters),
    ):
        pattern = given(parameter, "")
        yield _Subject(what, (action,), resource.format(pattern) if pattern else "")
    templates = f"arn:{partition}:ec2:{region}:{account}:launch-template/*"
    actions = ("ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate")
    yield _Subject("launch templates", actions, templates if given("LaunchTemplates") == "Allowed" else "")
    roles = [*filter(None, given("AssumableRoleArns", "").split(","))]
    for role in roles or [""]:
        yield _Subject("roles", ("sts:AssumeRole",), role)


def _is_list(operation: str) -> bool:
    """Whether IAM supports no narrower resource than * for an operation."""
    return operation.startswith("List") and not operation.endswith("ForResource")


def _decided(read: Reader, installation: Installation, subject: _Subject) -> Access:
    if not subject.resource:
        return Access(*subject, NONE)
    # The role's statements are limited to Regions.
    key = {"ContextKeyName": "aws:RequestedRegion", "ContextKeyType": "string"}
    parameters = {
        "PolicySourceArn": installation.role,
        "ActionNames": [*subject.actions],
        "ResourceArns": [subject.resource],
        "ContextEntries": [key | {"ContextKeyValues": [subject.region or installation.region]}],
    }
    found = read(Read(_SIMULATE, installation.region, parameters))
    results = found["EvaluationResults"] if found else ()
    denied = [one for one in results if one["EvalDecision"] != ALLOWED]
    if not denied:
        return Access(*subject, ALLOWED)
    decision = CONDITIONAL if all(one.get("MissingContextValues") for one in denied) else DENIED
    return Access(subject.what, tuple(one["EvalActionName"] for one in denied), subject.resource, decision)
