"""Values from outside a template: exports of other stacks, and dynamic references."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from .template_error import TreePath


def _unchanged(_: TreePath, value: str) -> str:
    return value


class ExternalValues(NamedTuple):
    """The known values from outside a template.

    `exports` has the exports of other stacks by name, `deployed` those of the stacks that are deployed here, which take
    precedence, and `references` the values of dynamic references by the text between `{{resolve:` and `}}`. `fit` takes
    a placeholder and its path in the template, including functions, and returns a placeholder that is valid there. The
    path is empty for a dynamic reference that is a part of a text.
    """

    exports: Mapping[str, str] = MappingProxyType({})
    references: Mapping[str, str] = MappingProxyType({})
    fit: Callable[[TreePath, str], str] = _unchanged
    deployed: Mapping[str, str] = MappingProxyType({})
