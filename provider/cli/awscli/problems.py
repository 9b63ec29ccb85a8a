"""Checks an operation's input, and describes all problems by the API's names."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, NamedTuple

from ...schema.expand import Suggestions
from ...schema.finding import Finding, Severity
from ...schema.model import Schema
from ...schema.rules import RULES, apply_rules
from ...schema.validate import validate


class Problems(NamedTuple):
    """The errors, which the service would reject, and the warnings; one line each."""

    errors: list[str]
    warnings: list[str]


def problems(parameters: dict[str, Any], schema: Schema) -> Problems:
    """Check an operation's input against the service model and the service's own rules."""
    rules = tuple(rule for rule in RULES if rule.path.split(".")[0].removesuffix("[]") in schema.members)
    found = Problems([], [])
    suggestions = Suggestions(schema)
    for finding in (*validate(parameters, schema), *apply_rules(parameters, rules)):
        lines = found.errors if finding.severity is Severity.ERROR else found.warnings
        lines.append(_line(finding, parameters, schema, suggestions))
    return found


def _line(finding: Finding, parameters: dict[str, Any], schema: Schema, suggestions: Suggestions) -> str:
    current: Schema | None = schema
    structure: Schema | None = None
    value: Any = parameters
    path = ""
    for element in finding.path:
        if isinstance(element, int):
            path += f"[{element}]"
        elif current and current.kind == "map":
            path += f"[{json.dumps(element, ensure_ascii=False)}]"
        else:
            path += f".{element}"
        structure, current = current, current and (current.item or current.members.get(str(element)))
        # A member may be missing.
        value = value.get(element) if isinstance(value, dict) else value[element]
    message = finding.message
    if finding.rule == "unknown" and structure:
        message = suggestions.message(str(finding.path[-1]), structure, structure.spellings.__getitem__)
    elif finding.rule == "type" and isinstance(value, date):
        message += "; YAML reads it as a date, so put it in quotes"
    return f"{path.removeprefix('.') or 'input'}: {message}"
