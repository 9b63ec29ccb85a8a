"""Rules about the location of a configuration: `Region`, `RoleArn`, and the ARN of an adopted one."""

from typing import Any, Final, NamedTuple

from .finding import Severity
from .model import PROVIDER_PROPERTIES, REGION, ROLE, TARGET, known_regions, partition_of
from .rules import CONTRACT, MAX_REGION, OWN_ACCOUNT, Rule, Violations, arn_parts, nearest_region
from .validation import describe


class _Place(NamedTuple):
    """What an ARN says about its location."""

    partition: str
    region: str
    account: str


def _place(arn: Any) -> _Place | None:
    """Return the location in an ARN; None if the value is not an ARN with an account."""
    parts = [*arn_parts(arn), ""]
    found = _Place(parts[1], parts[3], parts[4]) if len(parts) > 1 else None
    is_valid = found and found.account.isdecimal() and all(part.replace("-", "").isalnum() for part in found if part)
    return found if is_valid else None


def _same_region(parameters: dict[str, Any]) -> Violations:
    region, target = parameters.get(REGION), _place(parameters.get(TARGET))
    if target and isinstance(region, str) and region != target.region:
        yield (REGION,), f"contradicts {{0}}, which is in {target.region}; omit this property", (TARGET,)


def _same_account(parameters: dict[str, Any]) -> Violations:
    role, target = _place(parameters.get(ROLE)), _place(parameters.get(TARGET))
    if role and target and role.account != target.account:
        problem = f"is a role of account {role.account}, but {{0}} is in account {target.account}"
        yield (ROLE,), f"{problem}; specify a role of that account", (TARGET,)


def _other_account(parameters: dict[str, Any]) -> Violations:
    target, own = _place(parameters.get(TARGET)), parameters.get(OWN_ACCOUNT)
    if target and own and target.account != own and ROLE not in parameters:
        problem = f"is in account {target.account}, but the provider is in account {own}"
        remediation = f"specify a role of account {target.account} with {{0}}, or deploy a provider there"
        yield (TARGET,), f"{problem}; {remediation}", (ROLE,)


def _known_region(region: Any) -> Violations:
    pattern = PROVIDER_PROPERTIES[REGION].regex
    is_name = isinstance(region, str) and len(region) <= MAX_REGION and pattern and pattern.fullmatch(region)
    if is_name and region not in known_regions():
        near = nearest_region(region)
        yield (), f"{describe(region)} is not a known Region{f'; did you mean {near}?' if near else ''}"


def _partition(parameters: dict[str, Any]) -> Violations:
    region, role = parameters.get(REGION), _place(parameters.get(ROLE))
    partition = partition_of(region) if role and isinstance(region, str) else ""
    if role and partition not in ("", role.partition):
        problem = f"{region} is in the partition {partition}, but {{0}} is in {role.partition}"
        yield (REGION,), f"{problem}; use a provider in that partition", (ROLE,)


LOCATION_RULES: Final = (
    Rule(
        9330,
        "same-region",
        "An adopted configuration's Region is that of its ARN",
        "",
        Severity.ERROR,
        CONTRACT,
        _same_region,
        "`Region: eu-west-1` beside an ARN in us-east-1",
    ),
    Rule(
        9331,
        "same-account",
        "The role and the adopted configuration are in the same account",
        "",
        Severity.ERROR,
        CONTRACT,
        _same_account,
        "`RoleArn` of one account beside an ARN of another",
    ),
    Rule(
        9332,
        "other-account",
        "Configurations of another account are adopted with a role",
        "",
        Severity.ERROR,
        CONTRACT,
        _other_account,
        "the ARN of another account without `RoleArn`",
    ),
    Rule(
        9333,
        "known-region",
        "The configuration's Region is known",
        REGION,
        Severity.WARNING,
        "botocore's partitions",
        _known_region,
        "`Region: us-esat-1`",
    ),
    Rule(
        9334,
        "one-location",
        "The Region and the role are in the same partition",
        "",
        Severity.WARNING,
        "botocore's partitions",
        _partition,
        "`Region: cn-north-1` beside a role in the partition aws",
    ),
)
"""Rules about a configuration's location, in the order of their findings."""
