"""Parameters -> findings: the service model's own constraints, each a few lines, all findings at once."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from .checkpoint import Checkpoint, paced, proceed
from .finding import Finding, Path
from .model import HINTS, Schema

Accepts = Callable[[Any], bool]

_PYTHON_TYPES: Mapping[str, type] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "structure": dict,
    "list": list,
    "map": dict,
}
_ARTICLES = {"string": "a string", "boolean": "true or false", "integer": "an integer", "long": "an integer",
             "structure": "a mapping", "list": "a list", "map": "a mapping"}  # fmt: skip
_CURES = {
    "list": ": begin each entry with `- `, or in JSON, put them into [ ]",
    "map": ": write `key: value` for each entry",
}
_UNITS = {"string": "characters", "list": "entries", "map": "entries"}
_LINE_BREAK = "it ends with a line break: begin a block with `|-` or `>-`, which leaves that out"
_SHOWN = 60
"""Characters of a user's value that a message quotes."""
_QUICKLY_CHECKED = 64
"""Entries of a list without a limit that are checked without a checkpoint."""


def validate(value: object, schema: Schema, path: Path = (), checkpoint: Checkpoint = proceed) -> list[Finding]:
    """Check a value by the API's names against its type: type, required, limits, pattern, enum.

    Accepts nothing that botocore's own `ParamValidator` refuses.
    """
    return [*violations(value, schema, path, checkpoint)]


def violations(value: object, schema: Schema, path: Path = (), checkpoint: Checkpoint = proceed) -> Iterator[Finding]:
    """The findings of `validate`, one after the other."""
    if not acceptance(schema)(value):
        yield from _check(value, schema, path, checkpoint)


@cache
def acceptance(schema: Schema) -> Accepts:
    """Whether a value is known to be valid, as one quick function, made once a type: almost every value is.

    It does not stop at a checkpoint. So it leaves long lists to `_check` where the model does not limit them.
    """
    low = schema.minimum if schema.minimum is not None else -math.inf
    high = schema.maximum if schema.maximum is not None else math.inf
    if schema.kind == "list" and schema.maximum is None:
        high = _QUICKLY_CHECKED
    match schema.kind:
        case "structure":
            return _accepts_structure(schema)
        case "list" | "map" if schema.item is not None:
            return _accepts_entries(schema, acceptance(schema.item), low, high)
        case "boolean":
            return lambda value: value is True or value is False
        case "integer" | "long":
            return lambda value: type(value) is int and low <= value <= high
        case "string":
            return _accepts_string(schema, low, high)
    return lambda _: False


def _accepts_structure(schema: Schema) -> Accepts:
    required, members = frozenset(schema.required), schema.members

    def accepts(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, entry in value.items():  # noqa: SIM110 - a generator takes longer
            if name not in members or not acceptance(members[name])(entry):
                return False
        return True

    return accepts


def _accepts_entries(schema: Schema, item: Accepts, low: float, high: float) -> Accepts:
    if schema.key is None:
        return lambda value: type(value) is list and low <= len(value) <= high and all(map(item, value))
    key = acceptance(schema.key)
    return lambda value: (
        type(value) is dict and low <= len(value) <= high and all(map(key, value)) and all(map(item, value.values()))
    )


def _accepts_string(schema: Schema, low: float, high: float) -> Accepts:
    search, enum = schema.regex.search if schema.regex else None, schema.enum
    if search and not enum and (low, high) == (-math.inf, math.inf):
        return lambda value: type(value) is str and search(value) is not None
    return lambda value: (
        type(value) is str
        and low <= len(value) <= high
        and (not enum or value in enum)
        and (search is None or search(value) is not None)
    )


def _check(value: Any, schema: Schema, path: Path, checkpoint: Checkpoint) -> Iterator[Finding]:
    """What is wrong with a value that is not known to be valid."""
    expected = _PYTHON_TYPES.get(schema.kind)
    if expected is not None and type(value) is not expected:
        cure = _CURES.get(schema.kind, "") if value is not None else ""
        yield Finding(path, f"must be {_ARTICLES[schema.kind]}, not {describe(value)}{cure}", "type")
    elif schema.kind == "structure":
        yield from _check_structure(value, schema, path, checkpoint)
    else:
        for rule, message in _broken_limits(value, schema):
            yield Finding(path, message, rule)
        if schema.kind == "list" and schema.item is not None:
            yield from _check_entries(value, schema.item, path, checkpoint)
        elif schema.kind == "map" and schema.item is not None and schema.key is not None:
            for key, entry in paced(value.items(), checkpoint):
                for finding in _check(key, schema.key, (*path, key), checkpoint):
                    yield finding._replace(message=f"the key {finding.message}")
                yield from _check(entry, schema.item, (*path, key), checkpoint)


def _check_entries(value: list[Any], item: Schema, path: Path, checkpoint: Checkpoint) -> Iterator[Finding]:
    accepts = acceptance(item)
    for index, entry in enumerate(paced(value, checkpoint)):
        if not accepts(entry):
            yield from _check(entry, item, (*path, index), checkpoint)


def _check_structure(value: dict[str, Any], schema: Schema, path: Path, checkpoint: Checkpoint) -> Iterator[Finding]:
    for member in schema.required:
        if member not in value:
            yield Finding((*path, member), "is required", "required")
    members = schema.members
    for member, entry in paced(value.items(), checkpoint):
        if member not in members:
            yield Finding((*path, member), "is unknown to the service model", "unknown")
        elif not acceptance(members[member])(entry):
            yield from _check(entry, members[member], (*path, member), checkpoint)


def _broken_limits(value: Any, schema: Schema) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    size = value if schema.kind in ("integer", "long") else len(value) if schema.kind in _UNITS else None
    unit = f" {_UNITS[schema.kind]}" if schema.kind in _UNITS else ""
    if size is not None and schema.minimum is not None and size < schema.minimum:
        found.append(("minimum", f"must be at least {schema.minimum}{unit}, is {describe(size)}"))
    if size is not None and schema.maximum is not None and size > schema.maximum:
        found.append(("maximum", f"must be at most {schema.maximum}{unit}, is {describe(size)}"))
    if schema.enum and value not in schema.enum:
        found.append(("enum", f"must be one of {', '.join(schema.enum)}, not {describe(value)}"))
    if schema.regex is not None and schema.regex.search(value) is None:
        hint = _LINE_BREAK if value[-1:] == "\n" and schema.regex.search(value[:-1]) else HINTS.get(schema.shape)
        found.append(
            (
                "pattern",
                f"must match the pattern {schema.pattern}, {describe(value)} does not{f'; {hint}' if hint else ''}",
            )
        )
    return found


def describe(value: object) -> str:
    """A user's value for a message: its JSON, cut short, or the kind of a value that holds others."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        value = value[: _SHOWN + 1]  # as much as tells whether it has to be cut
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:  # Python writes no integer of more digits
        return "an integer of thousands of digits"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
