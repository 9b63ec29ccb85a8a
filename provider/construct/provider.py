"""The provider as a construct: the resources of template.yaml, in a CDK stack."""

from collections.abc import Sequence
from typing import Final, TypedDict

import jsii
from aws_cdk import Duration, RemovalPolicy, Stack, Tags
from aws_cdk.aws_dynamodb import ITable
from aws_cdk.aws_ec2 import ISecurityGroup, IVpc, SubnetSelection
from aws_cdk.aws_iam import IManagedPolicy, Role
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import (
    ApplicationLogLevel,
    Architecture,
    Function,
    LoggingFormat,
    Runtime,
    RuntimeFamily,
    SystemLogLevel,
)
from aws_cdk.aws_lambda_destinations import LambdaDestination, SqsDestination
from aws_cdk.aws_logs import LogGroup, RetentionDays
from aws_cdk.aws_sns import ITopic
from aws_cdk.aws_sqs import Queue, QueueEncryption
from constructs import Construct, IConstruct, IValidation

from .. import __version__
from ..build.shrink import RUNTIME
from .alarms import add_alarms, add_ledger_alarms
from .asset import code
from .ledger import Ledger, add_sweeps, table_for, variables
from .limits import problems
from .nag import acknowledge
from .role import CONFIGURATIONS, LAMBDA, last_resort_policies, provider_policies, role_statement

_ASSUMABLE_ROLES: Final = "ASSUMABLE_ROLE_ARNS"
"""The environment variable of the function that lists the roles."""
_SINGLETON: Final = "ImageBuilderDistributionProvider"
_RUNTIME: Final = Runtime(f"python{RUNTIME}", RuntimeFamily.PYTHON)
_VERSION_TAG: Final = "image-builder-distribution:version"


class _Network(TypedDict, total=False):
    """The arguments of a function about its VPC."""

    vpc: IVpc | None
    vpc_subnets: SubnetSelection | None
    security_groups: Sequence[ISecurityGroup] | None


@jsii.implements(IValidation)
class DistributionConfigurationProvider(Construct):
    """The function that manages distribution configurations, with its role, log group, queue, and alarms.

    Its role allows access to the configurations that match `name_pattern` in this account, in this Region and in
    `regions`; to the S3 export buckets that match `export_bucket_pattern`; to the SSM parameters that match
    `ssm_parameter_pattern`, including their values; and, with `launch_templates`, to this account's launch templates.
    An empty pattern allows none. The provider may also assume the roles of its configurations in this app (see
    `DistributionConfiguration`), and those that match `assumable_role_arns`, with the wildcards * and ?.
    `name_pattern` is matched against the last part of the ARN: lowercase, with hyphens for spaces and underscores (such
    as `golden-*`). `ssm_parameter_pattern` has no leading slash. By default, no account source can be read:
    `source_parameter_pattern` allows SSM parameters as sources, `organizations_role_arn` is the role that reads
    organizational units, and `organizations_access` lets the function's own role read them. `encryption_key` encrypts
    the log, the queue, and the environment; its key policy must allow CloudWatch Logs to use it. `memory_size` is in
    MiB. `timeout` limits one request and cannot be a token; keep it below the 15 minutes that CloudFormation waits.
    With `vpc`, both functions run in its subnets (by default the private ones) with `security_groups` (by default a new
    one for each function); from there, they must reach the services that the provider calls. `architecture` is ARM_64
    or X86_64; the code is the same.
    `ledger` adds a table in which the provider records what each resource requested, so that several stacks can
    contribute to one configuration and a schedule finds drift; by default, there is none. `encryption_key` encrypts a
    new table, too.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name_pattern: str = "*",
        export_bucket_pattern: str = "*",
        ssm_parameter_pattern: str = "",
        launch_templates: bool = True,
        regions: Sequence[str] = (),
        assumable_role_arns: Sequence[str] = (),
        source_parameter_pattern: str = "",
        organizations_role_arn: str = "",
        organizations_access: bool = False,
        permissions_boundary: IManagedPolicy | None = None,
        encryption_key: IKey | None = None,
        vpc: IVpc | None = None,
        vpc_subnets: SubnetSelection | None = None,
        security_groups: Sequence[ISecurityGroup] | None = None,
        architecture: Architecture = Architecture.ARM_64,
        memory_size: int = 256,
        timeout: Duration | None = None,
        log_level: ApplicationLogLevel = ApplicationLogLevel.INFO,
        log_retention: RetentionDays = RetentionDays.THREE_MONTHS,
        alarm_topic: ITopic | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        """Add a provider to the scope's stack."""
        super().__init__(scope, construct_id)
        timeout = timeout or Duration.minutes(2)
        self.patterns = {
            "name_pattern": name_pattern,
            "export_bucket_pattern": export_bucket_pattern,
            "ssm_parameter_pattern": ssm_parameter_pattern,
            "source_parameter_pattern": source_parameter_pattern,
            "organizations_role_arn": organizations_role_arn,
        }
        self.launch_templates = launch_templates
        self.regions = [*regions]
        lists = {"regions": self.regions, "assumable_role_arns": [*assumable_role_arns]}
        self.organizations_access = organizations_access
        self._problems = problems(timeout, lists, self.patterns, ledger)
        self._problems += _vpc_problems(vpc, vpc_subnets, security_groups)
        network = _Network(vpc=vpc, vpc_subnets=vpc_subnets, security_groups=security_groups) if vpc else _Network()
        self.node.add_validation(self)
        self.log_group = LogGroup(
            self,
            "Log",
            retention=log_retention,
            encryption_key=encryption_key,
            # The log of changes outlives the provider, until its retention period ends.
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        self.unanswered = Queue(
            self,
            "Unanswered",
            retention_period=Duration.days(14),
            encryption=QueueEncryption.KMS if encryption_key else QueueEncryption.SQS_MANAGED,
            encryption_master_key=encryption_key,
            enforce_ssl=True,
        )
        last_resort = last_resort_policies(
            self, self.log_group, self.unanswered, encryption_key, in_vpc=vpc is not None
        )
        self.last_resort_role = Role(
            self,
            "LastResortRole",
            description="Lets the last-resort function write logs and send unanswered requests to the queue",
            assumed_by=LAMBDA,
            permissions_boundary=permissions_boundary,
            inline_policies=last_resort,
        )
        self.last_resort = Function(
            self,
            "LastResort",
            description="Responds FAILED if the provider crashed, timed out, or never ran",
            code=code("LastResortFunction"),
            handler="provider.last_resort.handler",
            runtime=_RUNTIME,
            architecture=architecture,
            **network,
            memory_size=128,
            timeout=Duration.minutes(1),
            role=self.last_resort_role.without_policy_updates(),
            log_group=self.log_group,
            logging_format=LoggingFormat.JSON,
            application_log_level_v2=ApplicationLogLevel.INFO,
            system_log_level_v2=SystemLogLevel.WARN,
            max_event_age=Duration.hours(1),
            retry_attempts=2,
            on_failure=SqsDestination(self.unanswered),
        )
        self.ledger_table = table_for(self, ledger, encryption_key) if ledger else None
        policies = provider_policies(
            self,
            self.log_group,
            self.last_resort,
            **self.patterns,
            regions=self.regions,
            launch_templates=launch_templates,
            organizations_access=organizations_access,
            in_vpc=vpc is not None,
            ledger_table=self.ledger_table,
            encryption_key=encryption_key,
        )
        self.role = Role(
            self,
            "Role",
            description="The permissions of the provider of Custom::ImageBuilderDistributionConfiguration",
            assumed_by=LAMBDA,
            permissions_boundary=permissions_boundary,
            inline_policies=policies,
        )
        self.function = Function(
            self,
            "Function",
            description="Provider of Custom::ImageBuilderDistributionConfiguration",
            code=code("ProviderFunction"),
            handler="provider.handler.handler",
            runtime=_RUNTIME,
            architecture=architecture,
            **network,
            memory_size=memory_size,
            timeout=timeout,
            role=self.role.without_policy_updates(),
            environment=_environment(organizations_role_arn, ledger, self.ledger_table),
            environment_encryption=encryption_key,
            log_group=self.log_group,
            logging_format=LoggingFormat.JSON,
            application_log_level_v2=log_level,
            system_log_level_v2=SystemLogLevel.WARN,
            # The last resort responds if one retry fails, or if the request did not start within ten minutes.
            max_event_age=Duration.minutes(10),
            retry_attempts=1,
            on_failure=LambdaDestination(self.last_resort),
        )
        self._configurations_policy = policies[CONFIGURATIONS]
        self._role_statement = role_statement()
        self._role_arns: list[str] = []
        for arn in assumable_role_arns:
            self.allow_role(arn)
        add_alarms(
            self,
            function=self.function,
            last_resort=self.last_resort,
            queue=self.unanswered,
            log_group=self.log_group,
            timeout=timeout,
            topic=alarm_topic,
            has_sweeps=ledger is not None,
        )
        if ledger:
            sweeps = add_sweeps(self, ledger, self.function)
            add_ledger_alarms(self, sweeps, self.log_group, alarm_topic)
        functions = (self.function, self.last_resort)
        for function in functions:
            Tags.of(function).add(_VERSION_TAG, __version__)
        roles = ((self.role, policies), (self.last_resort_role, last_resort))
        acknowledge(queue=self.unanswered, functions=functions, roles=roles)

    def validate(self) -> list[str]:
        """The problems with the arguments. The CDK calls this at synth."""
        return self._problems

    def allow_role(self, role_arn: str) -> None:
        """Allow the provider to assume a role. The role's trust policy must allow it, too."""
        if role_arn in self._role_arns:
            return
        if not self._role_arns:
            self._configurations_policy.add_statements(self._role_statement)
        self._role_arns.append(role_arn)
        self._role_statement.add_resources(role_arn)
        self.function.add_environment(_ASSUMABLE_ROLES, ",".join(self._role_arns))

    @property
    def service_token(self) -> str:
        """The ServiceToken for resources that this provider manages."""
        return self.function.function_arn

    @property
    def required_resources(self) -> list[IConstruct]:
        """The resources, besides the function, without which a request may get no response."""
        return [function.node.find_child("EventInvokeConfig") for function in (self.function, self.last_resort)]

    @classmethod
    def get_or_create(cls, scope: Construct) -> "DistributionConfigurationProvider":
        """The default provider of the scope's stack, created on first use."""
        stack = Stack.of(scope)
        found = stack.node.try_find_child(_SINGLETON)
        return found if isinstance(found, cls) else cls(stack, _SINGLETON)

    @staticmethod
    def from_service_token(scope: Construct, construct_id: str, service_token: str) -> "DeployedProvider":
        """A provider that is already deployed, for example by `sam deploy`; its stack exports the ServiceToken."""
        return DeployedProvider(scope, construct_id, service_token)


def _vpc_problems(vpc: object, vpc_subnets: object, security_groups: object) -> list[str]:
    is_incomplete = vpc is None and (vpc_subnets is not None or security_groups is not None)
    return ["vpc: is required with vpc_subnets and security_groups"] if is_incomplete else []


def _environment(organizations_role_arn: str, ledger: Ledger | None, table: ITable | None) -> dict[str, str]:
    """The function's environment variables, except the roles that it may assume, which are added later."""
    environment = {"AWS_RETRY_MODE": "standard"}
    if organizations_role_arn:
        environment["ORGANIZATIONS_ROLE_ARN"] = organizations_role_arn
    if ledger and table:
        environment |= variables(ledger, table)
    return environment


class DeployedProvider(Construct):
    """A provider that is deployed elsewhere."""

    def __init__(self, scope: Construct, construct_id: str, service_token: str) -> None:
        """Refer to the provider by its function's ARN."""
        super().__init__(scope, construct_id)
        self.service_token = service_token
        self.required_resources: list[IConstruct] = []
