"""YAML with short-form tags, or JSON, read as plain dictionaries and lists.

PyYAML reads the YAML (YAML 1.1, as CloudFormation does); cfn-lint's reader gives the same tree, but importing it
takes half a second, which every start of the command line would pay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator
from typing import Any

import yaml

from .refusal import TemplateError

_COMMENTS = ("//", "/*")
_MISFIT = re.compile("expected '?<(?:block end|document start)>'?, but found '(.+)'")
_MISFIT_KEY = "the indentation does not fit: this key is at no level that is open"
_MISFIT_ENTRY = "the indentation does not fit: this list entry is at no level that is open"
_MISFITS = {
    "?": _MISFIT_KEY,
    "<block mapping start>": _MISFIT_KEY,
    "-": _MISFIT_ENTRY,
    "<block sequence start>": _MISFIT_ENTRY,
    "<scalar>": "the value has ended before this text; quote it as a whole",
}
"""What PyYAML's tokens are to people, where another was expected."""
_PLAINER = {"but found another document": "a second document begins here, and a template is one alone"}
MOST_LEVELS = 100
"""How deep values may lie in each other: far beyond what anybody writes, and within what Python can walk."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_UNQUOTED_BRACES = re.compile(r"[:-]\s+\{\{")


def decoded(content: bytes) -> str:
    """The text of a file, with or without a byte order mark. Raises TemplateError where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(f"is not UTF-8 text (byte {error.start})") from error


def tree_of(text: str) -> object:
    """What `text` (YAML with CloudFormation's tags, or JSON) spells. Raises TemplateError, with the line."""
    try:
        tree = _json(text) if is_json(text) else _yaml(text)
    except RecursionError:
        raise TemplateError("is nested too deeply") from None
    if is_too_deep(tree):
        raise TemplateError("is nested too deeply")
    return tree


def is_json(text: str) -> bool:
    """Whether a text is to be read as JSON, not as YAML: by its brace, or a comment that only JSON's relatives have."""
    return text.lstrip().startswith(("{", *_COMMENTS))


def is_too_deep(tree: object) -> bool:
    """Whether maps and lists lie in each other more than MOST_LEVELS deep."""
    level = [tree]
    for _ in range(MOST_LEVELS):
        level = [child for node in level for child in _children(node)]
    return bool(level)


def _children(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise TemplateError(f"is not JSON: line {error.lineno}, column {error.colno}: {json_problem(error)}") from error
    except ValueError as error:
        # JSON's own reader does not know where it was. YAML takes no tabs between JSON's tokens.
        _yaml(text.replace("\t", " "), "JSON")
        raise TemplateError(f"is not JSON: {error}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} is there twice")
        found[key] = value
    return found


def _yaml(text: str, language: str = "YAML") -> object:
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        line = "".join(_LINE_END.split(text)[mark.line : mark.line + 1]) if mark else ""
        # The composer's errors are about what YAML has and a template has not.
        is_not = "" if isinstance(error, yaml.composer.ComposerError) else f"is not {language}: "
        raise TemplateError(f"{is_not}{place}{yaml_problem(error, line)}") from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
        character = f"#x{ord(text[error.position]):02x}"
        raise TemplateError(f"is not {language}: {place}: a control character ({character})") from error


def json_problem(error: json.JSONDecodeError) -> str:
    """What is wrong, where JSON cannot be read."""
    return "JSON has no comments" if error.doc.startswith(_COMMENTS, error.pos) else error.msg


def yaml_problem(error: yaml.MarkedYAMLError, line: str) -> str:
    """What is wrong with a line where YAML cannot be read, and the likely reason."""
    problem = error.problem or error.context or ""
    if found := _MISFIT.fullmatch(problem):
        problem = _MISFITS.get(found[1], problem)
    problem = _PLAINER.get(problem, problem)
    return f"{problem}; a value that begins with {{{{ needs quotes" if _UNQUOTED_BRACES.search(line) else problem


class WithoutAliases(yaml.SafeLoader):
    """YAML without aliases, which CloudFormation does not take."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                problem="CloudFormation takes no YAML aliases; write the value out, or resolve them first "
                "(`aws cloudformation package`, `sam build`)",
                problem_mark=self.current_event.start_mark,
            )
        return super().compose_node(parent, index)


class _Loader(WithoutAliases):
    """YAML as CloudFormation reads it: dates stay text, keys are text and may not repeat."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep=deep)
            if isinstance(value, int):
                str(value)  # Python refuses to write out thousands of digits, even those that it reads as octal
        except (LookupError, ValueError) as error:
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                problem=f"{str(node.value)[:60]!r} is no {kind}; text needs quotes", problem_mark=node.start_mark
            ) from error
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise yaml.constructor.ConstructorError(problem="this is no map", problem_mark=node.start_mark)
        mapping: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(problem="a key must be text", problem_mark=key_node.start_mark)
            key = key_node.value
            if key in mapping:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key!r} is there twice", problem_mark=key_node.start_mark
                )
            mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    if isinstance(node, yaml.ScalarNode):
        scalar = loader.construct_scalar(node)
        return {name: str(scalar).split(".", 1) if name == "Fn::GetAtt" else scalar}
    raise yaml.constructor.ConstructorError(problem=f"!{suffix} of nothing", problem_mark=node.start_mark)


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)
