"""API parameters -> properties: the inverse of expand."""

from collections.abc import Mapping
from typing import Any

from .checkpoint import Checkpoint, paced, proceed
from .model import Schema, pascal_case


def flatten(parameters: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Convert parameters by the API's names to resource properties in PascalCase. Map keys stay as they are."""
    properties: dict[str, Any] = flatten_value(parameters, schema)
    return properties


def flatten_value(value: Any, schema: Schema, checkpoint: Checkpoint = proceed) -> Any:
    """Convert one value to what a user would write for it."""
    schema = schema.of(value)
    if schema.type_name == "structure" and isinstance(value, Mapping):
        return {
            pascal_case(name): flatten_value(entry, schema.members[name], checkpoint) for name, entry in value.items()
        }
    if schema.type_name == "list" and schema.item is not None and isinstance(value, list):
        return [flatten_value(entry, schema.item, checkpoint) for entry in paced(value, checkpoint)]
    return dict(value) if isinstance(value, Mapping) else value
