"""Checks an operation's input, and describes all problems by the API's names."""

import json
from datetime import date
from typing import Any

from ...authoring.documentation import without_yaml_advice
from ...resources import resource_type
from ...schema.expand import Suggestions
from ...schema.finding import Finding, Severity
from ...schema.model import Schema
from ...schema.rules import apply_rules
from ...schema.validation import validate


def problems(parameters: dict[str, Any], schema: Schema) -> tuple[list[str], list[str]]:
    """The errors and the warnings about an operation's input, by the service model and the service's own rules."""
    rules = tuple(
        rule for rule in resource_type().rules if rule.path.split(".")[0].removesuffix("[]") in schema.members
    )
    errors: list[str] = []
    warnings: list[str] = []
    suggestions = Suggestions(schema)
    for finding in (*validate(parameters, schema), *apply_rules(parameters, rules)):
        lines = errors if finding.severity is Severity.ERROR else warnings
        lines.append(_line(finding, parameters, schema, suggestions))
    return errors, warnings


def _line(finding: Finding, parameters: dict[str, Any], schema: Schema, suggestions: Suggestions) -> str:
    current: Schema | None = schema
    structure: Schema | None = None
    value: Any = parameters
    path = ""
    for element in finding.path:
        if isinstance(element, int):
            path += f"[{element}]"
        elif current and current.type_name == "map":
            path += f"[{json.dumps(element, ensure_ascii=False)}]"
        else:
            path += f".{element}"
        structure, current = current, _below(current, element)
        value = _entry(value, element)
    message = without_yaml_advice(finding.message)
    if finding.rule == "unknown" and structure:
        message = suggestions.message(str(finding.path[-1]), structure, structure.spellings.__getitem__)
    elif finding.rule == "type" and isinstance(value, date):
        message += "; YAML reads it as a date, so put it in quotes"
    return f"{path.removeprefix('.') or 'input'}: {message}"


def _entry(value: Any, element: str | int) -> Any:
    """The entry of a value by name or index; None for a missing member."""
    return value.get(element) if isinstance(value, dict) else value[element]


def _below(schema: Schema | None, element: str | int) -> Schema | None:
    return schema and (schema.item or schema.members.get(str(element)))
