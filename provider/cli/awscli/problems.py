"""All that is wrong with an operation's input, told by the API's own names."""

from __future__ import annotations

import json
from datetime import date
from typing import Any, NamedTuple

from ...schema.expand import Suggestions
from ...schema.finding import Finding, Severity
from ...schema.model import Type
from ...schema.rules import RULES, apply_rules
from ...schema.validate import validate


class Problems(NamedTuple):
    """One line each: what the service would refuse, and what is only worth saying."""

    errors: list[str]
    warnings: list[str]


def problems(parameters: dict[str, Any], type_: Type) -> Problems:
    """Hold an operation's input against the service model and the service's own rules on its members."""
    rules = tuple(rule for rule in RULES if rule.path.split(".")[0].removesuffix("[]") in type_.members)
    told = Problems([], [])
    suggestions = Suggestions(type_)
    for finding in (*validate(parameters, type_), *apply_rules(parameters, rules)):
        lines = told.errors if finding.severity is Severity.ERROR else told.warnings
        lines.append(_line(finding, parameters, type_, suggestions))
    return told


def _line(finding: Finding, parameters: dict[str, Any], type_: Type, suggestions: Suggestions) -> str:
    known: Type | None = type_
    structure: Type | None = None
    value: Any = parameters
    place = ""
    for element in finding.path:
        if isinstance(element, int):
            place += f"[{element}]"
        elif known and known.kind == "map":
            place += f"[{json.dumps(element, ensure_ascii=False)}]"
        else:
            place += f".{element}"
        structure, known = known, _inside(known, element)
        value = _entry(value, element)
    message = finding.message
    if finding.rule == "unknown" and structure:
        message = suggestions.message(str(finding.path[-1]), structure, structure.spellings.__getitem__)
    elif finding.rule == "type" and isinstance(value, date):
        message += "; it is a date to YAML: quote it"
    return f"{place.removeprefix('.') or 'input'}: {message}"


def _entry(value: Any, element: str | int) -> Any:
    """What is in a value under a name or an index; None where it is missing, as what is required can be."""
    return value.get(element) if isinstance(value, dict) else value[element]


def _inside(type_: Type | None, element: str | int) -> Type | None:
    if type_ is None:
        return None
    return type_.item or type_.members.get(str(element))
