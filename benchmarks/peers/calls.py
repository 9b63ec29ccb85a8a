"""The work of every peer for an Update: the same three calls as the provider, with the same parameters.

Names and types are hard-coded here, as in a typical handler for one purpose.
"""

from typing import Any

_MAPS = ("AmiTags",)
_INTEGERS = ("TargetResourceCount", "MaxParallelLaunches")
_BOOLEANS = ("SetDefaultVersion", "Enabled")


def parameters(event: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of UpdateDistributionConfiguration for an event."""
    properties = event["ResourceProperties"]
    return {
        "distributionConfigurationArn": event["PhysicalResourceId"],
        "description": properties["Description"],
        "distributions": _expanded(properties["Distributions"]),
        "clientToken": event["RequestId"],
    }


def change(api: Any, event: dict[str, Any]) -> str:
    """Read, update, and read again with a botocore client; return the configuration's date."""
    arn = event["PhysicalResourceId"]
    api.get_distribution_configuration(distributionConfigurationArn=arn)
    api.update_distribution_configuration(**parameters(event))
    changed = api.get_distribution_configuration(distributionConfigurationArn=arn)
    return str(changed["distributionConfiguration"]["dateUpdated"])


def _expanded(value: Any) -> Any:
    if isinstance(value, list):
        return [_expanded(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {_renamed(name): _typed(name, entry) for name, entry in value.items()}


def _renamed(name: str) -> str:
    return name[0].lower() + name[1:]


def _typed(name: str, value: Any) -> Any:
    if name in _INTEGERS:
        return int(value)
    if name in _BOOLEANS:
        return value == "true"
    return value if name in _MAPS else _expanded(value)
