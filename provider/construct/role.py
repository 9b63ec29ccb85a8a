"""The policies of the functions' roles, as in template.yaml. A test compares the two."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import ArnFormat, Stack
from aws_cdk.aws_dynamodb import ITable
from aws_cdk.aws_iam import Effect, PolicyDocument, PolicyStatement, ServicePrincipal
from aws_cdk.aws_kms import IKey
from aws_cdk.aws_lambda import IFunction
from aws_cdk.aws_logs import ILogGroup
from aws_cdk.aws_sqs import IQueue
from constructs import Construct

LAMBDA: Final = ServicePrincipal("lambda.amazonaws.com")
"""The service that assumes the roles."""

CONFIGURATIONS: Final = "distribution-configurations"
"""The name of the policy that every provider has."""

NETWORK_INTERFACES: Final = "network-interfaces"
"""The name of the policy for a function in a VPC."""

Policies = dict[str, PolicyDocument]
"""Inline policies by name."""

_NETWORK_INTERFACES: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
_SERVICE_LINKED_ROLE: Final = "aws-service-role/imagebuilder.amazonaws.com/AWSServiceRoleForImageBuilder"


def provider_policies(
    scope: Construct,
    log_group: ILogGroup,
    last_resort: IFunction,
    *,
    regions: Sequence[str],
    name_pattern: str,
    export_bucket_pattern: str,
    ssm_parameter_pattern: str,
    launch_templates: bool,
    source_parameter_pattern: str,
    organizations_role_arn: str,
    organizations_access: bool,
    in_vpc: bool,
    ledger_table: ITable | None,
    encryption_key: IKey | None,
) -> Policies:
    """The provider's policies. All but the first depend on the arguments."""
    stack = Stack.of(scope)
    policies = {
        CONFIGURATIONS: _policy(
            _allow_in(
                [stack.region, *regions],
                "Configurations",
                stack.format_arn(
                    service="imagebuilder",
                    region="*" if regions else None,
                    resource="distribution-configuration",
                    resource_name=name_pattern,
                ),
                "imagebuilder:CreateDistributionConfiguration",
                "imagebuilder:GetDistributionConfiguration",
                "imagebuilder:UpdateDistributionConfiguration",
                "imagebuilder:DeleteDistributionConfiguration",
                "imagebuilder:ListTagsForResource",
                "imagebuilder:TagResource",
                "imagebuilder:UntagResource",
            ),
            # List actions support no narrower resource.
            _allow_in(
                [stack.region, *regions],
                "Lists",
                "*",
                "imagebuilder:ListDistributionConfigurations",
                "imagebuilder:ListImagePipelines",
            ),
            # Image Builder creates its service-linked role with the caller's permissions on first use.
            _allow(
                "ServiceLinkedRole",
                stack.format_arn(service="iam", region="", resource="role", resource_name=_SERVICE_LINKED_ROLE),
                "iam:GetRole",
                "iam:CreateServiceLinkedRole",
            ),
            _log(log_group),
            _allow("LastResort", last_resort.function_arn, "lambda:InvokeFunction"),
        )
    }
    # Image Builder uses the caller's permissions for the launch templates, buckets, and parameters in a configuration.
    if launch_templates:
        templates = stack.format_arn(service="ec2", region="*", resource="launch-template", resource_name="*")
        policies["launch-templates"] = _policy(
            _allow(None, "*", "ec2:DescribeLaunchTemplates"),
            _allow(None, templates, "ec2:CreateLaunchTemplateVersion", "ec2:ModifyLaunchTemplate"),
        )
    if export_bucket_pattern:
        buckets = stack.format_arn(
            service="s3",
            region="",
            account="",
            resource=export_bucket_pattern,
            arn_format=ArnFormat.NO_RESOURCE_NAME,
        )
        policies["export-buckets"] = _policy(_allow(None, buckets, "s3:ListBucket"))
    if ssm_parameter_pattern:
        parameters = stack.format_arn(
            service="ssm", region="*", resource="parameter", resource_name=ssm_parameter_pattern
        )
        policies["ssm-parameters"] = _policy(_allow(None, parameters, "ssm:GetParameter"))
    policies |= _source_policies(stack, source_parameter_pattern, organizations_role_arn, may_list=organizations_access)
    if ledger_table is not None:
        policies |= _ledger_policies(stack, ledger_table, ledger_table.encryption_key or encryption_key)
    return policies | _network_interfaces(in_vpc=in_vpc)


def _source_policies(stack: Stack, parameter_pattern: str, organizations_role_arn: str, *, may_list: bool) -> Policies:
    """What reads account sources. `may_list` lets the function's own role list the accounts of units."""
    policies = {}
    if organizations_role_arn:
        policies["organizations-role"] = _policy(_allow(None, organizations_role_arn, "sts:AssumeRole"))
    if may_list:
        policies["organizational-units"] = _policy(*(_list_accounts(stack, kind) for kind in ("ou", "root")))
    if parameter_pattern:
        sources = stack.format_arn(service="ssm", resource="parameter", resource_name=parameter_pattern)
        policies["source-parameters"] = _policy(_allow(None, sources, "ssm:GetParameter"))
    return policies


def _ledger_policies(stack: Stack, table: ITable, key: IKey | None) -> Policies:
    # A transaction requires the permissions of its operations.
    operations = ("ConditionCheckItem", "GetItem", "Query", "Scan", "UpdateItem")
    policies = {"ledger": _policy(_allow(None, table.table_arn, *(f"dynamodb:{name}" for name in operations)))}
    if key is not None:
        # DynamoDB uses the key with the caller's permissions.
        use = _allow(
            None,
            key.key_arn,
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:GenerateDataKey",
            "kms:GenerateDataKeyWithoutPlaintext",
            "kms:ReEncryptFrom",
            "kms:ReEncryptTo",
        )
        use.add_condition("StringLike", {"kms:ViaService": f"dynamodb.{stack.region}.*"})
        policies["ledger-key"] = _policy(use)
    return policies


def role_statement() -> PolicyStatement:
    """The statement about the roles that the provider may assume; its resources are added later."""
    return PolicyStatement(sid="Roles", actions=["sts:AssumeRole"])


def _list_accounts(stack: Stack, kind: str) -> PolicyStatement:
    # The ARN contains the management account, which this account need not know.
    parents = stack.format_arn(service="organizations", region="", account="*", resource=kind, resource_name="*")
    actions = ("organizations:ListAccountsForParent", "organizations:ListOrganizationalUnitsForParent")
    return _allow(None, parents, *actions)


def _network_interfaces(*, in_vpc: bool) -> Policies:
    """Lambda creates a function's network interfaces with the function's role. The function's own code may not."""
    if not in_vpc:
        return {}
    of_code = PolicyStatement(effect=Effect.DENY, actions=[*_NETWORK_INTERFACES], resources=["*"])
    of_code.add_condition("Null", {"lambda:SourceFunctionArn": "false"})
    return {NETWORK_INTERFACES: _policy(_allow(None, "*", *_NETWORK_INTERFACES), of_code)}


def last_resort_policies(
    scope: Construct, log_group: ILogGroup, unanswered: IQueue, key: IKey | None, *, in_vpc: bool
) -> Policies:
    """The last resort's policies, including one for `key` if it encrypts the queue."""
    policies = {
        "last-resort": _policy(_log(log_group), _allow("Unanswered", unanswered.queue_arn, "sqs:SendMessage")),
    }
    if key is not None:
        encrypt = _allow(None, key.key_arn, "kms:Decrypt", "kms:GenerateDataKey")
        encrypt.add_condition("StringLike", {"kms:ViaService": f"sqs.{Stack.of(scope).region}.*"})
        policies["encrypt-unanswered"] = _policy(encrypt)
    return policies | _network_interfaces(in_vpc=in_vpc)


def _policy(*statements: PolicyStatement) -> PolicyDocument:
    return PolicyDocument(statements=list(statements))


def _allow(sid: str | None, resource: str, *actions: str) -> PolicyStatement:
    return PolicyStatement(sid=sid, actions=list(actions), resources=[resource])


def _allow_in(regions: Sequence[str], sid: str, resource: str, *actions: str) -> PolicyStatement:
    statement = _allow(sid, resource, *actions)
    statement.add_condition("StringEquals", {"aws:RequestedRegion": [*regions]})
    return statement


def _log(log_group: ILogGroup) -> PolicyStatement:
    return _allow("Log", log_group.log_group_arn, "logs:CreateLogStream", "logs:PutLogEvents")
