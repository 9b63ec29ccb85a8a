"""Edits a template's text in place: comments, quotes, and layout are kept."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

import yaml

from ...authoring.block import lines, scalar
from ...template.reader import Source, UnreadableError, read
from .nodes import Pair

_BYTE_ORDER_MARK: Final = "\ufeff"


@dataclass(frozen=True)
class Note:
    """A message of a conversion, with its line and column in the original, from 1.

    With `is_loss`, something could not be converted.
    """

    line: int
    column: int
    text: str
    is_loss: bool = False


@dataclass
class Document:
    """A YAML or JSON text to edit. Edits are collected, and `result` applies them."""

    source: Source
    root: yaml.MappingNode
    byte_order_mark: str = ""
    notes: list[Note] = field(default_factory=list)
    _edits: dict[tuple[int, int], str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes) -> "Document":
        """The document in a file's content. Raises UnreadableError if it is not a mapping in YAML or JSON."""
        source = read(content)
        if not isinstance(source.root, yaml.MappingNode):
            raise UnreadableError("is not a mapping")
        return cls(source, source.root, _BYTE_ORDER_MARK if content.startswith(_BYTE_ORDER_MARK.encode()) else "")

    @property
    def is_json(self) -> bool:
        """Whether the document is in braces."""
        return bool(self.root.flow_style)

    def result(self) -> str:
        """The text with all edits. Edits within a removed part have no effect."""
        text, done = self.byte_order_mark, 0
        # At the same position, insertions come before changes.
        for (start, end), new in sorted(self._edits.items(), key=lambda edit: (edit[0][0], edit[0][0] < edit[0][1])):
            if start >= done:
                text += self.source.text[done:start] + new
                done = end
        return text + self.source.text[done:]

    def note(self, node: yaml.Node, text: str, *, is_loss: bool = False) -> None:
        """Add a message about a node."""
        self.notes.append(Note(node.start_mark.line + 1, node.start_mark.column + 1, text, is_loss))

    def substitute(self, scalar: yaml.ScalarNode, pattern: str, new: str) -> None:
        """Replace the matches of `pattern` in a scalar's text, without its tag."""
        start, end = scalar.start_mark.index, scalar.end_mark.index
        tag = re.match(r"!\S*\s+", self.source.text[start:end])
        start += tag.end() if tag else 0
        self._edits[start, end] = re.sub(
            pattern, lambda _: new, self._edits.get((start, end), self.source.text[start:end])
        )

    def rename(self, scalar: yaml.ScalarNode, new: str) -> None:
        """Replace a scalar's value, in the same quotes."""
        if scalar.value != new:
            self.substitute(scalar, re.escape(scalar.value), new)

    def replace(self, node: yaml.Node, text: str) -> None:
        """Replace a value, including its tag, by a string."""
        new = json.dumps(text, ensure_ascii=False) if self.is_json else scalar(text)
        self._edits[node.start_mark.index, self._end(node)] = new

    def insert_first(self, key: yaml.ScalarNode, mapping: yaml.MappingNode, new: Mapping[str, Any]) -> None:
        """Insert entries at the start of `mapping`, which is the value of `key`."""
        first = mapping.value[0][0].start_mark if mapping.value else mapping.end_mark
        if mapping.flow_style:
            at = first.index if mapping.value else first.index - 1
            gap = f",{self.source.text[mapping.start_mark.index + 1 : at] or ' '}"
            self._insert(at, gap.join(_flow(*one) for one in new.items()) + (gap if mapping.value else ""))
        else:
            # Directly below the key, because a comment above the first entry belongs to that entry.
            at = self._next_line(key.end_mark.index)
            self._insert(at, "".join(f"{' ' * first.column}{line}{self._newline}" for line in lines(new)))

    def insert_after(self, mapping: yaml.MappingNode, pair: Pair, new: Mapping[str, str]) -> None:
        """Insert entries with plain strings as values after a pair of `mapping`."""
        key, end = pair[0], self._end(pair[1])
        gap = f"{self._newline}{' ' * key.start_mark.column}" if self._begins_line(key) else " "
        if mapping.flow_style:
            self._insert(end, "".join(f",{gap}{_flow(*one)}" for one in new.items()))
        else:
            self._insert(self._line_end(end), "".join(f"{gap}{name}: {text}" for name, text in new.items()))

    def remove(self, mapping: yaml.MappingNode, keys: Collection[yaml.Node]) -> None:
        """Remove the entries with these keys from a mapping, including comments on the same lines."""
        pairs: list[Pair] = mapping.value
        leading = list(takewhile(lambda pair: pair[0] in keys, pairs))
        kept = len(leading)
        if leading == pairs and pairs:
            whole = (pairs[0][0].start_mark.index, self._end(pairs[-1][1]))
            self._edits[whole] = "" if mapping.flow_style else "{}"
        elif leading:
            self._remove_leading(mapping, leading, pairs[kept][0])
        for before, (key, value) in zip(pairs[kept:], pairs[kept + 1 :], strict=False):
            if key in keys and mapping.flow_style:
                self._edits[self._end(before[1]), self._end(value)] = ""
            elif key in keys:
                self._edits[self._line_start(key), self._next_line(self._end(value))] = ""

    def _remove_leading(self, mapping: yaml.MappingNode, pairs: list[Pair], kept: yaml.Node) -> None:
        """Remove a mapping's first entries. Keep comments before the next entry, but no blank lines after a dash."""
        first, end = pairs[0][0], self._end(pairs[-1][1])
        if mapping.flow_style:
            self._edits[first.start_mark.index, kept.start_mark.index] = ""
        elif self._begins_line(first):
            self._edits[self._line_start(first), self._next_line(end)] = ""
        else:
            comments = self.source.text[self._line_end(end) : kept.start_mark.index]
            self._edits[first.start_mark.index, kept.start_mark.index] = comments if comments.strip() else ""

    def _insert(self, at: int, new: str) -> None:
        self._edits[at, at] = self._edits.get((at, at), "") + new

    def _end(self, node: yaml.Node) -> int:
        """The end of a node's own text. PyYAML's end of a block is the start of the next node."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        start, end = node.start_mark.index, node.end_mark.index
        return int(start + len(self.source.text[start:end].rstrip()))

    def _begins_line(self, node: yaml.Node) -> bool:
        return not self.source.text[self._line_start(node) : node.start_mark.index].strip()

    def _line_start(self, node: yaml.Node) -> int:
        return int(node.start_mark.index - node.start_mark.column)

    def _line_end(self, index: int) -> int:
        return _line_break(self.source.text, index).start()

    def _next_line(self, index: int) -> int:
        return _line_break(self.source.text, index).end()

    @property
    def _newline(self) -> str:
        return _line_break(self.source.text, 0).group() or "\n"


def _line_break(text: str, index: int) -> re.Match[str]:
    """The first line break at or after `index`, or the end of the text."""
    found = re.compile(r"\r?\n|\Z").search(text, index)
    assert found is not None
    return found


def _flow(name: str, value: Any) -> str:
    return f"{json.dumps(name)}: {json.dumps(value)}"
