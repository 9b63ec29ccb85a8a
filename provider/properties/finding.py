"""What is wrong with a resource's properties, where, and how that place is written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from provider.properties.model import Type, camel_case, pascal_case

Path = tuple[str | int, ...]
"""A place in the properties: member names, list indexes from 0, and map keys."""


class Severity(Enum):
    """Whether a finding stops the deployment (the service is known to refuse it) or is only worth saying."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """One thing wrong at one place. `rule` names the check that found it.

    `mentions` are other places that the message names: its `{0}`, `{1}`, ... where there are any.
    """

    path: Path
    message: str
    rule: str
    severity: Severity = Severity.ERROR
    mentions: tuple[Path, ...] = ()

    def render(self, properties: object, type_: Type) -> str:
        """The finding as one line, its path in the spelling that `properties` has."""
        named = [spell(place, properties, type_) for place in self.mentions]
        message = self.message.format(*named) if named else self.message
        return f"{spell(self.path, properties, type_)}: {message}"


def spell(path: Path, properties: object, type_: Type) -> str:
    """Write a path as the user wrote the names in `properties`; what is missing there, as its neighbours are.

    `Distributions[1].AmiDistributionConfiguration.AmiTags["key"]`; the root itself is `Properties`.
    """
    written = ""
    value: object = properties
    current: Type | None = type_
    for element in path:
        if isinstance(element, int):
            written += f"[{element}]"
            value = value[element] if isinstance(value, list) and element < len(value) else None
            current = current.item if current else None
        elif current is not None and current.kind == "map":
            written += f"[{json.dumps(element, ensure_ascii=False)}]"
            value = value.get(element) if isinstance(value, Mapping) else None
            current = current.item
        else:
            name = _as_written(element, value, current)
            written += f".{name}" if written else name
            value = value.get(name) if isinstance(value, Mapping) else None
            current = current.members.get(current.spellings.get(element, element)) if current else None
    return written or "Properties"


def _as_written(member: str, structure: object, type_: Type | None) -> str:
    if not isinstance(structure, Mapping) or type_ is None:
        return pascal_case(member)
    for key in structure:
        if type_.spellings.get(key, key) == member:
            return str(key)
    neighbours = [key for key in structure if isinstance(key, str) and key in type_.spellings]
    lower = bool(neighbours) and all(key[0].islower() for key in neighbours)
    return camel_case(member) if lower else pascal_case(member)
