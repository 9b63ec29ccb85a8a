"""CloudFormation's intrinsic functions, found: one walk over a template's tree."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .sections import TreePath

VARIABLE = re.compile(r"\$\{([^}]*)\}")
"""A variable in the text of `Fn::Sub`."""


class Call(NamedTuple):
    """An intrinsic function as a template has it."""

    path: TreePath
    function: str
    argument: Any


def call_in(node: object) -> tuple[str, Any] | None:
    """The function and its argument, where `node` is a call of one."""
    if isinstance(node, dict) and len(node) == 1:
        ((name, argument),) = node.items()
        if name == "Ref" or name.startswith("Fn::"):
            return name, argument
    return None


def calls(node: object, path: TreePath, holds: Callable[[Any, TreePath], bool] | None = None) -> Iterator[Call]:
    """Every call within `node`. With `holds`, only the branches of `Fn::If` that it chooses."""
    call = call_in(node)
    if call:
        function, argument = call
        path = (*path, function)
        yield Call(path, function, argument)
        if function == "Fn::If" and holds and isinstance(argument, list) and len(argument) == 3:
            branch = 1 if holds(argument[0], path) else 2
            yield from calls(argument[branch], (*path, branch), holds)
            return
        node = argument
    if isinstance(node, dict):
        for key, value in node.items():
            yield from calls(value, (*path, key), holds)
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from calls(value, (*path, index), holds)


def names_in(call: Call) -> Iterator[str]:
    """The names of parameters, pseudo parameters and resources that a call speaks of."""
    argument = call.argument
    if call.function == "Ref" and isinstance(argument, str):
        yield argument
    elif call.function == "Fn::GetAtt":
        target = argument[0] if isinstance(argument, list) and argument else argument
        if isinstance(target, str):
            yield target.split(".", 1)[0]
    elif call.function == "Fn::Sub":
        text = argument[0] if isinstance(argument, list) and argument else argument
        own = argument[1] if isinstance(argument, list) and len(argument) == 2 else {}
        for name in VARIABLE.findall(text) if isinstance(text, str) else ():
            if not name.startswith("!") and name not in own:
                yield name.split(".", 1)[0]
