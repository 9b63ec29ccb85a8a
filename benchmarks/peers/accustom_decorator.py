"""accustom with boto3, as its README shows, but without `timeoutFunction`, which would invoke the function again."""

from typing import Any

import accustom
import boto3
from calls import change

api = boto3.client("imagebuilder")


@accustom.sdecorator(expectedProperties=["Name", "Distributions"], timeoutFunction=False)
def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Update; the decorator responds."""
    return {"DateUpdated": change(api, event)}
