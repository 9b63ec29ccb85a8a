"""The service model's constraints on a value: type, required members, length, range, count, enum, and pattern.

It is deliberately independent of the provider's own validation, so that each finds the faults of the other.
"""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from botocore.model import ListShape, MapShape, Shape, StructureShape

_JSON_TYPES: dict[str, type] = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "structure": dict,
    "map": dict,
    "list": list,
}
_INT32 = range(-(2**31), 2**31)


class Violation(NamedTuple):
    """One violated constraint: the model's `keyword` ("min"), or "required" or "type", and its `limit`."""

    path: str
    value: Any
    keyword: str
    limit: Any
    requirement: str

    @property
    def malformed(self) -> bool:
        """Whether the member is missing or has the wrong type."""
        return self.keyword in ("required", "type")


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[Violation]:
    """Each constraint of `shape` that `value` violates, outermost first, with paths like `a[0].b`."""
    expected = _JSON_TYPES[shape.type_name]
    if type(value) is not expected or (expected is int and value not in _INT32):
        yield Violation(path, value, "type", shape.type_name, f"must be of type {shape.type_name}")
        return
    for keyword, limit in shape.metadata.items():
        if keyword in _CONSTRAINTS and (requirement := _CONSTRAINTS[keyword](limit, value)):
            yield Violation(path, value, keyword, limit, requirement)
    yield from _inner_violations(shape, value, path)


def _inner_violations(shape: Shape, value: Any, path: str) -> Iterator[Violation]:
    if isinstance(shape, StructureShape):
        yield from _member_violations(shape, value, f"{path}." if path else "")
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value):
            yield from violations(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from violations(shape.key, key, f"{path}.{key}")
            yield from violations(shape.value, item, f"{path}.{key}")


def _member_violations(shape: StructureShape, value: Any, prefix: str) -> Iterator[Violation]:
    for name in shape.required_members:
        if name not in value:
            yield Violation(f"{prefix}{name}", None, "required", True, "must not be null")
    for name, member in shape.members.items():
        if name in value:
            yield from violations(member, value[name], f"{prefix}{name}")


def _size(value: Any) -> int:
    return value if isinstance(value, int) else len(value)


def _measure(value: Any) -> str:
    return {str: "have a length of", int: "be"}.get(type(value), "have a number of members of")


def _matches(pattern: str, value: str) -> bool:
    if r"\p{" in pattern:
        return True  # Python has no Unicode categories. Only the tags of sessions have such patterns.
    compiled = _compiled(pattern)
    # Image Builder's patterns have anchors. STS's have none, and match the whole value.
    return bool(compiled.search(value) if pattern.startswith("^") else compiled.fullmatch(value))


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # The service uses Java's regular expressions: \s and \d are ASCII, and $ does not match before a final newline.
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern, re.ASCII)


_CONSTRAINTS: dict[str, Callable[[Any, Any], str | None]] = {
    "min": lambda limit, value: f"must {_measure(value)} at least {limit}" if _size(value) < limit else None,
    "max": lambda limit, value: f"must {_measure(value)} at most {limit}" if _size(value) > limit else None,
    "enum": lambda allowed, value: None if value in allowed else f"must be one of {', '.join(allowed)}",
    "pattern": lambda pattern, value: None if _matches(pattern, value) else f"must match pattern {pattern}",
}
