"""The checks: one row each. A row is all that there is to a check; docs/preflight.md is generated from the rows."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .interface import CROSS_ACCOUNT_ROLE, Check, Context, DeniedError, Outcome, Probe, Read, Status, assume_role
from .outcomes import depends, failed, passed, simulate, unknown
from .policies import Decision, Principal, decide
from .provider_role import PROVIDER_ROLE_READS, provider_role_assumable
from .subjects import Subject, UnknownValueError, is_unknown

_SERVICE_LINKED_ROLE: Final = "role/aws-service-role/imagebuilder.amazonaws.com/AWSServiceRoleForImageBuilder"
_KEY_ACTIONS: Final = tuple(
    f"kms:{name}"
    for name in (
        "CreateGrant",
        "Decrypt",
        "DescribeKey",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncryptFrom",
        "ReEncryptTo",
    )
)
"""What EC2 does with a key to copy an encrypted image, or to launch an instance from it."""
_AWS_ALIASES: Final = "alias/aws/"
"""What the aliases of AWS managed keys begin with."""
_NO_KEY: Final = ("NotFoundException", "InvalidArnException")
_NO_TEMPLATE: Final = (
    "InvalidLaunchTemplateId.Malformed",
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateName.MalformedException",
    "InvalidLaunchTemplateName.NotFoundException",
)
_NO_VERSION: Final = (*_NO_TEMPLATE, "InvalidLaunchTemplateId.VersionNotFound")
_NO_ORGANIZATION: Final = ("AWSOrganizationsNotInUseException",)
_NO_BUCKET: Final = ("404", "NoSuchBucket")
_NO_LICENSE: Final = ("InvalidParameterValueException", "ResourceNotFoundException")
_NO_REPOSITORY: Final = ("RepositoryNotFoundException", "InvalidParameterException")
_EXPORT_SERVICES: Final = ("vmie.amazonaws.com", "vmie.amazonaws.com.cn")
_BUCKET_NAME: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", re.ASCII)
_ROLE_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_RELATIVE_VERSIONS: Final = ("$Latest", "$Default")
_OPEN_PARAMETERS: Final = "/imagebuilder/"
"""Image Builder's service-linked role may write parameters below this path."""
_PUBLIC: Final = "all"


# KMS keys


def _describe_key(subject: Subject) -> Read:
    return Read("kms:DescribeKey", subject.region, {"KeyId": subject.value}, _NO_KEY)


def _key_exists(subject: Subject, _: Context) -> Probe:
    region = subject.region
    if (yield _describe_key(subject)) is not None:
        return passed(f"the key exists in {region}")
    parts = str(subject.value).split(":")
    other = f"; its ARN is in {parts[3]}" if len(parts) > 3 and parts[3] != region else ""
    return failed(f"the key does not exist in {region}{other}")


def _key_enabled(subject: Subject, _: Context) -> Probe:
    key = yield _describe_key(subject)
    if key is None:
        return None
    state = key["KeyMetadata"]["KeyState"]
    return passed("the key is enabled") if state == "Enabled" else failed(f"the key's state is {state}")


def _key_customer_managed(subject: Subject, context: Context) -> Probe:
    key = yield _describe_key(subject)
    if key is None:
        return None
    if _is_customer_managed(subject, key):
        return passed("the key is customer managed")
    if _target_accounts(subject, context) or subject.nearest("launchPermission"):
        return failed("the key is managed by AWS, so other accounts cannot use the images that it encrypts")
    return passed("the key is managed by AWS; the images are not shared with other accounts")


def _is_customer_managed(subject: Subject, key: Mapping[str, Any]) -> bool:
    return key["KeyMetadata"].get("KeyManager") == "CUSTOMER" and _AWS_ALIASES not in subject.value


def _key_allows_service(subject: Subject, context: Context) -> Probe:
    role = Principal(context.location.account, context.iam_arn(_SERVICE_LINKED_ROLE))
    return (yield from _key_allows(subject, context, [role], "AWSServiceRoleForImageBuilder"))


def _key_allows_targets(subject: Subject, context: Context) -> Probe:
    accounts = _target_accounts(subject, context)
    roles = [Principal(one, context.iam_arn(f"role/{CROSS_ACCOUNT_ROLE}", one)) for one in accounts]
    return (yield from _key_allows(subject, context, roles, "the target accounts"))


def _key_allows_shared(subject: Subject, context: Context) -> Probe:
    users = (subject.nearest("launchPermission") or {}).get("userIds", ())
    accounts = [Principal(one) for one in users if one != context.location.account]
    who = "the accounts that the images are shared with"
    return (yield from _key_allows(subject, context, accounts, who, Status.WARNING))


def _key_allows(
    subject: Subject, context: Context, principals: Sequence[Principal], who: str, violation: Status = Status.FAILURE
) -> Probe:
    """Whether the key policy allows all principals to use the key. Does not apply to AWS managed keys."""
    key = (yield _describe_key(subject)) if principals else None
    if key is None or not _is_customer_managed(subject, key):
        return None
    arn = key["KeyMetadata"]["Arn"]
    if (owner := arn.split(":")[4]) != context.location.account:
        message = f"the key belongs to account {owner}, so its policy cannot be read"
        return unknown(message, "Check the key policy there.")
    found = yield Read("kms:GetKeyPolicy", subject.region, {"KeyId": arn, "PolicyName": "default"})
    return _key_outcome(json.loads(found["Policy"]), subject, principals, who, violation)


def _key_outcome(
    policy: Mapping[str, Any], subject: Subject, principals: Sequence[Principal], who: str, violation: Status
) -> Outcome:
    decisions = {
        (principal.account, action): decide(policy, principal, action, _key_context(subject, principal))
        for principal in principals
        for action in _KEY_ACTIONS
    }
    if denied := [one for one, decision in decisions.items() if decision is Decision.DENIED]:
        accounts, actions = (", ".join(sorted(set(names))) for names in zip(*denied, strict=True))
        return Outcome(violation, f"the key policy does not allow {actions} to account {accounts}")
    if Decision.CONDITIONAL in decisions.values():
        return depends(f"whether the key policy allows {who} to use the key", policy)
    return passed(f"the key policy allows {who} to use the key")


def _key_context(subject: Subject, principal: Principal) -> dict[str, str]:
    keys = {
        "kms:viaservice": f"ec2.{subject.region}.amazonaws.com",
        "kms:calleraccount": principal.account,
        "kms:grantisforawsresource": "true",
        "aws:principalaccount": principal.account,
    }
    return keys | ({"aws:principalarn": principal.arn} if principal.arn else {})


def _target_accounts(subject: Subject, context: Context) -> list[str]:
    return [one for one in subject.entries("targetAccountIds") if one != context.location.account]


# Launch templates


def _template_read(subject: Subject, context: Context, operation: str, **parameters: Any) -> Read:
    owner = subject.nearest("accountId") or context.location.account
    account = "" if owner == context.location.account else owner
    return Read(f"ec2:{operation}", subject.region, parameters, _NO_VERSION, account)


def _template_exists(subject: Subject, context: Context) -> Probe:
    if subject.nearest("enabled") is False:
        return None
    parameters = {f"{subject.member[0].upper()}{subject.member[1:]}s": [subject.value]}
    read = _template_read(subject, context, "DescribeLaunchTemplates", **parameters)
    place = f"account {read.account or context.location.account}, {read.region}"
    found = yield read
    if not (found and found["LaunchTemplates"]):
        return failed(f"the launch template does not exist in {place}")
    return passed(f"the launch template exists in {place}")


def _version_exists(subject: Subject, context: Context) -> Probe:
    names = {"launchTemplateId": "LaunchTemplateId", "launchTemplateName": "LaunchTemplateName"}
    member = next((name for name in names if subject.nearest(name)), None)
    if subject.nearest("enabled") is False or subject.value in _RELATIVE_VERSIONS or member is None:
        return None
    template = {names[member]: subject.nearest(member)}
    read = _template_read(subject, context, "DescribeLaunchTemplateVersions", **template, Versions=[subject.value])
    found = yield read
    if not (found and found["LaunchTemplateVersions"]):
        return failed(f"the launch template has no version {subject.value}")
    return passed(f"the launch template has a version {subject.value}")


# Accounts


def _role_assumable(subject: Subject, context: Context) -> Probe:
    account = subject.value
    if account == context.location.account:
        return None
    if (yield assume_role(context, account)) is not None:
        return passed(f"{CROSS_ACCOUNT_ROLE} can be assumed in account {account}")
    caller = yield Read("sts:GetCallerIdentity", context.location.region, {})
    role = yield from _role_of(caller["Arn"], context)
    target = context.iam_arn(f"role/{CROSS_ACCOUNT_ROLE}", account)
    decision = yield from simulate(role, "sts:AssumeRole", target, context)
    if decision is Decision.ALLOWED:
        return failed(f"{CROSS_ACCOUNT_ROLE} does not exist in account {account}, or it does not trust your account")
    raise DeniedError("sts:AssumeRole")


def _role_of(caller: str, context: Context) -> Any:
    """The IAM ARN of the caller's user or role. The ARN of a session lacks the role's path."""
    session = re.fullmatch(r"arn:[^:]+:sts::[0-9]{12}:assumed-role/([^/]+)/.+", caller)
    if session is None:
        return caller
    found = yield Read("iam:GetRole", context.location.region, {"RoleName": session[1]})
    return found["Role"]["Arn"]


# S3 export


def _head_bucket(subject: Subject, absent: tuple[str, ...] = (), **owner: str) -> Read:
    return Read("s3:HeadBucket", subject.region, {"Bucket": subject.value, **owner}, (*_NO_BUCKET, *absent))


def _bucket_exists(subject: Subject, _: Context) -> Probe:
    if not _BUCKET_NAME.fullmatch(subject.value):
        return failed("the value is not a bucket's name (a URL or a path is not accepted)")
    exists = (yield _head_bucket(subject)) is not None
    return passed("the bucket exists") if exists else failed("the bucket does not exist")


def _bucket_region(subject: Subject, _: Context) -> Probe:
    bucket = (yield _head_bucket(subject)) if _BUCKET_NAME.fullmatch(subject.value) else None
    if bucket is None:
        return None
    region = bucket.get("BucketRegion", subject.region)
    message = f"the bucket is in {region}"
    return passed(message) if region == subject.region else failed(f"{message}, not in {subject.region}")


def _bucket_owner(subject: Subject, context: Context) -> Probe:
    if not _BUCKET_NAME.fullmatch(subject.value) or (yield _head_bucket(subject)) is None:
        return None
    account = context.location.account
    # The caller may read the bucket. If it may not with the expected owner, the owner is another one.
    if (yield _head_bucket(subject, ("403",), ExpectedBucketOwner=account)) is None:
        return failed(f"the bucket does not belong to account {account}")
    return passed(f"the bucket belongs to account {account}")


def _get_role(subject: Subject, context: Context) -> Read:
    return Read("iam:GetRole", context.location.region, {"RoleName": subject.value}, ("NoSuchEntity",))


def _export_role_exists(subject: Subject, context: Context) -> Probe:
    if not _ROLE_NAME.fullmatch(subject.value):
        return failed("the value is not a role's name (an ARN or a path is not accepted)")
    if (yield _get_role(subject, context)) is None:
        return failed(f"the role does not exist in account {context.location.account}")
    return passed("the role exists")


def _export_role_trust(subject: Subject, context: Context) -> Probe:
    role = (yield _get_role(subject, context)) if _ROLE_NAME.fullmatch(subject.value) else None
    if role is None:
        return None
    trust = role["Role"]["AssumeRolePolicyDocument"]
    keys = {"sts:externalid": "vmimport", "aws:sourceaccount": context.location.account}
    decisions = {decide(trust, Principal(service=one), "sts:AssumeRole", keys) for one in _EXPORT_SERVICES}
    if Decision.ALLOWED in decisions:
        return passed(f"{_EXPORT_SERVICES[0]} may assume the role")
    if Decision.CONDITIONAL in decisions:
        return depends(f"whether {_EXPORT_SERVICES[0]} may assume the role", trust)
    return failed(f"the trust policy does not allow {_EXPORT_SERVICES[0]} to assume the role")


# SSM parameters


def _parameter_writable(subject: Subject, context: Context) -> Probe:
    location, account = context.location, subject.nearest("amiAccountId") or context.location.account
    if subject.value.startswith(_OPEN_PARAMETERS):
        return None
    if account != location.account:
        return unknown(
            f"{CROSS_ACCOUNT_ROLE} writes the parameter in account {account}",
            f"Allow ssm:PutParameter to {CROSS_ACCOUNT_ROLE} in that account.",
        )
    if not context.arn:
        raise UnknownValueError("distributionConfigurationArn")
    filters = [{"name": "distributionConfigurationArn", "values": [context.arn]}]
    found = yield Read("imagebuilder:ListImagePipelines", location.region, {"filters": filters})
    if not found["imagePipelineList"]:
        return unknown("no pipeline uses the configuration yet", "Run preflight again once a pipeline uses it.")
    parameter = f"arn:{location.partition}:ssm:{subject.region}:{account}:parameter/{subject.value.lstrip('/')}"
    needed = {"ssm:PutParameter": parameter}
    if subject.nearest("dataType") == "aws:ec2:image":
        needed["ec2:DescribeImages"] = "*"
    for pipeline in found["imagePipelineList"]:
        problem: Outcome | None = yield from _may(pipeline.get("executionRole", ""), needed, context)
        if problem is not None:
            return problem._replace(message=f"pipeline {pipeline['name']}: {problem.message}")
    return passed("the execution roles of the pipelines may write the parameter")


def _may(role: str, needed: Mapping[str, str], context: Context) -> Any:
    """The Outcome if a role may not do what is needed (action -> resource), else None."""
    if not role:
        return failed(f"there is no execution role, and the default one writes only below {_OPEN_PARAMETERS}")
    arn = role if role.startswith("arn:") else context.iam_arn(f"role/{role}")
    for action, resource in needed.items():
        decision = yield from simulate(arn, action, resource, context)
        if decision is None:
            return failed(f"the execution role {arn} does not exist")
        if decision is Decision.CONDITIONAL:
            return unknown(f"whether {arn} allows {action} depends on conditions", "Check these conditions yourself.")
        if decision is Decision.DENIED:
            return failed(f"{arn} does not allow {action} on {resource}")
    return None


# Container repositories and licenses


def _repository_exists(subject: Subject, _: Context) -> Probe:
    read = Read("ecr:DescribeRepositories", subject.region, {"repositoryNames": [subject.value]}, _NO_REPOSITORY)
    if (yield read) is None:
        return failed(f"the repository does not exist in {subject.region}")
    return passed(f"the repository exists in {subject.region}")


def _license_exists(subject: Subject, _: Context) -> Probe:
    region = str(subject.value).split(":")[3]
    if region != subject.region:
        return failed(f"the license configuration is in {region}, not in {subject.region}")
    parameters = {"LicenseConfigurationArn": subject.value}
    found = yield Read("license-manager:GetLicenseConfiguration", region, parameters, _NO_LICENSE)
    if found is None:
        return failed(f"the license configuration does not exist in {region}")
    if found.get("Status") == "DISABLED":
        return failed("the license configuration is disabled")
    return passed(f"the license configuration exists in {region}")


# Sharing


def _organization(context: Context) -> Read:
    return Read(
        "organizations:DescribeOrganization", context.location.region, {}, ("AWSOrganizationsNotInUseException",)
    )


def _entities(subject: Subject, *members: str) -> list[str]:
    """The entries of all these lists of a structure. Raises UnknownValueError."""
    lists = [subject.value.get(name) or [] for name in members]
    if any(map(is_unknown, lists)):
        raise UnknownValueError(subject.member)
    return [entry for one in lists for entry in one]


def _foreign(account: str) -> Outcome:
    return unknown(
        f"account {account} is not a member of this organization",
        "EC2 accepts other organizations. Compare the ARN with the one that the organization's owner gives you.",
    )


def _in_another_partition(subject: Subject, context: Context) -> Outcome | None:
    partition = subject.value.split(":")[1]
    if partition == context.location.partition:
        return None
    return failed(f"the ARN is in the partition {partition}, the configuration is in {context.location.partition}")


def _organization_exists(subject: Subject, context: Context) -> Probe:
    if elsewhere := _in_another_partition(subject, context):
        return elsewhere
    found = yield _organization(context)
    own = found["Organization"]["Arn"] if found else ""
    if own == subject.value:
        return passed("the account is a member of the organization")
    if own and own.rpartition("/")[2] == subject.value.rpartition("/")[2]:
        return failed(f"the organization's ARN is {own}")
    return _foreign(context.location.account)


def _unit_exists(subject: Subject, context: Context) -> Probe:
    if elsewhere := _in_another_partition(subject, context):
        return elsewhere
    organization, unit = subject.value.split("/")[1:3]
    found = yield _organization(context)
    if found is None or found["Organization"]["Id"] != organization:
        return _foreign(context.location.account)
    absent = ("OrganizationalUnitNotFoundException",)
    parameters = {"OrganizationalUnitId": unit}
    there = yield Read("organizations:DescribeOrganizationalUnit", context.location.region, parameters, absent)
    if there is None:
        return failed("the organizational unit does not exist")
    own = there["OrganizationalUnit"]["Arn"]
    return passed("the organizational unit exists") if own == subject.value else failed(f"the unit's ARN is {own}")


def _sharing_enabled(subject: Subject, context: Context) -> Probe:
    arns = _entities(subject, "organizationArns", "organizationalUnitArns")
    organization = (yield _organization(context)) if arns else None
    if organization is None or not any(organization["Organization"]["Id"] in arn.split("/") for arn in arns):
        return None
    found = yield Read("organizations:ListAWSServiceAccessForOrganization", context.location.region, {})
    if any(one["ServicePrincipal"] == "ram.amazonaws.com" for one in found["EnabledServicePrincipals"]):
        return passed("sharing is enabled in the organization")
    return Outcome(Status.WARNING, "sharing with AWS Organizations is not enabled")


def _public_sharing_allowed(subject: Subject, _: Context) -> Probe:
    if subject.value != _PUBLIC:
        return None
    found = yield Read("ec2:GetImageBlockPublicAccessState", subject.region, {})
    state = found.get("ImageBlockPublicAccessState")
    if state == "block-new-sharing":
        return failed(f"the account blocks public sharing of images in {subject.region}")
    return passed(f"the account allows public sharing of images in {subject.region}")


def _quota(name: str, subject: Subject) -> Any:
    """The value of an EC2 quota in the distribution's Region; None if Service Quotas does not list it."""
    found = yield Read("service-quotas:ListServiceQuotas", subject.region, {"ServiceCode": "ec2"})
    return next((int(one["Value"]) for one in found["Quotas"] if one["QuotaName"] == name), None)


def _public_quota(subject: Subject, _: Context) -> Probe:
    if subject.value != _PUBLIC:
        return None
    quota = yield from _quota("Public AMIs", subject)
    filters = [{"Name": "is-public", "Values": ["true"]}]
    found = yield Read("ec2:DescribeImages", subject.region, {"Owners": ["self"], "Filters": filters})
    return _within(quota, len(found["Images"]) + 1, f"public images in {subject.region}, with the next one")


def _sharing_quota(subject: Subject, _: Context) -> Probe:
    entities = _entities(subject, "userIds", "organizationArns", "organizationalUnitArns")
    if not entities:
        return None
    quota = yield from _quota("AMI sharing", subject)
    return _within(quota, len(entities), "accounts, organizations, and units to share an image with")


def _within(quota: int | None, count: int, what: str) -> Outcome:
    if quota is None:
        return unknown("Service Quotas does not list the quota", "Check the quota in the EC2 console.")
    message = f"{count} {what}; the quota is {quota}"
    return passed(message) if count <= quota else failed(message)


_KEY: Final = ("kmsKeyId",)
_TEMPLATE: Final = ("launchTemplateId", "launchTemplateName")
_USER_GUIDE: Final = "EC2 Image Builder User Guide"
_KMS_GUIDE: Final = f"{_USER_GUIDE}, cross-account distribution"
_QUOTAS: Final = "EC2 User Guide, AMI quotas"
_VM_GUIDE: Final = "VM Import/Export User Guide"

CHECKS: Final = (
    Check(
        "provider-role-assumable",
        "The provider's role can assume the role in RoleArn",
        ("roleArn",),
        PROVIDER_ROLE_READS,
        Status.FAILURE,
        "IAM User Guide, cross-account policy evaluation logic",
        "Add the role to the provider's parameter AssumableRoleArns. The role's trust policy must allow sts:AssumeRole "
        "to the provider's role, for the stack's ID as sts:ExternalId.",
        provider_role_assumable,
    ),
    Check(
        "kms-key-exists",
        "The KMS key exists in the distribution's Region",
        _KEY,
        ("kms:DescribeKey",),
        Status.FAILURE,
        "EC2 CopyImage",
        "Give a key of the distribution's Region.",
        _key_exists,
    ),
    Check(
        "kms-key-enabled",
        "The KMS key is enabled",
        _KEY,
        ("kms:DescribeKey",),
        Status.FAILURE,
        "AWS KMS Developer Guide, key states",
        "Enable the key, or cancel its deletion.",
        _key_enabled,
    ),
    Check(
        "kms-key-customer-managed",
        "The KMS key of images for other accounts is customer managed",
        _KEY,
        ("kms:DescribeKey",),
        Status.FAILURE,
        "EC2 ModifySnapshotAttribute",
        "Create a customer managed key, and give its ARN.",
        _key_customer_managed,
    ),
    Check(
        "kms-key-allows-service",
        "The key policy allows Image Builder's service-linked role to use the key",
        _KEY,
        ("kms:DescribeKey", "kms:GetKeyPolicy"),
        Status.FAILURE,
        _KMS_GUIDE,
        "Allow the actions to the account of the configuration, or to its AWSServiceRoleForImageBuilder.",
        _key_allows_service,
    ),
    Check(
        "kms-key-allows-target-accounts",
        "The key policy allows the target accounts to use the key",
        _KEY,
        ("kms:DescribeKey", "kms:GetKeyPolicy"),
        Status.FAILURE,
        _KMS_GUIDE,
        f"Allow the actions to the accounts, or to their {CROSS_ACCOUNT_ROLE}.",
        _key_allows_targets,
    ),
    Check(
        "kms-key-allows-shared-accounts",
        "The key policy allows the accounts with launch permissions to use the key",
        _KEY,
        ("kms:DescribeKey", "kms:GetKeyPolicy"),
        Status.WARNING,
        "EC2 User Guide, sharing encrypted AMIs",
        "Allow the actions to the accounts: otherwise they cannot launch instances from the image.",
        _key_allows_shared,
    ),
    Check(
        "launch-template-exists",
        "The launch template exists in its account and the distribution's Region",
        _TEMPLATE,
        ("ec2:DescribeLaunchTemplates", "sts:AssumeRole"),
        Status.FAILURE,
        _USER_GUIDE,
        "Create the launch template there, or correct its ID, name, or AccountId.",
        _template_exists,
    ),
    Check(
        "launch-template-version-exists",
        "The version of the launch template exists",
        ("launchTemplateVersion",),
        ("ec2:DescribeLaunchTemplateVersions", "sts:AssumeRole"),
        Status.FAILURE,
        "EC2 EnableFastLaunch",
        "Give an existing version, $Default, or $Latest.",
        _version_exists,
    ),
    Check(
        "target-account-role",
        f"{CROSS_ACCOUNT_ROLE} can be assumed in the target account",
        ("targetAccountIds",),
        ("sts:AssumeRole", "sts:GetCallerIdentity", "iam:GetRole", "iam:SimulatePrincipalPolicy"),
        Status.FAILURE,
        _KMS_GUIDE,
        "Create the role in the target account with the policy Ec2ImageBuilderCrossAccountDistributionAccess. It must "
        "trust the account of the configuration.",
        _role_assumable,
    ),
    Check(
        "s3-bucket-exists",
        "The bucket for exported images exists",
        ("s3Bucket",),
        ("s3:HeadBucket",),
        Status.FAILURE,
        "EC2 ExportImage",
        "Create the bucket, or correct its name.",
        _bucket_exists,
    ),
    Check(
        "s3-bucket-region",
        "The bucket is in the distribution's Region",
        ("s3Bucket",),
        ("s3:HeadBucket",),
        Status.FAILURE,
        _VM_GUIDE,
        "Give a bucket of the distribution's Region.",
        _bucket_region,
    ),
    Check(
        "s3-bucket-owner",
        "The bucket belongs to the account of the configuration",
        ("s3Bucket",),
        ("s3:HeadBucket",),
        Status.FAILURE,
        _VM_GUIDE,
        "Give a bucket of this account.",
        _bucket_owner,
    ),
    Check(
        "export-role-exists",
        "The export role exists",
        ("roleName",),
        ("iam:GetRole",),
        Status.FAILURE,
        "EC2 ExportImage",
        "Create the role, or give the name of an existing one, such as vmimport.",
        _export_role_exists,
    ),
    Check(
        "export-role-trust",
        f"The export role may be assumed by {_EXPORT_SERVICES[0]}",
        ("roleName",),
        ("iam:GetRole",),
        Status.FAILURE,
        f"{_VM_GUIDE}, required service role",
        f"Allow sts:AssumeRole to {_EXPORT_SERVICES[0]} in the trust policy.",
        _export_role_trust,
    ),
    Check(
        "ssm-parameter-writable",
        f"The pipelines' execution roles may write the SSM parameter, if it is not below {_OPEN_PARAMETERS}",
        ("SsmParameterName",),
        ("imagebuilder:ListImagePipelines", "iam:SimulatePrincipalPolicy"),
        Status.FAILURE,
        f"{_USER_GUIDE}, prerequisites for SSM output parameters",
        "Give the pipeline an execution role that allows ssm:PutParameter on the parameter and, for aws:ec2:image, "
        "ec2:DescribeImages.",
        _parameter_writable,
    ),
    Check(
        "ecr-repository-exists",
        "The ECR repository exists in the distribution's Region",
        ("repositoryName",),
        ("ecr:DescribeRepositories",),
        Status.FAILURE,
        _USER_GUIDE,
        "Create the repository, or correct its name, which does not contain the registry.",
        _repository_exists,
    ),
    Check(
        "license-configuration-exists",
        "The license configuration exists in the distribution's Region",
        ("LicenseConfigurationArn",),
        ("license-manager:GetLicenseConfiguration",),
        Status.FAILURE,
        _USER_GUIDE,
        "Give the ARN of an enabled license configuration of the distribution's Region.",
        _license_exists,
    ),
    Check(
        "organization-exists",
        "The organization exists",
        ("OrganizationArn",),
        ("organizations:DescribeOrganization",),
        Status.FAILURE,
        "EC2 User Guide, share an AMI with organizations",
        "Give the ARN as DescribeOrganization returns it: it contains the management account.",
        _organization_exists,
    ),
    Check(
        "organizational-unit-exists",
        "The organizational unit exists",
        ("OrganizationalUnitArn",),
        ("organizations:DescribeOrganization", "organizations:DescribeOrganizationalUnit"),
        Status.FAILURE,
        "EC2 User Guide, share an AMI with organizations",
        "Give the ARN as DescribeOrganizationalUnit returns it: it contains the management account.",
        _unit_exists,
    ),
    Check(
        "organization-sharing-enabled",
        "Sharing with AWS Organizations is enabled",
        ("LaunchPermissionConfiguration",),
        ("organizations:DescribeOrganization", "organizations:ListAWSServiceAccessForOrganization"),
        Status.WARNING,
        "AWS RAM EnableSharingWithAwsOrganization",
        "In the management account, run `aws ram enable-sharing-with-aws-organization`.",
        _sharing_enabled,
    ),
    Check(
        "public-sharing-allowed",
        "The account allows public images, if an image is public",
        ("userGroups",),
        ("ec2:GetImageBlockPublicAccessState",),
        Status.FAILURE,
        "EC2 User Guide, block public access to AMIs",
        "Remove the group all, or run `aws ec2 disable-image-block-public-access` if the image is meant to be public.",
        _public_sharing_allowed,
    ),
    Check(
        "public-image-quota",
        "The quota of public images allows one more, if an image is public",
        ("userGroups",),
        ("service-quotas:ListServiceQuotas", "ec2:DescribeImages"),
        Status.FAILURE,
        _QUOTAS,
        "Deregister public images, or request an increase of the EC2 quota Public AMIs.",
        _public_quota,
    ),
    Check(
        "image-sharing-quota",
        "The quota of AMI sharing allows all accounts, organizations, and units",
        ("LaunchPermissionConfiguration",),
        ("service-quotas:ListServiceQuotas",),
        Status.FAILURE,
        _QUOTAS,
        "Share with an organization instead of its accounts, or request an increase of the EC2 quota AMI sharing.",
        _sharing_quota,
    ),
)
"""All checks. A value is checked in this order."""
