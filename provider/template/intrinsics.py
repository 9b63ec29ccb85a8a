"""Evaluates CloudFormation's intrinsic functions: one row for each in a table."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .external_values import ExternalValues
from .function_calls import VARIABLE, call_in
from .parameters import is_stored
from .placeholders import Placeholders
from .reader import children
from .sections import Template, TemplateError, TreePath


class _NoValue:
    """The value of `AWS::NoValue`: the entry that has it is removed."""


NO_VALUE = _NoValue()

_VARIABLE_NAME = re.compile(r"[A-Za-z0-9_.:]+")
_DYNAMIC = re.compile(r"\{\{resolve:([a-z-]+):([^}]+)\}\}")


class Resources(Protocol):
    """The values of `Ref` and `Fn::GetAtt` of resources."""

    def reference(self, name: str, path: TreePath) -> Any: ...

    def attribute(self, name: str, attribute: str, path: TreePath) -> Any: ...


def text(value: object, path: TreePath) -> str:
    """A scalar as the text that CloudFormation makes of it: `true`, `1`. Raises TemplateError for anything else."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    kind = {dict: "a map", list: "a list", type(None): "null"}.get(type(value), "nothing")
    raise TemplateError(f"must be text, not {kind}", path)


@dataclass
class Evaluator:
    """Evaluates the functions of one template.

    `names` has the values of the parameters and pseudo parameters. `note` is called with each placeholder for a value
    that `outside` lacks.
    """

    template: Template
    names: Mapping[str, Any]
    resources: Resources
    placeholders: Placeholders
    outside: ExternalValues
    note: Callable[[str], None]
    _open: list[str] = field(default_factory=list)

    def evaluate(self, node: Any, path: TreePath) -> Any:
        """The value of `node`: NO_VALUE if it is `AWS::NoValue`. Raises TemplateError."""
        call = call_in(node)
        if call:
            function, argument = call
            work = FUNCTIONS.get(function)
            if not work:
                raise TemplateError(f"{_unknown(function)}", path)
            return work(self, argument, (*path, function))
        if isinstance(node, str):
            return self._dynamic(node, path)
        if not isinstance(node, (dict, list)):
            return node
        evaluated = ((key, self.evaluate(value, (*path, key))) for key, value in children(node))
        present = [(key, value) for key, value in evaluated if value is not NO_VALUE]
        return dict(present) if isinstance(node, dict) else [value for _, value in present]

    def _dynamic(self, node: str, path: TreePath) -> str:
        def value(match: re.Match[str]) -> str:
            known = self.outside.references.get(f"{match[1]}:{match[2]}")
            if known is not None:
                return known
            value = self.placeholders.resolved(match[2].split(":")[0])
            if match[0] == node:
                value = self.outside.fit(path, value)
            self.note(f"{match[0]} is taken to be {value!r}")
            return value

        return _DYNAMIC.sub(value, node)

    def text(self, node: Any, path: TreePath) -> str:
        """The value of `node` as text."""
        return text(self.evaluate(node, path), path)

    def holds(self, name: Any, path: TreePath) -> bool:
        """Whether the template's condition `name` is true. Raises TemplateError if there is no such condition."""
        if name not in self.template.conditions:
            raise TemplateError(f"there is no condition {name} in Conditions", path)
        if name in self._open:
            raise TemplateError(f"circular dependency between conditions: {', '.join([*self._open, name])}", path)
        self._open.append(name)
        try:
            return self.condition(self.template.conditions[name], ("Conditions", name))
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


def _unknown(function: str) -> str:
    if function in {"Fn::Transform", "Fn::Cidr", "Fn::GetStackOutput"}:
        return f"{function} is not supported here; write out its value"
    if function in CONDITIONS:
        return f"{function} belongs in Conditions"
    return f"there is no function {function}; there are {', '.join(FUNCTIONS)}"


def _list(node: Any, path: TreePath, form: str, *lengths: int) -> list[Any]:
    if not isinstance(node, list) or (lengths and len(node) not in lengths):
        raise TemplateError(f"is written {form}", path)
    return node


def _ref(at: Evaluator, name: Any, path: TreePath) -> Any:
    if not isinstance(name, str):
        raise TemplateError("is written with a name", path)
    if name == "AWS::NoValue":
        return NO_VALUE
    if name not in at.names:
        return at.resources.reference(name, path)
    is_placeholder = name in at.template.parameters and is_stored(at.template.parameters[name])
    return _fitting(at, name, path) if is_placeholder else at.names[name]


def _fitting(at: Evaluator, name: str, path: TreePath) -> Any:
    """The placeholder for an SSM parameter's value that is valid at `path`."""
    value = at.names[name]
    fit = at.outside.fit
    fitting = [fit(path, one) for one in value] if isinstance(value, list) else fit(path, value)
    if fitting != value:
        at.note(f"parameter {name} is taken to be {fitting!r} where another value would be rejected")
    return fitting


def _get_att(at: Evaluator, argument: Any, path: TreePath) -> Any:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    name, attribute = _list(parts, path, "[LogicalId, Attribute] or LogicalId.Attribute", 2)
    return at.resources.attribute(at.text(name, path), at.text(attribute, path), path)


def _sub(at: Evaluator, argument: Any, path: TreePath) -> str:
    pattern, variables = (argument, {}) if isinstance(argument, str) else _list(argument, path, _SUB, 2)
    if not isinstance(pattern, str) or not isinstance(variables, dict):
        raise TemplateError(f"is written {_SUB}", path)

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name.startswith("!"):
            return f"${{{name[1:]}}}"
        if not _VARIABLE_NAME.fullmatch(name):
            raise TemplateError(
                f"${{{name}}}: a variable's name has letters, digits, underscores, periods and colons only; "
                f"for the text itself write ${{!{name}}}",
                path,
            )
        here = path if match[0] == pattern else (*path, name)
        if name in variables:
            found = at.evaluate(variables[name], (*path, 1, name))
        elif "." in name:
            logical_id, attribute = name.split(".", 1)
            found = at.resources.attribute(logical_id, attribute, here)
        else:
            found = _ref(at, name, here)
        if isinstance(found, list):
            raise TemplateError(f"${{{name}}} is a list; put its items together with Fn::Join", path)
        return text(found, path)

    return str(at.evaluate(VARIABLE.sub(value, pattern), path))


_SUB = "with text, or [text, {Variable: value}]"


def _join(at: Evaluator, argument: Any, path: TreePath) -> str:
    delimiter, items = _list(argument, path, "[delimiter, list of text]", 2)
    values = _list(at.evaluate(items, (*path, 1)), (*path, 1), "with a list of text")
    return at.text(delimiter, (*path, 0)).join(text(value, (*path, 1)) for value in values)


def _split(at: Evaluator, argument: Any, path: TreePath) -> list[str]:
    delimiter, source = _list(argument, path, "[delimiter, text]", 2)
    separator = at.text(delimiter, (*path, 0))
    if not separator:
        raise TemplateError("the delimiter is empty", path)
    return at.text(source, (*path, 1)).split(separator)


def _select(at: Evaluator, argument: Any, path: TreePath) -> Any:
    position, items = _list(argument, path, "[index, list]", 2)
    values = _list(at.evaluate(items, (*path, 1)), (*path, 1), "with a list")
    index = at.text(position, (*path, 0))
    if not re.fullmatch("[0-9]+", index) or int(index) >= len(values):
        raise TemplateError(f"cannot select value {index} of {len(values)}; the first is 0", path)
    return values[int(index)]


def _find_in_map(at: Evaluator, argument: Any, path: TreePath) -> Any:
    form = "[map name, first key, second key]"
    keys = [at.text(key, (*path, index)) for index, key in enumerate(_list(argument, path, form, 3, 4)[:3])]
    found: Any = at.template.mappings
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            if len(argument) == 4 and isinstance(argument[3], dict) and "DefaultValue" in argument[3]:
                return at.evaluate(argument[3]["DefaultValue"], (*path, 3, "DefaultValue"))
            raise TemplateError(f"Mappings has nothing at {'.'.join(keys)} ({key} is not there)", path)
        found = found[key]
    return found


def _import_value(at: Evaluator, argument: Any, path: TreePath) -> str:
    export = at.text(argument, path)
    if export in at.outside.exports:
        return at.outside.exports[export]
    value = at.outside.fit(path, at.placeholders.imported(export, as_function="ServiceToken" in path))
    at.note(f"the export {export} of another stack is taken to be {value!r}")
    return value


def _if(at: Evaluator, argument: Any, path: TreePath) -> Any:
    condition, *branches = _list(argument, path, "[condition, value if true, value if false]", 3)
    index = 0 if at.holds(condition, path) else 1
    return at.evaluate(branches[index], (*path, index + 1))


def _availability_zones(at: Evaluator, argument: Any, path: TreePath) -> list[str]:
    region = at.text(argument, path) or at.placeholders.region
    return [region + letter for letter in "abc"]


def _operands(argument: Any, path: TreePath, least: int, most: int) -> list[tuple[Any, TreePath]]:
    operands = _list(argument, path, f"with a list of {least}" + (f" to {most}" if most > least else ""))
    if not least <= len(operands) <= most:
        raise TemplateError(f"takes {least} to {most} operands, not {len(operands)}", path)
    return [(operand, (*path, index)) for index, operand in enumerate(operands)]


def _equals(at: Evaluator, argument: Any, path: TreePath) -> bool:
    left, right = (at.evaluate(*operand) for operand in _operands(argument, path, 2, 2))
    if isinstance(left, list) or isinstance(right, list):
        return bool(left == right)
    return text(left, path) == text(right, path)


FUNCTIONS: dict[str, Callable[[Evaluator, Any, TreePath], Any]] = {
    "Ref": _ref,
    "Fn::Base64": lambda at, argument, path: base64.b64encode(at.text(argument, path).encode()).decode(),
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::GetAZs": _availability_zones,
    "Fn::If": _if,
    "Fn::ImportValue": _import_value,
    "Fn::Join": _join,
    "Fn::Length": lambda at, argument, path: len(_list(at.evaluate(argument, path), path, "with a list")),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": lambda at, argument, path: json.dumps(at.evaluate(argument, path), separators=(",", ":")),
}

CONDITIONS: dict[str, Callable[[Evaluator, Any, TreePath], bool]] = {
    "Fn::And": lambda at, argument, path: all(at.condition(*one) for one in _operands(argument, path, 2, 10)),
    "Fn::Equals": _equals,
    "Fn::Not": lambda at, argument, path: not at.condition(*_operands(argument, path, 1, 1)[0]),
    "Fn::Or": lambda at, argument, path: any(at.condition(*one) for one in _operands(argument, path, 2, 10)),
}
