"""cfn-resource-provider with boto3, as its README shows."""

from typing import Any

import boto3
from calls import change
from cfn_resource_provider import ResourceProvider

api = boto3.client("imagebuilder")
request_schema = {
    "type": "object",
    "required": ["Name", "Distributions"],
    "properties": {
        "Name": {"type": "string"},
        "Description": {"type": "string"},
        "Distributions": {"type": "array", "items": {"type": "object", "required": ["Region"]}},
        "Tags": {"type": "object"},
    },
}


class ImageBuilderDistributionConfigurationProvider(ResourceProvider):
    """The class's name says which resource type it provides."""

    def __init__(self) -> None:
        super().__init__()
        self.request_schema = request_schema

    def update(self) -> None:
        """Update."""
        self.set_attribute("DateUpdated", change(api, self.request))


provider = ImageBuilderDistributionConfigurationProvider()


def handler(event: dict[str, Any], context: object) -> None:
    """Let cfn-resource-provider update and respond."""
    provider.handle(event, context)
