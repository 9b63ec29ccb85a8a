"""`--output table`: draws nested values as the AWS CLI does."""

import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

_PADDING: Final = 4
_BLUE: Final = "\x1b[1m\x1b[34m{}\x1b[0m"
_YELLOW: Final = "\x1b[2m\x1b[33m{}\x1b[0m"


@dataclass
class _Section:
    """A title and rows with the same number of cells, with or without headers."""

    title: str
    depth: int
    headers: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def add(self, cells: Iterable[object]) -> None:
        self.rows.append([str(cell) for cell in cells])

    @property
    def columns(self) -> list[int]:
        """The width of each column, with its padding."""
        lines = [line for line in (self.headers, *self.rows) if line]
        count = max((len(line) for line in lines), default=0)
        return [max(_width(line[at]) for line in lines if at < len(line)) + _PADDING for at in range(count)]

    @property
    def width(self) -> int:
        return max(_width(self.title), sum(self.columns)) + 2 + 2 * self.depth

    def vertical(self) -> "_Section":
        """The section with headers beside the values if it has a single row; else unchanged."""
        if len(self.rows) != 1 or not self.headers:
            return self
        pairs = zip(self.headers, self.rows[0], strict=True)
        return _Section(self.title, self.depth, rows=[list(pair) for pair in pairs])


def table(title: str, value: Any, *, color: bool) -> str:
    """Draw a JSON value, with ANSI colors if `color`. The table of an empty value is empty."""
    sections = list(_sections(title, value, 0)) if value else []
    if not sections:
        return ""
    if max(section.width for section in sections) > _terminal_width():
        sections = [section.vertical() for section in sections]
    width = max(section.width for section in sections)
    lines = ["-" * width]
    for section in sections:
        edge = _styled("|", _YELLOW, color) * section.depth
        lines += [f"{edge}{line}{edge}" for line in _drawn(section, width - 2 * section.depth, color)]
    return "\n".join(lines) + "\n"


def _sections(title: str, value: Any, depth: int) -> Iterator[_Section]:
    section = _Section(title, depth)
    if isinstance(value, dict):
        headers, below = _split([value])
        if len(headers) == 1:
            section.add([headers[0], value[headers[0]]])
        elif headers:
            section.headers = headers
            section.add(value[name] for name in headers)
        yield section
        yield from _inner(value, below, depth)
    elif _are_structures(value):
        yield from _structures(title, value, depth)
    else:
        nested = list(_entries(section, value)) if isinstance(value, list) else []
        yield section
        yield from nested


def _structures(title: str, entries: list[dict[str, Any]], depth: int) -> Iterator[_Section]:
    """One section for all entries, or one for each if they contain lists or structures."""
    headers, below = _split(entries)
    for group in [[entry] for entry in entries] if below else [entries]:
        section = _Section(title, depth, headers)
        for entry in group:
            section.add(entry.get(name, "") for name in headers)
        yield section
        yield from _inner(group[0], below, depth)


def _inner(structure: dict[str, Any], names: list[str], depth: int) -> Iterator[_Section]:
    for name in names:
        if structure.get(name):
            yield from _sections(name, structure[name], depth + 1)


def _entries(section: _Section, entries: list[Any]) -> Iterator[_Section]:
    """Add a row for each scalar and each list of scalars at any depth. Structures have their own sections."""
    for entry in entries:
        if isinstance(entry, dict) or _are_structures(entry):
            yield from _sections("", entry, section.depth + 1)
        elif not isinstance(entry, list):
            section.add([entry])
        elif any(isinstance(inner, (list, dict)) for inner in entry):
            yield from _entries(section, entry)
        else:
            section.add(entry)


def _are_structures(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(entry, dict) for entry in value)


def _split(structures: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """The names of members that are cells, and of those that have their own sections."""
    names: tuple[set[str], set[str]] = (set(), set())
    for structure in structures:
        for name, value in structure.items():
            names[isinstance(value, (list, dict))].add(name)
    return sorted(names[False]), sorted(names[True])


def _drawn(section: _Section, width: int, color: bool) -> Iterator[str]:
    if section.title:
        yield _cell(section.title, width, "|", _middle(section.title, width))
        if not section.headers and not section.rows:
            yield f"+{'-' * (width - 2)}+"
    columns = _scaled(section.columns, width)
    edges = ["|", *[""] * (len(columns) - 1)]
    line = "+" + "".join("-" * (column - len(edge) - 1) + "+" for column, edge in zip(columns, edges, strict=False))
    if section.headers:
        yield line
        cells = zip(section.headers, columns, edges, strict=True)
        yield "".join(_cell(text, column, edge, _middle(text, column)) for text, column, edge in cells)
    if section.rows and columns:
        yield from (line, *(_row(row, columns, edges, color) for row in section.rows), line)


def _row(row: list[str], columns: list[int], edges: list[str], color: bool) -> str:
    cells = zip([*row, *[""] * (len(columns) - len(row))], columns, edges, strict=True)
    return "".join(
        _cell(text, column, edge, 2 if _width(text) + len(edge) + 3 <= column else 0, color)
        for text, column, edge in cells
    )


def _cell(text: str, width: int, edge: str, indent: int, color: bool = False) -> str:
    """A text between its edges, which `width` includes."""
    after = width - len(edge) - indent - _width(text) - 1
    return f"{edge}{' ' * indent}{_styled(text, _BLUE, color)}{' ' * after}|"


def _middle(text: str, width: int) -> int:
    """The indent that centers a text."""
    return width // 2 - _width(text) // 2 - 1


def _scaled(columns: list[int], width: int) -> list[int]:
    """Column widths, scaled proportionally to fill the width exactly."""
    if not columns:
        return []
    scaled = [round(width / sum(columns) * column) for column in columns]
    excess = sum(scaled) - width
    for step in range(abs(excess)):
        at = step % len(scaled)
        scaled[at if excess > 0 else -1 - at] -= 1 if excess > 0 else -1
    return scaled


def _styled(text: str, style: str, color: bool) -> str:
    return style.format(text) if color else text


def _width(text: str) -> int:
    """The number of screen columns. East Asian wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 80
