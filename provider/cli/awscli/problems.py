"""All problems with an operation's input, by the API's names."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, NamedTuple

from ...schema.expand import Suggestions
from ...schema.finding import Finding, Severity
from ...schema.model import Schema
from ...schema.rules import RULES, apply_rules
from ...schema.validation import validate


class Problems(NamedTuple):
    """Lines with what the service would reject, and with warnings."""

    errors: list[str]
    warnings: list[str]


def problems(parameters: dict[str, Any], type_: Schema) -> Problems:
    """Check an operation's input against the service model and the service's own rules."""
    rules = tuple(rule for rule in RULES if rule.path.split(".")[0].removesuffix("[]") in type_.members)
    found = Problems([], [])
    suggestions = Suggestions(type_)
    for finding in (*validate(parameters, type_), *apply_rules(parameters, rules)):
        lines = found.errors if finding.severity is Severity.ERROR else found.warnings
        lines.append(_line(finding, parameters, type_, suggestions))
    return found


def _line(finding: Finding, parameters: dict[str, Any], type_: Schema, suggestions: Suggestions) -> str:
    known: Schema | None = type_
    structure: Schema | None = None
    value: Any = parameters
    place = ""
    for element in finding.path:
        if isinstance(element, int):
            place += f"[{element}]"
        elif known and known.type_name == "map":
            place += f"[{json.dumps(element, ensure_ascii=False)}]"
        else:
            place += f".{element}"
        structure, known = known, _inside(known, element)
        value = _entry(value, element)
    message = finding.message
    if finding.rule == "unknown" and structure:
        message = suggestions.message(str(finding.path[-1]), structure, structure.spellings.__getitem__)
    elif finding.rule == "type" and isinstance(value, date):
        message += "; YAML reads it as a date; quote it"
    return f"{place.removeprefix('.') or 'input'}: {message}"


def _entry(value: Any, element: str | int) -> Any:
    """The entry of a value by name or index; None for a missing member."""
    return value.get(element) if isinstance(value, dict) else value[element]


def _inside(type_: Schema | None, element: str | int) -> Schema | None:
    if type_ is None:
        return None
    return type_.item or type_.members.get(str(element))
