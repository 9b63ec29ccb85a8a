"""Replaces placeholders by samples that the provider's checks accept."""

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
from ..template.partitions import partition_of

_SELECTING = frozenset({"Fn::If", "Fn::Select", "Fn::Split"})
"""Functions that return an argument or a part of it."""
_REFERENCES = frozenset({"Fn::GetAtt", "Fn::ImportValue", "Fn::Sub", "Ref"})
"""Functions that return a value from elsewhere."""
_SAMPLE_PARTITION = "arn:aws:"
_SAMPLE_LOCATION = ":us-east-1:123456789012:"
_DISTINCTIVE = 4
"""The least length of a placeholder that is searched for in other texts."""
_UNIQUE_SUFFIX = re.compile("[0-9a-f]{8,}$")
"""The part of an ID that differs between resources."""


class _Scalar(NamedTuple):
    """A scalar property: its path by the API's names, its schema, and the shape and member that contain it."""

    path: Path
    schema: Schema
    shape: str
    member: str


class PlaceholderSamples:
    """Replaces placeholders by samples that are valid in one Region of one account (12 digits).

    `used` are the results so far.
    """

    def __init__(self, region: str, account: str) -> None:
        self.used: set[str] = set()
        self._partition = f"arn:{partition_of(region).name}:"
        self._location = f":{region}:{account}:"

    def __call__(self, path: Path, value: str) -> str:
        """The placeholder `value` if the provider's checks accept it at `path`, else a valid sample, else `value`.

        `path` is the path in the template, functions included.
        """
        scalar = _scalar(path)
        if scalar is not None:
            texts = (value, *self._samples(scalar, value))
            value = next((text for text in texts if _is_valid(text, scalar)), value)
        self.used.add(value)
        return value

    def occur_in(self, text: str) -> bool:
        """Whether a text is one of the placeholders so far, or contains a distinctive one."""
        return any(one == text or (len(one) >= _DISTINCTIVE and one in text) for one in self.used)

    def _samples(self, scalar: _Scalar, value: str) -> tuple[str, ...]:
        found = sample(scalar.schema, scalar.shape, scalar.member)
        found = found[0] if isinstance(found, list) else found
        text = found if isinstance(found, str) else json.dumps(found)
        localized = text.replace(_SAMPLE_PARTITION, self._partition).replace(_SAMPLE_LOCATION, self._location)
        digits = str(int(sha256(value.encode()).hexdigest(), 16))
        # Two values in one list may have to differ.
        return _UNIQUE_SUFFIX.sub(lambda end: digits[: len(end[0])], localized), localized


def _is_valid(text: str, scalar: _Scalar) -> bool:
    nested: Any = text
    for element in reversed(scalar.path):
        nested = [nested] if isinstance(element, int) else {element: nested}
    found = validate_properties(expand(nested, resource_type().schema), resource_type().rules)
    return not any(one.path == scalar.path and one.severity is Severity.ERROR for one in found)


def _scalar(path: Path) -> _Scalar | None:
    """The scalar property, or the entry of a list of scalars, at a path in a template; None if there is none."""
    schema, shape, member = resource_type().schema, "", ""
    found: list[str | int] = []
    for step in _without_functions(path):
        if isinstance(step, str) and schema.source is not None:
            schema = schema.source
        if step in schema.spellings:
            shape, member = schema.shape, schema.spellings[str(step)]
            schema = schema.members[member]
            found.append(member)
        elif schema.item is not None and (isinstance(step, int) or schema.type_name == "map"):
            schema = schema.item
            found.append(0 if isinstance(step, int) else step)
        elif not isinstance(step, int):
            return None
    return _only_scalar(_Scalar(tuple(found), schema, shape, member))


def _only_scalar(found: _Scalar) -> _Scalar | None:
    """The property, or its entry if it is a list, if that is a scalar."""
    if found.schema.type_name == "list" and found.schema.item is not None:
        found = found._replace(path=(*found.path, 0), schema=found.schema.item)
    return found if found.schema.is_scalar else None


def _without_functions(path: Path) -> Path:
    """The path below a resource's Properties, without functions and the positions of their arguments.

    It is empty if there is no such path, or if it ends inside a reference.
    """
    if path[::2][:2] != ("Resources", "Properties"):
        return ()
    steps: list[str | int] = []
    rest = iter(path[3:])
    for step in rest:
        if step in _SELECTING:
            next(rest, None)
        elif step not in _REFERENCES:
            steps.append(step)
        elif next(rest, None) is not None:
            return ()
    return tuple(steps)
