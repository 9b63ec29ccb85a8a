"""Reads the documentation: a page's code blocks with the files that they quote, its commands, tables, and links."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from website.sources import pages as website_pages

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = website_pages()
"""All pages of the documentation site."""

_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)[^)]*\)")
_NO_LINK = re.compile(r"`[^`]*`")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block. `file` is the last file to which the preceding paragraph links."""

    language: str
    text: str
    file: Path | None


def blocks(page: Path) -> list[Block]:
    """Return a page's fenced blocks."""
    text = page.read_text("utf-8")
    return [
        Block(found[1], found[2], _last_link(page, text[: found.start()].rstrip().rpartition("\n\n")[2]))
        for found in _FENCED.finditer(text)
    ]


def _last_link(page: Path, paragraph: str) -> Path | None:
    found = _LINK.findall(paragraph)
    return (page.parent / found[-1]).resolve() if found else None


def commands(page: Path) -> list[str]:
    """Return the commands in a page's blocks without a language, with continued lines joined."""
    return [
        line
        for block in blocks(page)
        if not block.language
        for line in block.text.replace("\\\n", " ").splitlines()
        if line
    ]


def rows(page: Path, heading: str) -> list[list[str]]:
    """Return the cells of the first table below a heading, without its header."""
    _, _, below = page.read_text("utf-8").partition(f"# {heading}\n")
    table = re.search(r"(?:^\|.*\n)+", below, re.MULTILINE)
    assert table, f"{page.name} has no table under {heading!r}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[0].splitlines()[2:]]


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Return the files and anchors (empty if none) to which a page links within the project."""
    text = _NO_LINK.sub("", _FENCED.sub("", page.read_text("utf-8")))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            yield ((page.parent / file).resolve() if file else page, anchor)


def headings(page: Path) -> list[str]:
    """Return a page's headings."""
    return _HEADING.findall(_FENCED.sub("", page.read_text("utf-8")))


def anchors(page: Path) -> set[str]:
    """Return a page's anchors: those of its headings on GitHub, and its explicit ones."""
    spelled = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings(page)}
    return spelled | set(re.findall(r'<a (?:id|name)="([^"]+)"', page.read_text("utf-8")))
