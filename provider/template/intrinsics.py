"""Evaluates CloudFormation's intrinsic functions: one row for each in a table."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol, TypeAlias

from .function_calls import SUB_VARIABLE, call_in
from .template_error import TemplateError, TreePath, most_similar


class _NoValue:
    """The value of `AWS::NoValue`: the entry that has it is removed."""


NO_VALUE = _NoValue()
DYNAMIC_REFERENCE = "{{resolve:"
"""How a dynamic reference starts, such as `{{resolve:ssm:/images/base}}`."""
SCALARS = (str, int, float, date)
"""The types of scalars. cfn-lint's reader, unlike ours, returns dates."""
UNSUPPORTED_FUNCTIONS = ("Fn::Cidr", "Fn::GetStackOutput", "Fn::Transform")
"""The functions of CloudFormation that are not evaluated here."""

_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_.:]+")


Operand: TypeAlias = tuple[Any, TreePath]
"""An operand of a condition function, and its path."""


class UnknownValueError(TemplateError):
    """A value that is unknown before the deployment, or before a resource responds. The template is not wrong."""


class ValueSource(Protocol):
    """The values that are not in the template. Each method raises UnknownValueError for a value that is unknown."""

    def reference(self, name: str, path: TreePath) -> Any:
        """The value of `Ref` of a parameter, a pseudo parameter, or a resource."""

    def attribute(self, name: str, attribute: str, path: TreePath) -> Any:
        """The value of `Fn::GetAtt`."""

    def exported(self, name: str, path: TreePath) -> str:
        """The value of `Fn::ImportValue`."""

    def resolve(self, text: str, path: TreePath) -> str:
        """A text that contains dynamic references, with their values."""


def text(value: object, path: TreePath = ()) -> str:
    """A scalar as the text that CloudFormation makes of it: `true`, `1`. Raises TemplateError for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, SCALARS):
        return str(value)
    actual = {dict: "a map", list: "a list", type(None): "null"}.get(type(value), "nothing")
    raise TemplateError(f"must be text, not {actual}", path)


@dataclass
class Evaluator:
    """Evaluates the functions of one template, which has these mappings and conditions."""

    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    values: ValueSource
    _open: list[str] = field(default_factory=list, init=False)

    def evaluate(self, node: Any, path: TreePath) -> Any:
        """The value of `node`: NO_VALUE if it is `AWS::NoValue`. Raises TemplateError."""
        if isinstance(node, dict):
            call = call_in(node)
            return self.call(*call, path) if call else self.mapping(node, path)
        if isinstance(node, list):
            values = [self.evaluate(value, (*path, index)) for index, value in enumerate(node)]
            return [value for value in values if value is not NO_VALUE]
        return self.scalar(node, path)

    def call(self, function: str, argument: Any, path: TreePath) -> Any:
        """The value of the call of a function that is at `path`."""
        if function not in FUNCTIONS:
            raise TemplateError(unknown_function(function), path)
        return FUNCTIONS[function](self, argument, (*path, function))

    def mapping(self, node: Mapping[Any, Any], path: TreePath) -> Any:
        """The value of a mapping that is not a call."""
        values = {str(key): self.evaluate(value, (*path, key)) for key, value in node.items()}
        return {key: value for key, value in values.items() if value is not NO_VALUE}

    def scalar(self, node: Any, path: TreePath) -> Any:
        """The value of a scalar or null."""
        return self.values.resolve(node, path) if isinstance(node, str) and DYNAMIC_REFERENCE in node else node

    def text(self, node: Any, path: TreePath) -> str:
        """The value of `node` as text."""
        return text(self.evaluate(node, path), path)

    def holds(self, name: Any, path: TreePath) -> bool:
        """Whether the template's condition `name` is true. Raises TemplateError if there is no such condition."""
        if not isinstance(name, str):
            raise TemplateError("must be the name of a condition", path)
        if name not in self.conditions:
            raise TemplateError(f"there is no condition {name} in Conditions", path)
        if name in self._open:
            raise TemplateError(f"circular dependency between conditions: {', '.join([*self._open, name])}", path)
        self._open.append(name)
        try:
            return self.condition(self.conditions[name], ("Conditions", name))
        finally:
            self._open.pop()

    def condition(self, node: Any, path: TreePath) -> bool:
        """Whether a condition is true; `node` is its definition."""
        if isinstance(node, dict) and set(node) == {"Condition"}:
            return self.holds(node["Condition"], (*path, "Condition"))
        call = call_in(node)
        if not call or call[0] not in CONDITIONS:
            raise TemplateError(f"must be one of {', '.join(CONDITIONS)}, Condition", path)
        return CONDITIONS[call[0]](self, call[1], (*path, call[0]))

    def equals(self, left: Operand, right: Operand) -> bool:
        """Whether `Fn::Equals` of two operands is true."""
        one, other = self.evaluate(*left), self.evaluate(*right)
        if isinstance(one, list) or isinstance(other, list):
            return bool(one == other)
        return text(one, left[1]) == text(other, right[1])


def unknown_function(function: str) -> str:
    """The message about a call of a function that does not exist, or cannot be evaluated, where it is called."""
    if function in UNSUPPORTED_FUNCTIONS:
        return f"{function} is not supported here; replace it with its value"
    if function in CONDITIONS:
        return f"{function} is allowed only in Conditions"
    similar = most_similar(function, [*FUNCTIONS, *UNSUPPORTED_FUNCTIONS], cutoff=0.8)
    return f"there is no function {function}" + (f"; did you mean {similar}?" if similar else "")


def _list(node: Any, path: TreePath, form: str, *lengths: int) -> list[Any]:
    if not isinstance(node, list) or (lengths and len(node) not in lengths):
        raise TemplateError(f"must be {form}", path)
    return node


def _ref(at: Evaluator, name: Any, path: TreePath) -> Any:
    if not isinstance(name, str):
        raise TemplateError("must be the name of a parameter or resource", path)
    return NO_VALUE if name == "AWS::NoValue" else at.values.reference(name, path)


def _get_att(at: Evaluator, argument: Any, path: TreePath) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    name, attribute = _list(parts, path, "[LogicalId, Attribute] or LogicalId.Attribute", 2)
    return at.values.attribute(at.text(name, path), at.text(attribute, path), path)


def _sub(at: Evaluator, argument: Any, path: TreePath) -> str:
    pattern, variables = (argument, {}) if isinstance(argument, str) else _list(argument, path, _SUB, 2)
    if not isinstance(pattern, str) or not isinstance(variables, dict):
        raise TemplateError(f"must be {_SUB}", path)

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if not _VARIABLE_NAME.fullmatch(name):
            raise TemplateError(
                f"${{{name}}}: a variable's name can have only letters, digits, underscores, periods, and colons; "
                f"for the text itself, write ${{!{name}}}",
                path,
            )
        here = path if match[0] == pattern else (*path, name)
        logical_id, dot, attribute = name.partition(".")
        if name in variables:
            found = at.evaluate(variables[name], (*path, 1, name))
        elif dot:
            found = at.values.attribute(logical_id, attribute, here)
        else:
            found = _ref(at, name, here)
        if isinstance(found, list):
            raise TemplateError(f"${{{name}}} is a list; combine its items with Fn::Join", path)
        return text(found, path)

    result = SUB_VARIABLE.sub(value, pattern)
    return at.values.resolve(result, path) if DYNAMIC_REFERENCE in result else result


_SUB = "text, or [text, {Variable: value}]"


def _join(at: Evaluator, argument: Any, path: TreePath) -> str:
    delimiter, items = _list(argument, path, "[delimiter, list of text]", 2)
    values = _list(at.evaluate(items, (*path, 1)), (*path, 1), "a list of text")
    return at.text(delimiter, (*path, 0)).join(text(value, (*path, 1)) for value in values)


def _split(at: Evaluator, argument: Any, path: TreePath) -> list[str]:
    delimiter, source = _list(argument, path, "[delimiter, text]", 2)
    separator = at.text(delimiter, (*path, 0))
    if not separator:
        raise TemplateError("the delimiter is empty", path)
    return at.text(source, (*path, 1)).split(separator)


def _select(at: Evaluator, argument: Any, path: TreePath) -> Any:
    position, items = _list(argument, path, "[index, list]", 2)
    values = _list(at.evaluate(items, (*path, 1)), (*path, 1), "a list")
    index = at.text(position, (*path, 0))
    if not re.fullmatch("[0-9]+", index) or int(index) >= len(values):
        raise TemplateError(f"cannot select value {index} of {len(values)}; the first is 0", path)
    return values[int(index)]


def _find_in_map(at: Evaluator, argument: Any, path: TreePath) -> Any:
    form = "[map name, first key, second key]"
    keys = [at.text(key, (*path, index)) for index, key in enumerate(_list(argument, path, form, 3, 4)[:3])]
    found: Any = at.mappings
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
                return at.evaluate(argument[3]["DefaultValue"], (*path, 3, "DefaultValue"))
            raise TemplateError(f"Mappings has no {'.'.join(keys)}: {key} does not exist", path)
        found = found[key]
    return found


def _if(at: Evaluator, argument: Any, path: TreePath) -> Any:
    condition, *branches = _list(argument, path, "[condition, value if true, value if false]", 3)
    index = 0 if at.holds(condition, path) else 1
    return at.evaluate(branches[index], (*path, index + 1))


def _availability_zones(at: Evaluator, argument: Any, path: TreePath) -> list[str]:
    region = at.text(argument, path) or at.values.reference("AWS::Region", path)
    return [region + letter for letter in "abc"]


def _operands(argument: Any, path: TreePath, least: int, most: int) -> list[Operand]:
    count = f"{least} to {most} operands" if most > least else f"{least} operand{'s' * (least > 1)}"
    operands = _list(argument, path, f"a list of {count}", *range(least, most + 1))
    return [(operand, (*path, index)) for index, operand in enumerate(operands)]


def _all_of(at: Evaluator, argument: Any, path: TreePath) -> list[bool]:
    # Evaluate every operand: CloudFormation also rejects mistakes in those that do not affect the result.
    return [at.condition(*operand) for operand in _operands(argument, path, 2, 10)]


FUNCTIONS: dict[str, Callable[[Evaluator, Any, TreePath], Any]] = {
    "Ref": _ref,
    "Fn::Base64": lambda at, argument, path: base64.b64encode(at.text(argument, path).encode()).decode(),
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::GetAZs": _availability_zones,
    "Fn::If": _if,
    "Fn::ImportValue": lambda at, argument, path: at.values.exported(at.text(argument, path), path),
    "Fn::Join": _join,
    "Fn::Length": lambda at, argument, path: len(_list(at.evaluate(argument, path), path, "a list")),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": lambda at, argument, path: json.dumps(at.evaluate(argument, path), separators=(",", ":")),
}

CONDITIONS: dict[str, Callable[[Evaluator, Any, TreePath], bool]] = {
    "Fn::And": lambda at, argument, path: all(_all_of(at, argument, path)),
    "Fn::Equals": lambda at, argument, path: at.equals(*_operands(argument, path, 2, 2)),
    "Fn::Not": lambda at, argument, path: not at.condition(*_operands(argument, path, 1, 1)[0]),
    "Fn::Or": lambda at, argument, path: any(_all_of(at, argument, path)),
}
