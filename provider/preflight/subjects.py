"""Finds the values to check in a resource's parameters, by the API's names, with a walk over the schema."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ..schema.finding import Path
from ..schema.model import REGION, Schema


class _Unknown:
    """A value that is known only at deployment."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = _Unknown()


class UnknownValueError(Exception):
    """A check needs a value that is known only at deployment."""


class Subject(NamedTuple):
    """A value to check, with the structures that contain it, the innermost first.

    For an entry of a list, `member` is the list's member.
    """

    path: Path
    value: Any
    member: str
    shape: str
    enclosing: tuple[Mapping[str, Any], ...]

    def nearest(self, member: str) -> Any:
        """The value of `member` in the innermost structure that has it, else None. Raises UnknownValueError."""
        found = next((one[member] for one in self.enclosing if member in one), None)
        if is_unknown(found):
            raise UnknownValueError(member)
        return found

    def entries(self, member: str) -> list[Any]:
        """The entries of the nearest list `member`; empty if there is none. Raises UnknownValueError."""
        return list(self.nearest(member) or ())

    @property
    def region(self) -> str:
        """The Region of the distribution. Raises UnknownValueError."""
        return str(self.nearest(REGION))


def subjects(value: Any, schema: Schema) -> Iterator[Subject]:
    """Every structure, scalar, and list entry in `value`, from top to bottom."""
    yield from _walk(Subject((), value, "", schema.shape, ()), schema)


def _walk(subject: Subject, schema: Schema) -> Iterator[Subject]:
    value = subject.value
    if schema.type_name == "list" and schema.item is not None:
        entries = [value] if value is UNKNOWN else value
        for index, entry in enumerate(entries):
            path = subject.path if entry is value else (*subject.path, index)
            yield from _walk(subject._replace(path=path, value=entry, shape=schema.item.shape), schema.item)
        return
    yield subject
    if schema.type_name == "structure" and isinstance(value, Mapping):
        enclosing = (value, *subject.enclosing)
        for member, below in value.items():
            if member in schema.members:
                inner = Subject((*subject.path, member), below, member, schema.members[member].shape, enclosing)
                yield from _walk(inner, schema.members[member])


def mask(one: Any, other: Any) -> Any:
    """`one`, with UNKNOWN in place of each value that differs from `other`: it depends on a placeholder."""
    if isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys():
        return {name: mask(value, other[name]) for name, value in one.items()}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [mask(*pair) for pair in zip(one, other, strict=True)]
    return one if one == other else UNKNOWN


def is_unknown(value: Any, path: Path = ()) -> bool:
    """Whether the value at a path is UNKNOWN, or contains it, or is within it."""
    for element in path:
        if isinstance(value, Mapping):
            value = value.get(str(element))
        elif isinstance(value, list):
            value = value[int(element)] if int(element) < len(value) else None
    nested = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return value is UNKNOWN or any(map(is_unknown, nested))
