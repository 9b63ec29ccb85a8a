"""What a template takes from outside: other stacks' exports and dynamic references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from .sections import TreePath


def _as_it_is(_: TreePath, value: str) -> str:
    return value


class ExternalValues(NamedTuple):
    """What is known of values that come from outside of a template.

    `exports` are other stacks', by name; `references` are what dynamic references give, by what stands between
    `{{resolve:` and `}}`. `fit` is given a placeholder and its place in the template, functions included, and gives one
    that can stand there.
    """

    exports: Mapping[str, str] = MappingProxyType({})
    references: Mapping[str, str] = MappingProxyType({})
    fit: Callable[[TreePath, str], str] = _as_it_is
