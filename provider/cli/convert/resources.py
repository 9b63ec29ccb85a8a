"""The resources in a document: of a whole template, of a part of one, or one resource's block alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from ...lint.resource_matching import is_provider_resource
from ...resources import RESOURCE_TYPES
from ...schema.finding import Path
from ...template.function_calls import LOOP
from .document import Document
from .nodes import entries, entry


@dataclass(frozen=True)
class Resource:
    """A resource and its nodes. `path` leads there from the root.

    `key` is that of its logical ID, None where it has none of its own: alone in a file, or in an Fn::ForEach.
    `properties` are None where there are none, or something else than a mapping.
    """

    name: str
    path: Path
    key: yaml.ScalarNode | None
    node: yaml.MappingNode
    type: yaml.ScalarNode
    properties: tuple[yaml.ScalarNode, yaml.MappingNode] | None


def resources(document: Document, *types: str) -> list[Resource]:
    """The resources of these types, those within an Fn::ForEach included."""
    section = entry(document.root, "Resources")
    if section is None and entry(document.root, "Type"):
        found = [_resource("", (), None, document.root)]
    elif section is None:
        found = list(_in_section((), document.root))
    else:
        found = list(_in_section(("Resources",), section[1]))
    return [one for one in found if one and one.type.value in types]


def own_resources(document: Document) -> list[Resource]:
    """The provider's resources: of its own type, or of the one that any function may have, with its properties."""
    return [one for one in resources(document, *RESOURCE_TYPES) if is_provider_resource(_value(document, one.path))]


def _value(document: Document, path: Path) -> Any:
    value = document.source.tree
    for element in path:
        value = value[element]
    return value


def tell_bare(document: Document, resource: Resource) -> None:
    """Tell of a resource without properties that it cannot be converted."""
    found = entry(resource.node, "Properties")
    why = "its Properties are no mapping" if found else "it has no Properties"
    place = found[0] if found else resource.type
    document.tell(place, f"{resource.name or 'the resource'} stays as it is: {why}", lost=True)


def _in_section(path: Path, section: yaml.Node) -> Iterator[Resource | None]:
    for key, value in entries(section):
        if key.value.startswith(LOOP) and isinstance(value, yaml.SequenceNode) and len(value.value) == 3:
            for name, node in entries(value.value[2]):
                yield _resource(name.value, (*path, key.value, 2, name.value), None, node)
        else:
            yield _resource(key.value, (*path, key.value), key, value)


def _resource(name: str, path: Path, key: yaml.ScalarNode | None, node: yaml.Node) -> Resource | None:
    type_, properties = entry(node, "Type"), entry(node, "Properties")
    if not isinstance(node, yaml.MappingNode) or not type_ or not isinstance(type_[1], yaml.ScalarNode):
        return None
    body = (properties[0], properties[1]) if properties and isinstance(properties[1], yaml.MappingNode) else None
    return Resource(name, path, key, node, type_[1], body)
