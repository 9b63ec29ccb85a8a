"""Findings about a resource's properties, and paths in the user's spelling."""

import json
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cached_property
from typing import Any, Final, NamedTuple

from .checkpoint import Checkpoint, paced, proceed
from .model import Schema, camel_case, pascal_case

Path = tuple[str | int, ...]
"""The path to a value in the properties: member names, list indexes from 0, and map keys."""

REPORTED: Final = 200
"""How many findings are rendered. No response has room for more."""
_MAX_NAME = 256
"""Characters that are shown of a name or key."""


class Severity(Enum):
    """An error stops the deployment, because the service is known to reject it. A warning is only logged."""

    ERROR = "error"
    WARNING = "warning"


class Finding(NamedTuple):
    """One problem at one path. `rule` is the ID of the rule that it violates.

    `mentions` are the paths that replace `{0}`, `{1}`, ... in the message.
    """

    path: Path
    message: str
    rule: str
    severity: Severity = Severity.ERROR
    mentions: tuple[Path, ...] = ()


class Tally:
    """The number of findings, and the first `REPORTED` of them."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Finding] = []

    def add(self, finding: Finding) -> None:
        """Count a finding."""
        self.count += 1
        if len(self.first) < REPORTED:
            self.first.append(finding)

    @property
    def omitted(self) -> int:
        """The number of findings that are only counted."""
        return self.count - len(self.first)


class Spelling:
    """Spells paths as the user spelled the names in `properties`, and missing names in the case of their neighbors.

    A path is `Distributions[1].AmiDistributionConfiguration.AmiTags["key"]`; the root is `Properties`.
    The names of each structure are read once, however many paths contain it.
    """

    def __init__(self, properties: object, schema: Schema, checkpoint: Checkpoint = proceed) -> None:
        self._properties, self._schema, self._checkpoint = properties, schema, checkpoint
        self._names: dict[tuple[int, int], _Names] = {}

    def render(self, finding: Finding) -> str:
        """Return a finding as one line."""
        mentions = [self.text(path) for path in finding.mentions]
        message = finding.message.format(*mentions) if mentions else finding.message
        return f"{self.text(finding.path)}: {message}"

    def text(self, path: Path) -> str:
        """Return a path by the API's names as text. Long names are cut."""
        text = ""
        current: Schema | None = self._schema
        for element, name in zip(path, self.keys(path), strict=True):
            if isinstance(name, int):
                text += f"[{name}]"
            elif current is not None and current.type_name == "map":
                text += f"[{json.dumps(_cut(name), ensure_ascii=False)}]"
            else:
                text += f".{_cut(name)}" if text else _cut(name)
            current = below(current, element)
        return text or "Properties"

    def keys(self, path: Path) -> Path:
        """Return a path by the API's names as the keys and indexes of the properties."""
        found: list[str | int] = []
        value: object = self._properties
        current: Schema | None = self._schema
        for element in path:
            is_member = isinstance(element, str) and (current is None or current.type_name != "map")
            name = self._as_written((*path[: len(found)], element), value, current) if is_member else element
            if isinstance(name, int):
                value = value[name] if isinstance(value, list) and name < len(value) else None
            else:
                value = value.get(name) if isinstance(value, Mapping) else None
            found.append(name)
            current = below(current, element)
        return tuple(found)

    def _as_written(self, path: Path, structure: object, schema: Schema | None) -> str:
        member = str(path[-1])
        schema = schema.of(structure) if schema else None
        if not isinstance(structure, Mapping) or schema is None:
            return pascal_case(member)
        place = id(structure), id(schema)
        if place not in self._names:
            self._names[place] = _names_in(structure, schema, self._checkpoint)
        names = self._names[place]
        return names.written.get(member) or self._misspelled.get(path) or names.style(member)

    @cached_property
    def _misspelled(self) -> Mapping[Path, str]:
        from .expand import expand  # it needs this module's findings

        properties = self._properties if isinstance(self._properties, Mapping) else {}
        return expand(properties, self._schema, self._checkpoint).misspelled


class _Names(NamedTuple):
    """The names in one structure as the user wrote them, by the API's names, and how to spell a missing one."""

    structure: Mapping[Any, object]
    """Referenced here, so that no other object gets its `id()`."""
    written: Mapping[str, str]
    style: Callable[[str], str]


def _names_in(structure: Mapping[Any, object], schema: Schema, checkpoint: Checkpoint) -> _Names:
    written: dict[str, str] = {}
    is_lower: list[bool] = []
    for key in paced(structure, checkpoint):
        written.setdefault(schema.spellings.get(key, key), str(key))
        if key in schema.spellings:
            is_lower.append(key[0].islower())
    return _Names(structure, written, camel_case if is_lower and all(is_lower) else pascal_case)


def _cut(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}..."


def below(schema: Schema | None, element: str | int) -> Schema | None:
    """Return the schema of an element of a value; None if it is unknown."""
    if schema is not None and isinstance(element, str):
        schema = schema.source or schema
    if schema is None or schema.type_name != "structure":
        return schema.item if schema else None
    return schema.members.get(schema.spellings.get(str(element), str(element)))
