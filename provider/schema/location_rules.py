"""Rules about the location of a configuration: `Region`, `RoleArn`, and the ARN of an adopted one."""

from typing import Any, Final

from .finding import Severity
from .model import PROVIDER_PROPERTIES, REGION, ROLE, TARGET, known_regions, partition_of
from .rules import CONTRACT, MAX_REGION, OWN_ACCOUNT, OWN_PARTITION, Rule, Violations, arn_parts, nearest_region
from .validation import describe


def _location(arn: Any) -> tuple[str, str, str]:
    """Return the partition, Region, and account in an ARN; three empty texts if the value is not an ARN."""
    parts = arn_parts(arn)
    if not parts or not parts[4].isdecimal() or not f"{parts[1]}{parts[3]}".replace("-", "").isalnum():
        return "", "", ""
    return parts[1], parts[3], parts[4]


def _same_region(parameters: dict[str, Any]) -> Violations:
    region, (_, known, account) = parameters.get(REGION), _location(parameters.get(TARGET))
    if account and isinstance(region, str) and region != known:
        yield (REGION,), f"contradicts {{0}}, which is in {known}; omit this property", (TARGET,)


def _same_account(parameters: dict[str, Any]) -> Violations:
    given, known = (_location(parameters.get(member))[2] for member in (ROLE, TARGET))
    if known and given not in ("", known):
        problem = f"is a role of account {given}, but {{0}} is in account {known}"
        yield (ROLE,), f"{problem}; specify a role of that account", (TARGET,)


def _other_account(parameters: dict[str, Any]) -> Violations:
    account, own = _location(parameters.get(TARGET))[2], parameters.get(OWN_ACCOUNT)
    if own and account not in ("", own) and ROLE not in parameters:
        problem = f"is in account {account}, but the provider is in account {own}"
        remediation = f"specify a role of account {account} with {{0}}, or deploy a provider there"
        yield (TARGET,), f"{problem}; {remediation}", (ROLE,)


def _known_region(region: Any) -> Violations:
    pattern = PROVIDER_PROPERTIES[REGION].regex
    is_name = isinstance(region, str) and len(region) <= MAX_REGION and pattern and pattern.fullmatch(region)
    if is_name and region not in known_regions():
        near = nearest_region(region)
        yield (), f"{describe(region)} is not a known Region{f'; did you mean {near}?' if near else ''}"


def _partition(parameters: dict[str, Any]) -> Violations:
    own = _location(parameters.get(ROLE))[0] or parameters.get(OWN_PARTITION, "")
    region = parameters.get(REGION)
    found = {
        REGION: partition_of(region) if isinstance(region, str) else "",
        TARGET: _location(parameters.get(TARGET))[0],
    }
    for member, partition in found.items():
        if own and partition not in ("", own):
            problem = f"is in the partition {partition}, but the provider is in {own}"
            yield (member,), f"{problem}; use a provider in that partition"


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
        "The configuration is in the provider's partition",
        "",
        Severity.WARNING,
        "botocore's partitions",
        _partition,
        "`Region: cn-north-1` for a provider in the partition aws",
    ),
)
"""Rules about a configuration's location, in the order of their findings."""
