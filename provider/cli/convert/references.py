"""Where a template speaks of one of its resources: Ref, Fn::GetAtt, Fn::Sub and DependsOn."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from .document import Document
from .nodes import call, entry, within


@dataclass(frozen=True)
class Reference:
    """One mention. `attribute` is empty where the resource itself is meant; `scalar` is where its name is written.

    `pattern` finds the name there, `attribute_at` the attribute.
    """

    scalar: yaml.ScalarNode
    attribute: str
    pattern: str
    attribute_at: tuple[yaml.ScalarNode, str] | None = None


def references(document: Document, logical_id: str) -> Iterator[Reference]:
    """All mentions of a resource in a template."""
    for node in within(document.root):
        found = call(node)
        if found:
            yield from _in_call(*found, logical_id)
        if depends := entry(node, "DependsOn"):
            for name in within(depends[1]):
                if isinstance(name, yaml.ScalarNode) and name.value == logical_id:
                    yield Reference(name, "", re.escape(logical_id))


def _in_call(function: str, argument: yaml.Node, logical_id: str) -> Iterator[Reference]:
    own = re.escape(logical_id)
    if function == "Ref" and isinstance(argument, yaml.ScalarNode) and argument.value == logical_id:
        yield Reference(argument, "", own)
    elif function == "Fn::GetAtt" and isinstance(argument, yaml.ScalarNode):
        name, _, attribute = argument.value.partition(".")
        if name == logical_id:
            yield Reference(argument, attribute, rf"{own}(?=\.)", (argument, rf"(?<={own}\.)[A-Za-z0-9.]+"))
    elif function == "Fn::GetAtt" and isinstance(argument, yaml.SequenceNode) and len(argument.value) == 2:
        first, second = argument.value
        if first.value == logical_id and isinstance(first, yaml.ScalarNode) and isinstance(second, yaml.ScalarNode):
            yield Reference(first, second.value, own, (second, re.escape(second.value)))
    elif function == "Fn::Sub":
        yield from _in_sub(argument, logical_id)


def _in_sub(argument: yaml.Node, logical_id: str) -> Iterator[Reference]:
    text, variables = argument, set()
    if isinstance(argument, yaml.SequenceNode) and len(argument.value) == 2:
        text = argument.value[0]
        variables = {key.value for key, _ in argument.value[1].value} if argument.value[1].value else set()
    if not isinstance(text, yaml.ScalarNode) or logical_id in variables:
        return
    own = re.escape(logical_id)
    for attribute in sorted(set(re.findall(rf"\$\{{{own}(?:\.([A-Za-z0-9.]+))?\}}", text.value))):
        ending = rf"\.{re.escape(attribute)}" if attribute else ""
        at = (text, rf"(?<=\$\{{{own}\.){re.escape(attribute)}(?=\}})") if attribute else None
        yield Reference(text, attribute, rf"(?<=\$\{{){own}(?={ending}\}})", at)
