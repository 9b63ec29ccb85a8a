"""cfn-handler with boto3, as its README shows."""

from typing import Any

import boto3
from calls import change
from cfn_handler import CustomResource

api = boto3.client("imagebuilder")
resource = CustomResource()


@resource.update
def update(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Update."""
    return {"DateUpdated": change(api, event)}


def handler(event: dict[str, Any], context: Any) -> None:
    """Let cfn-handler update and respond."""
    resource(event, context)
