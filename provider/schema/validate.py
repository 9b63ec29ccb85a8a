"""Parameters -> findings: the service model's own constraints, each a few lines, all findings at once."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

from .checkpoint import Checkpoint, paced, proceed
from .finding import Finding, Path
from .model import HINTS, Type

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


def validate(value: object, type_: Type, path: Path = (), checkpoint: Checkpoint = proceed) -> list[Finding]:
    """Check a value by the API's names against its type: type, required, limits, pattern, enum.

    Accepts nothing that botocore's own `ParamValidator` refuses.
    """
    return [*violations(value, type_, path, checkpoint)]


def violations(value: object, type_: Type, path: Path = (), checkpoint: Checkpoint = proceed) -> Iterator[Finding]:
    """The findings of `validate`, one after the other."""
    if not acceptance(type_)(value):
        yield from _check(value, type_, path, checkpoint)


@cache
def acceptance(type_: Type) -> Accepts:
    """Whether a value is known to be valid, as one quick function, made once a type: almost every value is.

    It does not stop at a checkpoint. So it leaves long lists to `_check` where the model does not limit them.
    """
    low = type_.minimum if type_.minimum is not None else -math.inf
    high = type_.maximum if type_.maximum is not None else math.inf
    if type_.kind == "list" and type_.maximum is None:
        high = _QUICKLY_CHECKED
    match type_.kind:
        case "structure":
            return _accepts_structure(type_)
        case "list" | "map" if type_.item is not None:
            return _accepts_entries(type_, acceptance(type_.item), low, high)
        case "boolean":
            return lambda value: value is True or value is False
        case "integer" | "long":
            return lambda value: type(value) is int and low <= value <= high
        case "string":
            return _accepts_string(type_, low, high)
    return lambda _: False


def _accepts_structure(type_: Type) -> Accepts:
    required, members = frozenset(type_.required), type_.members

    def accepts(value: Any) -> bool:
        if type(value) is not dict or not required <= value.keys():
            return False
        for name, entry in value.items():  # noqa: SIM110 - a generator takes longer
            if name not in members or not acceptance(members[name])(entry):
                return False
        return True

    return accepts


def _accepts_entries(type_: Type, item: Accepts, low: float, high: float) -> Accepts:
    if type_.key is None:
        return lambda value: type(value) is list and low <= len(value) <= high and all(map(item, value))
    key = acceptance(type_.key)
    return lambda value: (
        type(value) is dict and low <= len(value) <= high and all(map(key, value)) and all(map(item, value.values()))
    )


def _accepts_string(type_: Type, low: float, high: float) -> Accepts:
    search, enum = type_.regex.search if type_.regex else None, type_.enum
    if search and not enum and (low, high) == (-math.inf, math.inf):
        return lambda value: type(value) is str and search(value) is not None
    return lambda value: (
        type(value) is str
        and low <= len(value) <= high
        and (not enum or value in enum)
        and (search is None or search(value) is not None)
    )


def _check(value: Any, type_: Type, path: Path, checkpoint: Checkpoint) -> Iterator[Finding]:
    """What is wrong with a value that is not known to be valid."""
    expected = _PYTHON_TYPES.get(type_.kind)
    if expected is not None and type(value) is not expected:
        cure = _CURES.get(type_.kind, "") if value is not None else ""
        yield Finding(path, f"must be {_ARTICLES[type_.kind]}, not {describe(value)}{cure}", "type")
    elif type_.kind == "structure":
        yield from _check_structure(value, type_, path, checkpoint)
    else:
        for rule, message in _broken_limits(value, type_):
            yield Finding(path, message, rule)
        if type_.kind == "list" and type_.item is not None:
            yield from _check_entries(value, type_.item, path, checkpoint)
        elif type_.kind == "map" and type_.item is not None and type_.key is not None:
            for key, entry in paced(value.items(), checkpoint):
                for finding in _check(key, type_.key, (*path, key), checkpoint):
                    yield finding._replace(message=f"the key {finding.message}")
                yield from _check(entry, type_.item, (*path, key), checkpoint)


def _check_entries(value: list[Any], item: Type, path: Path, checkpoint: Checkpoint) -> Iterator[Finding]:
    accepts = acceptance(item)
    for index, entry in enumerate(paced(value, checkpoint)):
        if not accepts(entry):
            yield from _check(entry, item, (*path, index), checkpoint)


def _check_structure(value: dict[str, Any], type_: Type, path: Path, checkpoint: Checkpoint) -> Iterator[Finding]:
    for member in type_.required:
        if member not in value:
            yield Finding((*path, member), "is required", "required")
    members = type_.members
    for member, entry in paced(value.items(), checkpoint):
        if member not in members:
            yield Finding((*path, member), "is unknown to the service model", "unknown")
        elif not acceptance(members[member])(entry):
            yield from _check(entry, members[member], (*path, member), checkpoint)


def _broken_limits(value: Any, type_: Type) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    size = value if type_.kind in ("integer", "long") else len(value) if type_.kind in _UNITS else None
    unit = f" {_UNITS[type_.kind]}" if type_.kind in _UNITS else ""
    if size is not None and type_.minimum is not None and size < type_.minimum:
        found.append(("minimum", f"must be at least {type_.minimum}{unit}, is {describe(size)}"))
    if size is not None and type_.maximum is not None and size > type_.maximum:
        found.append(("maximum", f"must be at most {type_.maximum}{unit}, is {describe(size)}"))
    if type_.enum and value not in type_.enum:
        found.append(("enum", f"must be one of {', '.join(type_.enum)}, not {describe(value)}"))
    if type_.regex is not None and type_.regex.search(value) is None:
        hint = _LINE_BREAK if value[-1:] == "\n" and type_.regex.search(value[:-1]) else HINTS.get(type_.shape)
        found.append(
            (
                "pattern",
                f"must match the pattern {type_.pattern}, {describe(value)} does not{f'; {hint}' if hint else ''}",
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
