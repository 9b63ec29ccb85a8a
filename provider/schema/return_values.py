"""The attributes that `Fn::GetAtt` returns for a distribution configuration."""

from collections.abc import Mapping
from typing import Any, Final

from .model import CLIENT_TOKEN, DISTRIBUTIONS, NAME, REGION, TARGET, pascal_case

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
    pascal_case(CLIENT_TOKEN): "the client token of the last change",
}
"""The attributes with their descriptions."""


def attributes(arn: str, name: str, desired: Mapping[str, Any]) -> dict[str, str]:
    """Return the attributes that depend only on the configuration. `desired` are its properties by the API's names."""
    regions = ",".join(str(distribution[REGION]) for distribution in desired[DISTRIBUTIONS])
    return {ARN: arn, pascal_case(TARGET): arn, pascal_case(NAME): name, REGIONS: regions}
