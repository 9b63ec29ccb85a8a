"""A construct's arguments in Python's names -> the resource's properties in CloudFormation's."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Any, Final

from ..authoring.typed import properties_by_name
from ..schema.model import Type

_SNAKE_CASE: Final = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


def as_properties(value: Any, type_: Type) -> Any:
    """A value of `type_` with the names that a template has; tokens, keys of maps and what is no value of it stay."""
    if isinstance(value, Enum):
        return value.value
    if type_.kind == "structure" and isinstance(value, Mapping):
        return _structure(value, type_)
    if type_.item is not None and isinstance(value, Mapping):
        return {key: as_properties(entry, type_.item) for key, entry in value.items()}
    if type_.item is not None and isinstance(value, Iterable) and not isinstance(value, (str, Mapping)):
        # Sets have no order, and the template is to be the same each time.
        entries = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
        return [as_properties(entry, type_.item) for entry in entries]
    return value


def _structure(value: Mapping[str, Any], type_: Type) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for written, entry in value.items():
        name, worked_out = _property(written, entry, type_)
        # What is given twice stays so, in the API's spelling, and is found: nothing is lost unseen.
        properties[type_.spellings.get(name, name) if name in properties else name] = worked_out
    return properties


def _property(written: str, value: Any, structure: Type) -> tuple[str, Any]:
    name = properties_by_name(structure).get(written, written)
    member = structure.spellings.get(name)
    if member is not None:
        return name, as_properties(value, structure.members[member])
    # Nobody's name. As a template has it, so that the finding names its neighbours as a template does, too.
    return "".join(map(str.title, name.split("_"))) if _SNAKE_CASE.fullmatch(name) else name, value
