"""Converts a construct's arguments, named as in Python, to the resource's properties, named as in CloudFormation."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

from ..authoring.python_types import properties_by_name
from ..schema.model import Type

_SNAKE_CASE: Final = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


def as_properties(value: Any, type_: Type) -> Any:
    """Convert the names in a value of `type_`. Tokens, map keys, and values of another type are left unchanged."""
    if isinstance(value, Enum):
        return value.value
    if type_.kind == "structure" and isinstance(value, Mapping):
        return _structure(value, type_)
    return value if type_.item is None else _collection(value, type_.item)


def _collection(value: Any, item: Type) -> Any:
    if isinstance(value, Mapping):
        return {key: as_properties(entry, item) for key, entry in value.items()}
    if isinstance(value, str) or not isinstance(value, Iterable):
        return value
    # A set has no order. Sort it, so that each synth gives the same template.
    entries = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
    return [as_properties(entry, item) for entry in entries]


def _structure(value: Mapping[str, Any], type_: Type) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for argument, entry in value.items():
        name, converted = _property(argument, entry, type_)
        # If a property is given twice, keep both, the second in the API's spelling, so that validation reports it.
        properties[type_.spellings.get(name, name) if name in properties else name] = converted
    return properties


def _property(argument: str, value: Any, structure: Type) -> tuple[str, Any]:
    name = properties_by_name(structure).get(argument, argument)
    member = structure.spellings.get(name)
    if member is not None:
        return name, as_properties(value, structure.members[member])
    # Unknown. Written as in a template, so that the finding and its suggestions have the same spelling.
    return "".join(map(str.title, name.split("_"))) if _SNAKE_CASE.fullmatch(name) else name, value
