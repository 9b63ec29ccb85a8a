"""Names, ARNs, tags, and contents for the cloud, the oracle, and the generator, without the provider's code."""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

Properties = Mapping[str, Any]
Members = dict[str, Any]

ARN: Final = "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/"
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


def arn_of(name: str) -> str:
    """The ARN that Image Builder gives a name."""
    return ARN + re.sub("[ _]", "-", name.lower())


def target_of(properties: Properties) -> str:
    """Return the ARN of the configuration in properties; empty if they are invalid."""
    if "DistributionConfigurationArn" in properties:
        return str(properties["DistributionConfigurationArn"])
    return arn_of(str(properties["Name"])) if "Name" in properties else ""


def is_adoption(properties: Properties) -> bool:
    """Whether the properties adopt a configuration."""
    return "DistributionConfigurationArn" in properties


def is_arn(physical_id: str) -> bool:
    """Whether a physical ID is a configuration's ARN."""
    return physical_id.startswith(ARN)


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
    """Return a physical ID for a step list."""
    return arn_or_id.rpartition("/")[2] if is_arn(arn_or_id) else f"<{arn_or_id[-60:]}>"
