"""Evaluates a template's Rules, which CloudFormation checks before it deploys anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .function_calls import call_in, calls, references
from .intrinsics import CONDITIONS, Evaluator, UnknownValueError, text
from .template_error import TemplateError, TreePath

_FORM = "must be a list of {Assert: ..., AssertDescription: ...}"
_NEEDS_AWS = ("Fn::RefAll", "Fn::ValueOf", "Fn::ValueOfAll")
"""Functions that return values that only AWS knows."""


class _RuleEvaluator(Evaluator):
    """Also evaluates the functions that are allowed only in Rules."""

    def condition(self, node: Any, path: TreePath) -> bool:
        """Whether a condition of a rule is true."""
        function, argument = call_in(node) or ("", None)
        if function in CONDITIONS:
            return CONDITIONS[function](self, argument, (*path, function))
        if function == "Fn::Contains":
            allowed, value = self._operands(argument, (*path, function))
            return value in allowed
        if function == "Fn::EachMemberEquals":
            checked, value = self._operands(argument, (*path, function))
            return all(one == value for one in checked)
        if function == "Fn::EachMemberIn":
            checked, allowed = self._operands(argument, (*path, function))
            return all(one in allowed for one in checked)
        known = ", ".join([*CONDITIONS, "Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn"])
        raise TemplateError(f"must be one of {known}", path)

    def call(self, function: str, argument: Any, path: TreePath) -> Any:
        """The value of the call of a function."""
        if function in _NEEDS_AWS:
            raise UnknownValueError(f"{function} returns values that only AWS knows", path)
        return super().call(function, argument, path)

    def _operands(self, argument: Any, path: TreePath) -> tuple[list[Any], Any]:
        """The two operands of a function that checks a list."""
        second = "a list of text" if path[-1] == "Fn::EachMemberIn" else "text"
        values = self.evaluate(argument, path)
        if not (isinstance(values, list) and len(values) == 2 and isinstance(values[0], list)):
            raise TemplateError(f"must be [list of text, {second}]", path)
        if isinstance(values[1], list) != second.startswith("a list"):
            raise TemplateError(f"must be {second}", (*path, 1))
        return _as_text(values[0], (*path, 0)), _as_text(values[1], (*path, 1))


def _as_text(value: Any, path: TreePath) -> Any:
    """A scalar as text, or a list of scalars as a list of text."""
    return [text(one, path) for one in value] if isinstance(value, list) else text(value, path)


def rule_problems(rules: Mapping[str, Any], evaluator: Evaluator, names: Mapping[str, Any]) -> Iterator[TemplateError]:
    """The assertions that are false, and the mistakes in the rules. `names` are the parameters' values by name.

    UnknownValueError is yielded, not raised, for a rule that cannot be evaluated, because only AWS knows a value.
    """
    of_rules = _RuleEvaluator(evaluator.mappings, {}, evaluator.values)
    for name, rule in rules.items():
        try:
            yield from _rule_problems(rule, ("Rules", name), of_rules, names)
        except TemplateError as error:
            yield error


def _rule_problems(
    rule: Any, path: TreePath, evaluator: Evaluator, names: Mapping[str, Any]
) -> Iterator[TemplateError]:
    if not isinstance(rule, dict) or not isinstance(rule.get("Assertions"), list):
        raise TemplateError(_FORM, (*path, "Assertions") if isinstance(rule, dict) else path)
    for call in calls(rule, path):
        for name, _ in references(call):
            if name not in names:
                raise TemplateError(f"there is no parameter {name}; a rule can refer only to parameters", call.path)
    condition = rule.get("RuleCondition")
    if condition is None or evaluator.condition(condition, (*path, "RuleCondition")):
        for index, one in enumerate(rule["Assertions"]):
            yield from _assertion_problems(one, (*path, "Assertions", index), evaluator)


def _assertion_problems(assertion: Any, path: TreePath, evaluator: Evaluator) -> Iterator[TemplateError]:
    if not isinstance(assertion, dict) or "Assert" not in assertion:
        raise TemplateError(_FORM, path)
    if not evaluator.condition(assertion["Assert"], (*path, "Assert")):
        description = assertion.get("AssertDescription")
        yield TemplateError("the assertion is false" + (f": {description}" if description else ""), path)
