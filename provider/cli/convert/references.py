"""References from a template to its resources: Ref, Fn::GetAtt, Fn::Sub, and DependsOn."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from .document import Document
from .nodes import call, descendants, entry
from .resource_nodes import all_resources

_VARIABLE = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.([A-Za-z0-9.]+))?\}")


@dataclass(frozen=True)
class Reference:
    """A reference to a resource, or to its `attribute` if that is not empty. `scalar` contains the logical ID.

    `pattern` matches the logical ID there. `attribute_at` is the scalar with the attribute, and the pattern for it.
    """

    scalar: yaml.ScalarNode
    attribute: str
    pattern: str
    attribute_at: tuple[yaml.ScalarNode, str] | None = None


def references(document: Document) -> Mapping[str, list[Reference]]:
    """All references in a template, by the logical ID of their resource."""
    found: dict[str, list[Reference]] = defaultdict(list)
    for node in descendants(document.root):
        for logical_id, reference in _in_node(node):
            found[logical_id].append(reference)
    for resource in all_resources(document):
        for logical_id, reference in _in_depends_on(resource.node):
            found[logical_id].append(reference)
    return found


def _in_node(node: yaml.Node) -> Iterator[tuple[str, Reference]]:
    if found := call(node):
        function, argument = found
        if function == "Ref" and isinstance(argument, yaml.ScalarNode):
            yield argument.value, Reference(argument, "", re.escape(argument.value))
        elif function == "Fn::GetAtt":
            yield from _in_get_att(argument)
        elif function == "Fn::Sub":
            yield from _in_sub(argument)


def _in_depends_on(resource: yaml.Node) -> Iterator[tuple[str, Reference]]:
    """The references in the DependsOn of a resource. Elsewhere, such as in a container, that key is something else."""
    if depends_on := entry(resource, "DependsOn"):
        for name in descendants(depends_on[1]):
            if isinstance(name, yaml.ScalarNode):
                yield name.value, Reference(name, "", re.escape(name.value))


def _in_get_att(argument: yaml.Node) -> Iterator[tuple[str, Reference]]:
    if isinstance(argument, yaml.ScalarNode):
        name, _, attribute = argument.value.partition(".")
        escaped = re.escape(name)
        attribute_at = (argument, rf"(?<={escaped}\.)[A-Za-z0-9.]+")
        yield name, Reference(argument, attribute, rf"{escaped}(?=\.)", attribute_at)
    elif isinstance(argument, yaml.SequenceNode) and len(argument.value) == 2:
        first, second = argument.value
        if isinstance(first, yaml.ScalarNode) and isinstance(second, yaml.ScalarNode):
            attribute_at = (second, re.escape(second.value))
            yield first.value, Reference(first, second.value, re.escape(first.value), attribute_at)


def _in_sub(argument: yaml.Node) -> Iterator[tuple[str, Reference]]:
    text, variables = argument, set()
    if isinstance(argument, yaml.SequenceNode) and len(argument.value) == 2:
        text = argument.value[0]
        variables = {key.value for key, _ in argument.value[1].value} if argument.value[1].value else set()
    if not isinstance(text, yaml.ScalarNode):
        return
    for name, attribute in dict.fromkeys(_VARIABLE.findall(text.value)):
        if name not in variables:
            escaped = re.escape(attribute)
            ending = rf"\.{escaped}" if attribute else ""
            attribute_at = (text, rf"(?<=\$\{{{name}\.){escaped}(?=\}})") if attribute else None
            yield name, Reference(text, attribute, rf"(?<=\$\{{){name}(?={ending}\}})", attribute_at)
