"""A resource's properties under one outcome of the template's conditions, as CloudFormation would send them.

Scalars are text. A value that is known only at deployment is `Unknown`.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

from ..schema.finding import Path
from ..template.function_calls import call_in, calls
from ..template.intrinsics import NO_VALUE, SCALARS, Evaluator, UnknownValueError, text
from ..template.reader import children
from ..template.template_error import TemplateError, TreePath
from .condition_outcomes import Outcome
from .function_check import TEXT, is_call, kind_of, spelled
from .shown_values import NOTHING_SHOWN, ShownValues

_EVALUATED: Final = frozenset({"Ref", "Fn::If", "Fn::Join", "Fn::Sub"})
"""The functions that are evaluated. Others could split a text with a pseudo parameter, which has no value yet."""
_LOOP_VARIABLE: Final = re.compile("[$&]{")


@dataclass(frozen=True)
class Unknown:
    """A value that is known only at deployment, as text for people. Equal to every other with the same text.

    `kind` is TEXT, LIST, or empty if that is unknown, too.
    """

    written: str
    kind: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.written


class _Evaluator(Evaluator):
    """Evaluates what a template shows, with scalars as text. Its `conditions` are the outcome."""

    values: ShownValues

    def holds(self, name: Any, path: TreePath) -> bool:
        is_known = isinstance(name, str) and name in self.conditions
        return bool(self.conditions[name]) if is_known else super().holds(name, path)

    def call(self, function: str, argument: Any, path: TreePath) -> Any:
        has_loop_variable = self.values.in_loop and function == "Fn::Sub" and "&{" in str(argument)
        if function in _EVALUATED and not has_loop_variable:
            with suppress(TemplateError):
                return super().call(function, argument, path)
        call = {function: argument}
        return Unknown(spelled(call), kind_of(call, self.values.kinds))

    def mapping(self, node: Mapping[Any, Any], path: TreePath) -> Any:
        return Unknown(spelled(node)) if is_call(node) else super().mapping(node, path)

    def scalar(self, node: Any, path: TreePath) -> Any:
        if isinstance(node, str) and self.values.in_loop and _LOOP_VARIABLE.search(node):
            return Unknown(str(node))
        try:
            value = super().scalar(node, path)
        except UnknownValueError:
            return Unknown(str(node), TEXT)
        return text(value) if isinstance(value, SCALARS) else value


@dataclass(frozen=True)
class Scenario:
    """A value as CloudFormation would send it under one outcome; `node` and `path` are its own in the template."""

    properties: Any
    outcome: Outcome
    node: Any
    path: Path

    def origin(self, path: Path) -> Path:
        """The path in the template of what is at a path in the properties; if it is missing, of what lacks it."""
        node, origin = self._chosen(self.node, self.path)
        for key in path:
            found = next(((child, below) for name, child, below in self._entries(node, origin) if name == key), None)
            if found is None:
                break
            node, origin = found
        return origin

    def _entries(self, node: Any, path: Path) -> Iterator[tuple[str | int, Any, Path]]:
        """The entries that a mapping or list has in the properties: their keys or indexes there, nodes, and paths."""
        index = 0
        for key, child in () if isinstance(node, dict) and is_call(node) else children(node):
            chosen, below = self._chosen(child, (*path, key))
            if call_in(chosen) != ("Ref", "AWS::NoValue"):
                yield str(key) if isinstance(node, dict) else index, chosen, below
                index += 1

    def _chosen(self, node: Any, path: Path) -> tuple[Any, Path]:
        """The branch of `Fn::If` that the outcome chooses, or the node itself."""
        while name := _condition_of(*(call_in(node) or ("", None))):
            branch = 1 if self.outcome[name] else 2
            node, path = node["Fn::If"][branch], (*path, "Fn::If", branch)
        return node, path


def scenario(node: Any, path: Path, outcome: Outcome, values: ShownValues = NOTHING_SHOWN) -> Scenario:
    """The properties, or one of their values, at `path` in a template under `outcome`."""
    value = _Evaluator({}, outcome, values).evaluate(node, path)
    return Scenario({} if value is NO_VALUE or value is None else value, outcome, node, path)


def conditions_in(node: Any) -> Iterator[str]:
    """The names of the conditions on which a value depends."""
    return filter(None, (_condition_of(call.function, call.argument) for call in calls(node, ())))


def _condition_of(function: str, argument: Any) -> str:
    """The condition's name in a valid call of `Fn::If`; empty for all others."""
    if function == "Fn::If" and isinstance(argument, list) and len(argument) == 3 and isinstance(argument[0], str):
        return argument[0]
    return ""
