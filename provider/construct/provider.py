"""The provider as a construct: what template.yaml deploys, within a stack of the CDK."""

from __future__ import annotations

from typing import Final

import jsii
from aws_cdk import Duration, RemovalPolicy, Stack
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

from ..build.shrink import RUNTIME
from . import nag, role
from .alarms import add_alarms
from .asset import code
from .limits import mistakes

_SINGLETON: Final = "ImageBuilderDistributionProvider"
_RUNTIME: Final = Runtime(f"python{RUNTIME}", RuntimeFamily.PYTHON)


@jsii.implements(IValidation)
class DistributionConfigurationProvider(Construct):
    """The function that answers for distribution configurations, and what it takes besides.

    Its role reaches the configurations of `name_pattern`, as their ARNs spell them (such as `golden-*`), in this
    account and Region; for S3 exports the buckets of `export_bucket_pattern`; the SSM parameters of
    `ssm_parameter_pattern` (without the leading slash), whose values it can read then; and launch templates of this
    account. An empty pattern reaches nothing. `encryption_key` encrypts the log, the queue and the environment; its
    policy has to let CloudWatch Logs use it. `memory_size` is in MiB. `timeout`, no token, is what one request may
    take; keep it below the 15 minutes that CloudFormation waits.
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
        permissions_boundary: IManagedPolicy | None = None,
        encryption_key: IKey | None = None,
        memory_size: int = 256,
        timeout: Duration | None = None,
        log_level: ApplicationLogLevel = ApplicationLogLevel.INFO,
        log_retention: RetentionDays = RetentionDays.THREE_MONTHS,
        alarm_topic: ITopic | None = None,
    ) -> None:
        """Deploy a provider of its own, beside others that there may be."""
        super().__init__(scope, construct_id)
        timeout = timeout or Duration.minutes(2)
        self._mistakes = mistakes(
            timeout,
            name_pattern=name_pattern,
            export_bucket_pattern=export_bucket_pattern,
            ssm_parameter_pattern=ssm_parameter_pattern,
        )
        self.node.add_validation(self)
        self.log_group = LogGroup(
            self,
            "Log",
            retention=log_retention,
            encryption_key=encryption_key,
            # The record of what was changed outlives the provider, until its lines are too old.
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
        self.last_resort_role = Role(
            self,
            "LastResortRole",
            description="What the last resort may do, which is to log and to leave what it could not answer in a queue",
            assumed_by=role.LAMBDA,
            permissions_boundary=permissions_boundary,
            inline_policies=role.of_last_resort(self, self.log_group, self.unanswered, encryption_key),
        )
        self.last_resort = Function(
            self,
            "LastResort",
            description="Answers for the provider where it crashed, timed out or never ran",
            code=code("LastResortFunction"),
            handler="provider.last_resort.handler",
            runtime=_RUNTIME,
            architecture=Architecture.ARM_64,
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
        policies = role.of_provider(
            self,
            self.log_group,
            self.last_resort,
            name_pattern=name_pattern,
            export_bucket_pattern=export_bucket_pattern,
            ssm_parameter_pattern=ssm_parameter_pattern,
            launch_templates=launch_templates,
        )
        self.role = Role(
            self,
            "Role",
            description="What the provider of Custom::ImageBuilderDistributionConfiguration may do",
            assumed_by=role.LAMBDA,
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
            architecture=Architecture.ARM_64,
            memory_size=memory_size,
            timeout=timeout,
            role=self.role.without_policy_updates(),
            environment={"AWS_RETRY_MODE": "standard"},
            environment_encryption=encryption_key,
            log_group=self.log_group,
            logging_format=LoggingFormat.JSON,
            application_log_level_v2=log_level,
            system_log_level_v2=SystemLogLevel.WARN,
            # What was not answered after one retry, or not even begun in ten minutes, is answered by the last resort.
            max_event_age=Duration.minutes(10),
            retry_attempts=1,
            on_failure=LambdaDestination(self.last_resort),
        )
        add_alarms(self, timeout, alarm_topic)
        nag.acknowledge(self, policies)

    def validate(self) -> list[str]:
        """What is wrong with the arguments; the CDK asks for it at synth."""
        return self._mistakes

    @property
    def service_token(self) -> str:
        """The ServiceToken of the resources that it answers for."""
        return self.function.function_arn

    @property
    def chain(self) -> list[IConstruct]:
        """What must be there, besides the function, for each request to be answered: on it hangs all the rest."""
        return [function.node.find_child("EventInvokeConfig") for function in (self.function, self.last_resort)]

    @classmethod
    def get_or_create(cls, scope: Construct) -> DistributionConfigurationProvider:
        """The one of the scope's stack that is made where no other is asked for."""
        stack = Stack.of(scope)
        found = stack.node.try_find_child(_SINGLETON)
        return found if isinstance(found, cls) else cls(stack, _SINGLETON)

    @staticmethod
    def from_service_token(scope: Construct, construct_id: str, service_token: str) -> DeployedProvider:
        """One that is deployed already, such as by `sam deploy`, whose stack exports its ServiceToken."""
        return DeployedProvider(scope, construct_id, service_token)


class DeployedProvider(Construct):
    """A provider that something else deploys."""

    def __init__(self, scope: Construct, construct_id: str, service_token: str) -> None:
        """Point to it by its function's ARN."""
        super().__init__(scope, construct_id)
        self.service_token = service_token
        self.chain: list[IConstruct] = []
