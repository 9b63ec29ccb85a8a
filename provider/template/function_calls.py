"""Finds the calls of CloudFormation's intrinsic functions in a template."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from .reader import children
from .sections import TreePath

VARIABLE = re.compile(r"\$\{([^}]*)\}")
"""A variable in the text of `Fn::Sub`."""


class Call(NamedTuple):
    """A call of an intrinsic function in a template."""

    path: TreePath
    function: str
    argument: Any


def call_in(node: object) -> tuple[str, Any] | None:
    """The function that `node` calls and its argument, or None if it calls none."""
    if isinstance(node, dict) and len(node) == 1:
        ((name, argument),) = node.items()
        if name == "Ref" or name.startswith("Fn::"):
            return name, argument
    return None


def calls(node: object, path: TreePath, holds: Callable[[Any, TreePath], bool] | None = None) -> Iterator[Call]:
    """Every call within `node`. If `holds` is given, only the branches of `Fn::If` that it chooses."""
    call = call_in(node)
    if call:
        function, node = call
        path = (*path, function)
        yield Call(path, function, node)
        if function == "Fn::If" and holds and isinstance(node, list) and len(node) == 3:
            branch = 1 if holds(node[0], path) else 2
            yield from calls(node[branch], (*path, branch), holds)
            return
    for key, value in children(node):
        yield from calls(value, (*path, key), holds)


def names_in(call: Call) -> Iterator[str]:
    """The names of parameters, pseudo parameters, and resources in a call."""
    argument = call.argument
    first, *others = argument if isinstance(argument, list) and argument else [argument]
    if not isinstance(first, str):
        return
    if call.function == "Ref" and first is argument:
        yield first
    elif call.function == "Fn::GetAtt":
        yield first.split(".", 1)[0]
    elif call.function == "Fn::Sub":
        yield from _names_in_sub(first, others[0] if len(others) == 1 else {})


def _names_in_sub(pattern: str, own: Collection[str]) -> Iterator[str]:
    return (name.split(".", 1)[0] for name in variables(pattern) if name not in own)


def variables(pattern: str) -> list[str]:
    """The variables in the text of `Fn::Sub`, without escaped ones (`${!Name}`)."""
    return [name for name in VARIABLE.findall(pattern) if not name.startswith("!")]
