"""Explains syntax errors of YAML and JSON: one sentence with the remediation, at the place to correct."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

import yaml

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_UNQUOTED_BRACES = re.compile(r"[:-]\s+\{\{")
_GLUED_TAG = re.compile(r"""(?:\A|(?<=[\s,\[]))(![\w:]+)["'\[{($]""")
_OUTER_TAG = re.compile(r"!(\w+)\s+\Z")
_KEY = re.compile(r":(?:\s|$)")

_COLON: Final = "the key on this line needs a colon and a space after it"
_SHORT_FORMS: Final = "two short forms cannot follow each other; write the outer one in long form"
_KEY_INDENTATION: Final = "the indentation of this key matches no key above it"
_ENTRY_INDENTATION: Final = "the indentation of this list entry matches no entry above it"
_UNEXPECTED: Final = "expected '?<(?:block end|document start)>'?, but found "

_YAML: Final[Mapping[str, tuple[str, bool]]] = {
    r"found character '\\t' that cannot start any token": ("a tab cannot indent YAML; use spaces", False),
    r"found character '(.)' that cannot start any token": ("a value that begins with {0} needs quotes", False),
    r"could not find expected ':'": (_COLON, True),
    r"found unexpected end of stream": ("the closing quote is missing", True),
    r"found unknown escape character .*": (r"write a backslash in double quotes as \\, or use single quotes", False),
    r"expected alphabetic or numeric character, but .*": ("a value that begins with * or & needs quotes", True),
    r"expected ',' or '(.)', but got '[:?]'": ("the closing {0} is missing", True),
    r"expected ',' or '(.)', but got .*": ("a comma or {0} is missing before this text", False),
    r"expected the node content, but found '(.*)'": ("a value is missing before this {0}", False),
    rf"{_UNEXPECTED}'(?:\?|<block mapping start>)'": (_KEY_INDENTATION, False),
    rf"{_UNEXPECTED}'(?:-|<block sequence start>)'": (_ENTRY_INDENTATION, False),
    rf"{_UNEXPECTED}'<scalar>'": ("the value ends before this text; put quotes around the whole value", False),
    "but found another document": ("a second document begins here; a template has only one", False),
}
"""Patterns of PyYAML's problems; for each, the message, and whether it is about the place where the context begins."""

_JSON: Final[Mapping[str, tuple[str, bool]]] = {
    "Illegal trailing comma": ("remove the comma after the last entry", False),
    "Expecting ',' delimiter": ("a comma is missing after this value", True),
    "Expecting ':' delimiter": ("a colon is missing after this key", True),
    "Expecting property name": ("a key must be in double quotes", False),
    "Expecting value": ("a value is missing here, or it is text without double quotes", False),
    "Extra data": ("the template ends before this text; remove the text", False),
    "Unterminated string": ("the closing quote of this text is missing", False),
    "Invalid control character": (r"write a line break in text as \n, and a tab as \t", False),
    r"Invalid \escape": (r"write a backslash in text as \\", False),
}
"""The beginnings of Python's problems; for each, the message, and whether it is about the character before."""


def glued_tag(text: str) -> tuple[str, int]:
    """The message about the first tag without a space after it, and its column from 0; empty if there is none."""
    found = _GLUED_TAG.search(text)
    return (f"put a space after {found[1]}", found.start()) if found else ("", 0)


def explain_json(text: str, error: json.JSONDecodeError) -> tuple[str, int, int]:
    """The message about an error in JSON, and its line and column from 0."""
    rest, before = text[error.pos :].lstrip(), text[: error.pos].rstrip()
    if rest.startswith(("//", "/*")):
        message, at = "JSON has no comments", error.pos
    elif before.endswith(",") and rest.startswith(("}", "]")):
        message, at = _JSON["Illegal trailing comma"][0], len(before) - 1
    elif not rest and not error.msg.startswith("Unterminated"):
        message, at = "a closing } or ] is missing at the end", error.pos
    else:
        found = (row for start, row in _JSON.items() if error.msg.startswith(start))
        message, is_before = next(found, (error.msg, False))
        at = len(before) - 1 if is_before else error.pos
    above = text[:at]
    return message, above.count("\n"), at - above.rfind("\n") - 1


def explain_yaml(text: str, error: yaml.MarkedYAMLError) -> tuple[str, int, int]:
    """The message about an error in YAML, and its line and column from 0."""
    problem, mark = error.problem or error.context or "", error.problem_mark or error.context_mark
    if mark is None:
        return problem, 0, 0
    lines = _LINE_BREAK.split(text)
    number = min(mark.line, len(lines) - 1)  # PyYAML knows more line breaks
    line = lines[number]
    if problem == "mapping values are not allowed here":
        return _misplaced_colon(lines, number, mark.column)
    glued, column = glued_tag(line)
    if glued:
        return glued, mark.line, column
    problem, is_context = _in_words(problem, line[: mark.column])
    if _UNQUOTED_BRACES.search(line):
        problem = f"{problem}; a value that begins with {{{{ needs quotes"
    place = error.context_mark if is_context and error.context_mark else mark
    return problem, place.line, place.column


def _in_words(problem: str, before: str) -> tuple[str, bool]:
    """The message about PyYAML's problem, and whether it is about the place where the context begins.

    `before` is the text before it on its line.
    """
    if problem.endswith("'<tag>'") and (outer := _OUTER_TAG.search(before)):
        return f"{_SHORT_FORMS}, as Fn::{outer[1]}:", False
    for pattern, (message, is_context) in _YAML.items():
        if found := re.fullmatch(pattern, problem):
            return message.format(*found.groups()), is_context
    return problem, False


def _misplaced_colon(lines: list[str], number: int, column: int) -> tuple[str, int, int]:
    """The message about a colon that follows a value: the value contains it, or began as a key on a line above."""
    if _KEY.search(lines[number][:column]):
        return "put quotes around a value that contains a colon and a space", number, column
    above = next((other for other in range(number - 1, -1, -1) if lines[other].strip()), number)
    if _KEY.search(lines[above]):
        return _KEY_INDENTATION, number, _indentation(lines[number])
    return _COLON, above, _indentation(lines[above])


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" -"))
