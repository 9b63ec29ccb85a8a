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
    """The target of a call: a parameter, pseudo parameter, or resource, and the attribute (empty for `Ref`)."""
    if call.function == "Ref" and isinstance(call.argument, str):
        yield call.argument, ""
    elif call.function == "Fn::GetAtt":
        yield from _get_att_reference(call.argument)
    elif call.function == "Fn::Sub":
        yield from _sub_references(call.argument)


def _get_att_reference(argument: Any) -> Iterator[tuple[str, str]]:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if isinstance(parts, list) and parts and isinstance(parts[0], str):
        yield parts[0], parts[1] if len(parts) == 2 and isinstance(parts[1], str) else ""


def _sub_references(argument: Any) -> Iterator[tuple[str, str]]:
    pattern, variables = argument if isinstance(argument, list) and len(argument) == 2 else (argument, {})
    # The evaluator reports the other forms; their names mean nothing.
    for name in SUB_VARIABLE.findall(pattern) if isinstance(pattern, str) and isinstance(variables, dict) else ():
        if not name.startswith("!") and name not in variables:
            logical_id, _, attribute = name.partition(".")
            yield logical_id, attribute


def names_in(node: object, path: TreePath = ()) -> set[str]:
    """The names of all parameters, pseudo parameters, and resources that a value refers to."""
    return {name for call in calls(node, path) for name, _ in references(call)}
