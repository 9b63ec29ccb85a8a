"""What the pages show: their fenced blocks with what becomes of each, and their commands and paths.

A block of commands or output is run by `test_shown_commands.py`, unless a comment in the line before it says otherwise:

    <!-- run by: FILE -->        another test runs the commands, or compares the output
    <!-- not run: REASON -->     it cannot run here

`python -m tests.docs.shown` counts the blocks, and lists the reasons.
"""

import re
import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.docs.page import PAGES, ROOT

_FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_NOTE = re.compile(r"<!-- (run by|not run): (.+?) -->\s*$")
_PROVIDER = re.compile(r"(?:image-builder-distribution|(?:\.venv/bin/)?python -m provider) ")


class Shown(NamedTuple):
    """A fenced block. `note` is the kind and the text of the comment before it; both are empty if there is none."""

    page: Path
    line: int
    language: str
    text: str
    note: tuple[str, str]

    @property
    def where(self) -> str:
        """The page and the line, as an editor opens them."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The commands of a block without a language, with continued lines joined, and without comments."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [found for line in lines if (found := re.sub(r"(^|\s)#\s.*$", "", line).strip())]


def shown(page: Path) -> list[Shown]:
    """Return a page's blocks."""
    text = page.read_text("utf-8")
    return [
        Shown(page, text.count("\n", 0, found.start()) + 1, found[2], textwrap.dedent(found[3]), _note(text, found))
        for found in _FENCED.finditer(text)
    ]


def _note(text: str, block: re.Match[str]) -> tuple[str, str]:
    found = _NOTE.search(text[: block.start()])
    return (found[1], found[2]) if found else ("", "")


BLOCKS = [block for page in PAGES for block in shown(page)]


def provider_commands(block: Shown) -> Iterator[list[str]]:
    """Return the arguments of each of the provider's commands in a block of any language."""
    for line in block.text.replace("\\\n", " ").splitlines():
        for part in re.split(r" \| | \|\| | && |<\(", line.removeprefix("$ ")):
            if found := _PROVIDER.match(re.sub(r"^ *(- run: )?", "", part)):
                command = re.split(r" >>? |  +#", re.sub(r"^ *(- run: )?", "", part)[found.end() :])[0]
                yield shlex.split(command)


def aws_commands(block: Shown) -> Iterator[list[str]]:
    """Return the arguments of each command of the AWS CLI in a block of commands."""
    if block.language in ("", "text"):
        text = block.text.replace("\\\n", " ")
        for found in re.finditer(r"""(?:^|[|&(] ?|  )aws ((?:'[^']*'|"[^"]*"|[^'"\n|&>])+)""", text, re.MULTILINE):
            yield shlex.split(found[1].removesuffix(")"))


def summary() -> str:
    """Return how many blocks there are by what becomes of them, and the reasons of those that are not run."""
    plain = [block for block in BLOCKS if not block.language]
    kinds = Counter(block.note[0] or "run by test_shown_commands.py" for block in plain)
    languages = Counter(block.language for block in BLOCKS if block.language)
    lines = [f"{len(BLOCKS)} blocks on {len(PAGES)} pages; {len(plain)} with commands or output:"]
    lines += [f"  {count:3} {kind}" for kind, count in kinds.most_common()]
    lines += ["others, checked by language:", *(f"  {count:3} {name}" for name, count in languages.most_common())]
    lines += ["not run:", *(f"  {one.where}: {one.note[1]}" for one in BLOCKS if one.note[0] == "not run")]
    return "\n".join(lines)


if __name__ == "__main__":
    print(summary())
