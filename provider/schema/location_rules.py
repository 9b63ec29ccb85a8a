"""Rules about the location of a configuration: `Region`, `RoleArn`, and the ARN of an adopted one."""

from typing import Any, Final

from .finding import Severity
from .model import REGION, ROLE, TARGET, known_regions, partition_of, region_names
from .rules import CONTRACT, MAX_REGION, OWN_ACCOUNT, Rule, Violations, arn_parts, nearest_region
from .validation import describe


def _same_region(parameters: dict[str, Any]) -> Violations:
    region, arn = parameters.get(REGION), arn_parts(parameters.get(TARGET))
    if arn and isinstance(region, str) and region != arn[3]:
        yield (REGION,), f"contradicts {{0}}, which is in {arn[3]}; omit this property", (TARGET,)


def _same_account(parameters: dict[str, Any]) -> Violations:
    role, arn = arn_parts(parameters.get(ROLE)), arn_parts(parameters.get(TARGET))
    if role and arn and role[4] != arn[4]:
        yield (
            (ROLE,),
            f"is a role of account {role[4]}, but {{0}} is in account {arn[4]}; specify a role of that account",
            (TARGET,),
        )


def _other_account(parameters: dict[str, Any]) -> Violations:
    arn, own = arn_parts(parameters.get(TARGET)), parameters.get(OWN_ACCOUNT)
    if arn and own and arn[4] != own and ROLE not in parameters:
        yield (
            (TARGET,),
            f"is in account {arn[4]}, but the provider is in account {own}; specify a role of account {arn[4]} with "
            "{0}, or deploy a provider there",
            (ROLE,),
        )


def _known_region(region: Any) -> Violations:
    if isinstance(region, str) and len(region) <= MAX_REGION and region not in known_regions():
        near = nearest_region(region) if region_names().fullmatch(region) else ""
        yield (), f"{describe(region)} is not a known Region{f'; did you mean {near}?' if near else ''}"


def _partition(parameters: dict[str, Any]) -> Violations:
    region, role = parameters.get(REGION), arn_parts(parameters.get(ROLE))
    partition = partition_of(region) if role and isinstance(region, str) else ""
    if partition and partition != role[1]:
        yield (
            (REGION,),
            f"{region} is in the partition {partition}, but {{0}} is in {role[1]}; use a provider in that partition",
            (ROLE,),
        )


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
