"""Stand-ins that fit where they stand: what only a deployment knows is taken to be something that the checks pass."""

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
from ..schema.model import Type

_HANDS_ON = frozenset({"Fn::If", "Fn::Select", "Fn::Split"})
"""Functions whose value is, or is cut from, one of their arguments."""
_GIVES = frozenset({"Fn::GetAtt", "Fn::ImportValue", "Fn::Sub", "Ref"})
"""Functions that give the value itself, where nothing comes after them."""
_SAMPLE_HOME = ":us-east-1:123456789012:"
_OWN_END = re.compile("[0-9a-f]{8,}$")
"""What tells one ID from another of its kind."""


class _Spot(NamedTuple):
    """A place for a scalar: by the API's names, with its type, and the structure and member that it belongs to."""

    path: Path
    type: Type
    structure: str
    member: str


class Fitting:
    """Makes stand-ins fit, as they would look in one Region of one account (12 digits)."""

    def __init__(self, region: str, account: str) -> None:
        self._home = f":{region}:{account}:"

    def __call__(self, path: Path, value: str) -> str:
        """`value` where the provider's checks take it at `path`, else the first guess that they take, else `value`.

        `path` leads from a template's root to a value, through functions.
        """
        spot = _spot(path)
        if spot is None:
            return value
        return next((guess for guess in (value, *self._guesses(spot, value)) if _fits(guess, spot)), value)

    def _guesses(self, spot: _Spot, value: str) -> tuple[str, ...]:
        found = sample(spot.type, spot.structure, spot.member)
        found = found[0] if isinstance(found, list) else found
        text = found if isinstance(found, str) else json.dumps(found)
        here = text.replace(_SAMPLE_HOME, self._home)
        digits = str(int(sha256(value.encode()).hexdigest(), 16))
        # Two values that stand side by side may have to differ.
        return _OWN_END.sub(lambda end: digits[: len(end[0])], here), here


def _fits(text: str, spot: _Spot) -> bool:
    nested: Any = text
    for element in reversed(spot.path):
        nested = [nested] if isinstance(element, int) else {element: nested}
    return not any(
        one.path == spot.path and one.severity is Severity.ERROR
        for one in validate_properties(expand(nested, resource_type().schema), resource_type().rules)
    )


def _spot(path: Path) -> _Spot | None:
    """Where in a resource's properties a template's path leads; None where not to a scalar of theirs."""
    if path[:1] != ("Resources",) or path[2:3] != ("Properties",):
        return None
    type_, structure, member = resource_type().schema, "", ""
    found: list[str | int] = []
    steps = iter(path[3:])
    for step in steps:
        if step in _HANDS_ON:
            next(steps, None)
        elif step in _GIVES:
            if next(steps, None) is not None:
                return None
        elif type_.kind == "structure" and isinstance(step, str) and step in type_.spellings:
            structure, member = type_.shape, type_.spellings[step]
            type_ = type_.members[member]
            found.append(member)
        elif type_.item is not None and (isinstance(step, int) or type_.kind == "map"):
            type_ = type_.item
            found.append(0 if isinstance(step, int) else step)
        elif not isinstance(step, int):
            return None
    if type_.kind == "list" and type_.item is not None:
        type_ = type_.item
        found.append(0)
    return _Spot(tuple(found), type_, structure, member) if type_.is_scalar else None
