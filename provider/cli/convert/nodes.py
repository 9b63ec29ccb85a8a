"""PyYAML's nodes of a template: mappings' entries, and the functions that stand for values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import yaml

from ...template.function_calls import LOOP
from ...template.reader import function_of

Pair: TypeAlias = tuple[yaml.ScalarNode, yaml.Node]
"""A mapping's key and value."""


def entries(node: yaml.Node | None) -> Iterator[Pair]:
    """The entries of a mapping; none of anything else, and none of a function."""
    if isinstance(node, yaml.MappingNode) and call(node) is None:
        yield from node.value


def entry(node: yaml.Node | None, name: str) -> Pair | None:
    """The entry that a mapping has under a name."""
    return next((pair for pair in entries(node) if pair[0].value == name), None)


def call(node: yaml.Node) -> tuple[str, yaml.Node] | None:
    """The intrinsic function that a node calls, in short or long form: its long name, and the argument."""
    if function := function_of(node):
        return function, node
    if isinstance(node, yaml.MappingNode) and len(node.value) == 1:
        key, value = node.value[0]
        if key.value == "Ref" or (key.value.startswith("Fn::") and not key.value.startswith(LOOP)):
            return key.value, value
    return None


def outcomes(node: yaml.Node) -> Iterator[yaml.Node]:
    """What a value can turn out to be as far as the text shows: itself, or the branches of an Fn::If."""
    found = call(node)
    if found is None:
        yield node
    elif found[0] == "Fn::If" and isinstance(found[1], yaml.SequenceNode):
        for branch in found[1].value[1:]:
            yield from outcomes(branch)


def within(node: yaml.Node) -> Iterator[yaml.Node]:
    """A node and all nodes below it, without keys."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, yaml.MappingNode):
            pending += (value for _, value in reversed(node.value))
        elif isinstance(node, yaml.SequenceNode):
            pending += reversed(node.value)
