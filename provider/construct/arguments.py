"""Converts names between the construct's arguments (snake_case) and the resource's properties (PascalCase)."""

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, Final

from ..authoring.documentation import without_yaml_advice
from ..authoring.python_types import properties_by_name, snake_case
from ..resources import DISTRIBUTION_CONFIGURATION, resource_type
from ..schema.expand import meant
from ..schema.model import Schema

_SNAKE_CASE: Final = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_QUOTED: Final = r'"(?:\\.|[^"\\])*"'
_PATH: Final = re.compile(rf"(?:Fn::\w+|[A-Za-z0-9_.]|\[\d+\]|\[{_QUOTED}\])+")
"""The path at the start of a message."""
_ROOT: Final = "Properties"
"""The path of all properties."""
_NAME: Final = re.compile(rf"{_QUOTED}|Fn::\w+|\w+")
_WORD: Final = re.compile(r"(?:Fn|AWS)::\w+|\b[A-Za-z]\w*")
"""A function, a pseudo parameter, or a word that may be a property."""
_AFTER_DETERMINER: Final = re.compile(
    r"(?:\b(?:a|an|the|its|their|this|that|each|every|any|one|no|same|other|another|known|new|of|in)|'s) \Z"
)
"""The text before a word such as Region that means the thing and not the property."""
_ONE_NAME_TWICE: Final = re.compile(r"given twice, as (\w+) and as \1;")
_FUNCTION_CALL: Final = re.compile(r'"!(\w+) ((?:\\.|[^"\\])*)"')
"""A token as it is written in YAML."""
_PYTHON: Final = (
    (re.compile(r"\ba mapping(?: of keys to values)?\b"), "a dict"),
    (re.compile(r"\bits mapping\b"), "its dict"),
    (re.compile(r"\btrue or false\b"), "True or False"),
    (re.compile(r"\bbelongs at the top level\b"), "is an argument of the construct"),
)
"""What a message says to the author of a template, and what it says in Python."""


def as_properties(value: Any, schema: Schema) -> Any:
    """Convert the names in a value to properties. Tokens, map keys, and values of another type are left unchanged."""
    if isinstance(value, Enum):
        return value.value
    schema = schema.of(value)
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
    # Unknown. Written as in a template, so that validation compares it with names in the same spelling. It checks what
    # is beneath the name as part of the property that was probably meant.
    name = "".join(map(str.title, name.split("_"))) if _SNAKE_CASE.fullmatch(name) else name
    member = meant(name, structure, structure)
    return name, value if member is None else as_properties(value, structure.members[member])


def in_python(message: str, type_name: str = DISTRIBUTION_CONFIGURATION) -> str:
    """A finding's message in the words of Python, with the names of arguments, and without advice about YAML.

    The finding is about a resource of this type.
    """
    arguments = _arguments(type_name)
    found = _PATH.match(message)
    path = found[0] if found and message.startswith(": ", found.end()) else ""
    parts = re.split(f"({_QUOTED})", without_yaml_advice(message.removeprefix(path)))
    parts[::2] = (_words_in_python(text, arguments) for text in parts[::2])
    parts[1::2] = (_FUNCTION_CALL.sub(r"the token \1 \2", quoted) for quoted in parts[1::2])
    return _path_in_python(path, arguments) + "".join(parts)


def _path_in_python(path: str, arguments: Mapping[str, str]) -> str:
    def in_path(name: re.Match[str]) -> str:
        is_key = name[0].startswith(('"', "Fn::"))
        return name[0] if is_key else arguments.get(name[0], snake_case(name[0]))

    return "arguments" if path == _ROOT else _NAME.sub(in_path, path)


def _words_in_python(text: str, arguments: Mapping[str, str]) -> str:
    for pattern, words in _PYTHON:
        text = pattern.sub(words, text)

    def in_text(word: re.Match[str]) -> str:
        is_single = word[0].istitle() and _AFTER_DETERMINER.search(text, 0, word.start())
        return word[0] if is_single else arguments.get(word[0], word[0])

    return _ONE_NAME_TWICE.sub("given twice, in two spellings;", _WORD.sub(in_text, text))


@cache
def _arguments(type_name: str) -> Mapping[str, str]:
    """The arguments of all structures of a resource type by the properties' names, in each spelling."""
    found: dict[str, str] = {}
    pending = [resource_type(type_name).schema]
    for schema in pending:
        found |= {name: argument for argument, name in properties_by_name(schema).items()}
        entries = [inner.item or inner for inner in schema.members.values()]
        pending += [*entries, *(entry.source for entry in entries if entry.source)]
    return found
