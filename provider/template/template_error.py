"""What CloudFormation refuses in a template, and where."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TypeAlias

TreePath: TypeAlias = tuple[str | int, ...]
"""Where a value is in a template: keys, and list positions from 0."""

UNREADABLE = "E0000"
"""cfn-lint's ID of what makes a file unreadable as a template."""
_SHOWN = 60
"""Characters of a value that messages show."""


class TemplateError(Exception):
    """What a template's author has to mend; its text is one line that says where.

    `path` is where in the template, as keys and list positions; empty where no single place is at fault. `id` is
    cfn-lint's. `all` are the mistakes that were found at once, this one first.
    """

    def __init__(self, message: str, path: TreePath = (), id_: str = UNREADABLE) -> None:
        self.message, self.path, self.id = message, path, id_
        self.all: tuple[TemplateError, ...] = (self,)
        super().__init__(f"{format_path(path)}: {message}" if path else message)

    def below(self, path: TreePath) -> TemplateError:
        """The same in a file that has only what is at `path` of the template."""
        depth = len(path)
        found = tuple(
            TemplateError(one.message, one.path[depth:] if one.path[:depth] == path else one.path, one.id)
            for one in self.all
        )
        found[0].all = found
        return found[0]


def raise_all(mistakes: Iterable[TemplateError]) -> None:
    """Raise the first of the mistakes, which knows the others; do nothing where there are none."""
    found = tuple(mistakes)
    if found:
        found[0].all = found
        raise found[0]


def format_path(path: TreePath) -> str:
    """`("Resources", "A", 0)` as a person writes it: `Resources.A[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def describe(value: object) -> str:
    """A value for a message: its JSON, cut short, or the kind of a value that holds others."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
