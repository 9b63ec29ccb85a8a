"""Finds the calls of CloudFormation's intrinsic functions in a template."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .reader import children
from .template_error import TreePath

SUB_VARIABLE = re.compile(r"\$\{([^}]*)\}")
"""A variable in the text of `Fn::Sub`, or an escaped one (`${!Name}`)."""
LOOP = "Fn::ForEach::"
"""The start of a key that a transform replaces with several keys."""


class Call(NamedTuple):
    """A call of an intrinsic function in a template."""

    path: TreePath
    function: str
    argument: Any


def call_in(node: object) -> tuple[str, Any] | None:
    """The function that `node` calls and its argument, or None if it calls none."""
    if isinstance(node, dict) and len(node) == 1:
        ((name, argument),) = node.items()
        if name == "Ref" or str(name).startswith("Fn::"):
            return name, argument
    return None


def calls(node: object, path: TreePath, holds: Callable[[Any, TreePath], bool] | None = None) -> Iterator[Call]:
    """Every call within `node`. If `holds` is given, only the branches of `Fn::If` that it chooses."""
    call = call_in(node)
    if call is None:
        for key, value in children(node):
            yield from calls(value, (*path, key), holds)
        return
    function, argument = call
    path = (*path, function)
    yield Call(path, function, argument)
    if function == "Fn::If" and holds and isinstance(argument, list) and len(argument) == 3:
        branch = 1 if holds(argument[0], path) else 2
        argument, path = argument[branch], (*path, branch)
    yield from calls(argument, path, holds)


def references(call: Call) -> Iterator[tuple[str, str]]:
    """What a call refers to: a parameter, pseudo parameter, or resource, and the attribute (empty for `Ref`)."""
    argument = call.argument
    first, *others = argument if isinstance(argument, list) and argument else [argument]
    if not isinstance(first, str):
        return
    if call.function == "Ref" and first is argument:
        yield first, ""
    elif call.function == "Fn::GetAtt":
        parts = first.split(".", 1) if first is argument else [first, *(one for one in others if isinstance(one, str))]
        yield parts[0], parts[1] if len(parts) == 2 else ""
    elif call.function == "Fn::Sub":
        variables = others[0] if len(others) == 1 and isinstance(others[0], dict) else {}
        for name in SUB_VARIABLE.findall(first):
            if not name.startswith("!") and name not in variables:
                name, _, attribute = name.partition(".")
                yield name, attribute


def names_in(node: object, path: TreePath = ()) -> set[str]:
    """The names of all parameters, pseudo parameters, and resources that a value refers to."""
    return {name for call in calls(node, path) for name, _ in references(call)}
