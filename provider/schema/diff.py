"""Observed and desired state -> differences: what an Update would change, for people to read."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from .checkpoint import Checkpoint, paced, proceed
from .flatten import flatten_value
from .model import Schema, pascal_case


class _Absent(Enum):
    ABSENT = "absent"


ABSENT: Final = _Absent.ABSENT
"""The value on the side of a `Difference` that has none."""


class Difference(NamedTuple):
    """One path at which two resources differ, such as `Distributions["eu-west-1"].AmiDistributionConfiguration.Name`.

    It has CloudFormation's names. Entries of unordered lists have their key instead of an index.
    """

    path: str
    old: object
    new: object


def differences(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, schema: Schema, checkpoint: Checkpoint = proceed
) -> tuple[Difference, ...]:
    """Compare two resources by the API's names. None is a resource that does not exist.

    Ignores differences without a meaning: the order of a list's entries, and whether a member is omitted or has the
    service's default. An omitted list and an empty one differ, because the API
    stores both as given.
    """
    if old == new:
        return ()
    return tuple(_compare(dict(old or {}), dict(new or {}), schema, "", checkpoint))


def _compare(old: Any, new: Any, schema: Schema, path: str, checkpoint: Checkpoint) -> Iterator[Difference]:
    if old is ABSENT or new is ABSENT:
        yield Difference(path, _shown(old, schema, checkpoint), _shown(new, schema, checkpoint))
    elif old == new:
        return
    elif schema.type_name == "structure":
        yield from _compare_members(old, new, schema, path, checkpoint)
    elif schema.type_name == "map" and schema.item is not None:
        yield from _compare_keyed(old, new, schema.item, path, checkpoint)
    elif schema.type_name == "list" and schema.item is not None:
        yield from _compare_lists(old, new, schema, schema.item, path, checkpoint)
    else:
        yield Difference(path, old, new)


def _compare_members(old: Any, new: Any, schema: Schema, path: str, checkpoint: Checkpoint) -> Iterator[Difference]:
    for member in schema.members:
        before, after = old.get(member, ABSENT), new.get(member, ABSENT)
        if before != after and not _is_default(before, after, schema.default(member)):
            here = f"{path}.{pascal_case(member)}" if path else pascal_case(member)
            yield from _compare(before, after, schema.members[member], here, checkpoint)


def _compare_lists(
    old: Any, new: Any, schema: Schema, item: Schema, path: str, checkpoint: Checkpoint
) -> Iterator[Difference]:
    if item.is_scalar:
        if sorted(map(_text, old)) != sorted(map(_text, new)):
            yield Difference(path, old, new)
    elif (by_old := _keyed(old, schema.list_key)) is not None and (by_new := _keyed(new, schema.list_key)) is not None:
        yield from _compare_keyed(by_old, by_new, item, path, checkpoint)
    else:
        before, after = _without_equals(old, new, item, checkpoint), _without_equals(new, old, item, checkpoint)
        for index in paced(sorted({*before, *after}), checkpoint):
            yield from _compare(
                before.get(index, ABSENT), after.get(index, ABSENT), item, f"{path}[{index}]", checkpoint
            )


def _text(entry: object) -> str:
    """Return an entry of a list of texts; a source (see `account_sources`) as JSON."""
    return entry if isinstance(entry, str) else json.dumps(entry, sort_keys=True, default=str)


def _compare_keyed(
    old: Mapping[str, Any], new: Mapping[str, Any], item: Schema, path: str, checkpoint: Checkpoint
) -> Iterator[Difference]:
    for key in paced([*old, *(key for key in new if key not in old)], checkpoint):
        before, after = old.get(key, ABSENT), new.get(key, ABSENT)
        if before != after:
            yield from _compare(before, after, item, f"{path}[{json.dumps(key, ensure_ascii=False)}]", checkpoint)


def _keyed(entries: list[Any], key: str | None) -> dict[str, Any] | None:
    """Return the entries by their key; None if the keys are not unique."""
    if key is None:
        return None
    keyed = {entry.get(key): entry for entry in entries}
    return keyed if len(keyed) == len(entries) and None not in keyed else None


def _without_equals(entries: list[Any], others: list[Any], item: Schema, checkpoint: Checkpoint) -> dict[int, Any]:
    """Return the entries by their indexes, without those that have an equal one in another list."""
    equal = Counter(_normal(other, item) for other in paced(others, checkpoint))
    left: dict[int, Any] = {}
    for index, entry in paced([*enumerate(entries)], checkpoint):
        normal = _normal(entry, item)
        if equal[normal] > 0:
            equal[normal] -= 1
        else:
            left[index] = entry
    return left


def _normal(value: Any, schema: Schema) -> str:
    """Return the same text for two values without differences."""
    if schema.type_name == "structure":
        with_defaults = {name: value.get(name, schema.default(name)) for name in schema.members}
        value = {name: _normal(one, schema.members[name]) for name, one in with_defaults.items() if one is not None}
    elif schema.type_name == "list" and schema.item is not None:
        value = sorted(_normal(entry, schema.item) for entry in value)
    return json.dumps(value, sort_keys=True, default=str)


def _is_default(old: object, new: object, default: object) -> bool:
    return default is not None and (default if old is ABSENT else old) == (default if new is ABSENT else new)


def _shown(value: Any, schema: Schema, checkpoint: Checkpoint) -> object:
    return ABSENT if value is ABSENT else flatten_value(value, schema, checkpoint)
