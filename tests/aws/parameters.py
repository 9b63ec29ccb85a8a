"""Generated parameters of the API's operations."""

from typing import Any

from provider.schema.model import service_model

_TEXT = "\u00fc/+ ~%"
"""Characters that each part of a request encodes differently."""


def parameters_of(operation: str) -> dict[str, Any]:
    """Return every parameter of the operation, with a generated value."""
    made: dict[str, Any] = _made_up(service_model().operation_model(operation).input_shape)
    return made


def _made_up(shape: Any, name: str = "") -> Any:
    match shape.type_name:
        case "structure":
            return {member: _made_up(its_shape, member) for member, its_shape in shape.members.items()}
        case "list":
            return [_made_up(shape.member, f"{name} {number}") for number in range(2)]
        case "map":
            return {name + _TEXT: _made_up(shape.value, name)}
        case "boolean":
            return True
        case "integer":
            return shape.metadata.get("min", 1)
        case _:
            return name + _TEXT
