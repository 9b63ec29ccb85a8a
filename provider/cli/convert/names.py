"""Names of members as somebody wrote them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ...schema.model import Schema


def given_twice(names: Iterable[str], type_: Schema) -> set[str]:
    """Those of a structure's names that stand for the same member: given one name, they would hide each other."""
    written = list(names)
    counts = Counter(type_.spellings.get(name) for name in written)
    return {name for name in written if name in type_.spellings and counts[type_.spellings[name]] > 1}
