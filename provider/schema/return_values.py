"""The attributes of a distribution configuration, for `Fn::GetAtt`."""

from collections.abc import Mapping
from typing import Final

from .model import CLIENT_TOKEN, NAME, TARGET, pascal_case

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
