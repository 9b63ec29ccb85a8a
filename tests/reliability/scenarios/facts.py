"""Names, ARNs, tags, and contents for the cloud, the oracle, and the generator, without the provider's code."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

Properties = Mapping[str, Any]
Members = dict[str, Any]

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
ARN: Final = f"arn:aws:imagebuilder:{REGION}:{ACCOUNT}:distribution-configuration/"
OTHER_ACCOUNT: Final = "210987654321"
ROLE: Final = f"arn:aws:iam::{OTHER_ACCOUNT}:role/distribution"
PLACES: Final[tuple[Mapping[str, str], ...]] = (
    {},
    {"Region": "eu-west-1"},
    {"RoleArn": ROLE},
    {"Region": "eu-west-1", "RoleArn": ROLE},
)
"""The properties of each location; of the function's own, none."""
STACK_TAG: Final = "image-builder-distribution-provider:stack-id"
LOGICAL_TAG: Final = "image-builder-distribution-provider:logical-id"
OWNERSHIP_TAGS: Final = (STACK_TAG, LOGICAL_TAG)

HANDED_OVER: Final = ""
_STACK_ID: Final = re.compile(r"(arn:aws:cloudformation:[^:]+:\d+:stack/[^/]+/[0-9a-f-]{36})(.*)")


class Owner(NamedTuple):
    """The owner in the ownership tags. `state` is empty if the configuration is handed over."""

    stack_id: str
    logical_id: str
    state: str

    @property
    def is_released(self) -> bool:
        """Whether another resource has adopted the configuration."""
        return "released" in self.state

    @property
    def is_unfinished(self) -> bool:
        """Whether the provider is still creating the configuration."""
        return self.state != HANDED_OVER and not self.is_released

    def is_resource(self, stack_id: str, logical_id: str) -> bool:
        """Whether the owner is this resource."""
        return (self.stack_id, self.logical_id) == (stack_id, logical_id)


def owner_of(tags: Mapping[str, str]) -> Owner | None:
    """The owner; None without both ownership tags."""
    match = _STACK_ID.fullmatch(tags.get(STACK_TAG, ""))
    if not match or LOGICAL_TAG not in tags:
        return None
    return Owner(match[1], tags[LOGICAL_TAG], match[2])


def arn_of(name: str, region: str = REGION, account: str = ACCOUNT) -> str:
    """The ARN that Image Builder gives a name in a location."""
    return ARN.replace(REGION, region).replace(ACCOUNT, account) + re.sub("[ _]", "-", name.lower())


def named_arn(properties: Properties) -> str:
    """The ARN of the `Name` in properties; empty if they have none."""
    if not isinstance(properties.get("Name"), str):
        return ""
    return arn_of(
        properties["Name"], properties.get("Region", REGION), OTHER_ACCOUNT if "RoleArn" in properties else ACCOUNT
    )


def place_of(arn: str) -> Mapping[str, str]:
    """The properties without which a configuration cannot be adopted."""
    return {"RoleArn": ROLE} if f":{OTHER_ACCOUNT}:" in arn else {}


def target_of(properties: Properties) -> str:
    """Return the ARN of the configuration in properties; empty if they are invalid."""
    if "DistributionConfigurationArn" in properties:
        return str(properties["DistributionConfigurationArn"])
    return named_arn(properties)


def is_adoption(properties: Properties) -> bool:
    """Whether the properties adopt a configuration."""
    return "DistributionConfigurationArn" in properties


def is_arn(physical_id: str) -> bool:
    """Whether a physical ID is a configuration's ARN."""
    return physical_id.startswith("arn:aws:imagebuilder:")


def deletes(properties: Properties) -> bool:
    """Whether `OnDelete` lets a Delete remove the configuration."""
    return bool(properties.get("OnDelete", "Retain" if is_adoption(properties) else "Delete") == "Delete")


def content_of(properties: Properties) -> Members:
    """The content that properties describe, in a form that can be compared."""
    return {
        "description": properties.get("Description", ""),
        "regions": {
            each["Region"]: each["AmiDistributionConfiguration"]["Name"] for each in properties["Distributions"]
        },
    }


def content_in(live: Mapping[str, Any]) -> Members:
    """The content of a live configuration, in the same form."""
    return {
        "description": live.get("description", ""),
        "regions": {each["region"]: each["amiDistributionConfiguration"]["name"] for each in live["distributions"]},
    }


def tags_of(properties: Properties) -> Mapping[str, str]:
    """The tags that properties describe."""
    tags: Mapping[str, str] = properties.get("Tags", {})
    return tags


def short(arn_or_id: str) -> str:
    """Return a physical ID for a step list. The location is shown if it is not the function's."""
    if not is_arn(arn_or_id):
        return f"<{arn_or_id[-60:]}>"
    return arn_or_id.removeprefix(ARN).removeprefix("arn:aws:imagebuilder:")
