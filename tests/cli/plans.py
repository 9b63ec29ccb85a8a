"""Templates to plan, and the resources of a plan."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.cli.commands import command
from tests.stack import ARN, ami

TOKEN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
RESOURCE_TYPE = "Custom::ImageBuilderDistributionConfiguration"

Write = Callable[..., Path]


def own(**properties: Any) -> dict[str, Any]:
    """The properties of a resource that owns `images`."""
    return {"ServiceToken": TOKEN, "Name": "images", "Distributions": [ami()], **properties}


def adopt(**properties: Any) -> dict[str, Any]:
    """The properties of a resource that adopts `web`."""
    target = f"{ARN}web"
    return {"ServiceToken": TOKEN, "DistributionConfigurationArn": target, "Distributions": [ami()], **properties}


def planned(*arguments: str | Path, status: int) -> dict[str, Any]:
    """The changes in a plan, by logical ID. Fails if the command ends with another status."""
    ended = command("plan", *arguments, "--output", "json")
    assert ended.status == status, ended.stdout + ended.stderr
    return {one["logicalId"]: one for one in json.loads(ended.stdout)["resources"]}


def reported(change: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    return [(one["path"], one["old"], one["new"]) for one in change["differences"]]
