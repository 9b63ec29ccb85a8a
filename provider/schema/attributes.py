"""What `Fn::GetAtt` gives of a resource that was made or changed."""

from collections.abc import Mapping
from typing import Any, Final

from .model import DISTRIBUTIONS, IDEMPOTENCY, NAME, REGION, TARGET, pascal_case

ARN: Final = "Arn"
REGIONS: Final = "Regions"
DATE_UPDATED: Final = "DateUpdated"
REQUEST_ID: Final = "RequestId"

ATTRIBUTES: Final[Mapping[str, str]] = {
    ARN: "the configuration's ARN, as `!Ref` gives it",
    pascal_case(TARGET): "the same",
    pascal_case(NAME): "its name",
    REGIONS: "its Regions, comma-separated",
    DATE_UPDATED: "when it last changed",
    REQUEST_ID: "the API's request ID of the last change",
    pascal_case(IDEMPOTENCY): "the token of the last change",
}
"""The attributes, with what each is."""


def attributes(arn: str, name: str, wanted: Mapping[str, Any]) -> dict[str, str]:
    """Those attributes that follow from the configuration itself: its ARN, its name, and what it is wanted to be, by
    the API's names.
    """
    regions = ",".join(str(distribution[REGION]) for distribution in wanted[DISTRIBUTIONS])
    return {ARN: arn, pascal_case(TARGET): arn, pascal_case(NAME): name, REGIONS: regions}
