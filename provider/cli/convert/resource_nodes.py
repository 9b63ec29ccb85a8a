"""Finds the resources in a document: a whole template, its resources alone, or a single resource."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

from ...lint.resource_matching import is_provider_resource
from ...resources import CUSTOM_RESOURCE, DISTRIBUTION_CONFIGURATION
from ...schema.finding import Path
from ...template.function_calls import LOOP
from ...template.reader import function_of
from .document import Document
from .nodes import descendants, entries, entry

TRANSFORM: Final = "Fn::Transform"


@dataclass(frozen=True)
class ResourceNode:
    """A resource, its path from the root, and its nodes.

    `key` is its logical ID; None if the document is a single resource, or in an Fn::ForEach, whose resources share one.
    `properties` is None if there are none, or if they are not a mapping.
    """

    logical_id: str
    path: Path
    key: yaml.ScalarNode | None
    node: yaml.MappingNode
    type: yaml.ScalarNode
    properties: tuple[yaml.ScalarNode, yaml.MappingNode] | None

    def __str__(self) -> str:
        """The resource's name in messages."""
        return self.logical_id or "the resource"


def resources(document: Document, *types: str) -> list[ResourceNode]:
    """The resources of these types, including those in an Fn::ForEach."""
    return [one for one in all_resources(document) if one.type.value in types]


def all_resources(document: Document) -> list[ResourceNode]:
    """The resources of all types, including those in an Fn::ForEach."""
    section = entry(document.root, "Resources")
    if section is None and entry(document.root, "Type"):
        found = [_resource("", (), None, document.root)]
    elif section is None:
        found = list(_in_section((), document.root))
    else:
        found = list(_in_section(("Resources",), section[1]))
    return [one for one in found if one]


def provider_resources(document: Document) -> list[ResourceNode]:
    """The distribution configurations: those of the provider's own type, and custom resources with its properties."""
    found = resources(document, DISTRIBUTION_CONFIGURATION, CUSTOM_RESOURCE)
    return [one for one in found if is_provider_resource(value_at(document, one.path))]


def value_at(document: Document, path: Path) -> Any:
    """The value at a path in the document."""
    value = document.source.tree
    for element in path:
        value = value[element]
    return value


def note_missing_properties(document: Document, resource: ResourceNode) -> None:
    """Report that a resource without properties is not converted."""
    found = entry(resource.node, "Properties")
    reason = "its Properties are not a mapping" if found else "it has no Properties"
    document.note(found[0] if found else resource.type, f"{resource} is unchanged: {reason}", is_loss=True)


def note_transforms(document: Document, properties: yaml.Node) -> None:
    """Note the transforms and loops in a resource's properties, which only CloudFormation can expand."""
    for node in descendants(properties):
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value == TRANSFORM:
                document.note(key, f"the properties that {TRANSFORM} adds are neither converted nor checked")
            elif key.value.startswith(LOOP):
                document.note(key, f"the properties that {key.value} makes are neither converted nor checked")
        if function_of(node) == TRANSFORM:
            document.note(node, f"the properties that {TRANSFORM} adds are neither converted nor checked")


def is_transform(key: str) -> bool:
    """Whether a key of a mapping is a transform or a loop."""
    return key == TRANSFORM or key.startswith(LOOP)


def _in_section(path: Path, section: yaml.Node) -> Iterator[ResourceNode | None]:
    for key, value in entries(section):
        if key.value.startswith(LOOP) and isinstance(value, yaml.SequenceNode) and len(value.value) == 3:
            for name, node in entries(value.value[2]):
                yield _resource(name.value, (*path, key.value, 2, name.value), None, node)
        else:
            yield _resource(key.value, (*path, key.value), key, value)


def _resource(logical_id: str, path: Path, key: yaml.ScalarNode | None, node: yaml.Node) -> ResourceNode | None:
    type_, properties = entry(node, "Type"), entry(node, "Properties")
    if not isinstance(node, yaml.MappingNode) or not type_ or not isinstance(type_[1], yaml.ScalarNode):
        return None
    body = (properties[0], properties[1]) if properties and isinstance(properties[1], yaml.MappingNode) else None
    return ResourceNode(logical_id, path, key, node, type_[1], body)
