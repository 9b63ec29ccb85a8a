"""API parameters -> properties: the API's names to CloudFormation's. The inverse of expand."""

from collections.abc import Mapping
from typing import Any

from .checkpoint import Checkpoint, paced, proceed
from .model import Type, pascal_case, resource_type


def flatten(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Turn parameters by the API's names into resource properties in PascalCase; map keys stay as they are."""
    properties: dict[str, Any] = flatten_value(parameters, resource_type())
    return properties


def flatten_value(value: Any, type_: Type, checkpoint: Checkpoint = proceed) -> Any:
    """Turn one value of `type_` into what a user would write for it."""
    if type_.kind == "structure" and isinstance(value, Mapping):
        return {
            pascal_case(name): flatten_value(entry, type_.members[name], checkpoint) for name, entry in value.items()
        }
    if type_.kind == "list" and type_.item is not None and isinstance(value, list):
        return [flatten_value(entry, type_.item, checkpoint) for entry in paced(value, checkpoint)]
    return dict(value) if isinstance(value, Mapping) else value
