"""What checks report in particular situations."""

import pytest

from provider.preflight.interface import CROSS_ACCOUNT_ROLE, Result, Status
from tests.preflight.account import ACCOUNT, Account
from tests.preflight.cases import (
    ORGANIZATION,
    OTHER,
    UNIT,
    allow,
    key,
    managed_key,
    parameter,
    provider_role,
    quotas,
    refuse_role,
    simulate,
    template,
)
from tests.preflight.conftest import RunCheck

ASSUMABLE = {"Environment": {"Variables": {"ASSUMABLE_ROLE_ARNS": "*"}}}


def elsewhere(template_id: str) -> dict[str, object]:
    """A distribution with a launch template in another account."""
    return {"launchTemplateConfigurations": [{"launchTemplateId": template_id, "accountId": OTHER}]}


def image(**members: object) -> dict[str, object]:
    return {"amiDistributionConfiguration": members}


def shown(result: Result) -> tuple[Status, str]:
    return result.outcome.status, result.outcome.message


def test_a_key_in_another_region(account: Account, run_check: RunCheck) -> None:
    """If the key's ARN is in another Region, the message names both."""
    (result,) = run_check("kms-key-exists", image(kmsKeyId=key(account, region="us-east-1")))
    assert shown(result) == (Status.FAILURE, "the key does not exist in eu-west-1; its ARN is in us-east-1")


@pytest.mark.parametrize("spelling", ["alias/images", "alias ARN", "key ID"])
def test_spellings_of_a_key(account: Account, run_check: RunCheck, spelling: str) -> None:
    """An alias, its ARN, and a bare key ID are valid."""
    arn = key(account)
    account.call("kms", "create_alias", AliasName="alias/images", TargetKeyId=arn)
    alias_arn = f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/images"
    value = {"alias ARN": alias_arn, "key ID": arn.rpartition("/")[2]}.get(spelling, spelling)
    (result,) = run_check("kms-key-exists", image(kmsKeyId=value))
    assert result.outcome.status is Status.PASS


@pytest.mark.parametrize("check", ["kms-key-enabled", "kms-key-customer-managed", "kms-key-allows-service"])
def test_a_missing_key_is_reported_once(check: str, run_check: RunCheck) -> None:
    """Other checks of a key do not apply if it does not exist."""
    assert run_check(check, image(kmsKeyId="alias/nowhere")) == []


def test_an_aws_managed_key_of_private_images(account: Account, run_check: RunCheck) -> None:
    """An AWS managed key is valid for images that no other account uses."""
    (result,) = run_check("kms-key-customer-managed", image(kmsKeyId=managed_key(account), targetAccountIds=[ACCOUNT]))
    assert result.outcome.status is Status.PASS


def test_an_aws_managed_key_of_shared_images(account: Account, run_check: RunCheck) -> None:
    """An AWS managed key is a failure if the images have launch permissions."""
    permission = {"userIds": [OTHER]}
    (result,) = run_check("kms-key-customer-managed", image(kmsKeyId=managed_key(account), launchPermission=permission))
    assert result.outcome.status is Status.FAILURE


def test_the_alias_of_an_aws_managed_key(account: Account, run_check: RunCheck) -> None:
    """An alias that begins with alias/aws/ is an AWS managed key's, whatever the response says."""
    metadata = {"KeyId": "x", "Arn": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/x", "KeyManager": "CUSTOMER"}
    account.respond("kms:DescribeKey", {"KeyMetadata": metadata})
    distribution = image(kmsKeyId="alias/aws/ebs", targetAccountIds=[OTHER])
    (result,) = run_check("kms-key-customer-managed", distribution)
    assert result.outcome.status is Status.FAILURE
    assert run_check("kms-key-allows-target-accounts", distribution) == []


def test_the_message_about_a_key_policy(account: Account, run_check: RunCheck) -> None:
    """The message names the missing actions and the accounts."""
    arn = key(account, allow(["kms:*"], ACCOUNT), allow(["kms:D*", "kms:CreateGrant", "kms:Re*"], OTHER))
    (result,) = run_check("kms-key-allows-target-accounts", image(kmsKeyId=arn, targetAccountIds=[OTHER]))
    expected = f"the key policy does not allow kms:GenerateDataKeyWithoutPlaintext to account {OTHER}"
    assert shown(result) == (Status.FAILURE, expected)


def test_a_key_policy_with_an_unknown_condition(account: Account, run_check: RunCheck) -> None:
    """If a condition cannot be evaluated, the check is not checkable and names the condition key."""
    organization = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    arn = key(account, {**allow(["kms:*"], OTHER), "Principal": "*", "Condition": organization})
    (result,) = run_check("kms-key-allows-target-accounts", image(kmsKeyId=arn, targetAccountIds=[OTHER]))
    assert result.outcome.status is Status.NOT_CHECKABLE
    assert result.outcome.message.endswith("depends on aws:PrincipalOrgID")


def test_a_key_policy_for_ec2_only(account: Account, run_check: RunCheck) -> None:
    """The usual conditions of a key policy for EBS are evaluated for the distribution's Region."""
    condition = {
        "StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com", "kms:CallerAccount": OTHER},
        "Bool": {"kms:GrantIsForAWSResource": "true"},
    }
    arn = key(account, {**allow(["kms:*"], OTHER), "Condition": condition})
    (result,) = run_check("kms-key-allows-target-accounts", image(kmsKeyId=arn, targetAccountIds=[OTHER]))
    assert result.outcome.status is Status.PASS


def test_a_key_of_another_account(account: Account, run_check: RunCheck) -> None:
    """The policy of another account's key cannot be read, whatever the caller's permissions."""
    arn = f"arn:aws:kms:eu-west-1:{OTHER}:key/x"
    metadata = {"KeyId": "x", "Arn": arn, "KeyState": "Enabled", "KeyManager": "CUSTOMER"}
    account.respond("kms:DescribeKey", {"KeyMetadata": metadata})
    (result,) = run_check("kms-key-allows-service", image(kmsKeyId=arn))
    message = f"the key belongs to account {OTHER}, so its policy cannot be read"
    assert shown(result) == (Status.NOT_CHECKABLE, message)


def test_a_launch_template_in_another_account(account: Account, run_check: RunCheck) -> None:
    """A launch template in another account is read with the role that Image Builder assumes there."""
    (result,) = run_check("launch-template-exists", elsewhere(template(account)))
    message = f"the launch template does not exist in account {OTHER}, eu-west-1"
    assert shown(result) == (Status.FAILURE, message)
    assert account.requests == ["sts:AssumeRole", "ec2:DescribeLaunchTemplates"]


def test_a_launch_template_in_an_account_without_access(account: Account, run_check: RunCheck) -> None:
    """If the role in the other account cannot be assumed, the missing action is that one."""
    account.refuse("sts:AssumeRole", "AccessDenied")
    (result,) = run_check("launch-template-exists", elsewhere("lt-0a1b2c3d4e5f67890"))
    assert (result.outcome.status, result.action) == (Status.NOT_CHECKABLE, "sts:AssumeRole")


def test_a_caller_who_may_not_assume_the_role(account: Account, run_check: RunCheck) -> None:
    """If the caller's own policies do not allow AssumeRole, that says nothing about the role: it is not checkable."""
    refuse_role(account, "implicitDeny")
    (result,) = run_check("target-account-role", image(targetAccountIds=[OTHER]))
    assert (result.outcome.status, result.action) == (Status.NOT_CHECKABLE, "sts:AssumeRole")


def test_a_caller_with_a_role(account: Account, run_check: RunCheck) -> None:
    """For a session of a role, the policies of the role are simulated, by its full ARN."""
    refuse_role(account)
    account.call("iam", "create_role", RoleName="admin", Path="/sso/", AssumeRolePolicyDocument="{}")
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/me"
    account.respond("sts:GetCallerIdentity", {"Arn": session, "Account": ACCOUNT, "UserId": "A"})
    (result,) = run_check("target-account-role", image(targetAccountIds=[OTHER]))
    message = f"{CROSS_ACCOUNT_ROLE} does not exist in account {OTHER}, or it does not trust your account"
    assert shown(result) == (Status.FAILURE, message)
    assert account.requests[1:3] == ["sts:GetCallerIdentity", "iam:GetRole"]


def test_each_target_account(run_check: RunCheck) -> None:
    """Each target account has its own result, with its own path."""
    results = run_check("target-account-role", image(targetAccountIds=[ACCOUNT, OTHER, "333333333333"]))
    assert [one.path[-2:] for one in results] == [("targetAccountIds", 1), ("targetAccountIds", 2)]


@pytest.mark.parametrize("name", [f"arn:aws:iam::{ACCOUNT}:role/vmimport", "path/vmimport"])
def test_an_export_role_that_is_not_a_name(account: Account, run_check: RunCheck, name: str) -> None:
    """The export role is a name: an ARN or a path is a failure without any call."""
    export = {"s3ExportConfiguration": {"roleName": name, "s3Bucket": "web", "diskImageFormat": "RAW"}}
    (result,) = run_check("export-role-exists", export)
    assert result.outcome.status is Status.FAILURE
    assert run_check("export-role-trust", export) == []
    assert account.requests == []


@pytest.mark.parametrize("name", ["s3://web-disks/exports", "Web"])
def test_a_bucket_that_is_not_a_name(account: Account, run_check: RunCheck, name: str) -> None:
    """The bucket is a name: a URL or a path is a failure without any call."""
    export = {"s3ExportConfiguration": {"roleName": "vmimport", "s3Bucket": name, "diskImageFormat": "RAW"}}
    (result,) = run_check("s3-bucket-exists", export)
    assert result.outcome.status is Status.FAILURE
    assert run_check("s3-bucket-region", export) == run_check("s3-bucket-owner", export) == []
    assert account.requests == []


def test_a_parameter_without_a_pipeline(account: Account, run_check: RunCheck) -> None:
    """As long as no pipeline uses the configuration, its execution role is unknown."""
    distribution = parameter(account)
    account.respond("imagebuilder:ListImagePipelines", {"imagePipelineList": []})
    (result,) = run_check("ssm-parameter-writable", distribution)
    assert shown(result) == (Status.NOT_CHECKABLE, "no pipeline uses the configuration yet")


def test_a_parameter_and_the_default_role(account: Account, run_check: RunCheck) -> None:
    """A pipeline without an execution role writes only below /imagebuilder/."""
    (result,) = run_check("ssm-parameter-writable", parameter(account, role=""))
    assert result.outcome.status is Status.FAILURE
    assert "pipeline web: there is no execution role" in result.outcome.message


def test_a_parameter_in_another_account(account: Account, run_check: RunCheck) -> None:
    """A parameter in another account is written by the role there, which cannot be simulated."""
    (result,) = run_check("ssm-parameter-writable", parameter(account, amiAccountId=OTHER))
    assert shown(result) == (Status.NOT_CHECKABLE, f"{CROSS_ACCOUNT_ROLE} writes the parameter in account {OTHER}")


@pytest.mark.parametrize(("data_type", "calls"), [("text", 1), ("aws:ec2:image", 2)])
def test_an_image_parameter(account: Account, run_check: RunCheck, data_type: str, calls: int) -> None:
    """For the data type aws:ec2:image, the role also needs ec2:DescribeImages."""
    run_check("ssm-parameter-writable", parameter(account, dataType=data_type))
    assert account.requests.count("iam:SimulatePrincipalPolicy") == calls


def test_a_simulation_with_an_unknown_condition(account: Account, run_check: RunCheck) -> None:
    """If the role's policies have conditions that the simulation lacks, the check is not checkable."""
    distribution = parameter(account)
    simulate(account, "implicitDeny", "aws:SourceVpc")
    (result,) = run_check("ssm-parameter-writable", distribution)
    assert result.outcome.status is Status.NOT_CHECKABLE


def test_an_execution_role_that_does_not_exist(account: Account, run_check: RunCheck) -> None:
    """An execution role that was deleted is a failure."""
    distribution = parameter(account)
    account.refuse("iam:SimulatePrincipalPolicy", "NoSuchEntity")
    (result,) = run_check("ssm-parameter-writable", distribution)
    assert shown(result)[1] == f"pipeline web: the execution role arn:aws:iam::{ACCOUNT}:role/builder does not exist"


@pytest.mark.parametrize(
    ("check", "permission"),
    [
        ("organization-exists", {"organizationArns": [f"arn:aws:organizations::{OTHER}:organization/{ORGANIZATION}"]}),
        (
            "organizational-unit-exists",
            {"organizationalUnitArns": [f"arn:aws:organizations::{OTHER}:ou/{ORGANIZATION}/{UNIT}"]},
        ),
    ],
)
def test_a_foreign_organization(run_check: RunCheck, check: str, permission: dict[str, list[str]]) -> None:
    """EC2 accepts other organizations, so one that is not the account's is not checkable, and no failure."""
    (result,) = run_check(check, image(launchPermission=permission))
    assert shown(result) == (Status.NOT_CHECKABLE, f"account {ACCOUNT} is not a member of this organization")


def test_an_organization_in_another_partition(account: Account, run_check: RunCheck) -> None:
    """An organization in another partition is a failure without any call."""
    arn = f"arn:aws-cn:organizations::{OTHER}:organization/{ORGANIZATION}"
    (result,) = run_check("organization-exists", image(launchPermission={"organizationArns": [arn]}))
    assert shown(result)[1] == "the ARN is in the partition aws-cn, the configuration is in aws"
    assert account.requests == []


def test_sharing_with_a_foreign_organization(run_check: RunCheck) -> None:
    """The settings of the account's own organization do not matter for another one."""
    arn = f"arn:aws:organizations::{OTHER}:organization/{ORGANIZATION}"
    assert run_check("organization-sharing-enabled", image(launchPermission={"organizationArns": [arn]})) == []


def test_a_license_configuration_in_another_region(account: Account, run_check: RunCheck) -> None:
    """A license configuration of another Region is a failure without any call."""
    arn = f"arn:aws:license-manager:us-east-1:{ACCOUNT}:license-configuration:lic-{'0' * 32}"
    (result,) = run_check("license-configuration-exists", {"licenseConfigurationArns": [arn]})
    assert shown(result) == (Status.FAILURE, "the license configuration is in us-east-1, not in eu-west-1")
    assert account.requests == []


def test_a_quota_that_is_not_listed(account: Account, run_check: RunCheck) -> None:
    """A quota that Service Quotas does not list is not checkable."""
    quotas(account, Public_AMIs=5)
    (result,) = run_check("image-sharing-quota", image(launchPermission={"userIds": [OTHER]}))
    assert result.outcome.status is Status.NOT_CHECKABLE


def test_a_call_that_fails(account: Account, run_check: RunCheck) -> None:
    """A call that fails for another reason makes the check not checkable, with the service's error."""
    account.refuse("ecr:DescribeRepositories", "UnrecognizedClientException")
    container = {"targetRepository": {"service": "ECR", "repositoryName": "web"}}
    (result,) = run_check("ecr-repository-exists", {"containerDistributionConfiguration": container})
    assert (result.outcome.status, result.action) == (Status.NOT_CHECKABLE, "")
    assert "UnrecognizedClientException" in result.outcome.message
    assert "eu-west-1 may be disabled for the account" in result.outcome.message


def test_a_launch_template_with_an_invalid_name(account: Account, run_check: RunCheck) -> None:
    """The service decides whether a name is valid, not the client."""
    account.refuse("ec2:DescribeLaunchTemplates", "InvalidLaunchTemplateName.MalformedException")
    fast = {"enabled": True, "accountId": ACCOUNT, "launchTemplate": {"launchTemplateName": "x"}}
    (result,) = run_check("launch-template-exists", {"fastLaunchConfigurations": [fast]})
    assert result.outcome.status is Status.FAILURE


def test_an_endpoint_that_does_not_respond(run_check: RunCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no connection is possible, the check is not checkable."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:9")
    (result,) = run_check("kms-key-exists", image(kmsKeyId="alias/images"))
    assert result.outcome.status is Status.NOT_CHECKABLE
    assert "kms:DescribeKey failed" in result.outcome.message


def test_a_response_of_a_proxy(account: Account, run_check: RunCheck) -> None:
    """A response that is not the service's makes the check not checkable, with a message in one line."""
    account.respond("ec2:GetImageBlockPublicAccessState", b"<!doctype html>\n<p>Sign in first\n")
    (result,) = run_check("public-sharing-allowed", image(launchPermission={"userGroups": ["all"]}))
    assert result.outcome.status is Status.NOT_CHECKABLE
    assert "\n" not in result.outcome.message


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        ({"covered": ""}, Status.FAILURE, "parameter AssumableRoleArns does not cover this role"),
        ({"covered": "arn:aws:iam::*:role/other"}, Status.FAILURE, "does not cover this role"),
        ({"external_id": "arn:aws:cloudformation:*:stack/images/*"}, Status.PASS, "can assume the role"),
        ({"external_id": "arn:aws:cloudformation:*:stack/other/*"}, Status.NOT_CHECKABLE, "depends on sts:ExternalId"),
    ],
)
def test_what_the_provider_may_assume(
    account: Account, run_check: RunCheck, options: dict[str, str], status: Status, message: str
) -> None:
    """The provider's parameter must cover the role, and a condition on the external ID can depend on the stack."""
    (result,) = run_check("provider-role-assumable", provider_role(account, **options))
    assert result.outcome.status is status
    assert message in result.outcome.message


def test_a_role_that_does_not_exist(account: Account, run_check: RunCheck) -> None:
    """A missing role is a failure that names its account."""
    provider_role(account)
    (result,) = run_check("provider-role-assumable", {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/team/nowhere"})
    assert shown(result) == (Status.FAILURE, f"the role does not exist in account {ACCOUNT}")


def test_a_role_that_trusts_another(account: Account, run_check: RunCheck) -> None:
    """If the trust policy does not name the provider's role, it is a failure that names that role."""
    role = provider_role(account)
    account.respond("lambda:GetFunctionConfiguration", {"Role": f"arn:aws:iam::{ACCOUNT}:role/another", **ASSUMABLE})
    (result,) = run_check("provider-role-assumable", role)
    message = f"the role's trust policy does not allow arn:aws:iam::{ACCOUNT}:role/another to assume it"
    assert shown(result) == (Status.FAILURE, message)


def test_a_policy_with_conditions_of_the_provider(account: Account, run_check: RunCheck) -> None:
    """If the provider's policies depend on conditions, the check is not checkable."""
    role = provider_role(account)
    simulate(account, "implicitDeny", "aws:RequestedRegion")
    (result,) = run_check("provider-role-assumable", role)
    assert result.outcome.status is Status.NOT_CHECKABLE
    assert "depends on conditions" in result.outcome.message


def test_a_provider_that_does_not_exist(account: Account, run_check: RunCheck) -> None:
    """If the function of the service token does not exist, it is a failure that names the function."""
    role = provider_role(account)
    account.refuse("lambda:GetFunctionConfiguration", "ResourceNotFoundException")
    (result,) = run_check("provider-role-assumable", role)
    assert result.outcome.status is Status.FAILURE
    assert "function:provider" in result.outcome.message
