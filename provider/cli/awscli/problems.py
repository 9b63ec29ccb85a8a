"""Checks an operation's input, and describes all problems by the API's names."""

import json
import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, Final

from ...authoring.documentation import without_yaml_advice
from ...resources import resource_type
from ...schema.account_sources import source_entries
from ...schema.expand import Suggestions
from ...schema.finding import Finding, Path, Severity
from ...schema.model import Schema, pascal_case
from ...schema.rules import apply_rules
from ...schema.validation import describe, validate

_QUOTED_OR_WORD: Final = re.compile(r'"(?:\\.|[^"\\])*(?:"|$)|(?P<step>(?<=[\w\]]\.)\w+|\w+(?=\[|\.\w))|\w+')
"""Quoted text, a step of a path, or another word."""


def with_api_names(message: str, schema: Schema) -> str:
    """A message with the API's names instead of CloudFormation's: `KmsKeyId` -> `kmsKeyId`. Quoted values stay.

    A name of a single word stays unless it is part of a path, because it may be a word of the sentence, such as Region.
    """
    names = _names(schema)

    def spelled(found: re.Match[str]) -> str:
        is_name = found["step"] or sum(map(str.isupper, found[0])) > 1
        return names.get(found[0], found[0]) if is_name else found[0]

    return _QUOTED_OR_WORD.sub(spelled, message)


@cache
def _names(schema: Schema) -> dict[str, str]:
    """The API's name of each member, by CloudFormation's name."""
    found = {pascal_case(name): name for name in schema.members}
    for member in (*schema.members.values(), *((schema.item,) if schema.item else ())):
        found |= _names(member)
    return found


def problems(parameters: dict[str, Any], schema: Schema) -> tuple[list[str], list[str]]:
    """The errors and the warnings about an operation's input, by the service model and the service's own rules."""
    rules = tuple(
        rule for rule in resource_type().rules if rule.path.split(".")[0].removesuffix("[]") in schema.members
    )
    errors: list[str] = []
    warnings: list[str] = []
    suggestions = Suggestions(schema)
    for finding in (*_sources(parameters, schema), *validate(parameters, schema), *apply_rules(parameters, rules)):
        lines = errors if finding.severity is Severity.ERROR else warnings
        lines.append(_line(finding, parameters, schema, suggestions))
    return errors, warnings


def _sources(parameters: dict[str, Any], schema: Schema) -> Iterator[Finding]:
    """The errors about account sources, which this provider's resources accept, but not the API."""
    for path, source in source_entries(parameters, schema):
        yield Finding(path, f"must be a string, not {describe(source)}", "type")


def _line(finding: Finding, parameters: dict[str, Any], schema: Schema, suggestions: Suggestions) -> str:
    current: Schema | None = schema
    structure: Schema | None = None
    value: Any = parameters
    for element in finding.path:
        structure, current = current, _below(current, element)
        value = _entry(value, element)
    mentions = [_text(mention, schema) for mention in finding.mentions]
    message = without_yaml_advice(finding.message.format(*mentions) if mentions else finding.message)
    if finding.rule == "unknown" and structure:
        message = suggestions.message(str(finding.path[-1]), structure, structure.spellings.__getitem__)
    elif finding.rule == "type" and isinstance(value, date):
        message += "; YAML reads it as a date, so put it in quotes"
    return f"{_text(finding.path, schema) or 'input'}: {with_api_names(message, schema)}"


def _text(path: Path, schema: Schema) -> str:
    """A path as text."""
    text = ""
    current: Schema | None = schema
    for element in path:
        if isinstance(element, int):
            text += f"[{element}]"
        elif current and current.type_name == "map":
            text += f"[{json.dumps(element, ensure_ascii=False)}]"
        else:
            text += f".{element}"
        current = _below(current, element)
    return text.removeprefix(".")


def _entry(value: Any, element: str | int) -> Any:
    """The entry of a value by name or index; None for a missing member."""
    return value.get(element) if isinstance(value, dict) else value[element]


def _below(schema: Schema | None, element: str | int) -> Schema | None:
    return schema and (schema.item or schema.members.get(str(element)))
