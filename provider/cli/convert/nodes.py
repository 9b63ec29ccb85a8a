"""Reads PyYAML's nodes of a template: the entries of mappings, and calls of intrinsic functions."""

from collections import Counter
from collections.abc import Iterator
from typing import TypeAlias

import yaml

from ...schema.model import Schema
from ...template.function_calls import LOOP
from ...template.reader import function_of

Pair: TypeAlias = tuple[yaml.ScalarNode, yaml.Node]
"""A mapping's key and value."""


def entries(node: yaml.Node | None) -> Iterator[Pair]:
    """The entries of a mapping. A function call, or any other node, has none."""
    if isinstance(node, yaml.MappingNode) and call(node) is None:
        yield from node.value


def entry(node: yaml.Node | None, name: str) -> Pair | None:
    """The entry of a mapping with this key."""
    return next((pair for pair in entries(node) if pair[0].value == name), None)


def duplicate_names(node: yaml.Node, schema: Schema) -> set[str]:
    """The names in a structure that are spellings of the same member. With the same name, one would hide the other."""
    names = [key.value for key, _ in entries(node)]
    counts = Counter(schema.spellings.get(name) for name in names)
    return {name for name in names if name in schema.spellings and counts[schema.spellings[name]] > 1}


def call(node: yaml.Node) -> tuple[str, yaml.Node] | None:
    """The long name and the argument of the intrinsic function that a node calls, in short or long form."""
    if function := function_of(node):
        return function, node
    if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
        key, value = node.value[0]
        if key.value == "Ref" or (key.value.startswith("Fn::") and not key.value.startswith(LOOP)):
            return key.value, value
    return None


def possible_values(node: yaml.Node) -> Iterator[yaml.Node]:
    """The values that the text shows: the node itself, or the branches of an Fn::If. Other calls have none."""
    found = call(node)
    if found is None:
        yield node
    elif found[0] == "Fn::If" and isinstance(found[1], yaml.SequenceNode):
        for branch in found[1].value[1:]:
            yield from possible_values(branch)


def descendants(node: yaml.Node) -> Iterator[yaml.Node]:
    """A node and all nodes below it, without keys."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, yaml.MappingNode):
            pending += (value for _, value in reversed(node.value))
        elif isinstance(node, yaml.SequenceNode):
            pending += reversed(node.value)
