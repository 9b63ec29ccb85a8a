"""Shared by the tests of ownership: configurations in a state, and requests with a date."""

from typing import Any

from provider.resources.ownership import Owner, State
from tests.stack import ARN, NAME, STACK_ID, Resource, ami

OTHER_STACK = STACK_ID.replace("images", "another")
GOLDEN: dict[str, Any] = {"Name": "golden", "Distributions": [ami()]}
TYPO: dict[str, Any] = {"Name": "golden", "Distributions": [{"Region": "us-east-1"}]}
ADOPT: dict[str, Any] = {"DistributionConfigurationArn": f"{ARN}golden", "Distributions": [ami()]}
PLAIN = Owner(STACK_ID, "Golden").tags()
CONTENT = [{"region": "us-east-1", "amiDistributionConfiguration": {"name": NAME}}]
INVENTED = "images-Golden-1ABCDEFGHIJKL"


def leave_unfinished(resource: Resource, name: str = "golden", **content: Any) -> str:
    """Create the state that a request leaves if it is killed right after its Create call."""
    tags = Owner(resource.stack_id, resource.logical_id).tags(State.UNFINISHED)
    return resource.emulator.seed(name=name, distributions=CONTENT, tags=tags, **content)


def tags_of(resource: Resource, name: str = "golden") -> dict[str, str]:
    """The tags of a live configuration."""
    tags: dict[str, str] = resource.emulator.configurations[f"{ARN}{name}"]["tags"]
    return tags
