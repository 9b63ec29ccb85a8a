"""For each check, how to make it pass and how to violate it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.preflight.account import ACCOUNT, Account, document

OTHER = "210987654321"
ROLE = "EC2ImageBuilderDistributionCrossAccountRole"
ORGANIZATION = "o-abcdefghij"
UNIT = "ou-abcd-abcdefgh"
PROVIDER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/provider"
Distribution = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """`passing` and `violating` set an account up and return a distribution. `unrelated` is one without the check.

    `denied` is the operation to deny; `hinder` makes it necessary where a passing check does not need it.
    """

    passing: Callable[[Account], Distribution]
    violating: Callable[[Account], Distribution]
    denied: str
    unrelated: Distribution = field(default_factory=dict)
    hinder: Callable[[Account], None] = lambda _: None


def _ami(**members: Any) -> Distribution:
    return {"amiDistributionConfiguration": {"name": "x {{ imagebuilder:buildDate }}", **members}}


def _shared(**permission: Any) -> Distribution:
    return _ami(launchPermission=permission)


def allow(actions: list[str], *accounts: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"AWS": [f"arn:aws:iam::{one}:root" for one in accounts]},
        "Action": actions,
        "Resource": "*",
    }


def key(account: Account, *statements: Mapping[str, Any], region: str = "eu-west-1") -> str:
    """The ARN of a new key, with a policy of these statements."""
    policy = document(*(statements or (allow(["kms:*"], ACCOUNT),)))
    return str(account.call("kms", "create_key", region, Policy=policy)["KeyMetadata"]["Arn"])


def _disabled_key(account: Account) -> Distribution:
    arn = key(account)
    account.call("kms", "disable_key", KeyId=arn.rpartition("/")[2])
    return _ami(kmsKeyId=arn)


def managed_key(account: Account) -> str:
    """The alias of an AWS managed key."""
    metadata = {
        "KeyId": "x",
        "Arn": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/x",
        "KeyState": "Enabled",
        "KeyManager": "AWS",
    }
    account.respond("kms:DescribeKey", {"KeyMetadata": metadata})
    return "alias/aws/ebs"


def template(account: Account) -> str:
    """The ID of a new launch template."""
    made = account.call(
        "ec2", "create_launch_template", LaunchTemplateName="web", LaunchTemplateData={"ImageId": "ami-1"}
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def _fast(**members: Any) -> Distribution:
    return {"fastLaunchConfigurations": [{"enabled": True, "accountId": ACCOUNT, **members}]}


def refuse_role(account: Account, decision: str = "allowed") -> None:
    """No role in another account can be assumed, and the caller's own policies have this `decision` about it."""
    account.refuse("sts:AssumeRole", "AccessDenied")
    simulate(account, decision)


def simulate(account: Account, decision: str, *missing: str) -> None:
    result = {"EvalActionName": "a:B", "EvalDecision": decision, "MissingContextValues": list(missing)}
    account.respond("iam:SimulatePrincipalPolicy", {"EvaluationResults": [result], "IsTruncated": False})


def provider_role(
    account: Account,
    decision: str = "allowed",
    covered: str = f"arn:aws:iam::{ACCOUNT}:role/*",
    external_id: str = "arn:aws:cloudformation:*:stack/*",
) -> Distribution:
    """A role, its trust policy for these external IDs, and a provider that may assume roles as given."""
    function = {"Role": PROVIDER_ROLE, "Environment": {"Variables": {"ASSUMABLE_ROLE_ARNS": covered}}}
    account.respond("lambda:GetFunctionConfiguration", function)
    simulate(account, decision)
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": PROVIDER_ROLE},
        "Action": "sts:AssumeRole",
        "Condition": {"StringLike": {"sts:ExternalId": external_id}},
    }
    made = account.call("iam", "create_role", RoleName="images", AssumeRolePolicyDocument=document(trust))
    return {"roleArn": made["Role"]["Arn"]}


def _export(bucket: str = "web-disks", role: str = "vmimport") -> Distribution:
    return {"s3ExportConfiguration": {"s3Bucket": bucket, "roleName": role, "diskImageFormat": "RAW"}}


def _bucket(account: Account, region: str = "eu-west-1") -> Distribution:
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    account.call("s3", "create_bucket", region, Bucket="web-disks", **location)
    return _export()


def _foreign_bucket(account: Account) -> Distribution:
    account.refuse("s3:HeadBucket", "403", lambda environ: "HTTP_X_AMZ_EXPECTED_BUCKET_OWNER" in environ)
    return _bucket(account)


def _export_role(account: Account, service: str = "vmie.amazonaws.com") -> Distribution:
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:Externalid": "vmimport"}},
    }
    account.call("iam", "create_role", RoleName="vmimport", AssumeRolePolicyDocument=document(trust))
    return _export()


def parameter(account: Account, decision: str = "allowed", role: str = "builder", **members: Any) -> Distribution:
    """A parameter, and a pipeline with an execution role whose policies have this decision."""
    simulate(account, decision)
    pipeline = {"name": "web", **({"executionRole": role} if role else {})}
    account.respond("imagebuilder:ListImagePipelines", {"imagePipelineList": [pipeline]})
    return {"ssmParameterConfigurations": [{"parameterName": "/web/ami", **members}]}


def _container(name: str = "web") -> Distribution:
    repository = {"service": "ECR", "repositoryName": name}
    return {"containerDistributionConfiguration": {"targetRepository": repository}}


def _repository(account: Account) -> Distribution:
    account.call("ecr", "create_repository", repositoryName="web")
    return _container()


def _license(account: Account, region: str = "eu-west-1") -> Distribution:
    arn = f"arn:aws:license-manager:{region}:{ACCOUNT}:license-configuration:lic-{'0' * 32}"
    account.respond("license-manager:GetLicenseConfiguration", {"LicenseConfigurationArn": arn, "Status": "AVAILABLE"})
    return {"licenseConfigurationArns": [arn]}


def _no_license(account: Account) -> Distribution:
    distribution = _license(account)
    account.refuse("license-manager:GetLicenseConfiguration", "InvalidParameterValueException")
    return distribution


def organization(account: Account) -> tuple[str, str, str]:
    """The ARN of the account's new organization, the ID of its root, and its own ID."""
    made = account.call("organizations", "create_organization", "us-east-1", FeatureSet="ALL")["Organization"]
    root = account.call("organizations", "list_roots", "us-east-1")["Roots"][0]["Id"]
    return made["Arn"], root, made["Id"]


def _own_organization(account: Account) -> Distribution:
    return _shared(organizationArns=[organization(account)[0]])


def _wrong_organization(account: Account) -> Distribution:
    _, _, own = organization(account)
    return _shared(organizationArns=[f"arn:aws:organizations::{OTHER}:organization/{own}"])


def _own_unit(account: Account) -> Distribution:
    _, root, _ = organization(account)
    unit = account.call("organizations", "create_organizational_unit", "us-east-1", ParentId=root, Name="web")
    return _shared(organizationalUnitArns=[unit["OrganizationalUnit"]["Arn"]])


def _wrong_unit(account: Account) -> Distribution:
    _, _, own = organization(account)
    return _shared(organizationalUnitArns=[f"arn:aws:organizations::{ACCOUNT}:ou/{own}/{UNIT}"])


def _sharing(account: Account, enabled: bool) -> Distribution:
    arn, _, _ = organization(account)
    if enabled:
        account.call("organizations", "enable_aws_service_access", "us-east-1", ServicePrincipal="ram.amazonaws.com")
    return _shared(organizationArns=[arn])


def _public(account: Account, state: str = "unblocked") -> Distribution:
    account.respond("ec2:GetImageBlockPublicAccessState", {"ImageBlockPublicAccessState": state})
    return _shared(userGroups=["all"])


def quotas(account: Account, **values: float) -> None:
    """Service Quotas lists these quotas, by names with underscores."""
    listed = [{"QuotaName": name.replace("_", " "), "Value": value} for name, value in values.items()]
    account.respond("service-quotas:ListServiceQuotas", {"Quotas": listed})


def _public_images(account: Account, quota: float) -> Distribution:
    quotas(account, Public_AMIs=quota)
    account.respond("ec2:DescribeImages", {"Images": [{"ImageId": f"ami-{number}"} for number in range(5)]})
    return _shared(userGroups=["all"])


def _shared_images(account: Account, quota: float) -> Distribution:
    quotas(account, AMI_sharing=quota)
    return _shared(userIds=[OTHER, ACCOUNT], organizationArns=[])


_USE_KEY = ["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
_READ_KEY = ["kms:DescribeKey"]

CASES = {
    "kms-key-exists": Case(
        lambda account: _ami(kmsKeyId=key(account)),
        lambda account: _ami(kmsKeyId=key(account, region="us-east-1")),
        "kms:DescribeKey",
        _ami(),
    ),
    "kms-key-enabled": Case(lambda account: _ami(kmsKeyId=key(account)), _disabled_key, "kms:DescribeKey", _ami()),
    "kms-key-customer-managed": Case(
        lambda account: _ami(kmsKeyId=key(account), targetAccountIds=[OTHER]),
        lambda account: _ami(kmsKeyId=managed_key(account), targetAccountIds=[OTHER]),
        "kms:DescribeKey",
        _ami(targetAccountIds=[OTHER]),
    ),
    "kms-key-allows-service": Case(
        lambda account: _ami(kmsKeyId=key(account, allow(_USE_KEY, ACCOUNT))),
        lambda account: _ami(kmsKeyId=key(account, allow(_READ_KEY, ACCOUNT))),
        "kms:GetKeyPolicy",
        _ami(),
    ),
    "kms-key-allows-target-accounts": Case(
        lambda account: _ami(kmsKeyId=key(account, allow(_USE_KEY, ACCOUNT, OTHER)), targetAccountIds=[OTHER]),
        lambda account: _ami(kmsKeyId=key(account, allow(_USE_KEY, ACCOUNT)), targetAccountIds=[OTHER]),
        "kms:GetKeyPolicy",
        _ami(kmsKeyId="alias/any", targetAccountIds=[ACCOUNT]),
    ),
    "kms-key-allows-shared-accounts": Case(
        lambda account: _ami(
            kmsKeyId=key(account, allow(_USE_KEY, ACCOUNT, OTHER)), launchPermission={"userIds": [OTHER]}
        ),
        lambda account: _ami(kmsKeyId=key(account), launchPermission={"userIds": [OTHER]}),
        "kms:GetKeyPolicy",
        _ami(kmsKeyId="alias/any", targetAccountIds=[OTHER]),
    ),
    "launch-template-exists": Case(
        lambda account: {"launchTemplateConfigurations": [{"launchTemplateId": template(account)}]},
        lambda _: _fast(launchTemplate={"launchTemplateName": "nowhere", "launchTemplateVersion": "1"}),
        "ec2:DescribeLaunchTemplates",
        _fast(enabled=False, launchTemplate={"launchTemplateName": "nowhere"}),
    ),
    "launch-template-version-exists": Case(
        lambda account: _fast(
            launchTemplate={"launchTemplateId": template(account), "launchTemplateVersion": "1"},
        ),
        lambda account: _fast(launchTemplate={"launchTemplateId": template(account), "launchTemplateVersion": "7"}),
        "ec2:DescribeLaunchTemplateVersions",
        _fast(launchTemplate={"launchTemplateName": "web", "launchTemplateVersion": "$Latest"}),
    ),
    "provider-role-assumable": Case(
        provider_role,
        lambda account: provider_role(account, "implicitDeny"),
        "lambda:GetFunctionConfiguration",
    ),
    "target-account-role": Case(
        lambda _: _ami(targetAccountIds=[OTHER]),
        lambda account: refuse_role(account) or _ami(targetAccountIds=[OTHER]),  # type: ignore[func-returns-value] # in one line
        "iam:SimulatePrincipalPolicy",
        _ami(targetAccountIds=[ACCOUNT]),
        refuse_role,
    ),
    "s3-bucket-exists": Case(_bucket, lambda _: _export(), "s3:HeadBucket", _ami()),
    "s3-bucket-region": Case(_bucket, lambda account: _bucket(account, "us-east-1"), "s3:HeadBucket", _ami()),
    "s3-bucket-owner": Case(_bucket, _foreign_bucket, "s3:HeadBucket", _ami()),
    "export-role-exists": Case(_export_role, lambda _: _export(), "iam:GetRole", _ami()),
    "export-role-trust": Case(
        _export_role, lambda account: _export_role(account, "ec2.amazonaws.com"), "iam:GetRole", _ami()
    ),
    "ssm-parameter-writable": Case(
        parameter,
        lambda account: parameter(account, "implicitDeny"),
        "iam:SimulatePrincipalPolicy",
        {"ssmParameterConfigurations": [{"parameterName": "/imagebuilder/web"}]},
    ),
    "ecr-repository-exists": Case(_repository, lambda _: _container(), "ecr:DescribeRepositories", _ami()),
    "license-configuration-exists": Case(_license, _no_license, "license-manager:GetLicenseConfiguration", _ami()),
    "organization-exists": Case(
        _own_organization, _wrong_organization, "organizations:DescribeOrganization", _shared(userIds=[OTHER])
    ),
    "organizational-unit-exists": Case(
        _own_unit, _wrong_unit, "organizations:DescribeOrganizationalUnit", _shared(userIds=[OTHER])
    ),
    "organization-sharing-enabled": Case(
        lambda account: _sharing(account, True),
        lambda account: _sharing(account, False),
        "organizations:ListAWSServiceAccessForOrganization",
        _shared(userIds=[OTHER]),
    ),
    "public-sharing-allowed": Case(
        _public,
        lambda account: _public(account, "block-new-sharing"),
        "ec2:GetImageBlockPublicAccessState",
        _shared(userIds=[OTHER]),
    ),
    "public-image-quota": Case(
        lambda account: _public_images(account, 6),
        lambda account: _public_images(account, 5),
        "ec2:DescribeImages",
        _shared(userIds=[OTHER]),
    ),
    "image-sharing-quota": Case(
        lambda account: _shared_images(account, 2),
        lambda account: _shared_images(account, 1),
        "service-quotas:ListServiceQuotas",
        _shared(userGroups=["all"]),
    ),
}
"""By the ID of the check."""
