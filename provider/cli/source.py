"""YAML or JSON as an author wrote it: the values, and the line and column of each.

cfn-lint's reader gives both as well, but importing it takes half a second. Functions in short form are read as their
long form, keys and dates as text. What CloudFormation does not take is refused: aliases, and JSON that is almost JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from ..template.syntax import WithoutAliases, is_json, json_problem, yaml_problem

if TYPE_CHECKING:
    from ..schema.finding import Path

_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{kind}" for kind in ("bool", "float", "int", "null"))


@dataclass(frozen=True)
class Place:
    """Where something is: its line and column from 1, and how many columns it takes on that line."""

    line: int = 1
    column: int = 1
    width: int = 1


class UnreadableError(Exception):
    """The text is neither YAML nor JSON, at `place`, on the line that reads `line`."""

    def __init__(self, message: str, place: Place | None = None, line: str = "") -> None:
        self.place = place or Place()
        self.line = line
        super().__init__(message)


@dataclass
class Source:
    """A text and what it says. `places` has the keys of mappings and the entries of lists, by their paths."""

    text: str
    tree: Any = None
    places: dict[Path, Place] = field(default_factory=dict)

    def place(self, path: Path) -> Place:
        """Where the value at `path` is: at its key, or, in a list, where it begins."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place())

    def line(self, number: int) -> str:
        """A line of the text, by its number from 1, without its end."""
        lines = re.split(r"\r\n|\r|\n", self.text)
        return lines[number - 1] if number <= len(lines) else ""


def read(content: bytes) -> Source:
    """Read a file's content. Raises UnreadableError with the place of what is wrong."""
    try:
        source = Source(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UnreadableError(f"is not UTF-8 text (byte {error.start})") from error
    try:
        source.tree = _tree(source)
    except json.JSONDecodeError as error:
        place = Place(error.lineno, error.colno)
        raise UnreadableError(f"is not JSON: {json_problem(error)}", place, source.line(error.lineno)) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else Place()
        line = source.line(place.line)
        raise UnreadableError(yaml_problem(error, line), place, line) from error
    except yaml.reader.ReaderError as error:
        before = source.text[: error.position]
        place = Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise UnreadableError(f"a control character (#x{ord(source.text[error.position]):02x})", place) from error
    except RecursionError:
        raise UnreadableError("is nested too deeply") from None
    return source


def _tree(source: Source) -> Any:
    text = source.text
    if is_json(text):
        # YAML takes what JSON does not, such as a comma after the last entry. Only texts of numbers have no limit.
        json.loads(text, parse_int=str)
        # JSON may be indented with tabs, YAML may not; within its texts there are none.
        text = text.replace("\t", " ")
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        return None if node is None else _Reader(loader, source).value(node, ())
    finally:
        loader.dispose()


class _Loader(WithoutAliases):
    """Makes nodes of a text, with characters whole that JSON writes in two halves."""

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        node = super().compose_scalar_node(anchor)
        node.value = node.value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return node


@dataclass
class _Reader:
    """Turns nodes into values, and notes where they are."""

    loader: _Loader
    source: Source

    def value(self, node: yaml.Node, path: Path) -> Any:
        if node.tag.startswith("!") and len(node.tag) > 1:
            return self._short_form(node, path)
        return self._plain(node, path)

    def _plain(self, node: yaml.Node, path: Path) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.source.places[*path, index] = _place(item)
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> Any:
        if node.tag in _PLAIN_TAGS:
            try:
                return self.loader.construct_object(node)
            except (KeyError, ValueError) as error:
                plain = self.loader.resolve(yaml.ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
                if plain != node.tag:
                    problem = f"{node.value!r} is no {node.tag.rpartition(':')[2]}"
                    raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark) from error
                # It looks like a number, and is none.
                return node.value
        return node.value

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        own: set[str] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(problem="a key must be text", problem_mark=key_node.start_mark)
            if key_node.value in own:
                problem = f"{key_node.value!r} is there twice"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=key_node.start_mark)
            own.add(key_node.value)
        found = {}
        for key_node, value_node in node.value:
            here = (*path, key_node.value)
            self.source.places[here] = _place(key_node)
            found[key_node.value] = self.value(value_node, here)
        return found

    def _short_form(self, node: yaml.Node, path: Path) -> dict[str, Any]:
        name = node.tag[1:] if node.tag in ("!Ref", "!Condition") else f"Fn::{node.tag[1:]}"
        if isinstance(node, yaml.ScalarNode):
            return {name: node.value.split(".", 1) if name == "Fn::GetAtt" else node.value}
        return {name: self._plain(node, (*path, name))}


def _place(node: yaml.Node) -> Place:
    start, end = node.start_mark, node.end_mark
    width = end.column - start.column if end.line == start.line else 1
    return Place(start.line + 1, start.column + 1, max(width, 1))
