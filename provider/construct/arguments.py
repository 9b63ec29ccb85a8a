"""Converts names between the construct's arguments (snake_case) and the resource's properties (PascalCase)."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, Final

from ..authoring.documentation import without_yaml_advice
from ..authoring.python_types import properties_by_name, snake_case
from ..resources import resource_type
from ..schema.model import Schema

_SNAKE_CASE: Final = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_QUOTED: Final = r'"(?:\\.|[^"\\])*"'
_PATH: Final = re.compile(rf"(?:[A-Za-z0-9_.]|\[\d+\]|\[{_QUOTED}\])+")
"""The path at the start of a message."""
_NAME: Final = re.compile(rf"{_QUOTED}|\w+")
_WORD: Final = re.compile(rf"{_QUOTED}|(?<!\ba )(?<!this )(?<!known )\b[A-Za-z]\w*")
"""A quoted value, or a word that may be a property. After an article, `Region` is not one."""


def as_properties(value: Any, schema: Schema) -> Any:
    """Convert the names in a value to properties. Tokens, map keys, and values of another type are left unchanged."""
    if isinstance(value, Enum):
        return value.value
    if schema.type_name == "structure" and isinstance(value, Mapping):
        return _structure(value, schema)
    return value if schema.item is None else _collection(value, schema.item)


def _collection(value: Any, item: Schema) -> Any:
    if isinstance(value, Mapping):
        return {key: as_properties(entry, item) for key, entry in value.items()}
    if isinstance(value, str) or not isinstance(value, Iterable):
        return value
    # A set has no order. Sort it, so that each synth gives the same template.
    entries = sorted(value, key=str) if isinstance(value, (set, frozenset)) else value
    return [as_properties(entry, item) for entry in entries]


def _structure(value: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for argument, entry in value.items():
        name, converted = _property(argument, entry, schema)
        # If a property is given twice, keep both, the second in the API's spelling, so that validation reports it.
        properties[schema.spellings.get(name, name) if name in properties else name] = converted
    return properties


def _property(argument: str, value: Any, structure: Schema) -> tuple[str, Any]:
    name = properties_by_name(structure).get(argument, argument)
    member = structure.spellings.get(name)
    if member is not None:
        return name, as_properties(value, structure.members[member])
    # Unknown. Written as in a template, so that validation compares it with names in the same spelling.
    return "".join(map(str.title, name.split("_"))) if _SNAKE_CASE.fullmatch(name) else name, value


def in_python(message: str) -> str:
    """A finding's message with the names of arguments instead of properties, and without advice about YAML."""
    arguments = _arguments()

    def in_path(name: re.Match[str]) -> str:
        return name[0] if name[0].startswith('"') else arguments.get(name[0], snake_case(name[0]))

    found = _PATH.match(message)
    path = found[0] if found and message.startswith(": ", found.end()) else ""
    text = without_yaml_advice(message.removeprefix(path))
    return _NAME.sub(in_path, path) + _WORD.sub(lambda word: arguments.get(word[0], word[0]), text)


@cache
def _arguments() -> Mapping[str, str]:
    """The arguments of all structures by the properties' names, in each spelling."""
    found: dict[str, str] = {}
    pending = [resource_type().schema]
    for schema in pending:
        found |= {name: argument for argument, name in properties_by_name(schema).items()}
        pending += [inner.item or inner for inner in schema.members.values()]
    return found
