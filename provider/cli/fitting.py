"""Makes placeholders valid: each gets a value that the provider's checks accept for the property that contains it."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any, NamedTuple

from ..authoring.samples import sample
from ..resources import resource_type
from ..schema.check import validate_properties
from ..schema.expand import expand
from ..schema.finding import Path, Severity
from ..schema.model import Schema

_FROM_ARGUMENT = frozenset({"Fn::If", "Fn::Select", "Fn::Split"})
"""Functions that return an argument or a part of it."""
_REFERENCES = frozenset({"Fn::GetAtt", "Fn::ImportValue", "Fn::Sub", "Ref"})
"""Functions that return a value of their own."""
_SAMPLE_LOCATION = ":us-east-1:123456789012:"
_UNIQUE_SUFFIX = re.compile("[0-9a-f]{8,}$")
"""The part of an ID that differs between resources."""


class _Scalar(NamedTuple):
    """A scalar property: its path by the API's names, its type, and the structure and member to which it belongs."""

    path: Path
    type: Schema
    structure: str
    member: str


class Fitting:
    """Makes placeholders valid for one Region of one account (12 digits)."""

    def __init__(self, region: str, account: str) -> None:
        self._location = f":{region}:{account}:"

    def __call__(self, path: Path, value: str) -> str:
        """The first of `value` and a few samples that the provider's checks accept at `path`, else `value`.

        `path` leads from a template's root to a value, through functions.
        """
        scalar = _scalar(path)
        if scalar is None:
            return value
        return next((guess for guess in (value, *self._guesses(scalar, value)) if _is_valid(guess, scalar)), value)

    def _guesses(self, scalar: _Scalar, value: str) -> tuple[str, ...]:
        found = sample(scalar.type, scalar.structure, scalar.member)
        found = found[0] if isinstance(found, list) else found
        text = found if isinstance(found, str) else json.dumps(found)
        here = text.replace(_SAMPLE_LOCATION, self._location)
        digits = str(int(sha256(value.encode()).hexdigest(), 16))
        # Two values in one list may have to differ.
        return _UNIQUE_SUFFIX.sub(lambda end: digits[: len(end[0])], here), here


def _is_valid(text: str, scalar: _Scalar) -> bool:
    nested: Any = text
    for element in reversed(scalar.path):
        nested = [nested] if isinstance(element, int) else {element: nested}
    found = validate_properties(expand(nested, resource_type().schema), resource_type().rules)
    return not any(one.path == scalar.path and one.severity is Severity.ERROR for one in found)


def _scalar(path: Path) -> _Scalar | None:
    """The scalar property to which a template's path leads; None if there is none."""
    steps = _without_functions(path[3:]) if path[::2][:2] == ("Resources", "Properties") else None
    if steps is None:
        return None
    type_, structure, member = resource_type().schema, "", ""
    found: list[str | int] = []
    for step in steps:
        if step in type_.spellings:
            structure, member = type_.shape, type_.spellings[str(step)]
            type_ = type_.members[member]
            found.append(member)
        elif type_.item is not None and _is_entry(step, type_):
            type_ = type_.item
            found.append(0 if isinstance(step, int) else step)
        elif not isinstance(step, int):
            return None
    return _only_scalar(_Scalar(tuple(found), type_, structure, member))


def _only_scalar(found: _Scalar) -> _Scalar | None:
    """What was found, or the entry of the list that was found, if that is a scalar."""
    if found.type.type_name == "list" and found.type.item is not None:
        found = found._replace(path=(*found.path, 0), type=found.type.item)
    return found if found.type.is_scalar else None


def _is_entry(step: str | int, collection: Schema) -> bool:
    return isinstance(step, int) or collection.type_name == "map"


def _without_functions(path: Path) -> Path | None:
    """The path without functions and the positions of their arguments; None if it ends inside a reference."""
    steps: list[str | int] = []
    rest = iter(path)
    for step in rest:
        if step in _FROM_ARGUMENT:
            next(rest, None)
        elif step not in _REFERENCES:
            steps.append(step)
        elif next(rest, None) is not None:
            return None
    return tuple(steps)
