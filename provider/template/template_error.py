"""A mistake in a template, with its path."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TypeAlias

TreePath: TypeAlias = tuple[str | int, ...]
"""The path to a value in a template: keys, and list indexes from 0."""

UNREADABLE = "E0000"
"""cfn-lint's ID for a file that cannot be read as a template."""
_SHOWN = 200
"""Characters of a value that messages show: enough for every valid ARN."""


class TemplateError(Exception):
    """A mistake in a template; its text is one line that contains the path.

    `path` has keys and list indexes; it is empty if the mistake has no single place. `id` is cfn-lint's. `all` has all
    mistakes that were found together, this one first.
    """

    def __init__(self, message: str, path: TreePath = (), id_: str = UNREADABLE) -> None:
        self.message, self.path, self.id = message, path, id_
        self.all: tuple[TemplateError, ...] = (self,)
        super().__init__(f"{format_path(path)}: {message}" if path else message)

    def below(self, path: TreePath) -> TemplateError:
        """The same error for a file that contains only the value at `path` of the template."""
        depth = len(path)
        found = tuple(
            TemplateError(one.message, one.path[depth:] if one.path[:depth] == path else one.path, one.id)
            for one in self.all
        )
        found[0].all = found
        return found[0]


def raise_all(mistakes: Iterable[TemplateError]) -> None:
    """Raise the first of the mistakes, with all of them in `all`. Do nothing if there are none."""
    found = tuple(mistakes)
    if found:
        found[0].all = found
        raise found[0]


def format_path(path: TreePath) -> str:
    """A path for people: `Resources.A[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def most_similar(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The most similar of the `known` names, whatever its letter case; empty if no similarity (0 to 1) is enough."""
    from difflib import get_close_matches  # only a mistake needs it

    names = {one.lower(): one for one in known}
    similar = get_close_matches(name.lower(), names, n=1, cutoff=cutoff)
    return names[similar[0]] if similar else ""


def describe(value: object) -> str:
    """A value for a message: shortened JSON, or the type of a mapping or list."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
