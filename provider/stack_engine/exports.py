"""The exports of several stacks in one Region and account: which of them CloudFormation rejects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .records import Stack


def exports_of(stacks: Iterable[Stack]) -> dict[str, str]:
    """All values that these stacks export, by the names of the exports."""
    return {name: value for stack in stacks for name, value in stack.exports.items()}


def refused_export(old: Mapping[str, str], new: Mapping[str, str], others: Iterable[Stack]) -> str:
    """Why CloudFormation does not let a stack replace its exports while the other stacks exist; empty if it does."""
    for other in others:
        for name in new:
            if name in other.exports:
                return f"Export with name {name} is already exported by stack {other.name}."
        for name, value in old.items():
            if name in other.imports and new.get(name) != value:
                verb = "updated" if name in new else "deleted"
                return f"Export {name} cannot be {verb} as it is in use by {other.name}"
    return ""
