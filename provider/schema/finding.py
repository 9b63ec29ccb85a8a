"""What is wrong with a resource's properties, where, and how that place is written."""

import json
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from .checkpoint import Checkpoint, paced, proceed
from .model import Schema, camel_case, pascal_case

Path = tuple[str | int, ...]
"""A place in the properties: member names, list indexes from 0, and map keys."""

REPORTED: Final = 200
"""How many findings are worth rendering: no response holds more of them."""
_LONGEST_NAME = 256
"""Characters that are shown of a name or key."""


class Severity(Enum):
    """Whether a finding stops the deployment (the service is known to refuse it) or is only worth saying."""

    ERROR = "error"
    WARNING = "warning"


class Finding(NamedTuple):
    """One thing wrong at one place. `rule` names the check that found it.

    `mentions` are other places that the message names: its `{0}`, `{1}`, ..., if any.
    """

    path: Path
    message: str
    rule: str
    severity: Severity = Severity.ERROR
    mentions: tuple[Path, ...] = ()

    def render(self, properties: object, schema: Schema) -> str:
        """The finding as one line, its path in the spelling that `properties` has. For many, see `Spelling`."""
        return Spelling(properties, schema).render(self)


class Tally:
    """How many findings there are, and the first `REPORTED` of them."""

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
        """How many are only counted."""
        return self.count - len(self.first)


class Spelling:
    """Writes paths as the user wrote the names in `properties`; what is missing there, as its neighbors are.

    `Distributions[1].AmiDistributionConfiguration.AmiTags["key"]`; the root itself is `Properties`.
    Each structure is read once, however many paths lead into it.
    """

    def __init__(self, properties: object, schema: Schema, checkpoint: Checkpoint = proceed) -> None:
        self._properties, self._schema, self._checkpoint = properties, schema, checkpoint
        self._names: dict[tuple[int, int], _Names] = {}

    def render(self, finding: Finding) -> str:
        """A finding as one line."""
        mentions = [self.text(path) for path in finding.mentions]
        message = finding.message.format(*mentions) if mentions else finding.message
        return f"{self.text(finding.path)}: {message}"

    def text(self, path: Path) -> str:
        """A path by the API's names as one text. Long names are cut."""
        text = ""
        current: Schema | None = self._schema
        for element, name in zip(path, self.keys(path), strict=True):
            if isinstance(name, int):
                text += f"[{name}]"
            elif current is not None and current.kind == "map":
                text += f"[{json.dumps(_cut(name), ensure_ascii=False)}]"
            else:
                text += f".{_cut(name)}" if text else _cut(name)
            current = _below(current, element)
        return text or "Properties"

    def keys(self, path: Path) -> Path:
        """A path by the API's names as the keys and indexes that lead there in the properties."""
        found: list[str | int] = []
        value: object = self._properties
        current: Schema | None = self._schema
        for element in path:
            is_member = isinstance(element, str) and (current is None or current.kind != "map")
            name = self._as_written(str(element), value, current) if is_member else element
            if isinstance(name, int):
                value = value[name] if isinstance(value, list) and name < len(value) else None
            else:
                value = value.get(name) if isinstance(value, Mapping) else None
            found.append(name)
            current = _below(current, element)
        return tuple(found)

    def _as_written(self, member: str, structure: object, schema: Schema | None) -> str:
        if not isinstance(structure, Mapping) or schema is None:
            return pascal_case(member)
        place = id(structure), id(schema)
        if place not in self._names:
            self._names[place] = _names_in(structure, schema, self._checkpoint)
        names = self._names[place]
        return names.written.get(member) or names.style(member)


class _Names(NamedTuple):
    """The names in one structure: by the API's names, and how one that is missing would be written."""

    structure: Mapping[Any, object]
    """Kept, so that its identity stays its own."""
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
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}..."


def _below(schema: Schema | None, element: str | int) -> Schema | None:
    if schema is None or schema.kind != "structure":
        return schema.item if schema else None
    return schema.members.get(schema.spellings.get(str(element), str(element)))
