"""A template's text, changed only where it has to be: comments, quotes and layout stay as they are."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

import yaml

from ...authoring.block import lines
from ...template.reader import Source, UnreadableError, read
from .nodes import Pair

_MARK: Final = "\ufeff"


@dataclass(frozen=True)
class Note:
    """What a conversion has to tell, and where in the original: line and column from 1.

    `lost` says that something could not be carried over.
    """

    line: int
    column: int
    text: str
    lost: bool = False


@dataclass
class Document:
    """YAML or JSON as somebody wrote it, `mark` being its byte order mark. Edits add up; `result` makes them all."""

    source: Source
    root: yaml.MappingNode
    mark: str = ""
    notes: list[Note] = field(default_factory=list)
    _edits: dict[tuple[int, int], str] = field(default_factory=dict)

    @classmethod
    def of(cls, content: bytes) -> Document:
        """The document in a file's content. Raises UnreadableError for what is no mapping in YAML or JSON."""
        source = read(content)
        if not isinstance(source.root, yaml.MappingNode):
            raise UnreadableError("is not a mapping")
        return cls(source, source.root, _MARK if content.startswith(_MARK.encode()) else "")

    @property
    def text(self) -> str:
        """The original."""
        return self.source.text

    @property
    def is_json(self) -> bool:
        """Whether it is written in braces."""
        return bool(self.root.flow_style)

    def result(self) -> str:
        """The text with all edits made. What lies within a removed part goes with it."""
        text, done = self.mark, 0
        # What is put in somewhere comes before what changes there.
        for (start, end), new in sorted(self._edits.items(), key=lambda edit: (edit[0][0], edit[0][0] < edit[0][1])):
            if start >= done:
                text += self.text[done:start] + new
                done = end
        return text + self.text[done:]

    def tell(self, node: yaml.Node, text: str, *, lost: bool = False) -> None:
        """Note something about a place."""
        note = Note(node.start_mark.line + 1, node.start_mark.column + 1, text, lost)
        if note not in self.notes:
            self.notes.append(note)

    def substitute(self, scalar: yaml.ScalarNode, pattern: str, new: str) -> None:
        """Replace what `pattern` finds in a scalar's own text, behind its tag."""
        start, end = scalar.start_mark.index, scalar.end_mark.index
        tag = re.match(r"!\S*\s+", self.text[start:end])
        start += tag.end() if tag else 0
        self._edits[start, end] = re.sub(pattern, lambda _: new, self._edits.get((start, end), self.text[start:end]))

    def rename(self, scalar: yaml.ScalarNode, new: str) -> None:
        """Give a scalar another value in the same quotes."""
        if scalar.value != new:
            self.substitute(scalar, re.escape(scalar.value), new)

    def put_first(self, key: yaml.ScalarNode, mapping: yaml.MappingNode, new: Mapping[str, Any]) -> None:
        """Put entries before those of `mapping`, which is the value of `key`."""
        first = mapping.value[0][0].start_mark if mapping.value else mapping.end_mark
        if mapping.flow_style:
            at = first.index if mapping.value else first.index - 1
            gap = f",{self.text[mapping.start_mark.index + 1 : at] or ' '}"
            self._put(at, gap.join(_flow(*one) for one in new.items()) + (gap if mapping.value else ""))
        else:
            # Right below the key: a comment above the first entry belongs to that.
            at = self._next_line(key.end_mark.index)
            self._put(at, "".join(f"{' ' * first.column}{line}{self._newline}" for line in lines(new)))

    def put_after(self, mapping: yaml.MappingNode, pair: Pair, new: Mapping[str, str]) -> None:
        """Put entries with plain texts for values behind a pair of `mapping`."""
        key, end = pair[0], self._end(pair[1])
        gap = f"{self._newline}{' ' * key.start_mark.column}" if self._begins_line(key) else " "
        if mapping.flow_style:
            self._put(end, "".join(f",{gap}{_flow(*one)}" for one in new.items()))
        else:
            self._put(self._line_end(end), "".join(f"{gap}{name}: {text}" for name, text in new.items()))

    def remove(self, mapping: yaml.MappingNode, doomed: Collection[yaml.Node]) -> None:
        """Take away the entries of a mapping that have one of the `doomed` keys, with what stands on their lines."""
        pairs: list[Pair] = mapping.value
        leading = list(takewhile(lambda pair: pair[0] in doomed, pairs))
        kept = len(leading)
        if leading == pairs and pairs:
            whole = (pairs[0][0].start_mark.index, self._end(pairs[-1][1]))
            self._edits[whole] = "" if mapping.flow_style else "{}"
        elif leading:
            self._remove_leading(mapping, leading, pairs[kept][0])
        for before, (key, value) in zip(pairs[kept:], pairs[kept + 1 :], strict=False):
            if key in doomed and mapping.flow_style:
                self._edits[self._end(before[1]), self._end(value)] = ""
            elif key in doomed:
                self._edits[self._line_start(key), self._next_line(self._end(value))] = ""

    def _remove_leading(self, mapping: yaml.MappingNode, pairs: list[Pair], kept: yaml.Node) -> None:
        """Remove a mapping's first entries; comments before the next one stay, blank lines behind a dash do not."""
        first, end = pairs[0][0], self._end(pairs[-1][1])
        if mapping.flow_style:
            self._edits[first.start_mark.index, kept.start_mark.index] = ""
        elif self._begins_line(first):
            self._edits[self._line_start(first), self._next_line(end)] = ""
        else:
            comments = self.text[self._line_end(end) : kept.start_mark.index]
            self._edits[first.start_mark.index, kept.start_mark.index] = comments if comments.strip() else ""

    def _put(self, at: int, new: str) -> None:
        self._edits[at, at] = self._edits.get((at, at), "") + new

    def _end(self, node: yaml.Node) -> int:
        """Where a node's own text ends; PyYAML's end of a block is where the next node begins."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        start, end = node.start_mark.index, node.end_mark.index
        return int(start + len(self.text[start:end].rstrip()))

    def _begins_line(self, node: yaml.Node) -> bool:
        return not self.text[self._line_start(node) : node.start_mark.index].strip()

    def _line_start(self, node: yaml.Node) -> int:
        return int(node.start_mark.index - node.start_mark.column)

    def _line_end(self, index: int) -> int:
        return _line_break(self.text, index).start()

    def _next_line(self, index: int) -> int:
        return _line_break(self.text, index).end()

    @property
    def _newline(self) -> str:
        return _line_break(self.text, 0).group() or "\n"


def _line_break(text: str, index: int) -> re.Match[str]:
    """The first line break from `index` on, or the end."""
    found = re.compile(r"\r?\n|\Z").search(text, index)
    assert found is not None
    return found


def _flow(name: str, value: Any) -> str:
    return f"{json.dumps(name)}: {json.dumps(value)}"
