"""What is wrong with a resource's properties, where, and how that place is written."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from provider.properties.model import Type, camel_case, pascal_case

Path = tuple[str | int, ...]
"""A place in the properties: member names, list indexes from 0, and map keys."""


class Severity(Enum):
    """Whether a finding stops the deployment (the service is known to refuse it) or is only worth saying."""

    ERROR = "error"
    WARNING = "warning"


class Finding(NamedTuple):
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
    text = ""
    current: Type | None = type_
    for element, name in zip(path, written(path, properties, type_), strict=True):
        if isinstance(name, int):
            text += f"[{name}]"
        elif current is not None and current.kind == "map":
            text += f"[{json.dumps(name, ensure_ascii=False)}]"
        else:
            text += f".{name}" if text else name
        current = _below(current, element)
    return text or "Properties"


def written(path: Path, properties: object, type_: Type) -> Path:
    """A path by the API's names as the keys and indexes that lead there in `properties`, spelled as by `spell`."""
    found: list[str | int] = []
    value: object = properties
    current: Type | None = type_
    for element in path:
        is_member = isinstance(element, str) and (current is None or current.kind != "map")
        name = _as_written(str(element), value, current) if is_member else element
        if isinstance(name, int):
            value = value[name] if isinstance(value, list) and name < len(value) else None
        else:
            value = value.get(name) if isinstance(value, Mapping) else None
        found.append(name)
        current = _below(current, element)
    return tuple(found)


def _below(type_: Type | None, element: str | int) -> Type | None:
    if type_ is None or type_.kind != "structure":
        return type_.item if type_ else None
    return type_.members.get(type_.spellings.get(str(element), str(element)))


def _as_written(member: str, structure: object, type_: Type | None) -> str:
    if not isinstance(structure, Mapping) or type_ is None:
        return pascal_case(member)
    for key in structure:
        if type_.spellings.get(key, key) == member:
            return str(key)
    neighbours = [key for key in structure if isinstance(key, str) and key in type_.spellings]
    lower = bool(neighbours) and all(key[0].islower() for key in neighbours)
    return camel_case(member) if lower else pascal_case(member)
