"""All that is wrong with an operation's input, told by the API's own names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from provider.properties.finding import Finding
    from provider.properties.model import Type


class Problems(NamedTuple):
    """One line each: what the service would refuse, and what is only worth saying."""

    errors: list[str]
    warnings: list[str]


def problems(parameters: dict[str, Any], type_: Type) -> Problems:
    """Hold an operation's input against the service model and the service's own rules on its members."""
    from provider.properties.finding import Severity
    from provider.properties.rules import RULES, judge
    from provider.properties.validate import validate

    rules = tuple(rule for rule in RULES if rule.path.split(".")[0].removesuffix("[]") in type_.members)
    told = Problems([], [])
    for finding in (*validate(parameters, type_), *judge(parameters, rules)):
        lines = told.errors if finding.severity is Severity.ERROR else told.warnings
        lines.append(_line(finding, type_))
    return told


def _line(finding: Finding, type_: Type) -> str:
    known: Type | None = type_
    place = ""
    for element in finding.path:
        if isinstance(element, int):
            place += f"[{element}]"
        elif known and known.kind == "map":
            place += f"[{json.dumps(element, ensure_ascii=False)}]"
        else:
            place += f".{element}"
        structure, known = known, _inside(known, element)
    text = f"{place.removeprefix('.') or 'input'}: {finding.message}"
    return f"{text}; known are {', '.join(structure.members)}" if finding.rule == "unknown" and structure else text


def _inside(type_: Type | None, element: str | int) -> Type | None:
    if type_ is None:
        return None
    return type_.item or type_.members.get(str(element))
