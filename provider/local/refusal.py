"""What CloudFormation refuses in a template, and where."""

from __future__ import annotations

from typing import TypeAlias

TreePath: TypeAlias = tuple[str | int, ...]
"""Where a value is in a template: keys, and list positions from 0."""


class TemplateError(Exception):
    """What a template's author has to mend; its text is one line that says where.

    `path` is where in the template, as keys and list positions; empty where no single place is at fault.
    """

    def __init__(self, message: str, path: TreePath = ()) -> None:
        self.path = path
        super().__init__(f"{spelled(path)}: {message}" if path else message)


def spelled(path: TreePath) -> str:
    """`("Resources", "A", 0)` as a person writes it: `Resources.A[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
