"""Reads YAML or JSON with the position of each value.

As in CloudFormation, the language is YAML 1.1, but keys and dates are text. Short functions get their long form.
cfn-lint's reader does the same, but importing it takes half a second.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import yaml

from .syntax_error import explain_json, explain_yaml, glued_tag
from .template_error import TemplateError, TreePath

_COMMENTS = ("//", "/*")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_MAX_DEPTH = 100
"""How deeply values can be nested: deeper than any template needs, and within Python's recursion limit."""
_MAX_DEPTH_OF_LIBYAML = 1000
"""LibYAML recurses without a limit, so deeper text is left to PyYAML's own parser."""
_COMPACT_LISTS = re.compile(r"(?:[-?][ \t]+){1000}")


@dataclass(frozen=True)
class Position:
    """A line and column, both from 1, and the width of the text on that line."""

    line: int = 1
    column: int = 1
    width: int = 1


class UnreadableError(TemplateError):
    """A text that is neither YAML nor JSON. `line` is the text of the line at `position`."""

    def __init__(self, message: str, position: Position | None = None, text: str = "", language: str = "") -> None:
        super().__init__(message)
        self.position = position or Position()
        self.line = Source(text).line(self.position.line)
        if position:
            is_not = f"is not {language}: " if language else ""
            shown = message.removeprefix(is_not)
            self.args = (f"{is_not}line {position.line}, column {position.column}: {shown}",)


@dataclass(frozen=True)
class Source:
    """A text, the value that it contains, and PyYAML's root node, which has the positions."""

    text: str
    tree: Any = None
    root: yaml.Node | None = None

    def position(self, path: TreePath) -> Position:
        """The position of the key or list entry at `path`; if there is none, of the innermost one that contains it."""
        position, node = Position(), self.root
        for element in path:
            if node is not None and element != function_of(node):
                key, node = _child(node, element)
                position = _position(key) if key else position
        return position

    def plain_scalars(self) -> Iterator[tuple[TreePath, str]]:
        """The paths and texts of all keys and scalars without quotes or tags."""
        if self.root is not None:
            yield from _plain_scalars(self.root, ())

    def line(self, number: int) -> str:
        """A line of the text, by its number from 1, without its line break."""
        lines = _LINE_BREAK.split(self.text)
        return lines[number - 1] if number <= len(lines) else ""


def read(content: bytes) -> Source:
    """Read a file's content. Raises UnreadableError."""
    return read_text(decode(content))


def decode(content: bytes) -> str:
    """The text of a file, with or without a byte order mark. Raises UnreadableError if it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"is not UTF-8 text (byte {error.start})") from error


def read_text(text: str) -> Source:
    """Read YAML with CloudFormation's tags, or JSON. Raises UnreadableError."""
    try:
        source = _source(text)
    except RecursionError:
        raise UnreadableError("is nested too deeply") from None
    except json.JSONDecodeError as error:
        problem, line, column = explain_json(text, error)
        raise UnreadableError(f"is not JSON: {problem}", Position(line + 1, column + 1), text, "JSON") from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        position = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        problem = f"a control character (#x{ord(text[error.position]):02x})"
        raise UnreadableError(problem, position, text, "YAML") from error
    except yaml.MarkedYAMLError as error:
        raise _unreadable(text, error) from error
    if is_too_deep(source.tree):
        raise UnreadableError("is nested too deeply")
    return source


def is_json(text: str) -> bool:
    """Whether a text is read as JSON: it starts with a brace or with a comment of JSON's dialects."""
    return text.lstrip().startswith(("{", *_COMMENTS))


def is_too_deep(tree: object) -> bool:
    """Whether maps and lists are nested more than _MAX_DEPTH levels deep."""
    level = [tree]
    for _ in range(_MAX_DEPTH):
        level = [child for node in level for _, child in children(node)]
    return bool(level)


def children(node: object) -> Iterator[tuple[Any, Any]]:
    """The keys and values of a map, or the indexes and entries of a list."""
    if isinstance(node, dict):
        yield from node.items()
    elif isinstance(node, list):
        yield from enumerate(node)


def function_of(node: yaml.Node) -> str:
    """The long name of the function that a node calls in short form; empty if it calls none."""
    tag = str(node.tag)
    if not tag.startswith("!") or len(tag) == 1:
        return ""
    return tag[1:] if tag in ("!Ref", "!Condition") else f"Fn::{tag[1:]}"


def _source(text: str) -> Source:
    plain = text
    if is_json(text):
        # YAML accepts more than JSON, such as a comma after the last entry. As text, integers can have any length.
        json.loads(text, parse_int=str)
        # JSON can be indented with tabs, YAML cannot. A JSON string contains no tabs.
        plain = text.replace("\t", " ")
    if yaml.__with_libyaml__ and not _is_too_deep_for_libyaml(plain):
        # LibYAML is ten times faster. If it fails, PyYAML's parser accepts a little more and explains errors better.
        with suppress(yaml.YAMLError):
            return _composed(text, yaml.compose(plain, Loader=yaml.CSafeLoader))
    return _composed(text, yaml.compose(plain, Loader=_PythonLoader))


def _is_too_deep_for_libyaml(text: str) -> bool:
    depths = accumulate(1 if bracket in "[{" else -1 for bracket in re.findall(r"[\[\]{}]", text))
    return max(depths, default=0) > _MAX_DEPTH_OF_LIBYAML or _COMPACT_LISTS.search(text) is not None


def _composed(text: str, root: yaml.Node | None) -> Source:
    return Source(text, None if root is None else _Values().value(root), root)


class _PythonLoader(yaml.SafeLoader):
    """Rejects aliases, and joins the surrogate pairs with which JSON writes some characters."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise _alias(self.current_event)
        return super().compose_node(parent, index)

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        node.value = node.value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return node


def _alias(found: Any) -> yaml.MarkedYAMLError:
    return yaml.composer.ComposerError(
        problem="CloudFormation does not support YAML aliases; repeat the value, or resolve them first "
        "(`aws cloudformation package`, `sam build`)",
        problem_mark=found.start_mark,
    )


class _Values:
    """Converts nodes to values. A node that occurs twice is an alias."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        constructor = yaml.constructor.SafeConstructor()
        self._scalars = {
            f"tag:yaml.org,2002:{name}": getattr(constructor, f"construct_yaml_{name}")
            for name in ("bool", "float", "int", "null")
        }

    def value(self, node: yaml.Node) -> Any:
        if id(node) in self._seen:
            raise _alias(node)
        self._seen.add(id(node))
        function = function_of(node)
        if node.tag.startswith("!") and (problem := glued_tag(node.tag)[0]):
            raise _error(problem, node)
        value = self._plain(node)
        if not function:
            return value
        return {function: value.split(".", 1) if function == "Fn::GetAtt" and isinstance(value, str) else value}

    def _plain(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node) if node.tag in self._scalars else node.value
        if node.tag in _COLLECTIONS and not isinstance(node, _COLLECTIONS[node.tag]):
            raise _error(f"this is not a {node.tag.rpartition(':')[2]}", node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _error("a key must be text", key)
            if key.value in mapping:
                raise _error(f"the key {key.value!r} is used twice", key)
            mapping[key.value] = self.value(value)
        return mapping

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        try:
            value = self._scalars[node.tag](node)
            if isinstance(value, int):
                str(value)  # raises ValueError for thousands of digits
        except (LookupError, ValueError) as error:
            type_ = _SCALAR_TYPES[node.tag.rpartition(":")[2]]
            raise _error(f"{node.value[:60]!r} is not {type_}; text needs quotes", node) from error
        return value


_SCALAR_TYPES = {"bool": "a boolean", "float": "a number", "int": "an integer", "null": "null"}
_COLLECTIONS = {"tag:yaml.org,2002:map": yaml.MappingNode, "tag:yaml.org,2002:seq": yaml.SequenceNode}


def _error(problem: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)


def _child(node: yaml.Node, element: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    """The node that has the position of an element, and the one that has its value."""
    if isinstance(node, yaml.MappingNode):
        return next((pair for pair in node.value if pair[0].value == element), (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(element, int) and element < len(node.value):
        return node.value[element], node.value[element]
    return None, None


def _plain_scalars(node: yaml.Node, path: TreePath) -> Iterator[tuple[TreePath, str]]:
    function = function_of(node)
    path = (*path, function) if function else path
    if isinstance(node, yaml.ScalarNode):
        # A tag, such as !!str, makes a node longer than its text.
        if not node.style and node.end_mark.index - node.start_mark.index == len(node.value):
            yield path, node.value
    elif isinstance(node, yaml.SequenceNode):
        for index, entry in enumerate(node.value):
            yield from _plain_scalars(entry, (*path, index))
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _plain_scalars(key, (*path, key.value))
            yield from _plain_scalars(value, (*path, key.value))


def _position(node: yaml.Node) -> Position:
    start, end = node.start_mark, node.end_mark
    width = end.column - start.column if end.line == start.line else 1
    return Position(start.line + 1, start.column + 1, max(width, 1))


def _unreadable(text: str, error: yaml.MarkedYAMLError) -> UnreadableError:
    problem, line, column = explain_yaml(text, error)
    # The composer rejects valid YAML that templates cannot contain.
    language = "" if isinstance(error, yaml.composer.ComposerError) else "JSON" if is_json(text) else "YAML"
    return UnreadableError(problem, Position(line + 1, column + 1), text, language)
