"""Rules about what Image Builder accepts but cannot do once it distributes an image, up to an hour into a build.

The rows are warnings: they are documented, and the properties alone cannot prove each violation. See `rules`.
"""

from collections.abc import Iterator
from typing import Any, Final

from .finding import Path, Severity
from .model import DISTRIBUTIONS, REGION, ROLE, TARGET, partition_of
from .rules import OWN_ACCOUNT, Rule, Violations, are_texts, arn_parts, entries, field
from .validation import describe

_AMI: Final = "amiDistributionConfiguration"
_KEY: Final = "kmsKeyId"
_TARGETS: Final = "targetAccountIds"
_ARN_DEPTH: Final = 4
"""The levels between a distribution and an ARN, as in `launchPermission.organizationArns[0]`."""


def _key(key: Any) -> Violations:
    service = [*arn_parts(key), "", "", ""][2]
    if isinstance(key, str) and (service not in ("", "kms") or key.split() != [key]):
        yield (), f"must be the ID, the ARN, or an alias of a KMS key, not {describe(key)}"


def _managed_key(ami: Any) -> Violations:
    key = field(ami, _KEY)
    alias = key.rpartition("alias/")[2] if isinstance(key, str) else ""
    permission = field(ami, "launchPermission")
    grants = permission.values() if isinstance(permission, dict) else ()
    is_shared = entries(field(ami, _TARGETS)) or any(map(entries, grants))
    if alias.startswith("aws/") and is_shared:
        yield (
            (_KEY,),
            f"{describe(key)} is an AWS managed key. Images that it encrypts cannot be shared with or copied to other "
            "accounts; use a customer managed key",
        )


def _key_region(distribution: Any) -> Violations:
    region, key = field(distribution, REGION), arn_parts(field(field(distribution, _AMI), _KEY))
    if key and isinstance(region, str) and key[2] == "kms" and key[3] not in ("", region):
        yield (_AMI, _KEY), f"the key is in {key[3]}, but images in {region} need a key in {region}"


def _encrypted_public(ami: Any) -> Violations:
    if field(ami, _KEY) and "all" in entries(field(field(ami, "launchPermission"), "userGroups")):
        yield (
            (_KEY,),
            "an encrypted image cannot be public; omit {0} or {1}",
            (_KEY,),
            ("launchPermission", "userGroups"),
        )


def _public(groups: Any) -> Violations:
    for index, group in enumerate(entries(groups)):
        if group == "all":
            yield (
                (index,),
                "makes the images public. If the account blocks public sharing, distribution fails; to share them with "
                "certain accounts or organizations, specify those instead",
            )


def _one_partition(distributions: Any) -> Violations:
    regions = [field(distribution, REGION) for distribution in entries(distributions)]
    partitions = [partition_of(region) if isinstance(region, str) else "" for region in regions]
    for index, partition in enumerate(partitions):
        if "" not in (partition, partitions[0]) and partition != partitions[0]:
            yield (
                (index, REGION),
                f"{regions[index]} is in the partition {partition}, but the first Region is in {partitions[0]}, and "
                "images are not copied between partitions; use one configuration for each partition",
            )


def _arn_partition(distribution: Any) -> Violations:
    region = field(distribution, REGION)
    partition = partition_of(region) if isinstance(region, str) else ""
    for path, arn in _arns(distribution, (), _ARN_DEPTH) if partition else ():
        if arn[1] != partition:
            yield path, f"the ARN is in the partition {arn[1]}, but {region} is in {partition}"


def _arns(value: Any, path: Path, depth: int) -> Iterator[tuple[Path, list[str]]]:
    """Yield the ARNs in a value, at most `depth` levels down."""
    if arn := arn_parts(value):
        yield path, arn
    elif depth and isinstance(value, dict | list):
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _arns(entry, (*path, key), depth - 1)


def _launch_template(template: Any) -> Violations:
    if not isinstance(template, dict):
        return
    if "launchTemplateId" not in template and "launchTemplateName" not in template:
        yield (), "the launch template's ID or name is missing"
    if "launchTemplateVersion" not in template:
        yield (), "the launch template's version is missing"


def _image_owner(parameters: dict[str, Any]) -> Violations:
    for path, account, own, targets in _accounts(parameters, "fastLaunchConfigurations", "accountId"):
        if account not in (own, *targets):
            yield (
                path,
                f"this account does not own the image; use {own}, the configuration's account, or one of {{0}}",
                (*path[:2], _AMI, _TARGETS),
            )


def _parameter_owner(parameters: dict[str, Any]) -> Violations:
    for path, account, own, targets in _accounts(parameters, "ssmParameterConfigurations", "amiAccountId"):
        if not targets and account != own:
            yield path, f"must be {own}, the configuration's account, without {{0}}", (*path[:2], _AMI, _TARGETS)


def _accounts(parameters: dict[str, Any], member: str, name: str) -> Iterator[tuple[Path, str, str, list[str]]]:
    """Yield the accounts in a list of each distribution, with the configuration's account and the target accounts.

    Nothing is yielded if the configuration's account is unknown.
    """
    arn = arn_parts(parameters.get(TARGET)) or arn_parts(parameters.get(ROLE))
    own = arn[4] if arn else parameters.get(OWN_ACCOUNT, "")
    for index, distribution in enumerate(entries(parameters.get(DISTRIBUTIONS)) if own else ()):
        targets = _targets(distribution)
        if targets is None:
            continue
        for number, entry in enumerate(entries(field(distribution, member))):
            account = field(entry, name)
            if isinstance(account, str) and account.isdecimal():
                yield (DISTRIBUTIONS, index, member, number, name), account, own, targets


def _targets(distribution: Any) -> list[str] | None:
    """Return the target accounts of a distribution; None if they are unknown."""
    ami = field(distribution, _AMI) or {}
    targets = ami.get(_TARGETS, []) if isinstance(ami, dict) else None
    return targets if are_texts(targets) else None


def _repository(name: Any) -> Violations:
    if isinstance(name, str) and ".amazonaws." in name.partition("/")[0]:
        yield (), f"must not contain the registry; use {describe(name.partition('/')[2])}"
    elif isinstance(name, str) and name != name.lower():
        yield (), f"must be lowercase, is {describe(name)}"


def _role_name(name: Any) -> Violations:
    if isinstance(name, str) and (":" in name or "/" in name):
        yield (), f"must be the role's name without its ARN or path; use {describe(name.rpartition('/')[2])}"


def _bucket_name(name: Any) -> Violations:
    if isinstance(name, str) and (":" in name or "/" in name):
        bucket = name.rpartition(":::")[2].removeprefix("s3://").partition("/")[0]
        yield (), f"must be a bucket name only; use {describe(bucket)}, and S3Prefix for the path"


_KMS: Final = "EC2 ModifySnapshotAttribute"
_FAST_LAUNCH: Final = "EC2 EnableFastLaunch"
_USER_GUIDE: Final = "EC2 Image Builder User Guide"


def _warning(number: int, id_: str, title: str, path: str, source: str, check: Any, example: str) -> Rule:
    return Rule(number, id_, title, path, Severity.WARNING, source, check, example)


DISTRIBUTION_RULES: Final = (
    _warning(
        9317,
        "kms-key",
        "Keys are IDs, ARNs, or aliases of KMS keys",
        f"distributions[].{_AMI}.{_KEY}",
        "EC2 CopyImage",
        _key,
        "`KmsKeyId: my key`",
    ),
    _warning(
        9318,
        "managed-key",
        "Images for other accounts are encrypted with a customer managed key",
        f"distributions[].{_AMI}",
        _KMS,
        _managed_key,
        "`KmsKeyId: alias/aws/ebs` beside `TargetAccountIds`",
    ),
    _warning(
        9319,
        "key-region",
        "A key is in the Region of its images",
        "distributions[]",
        "EC2 CopyImage",
        _key_region,
        "a key's ARN in another Region",
    ),
    _warning(
        9320,
        "encrypted-public",
        "Public images are not encrypted",
        f"distributions[].{_AMI}",
        _KMS,
        _encrypted_public,
        "`KmsKeyId` with `UserGroups: [all]`",
    ),
    _warning(
        9321,
        "public-image",
        "Images are not public",
        f"distributions[].{_AMI}.launchPermission.userGroups",
        "EC2 block public access for AMIs",
        _public,
        "`UserGroups: [all]`",
    ),
    _warning(
        9322,
        "one-partition",
        "All Regions are in one partition",
        DISTRIBUTIONS,
        "EC2 CopyImage",
        _one_partition,
        "`us-east-1` and `cn-north-1`",
    ),
    _warning(
        9323,
        "arn-partition",
        "ARNs are in the partition of their Region",
        "distributions[]",
        "EC2 ModifyImageAttribute",
        _arn_partition,
        "an `arn:aws-cn:` organization in `us-east-1`",
    ),
    _warning(
        9324,
        "launch-template",
        "Fast launch specifies the version of a launch template, and its ID or name",
        "distributions[].fastLaunchConfigurations[].launchTemplate",
        _FAST_LAUNCH,
        _launch_template,
        "`LaunchTemplateId` alone",
    ),
    _warning(
        9325,
        "image-owner",
        "Fast launch is enabled by an account that owns the image",
        "",
        _FAST_LAUNCH,
        _image_owner,
        "an `AccountId` that is not a target account",
    ),
    _warning(
        9326,
        "parameter-owner",
        "Without target accounts, an SSM parameter's image is in the configuration's account",
        "",
        _USER_GUIDE,
        _parameter_owner,
        "another `AmiAccountId`",
    ),
    _warning(
        9327,
        "repository-name",
        "Repository names are lowercase and without their registry",
        "distributions[].containerDistributionConfiguration.targetRepository.repositoryName",
        "ECR CreateRepository",
        _repository,
        "`RepositoryName: Team/Web`",
    ),
    _warning(
        9328,
        "role-name",
        "Export roles are names",
        "distributions[].s3ExportConfiguration.roleName",
        "EC2 ExportImage",
        _role_name,
        "a role's ARN",
    ),
    _warning(
        9329,
        "bucket-name",
        "Buckets are names",
        "distributions[].s3ExportConfiguration.s3Bucket",
        "EC2 ExportImage",
        _bucket_name,
        "`S3Bucket: s3://disks`",
    ),
)
"""Rules of a distribution configuration, as in `rules.RULES`."""
