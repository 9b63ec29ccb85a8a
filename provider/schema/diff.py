"""Live and wanted -> differences: what an Update would change, told so that a person can follow it."""

import json
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from .checkpoint import Checkpoint, paced, proceed
from .flatten import flatten_value
from .model import Type, pascal_case, resource_type


class _Absent(Enum):
    ABSENT = "absent"

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent.ABSENT
"""Stands in a `Difference` for the side that has nothing."""


class Difference(NamedTuple):
    """One place where two configurations differ, in CloudFormation's names; entries of unordered lists by their key.

    `Distributions["eu-west-1"].AmiDistributionConfiguration.Name`
    """

    path: str
    old: object
    new: object


def differences(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None, checkpoint: Checkpoint = proceed
) -> tuple[Difference, ...]:
    """Compare two configurations by the API's names; None is one that is not there.

    Passed over is what carries no meaning: the order of Regions and of scalars in a list (accounts, tags),
    and a member left out against its default in the service. A list left out and an empty one differ:
    the API stores both as given.
    """
    if old == new:
        return ()
    return tuple(_compare(dict(old or {}), dict(new or {}), resource_type(), "", checkpoint))


def _compare(old: Any, new: Any, type_: Type, path: str, checkpoint: Checkpoint) -> Iterator[Difference]:
    if old is ABSENT or new is ABSENT:
        yield Difference(path, _shown(old, type_, checkpoint), _shown(new, type_, checkpoint))
    elif old == new:
        return
    elif type_.kind == "structure":
        for member in type_.members:
            before, after = old.get(member, ABSENT), new.get(member, ABSENT)
            if before != after and not _is_default(before, after, type_.default(member)):
                here = f"{path}.{pascal_case(member)}" if path else pascal_case(member)
                yield from _compare(before, after, type_.members[member], here, checkpoint)
    elif type_.kind == "map" and type_.item is not None:
        yield from _compare_keyed(old, new, type_.item, path, checkpoint)
    elif type_.kind == "list" and type_.item is not None:
        yield from _compare_lists(old, new, type_, type_.item, path, checkpoint)
    else:
        yield Difference(path, old, new)


def _compare_lists(
    old: Any, new: Any, type_: Type, item: Type, path: str, checkpoint: Checkpoint
) -> Iterator[Difference]:
    if item.is_scalar:
        if sorted(old) != sorted(new):
            yield Difference(path, old, new)
    elif (by_old := _keyed(old, type_.list_key)) is not None and (by_new := _keyed(new, type_.list_key)) is not None:
        yield from _compare_keyed(by_old, by_new, item, path, checkpoint)
    else:
        for index in paced(range(max(len(old), len(new))), checkpoint):
            before = old[index] if index < len(old) else ABSENT
            after = new[index] if index < len(new) else ABSENT
            yield from _compare(before, after, item, f"{path}[{index}]", checkpoint)


def _compare_keyed(
    old: Mapping[str, Any], new: Mapping[str, Any], item: Type, path: str, checkpoint: Checkpoint
) -> Iterator[Difference]:
    for key in paced([*old, *(key for key in new if key not in old)], checkpoint):
        before, after = old.get(key, ABSENT), new.get(key, ABSENT)
        if before != after:
            yield from _compare(before, after, item, f"{path}[{json.dumps(key, ensure_ascii=False)}]", checkpoint)


def _keyed(entries: list[Any], key: str | None) -> dict[str, Any] | None:
    """The entries by their key, or None where they have no key of their own each."""
    if key is None:
        return None
    keyed = {entry.get(key): entry for entry in entries}
    return keyed if len(keyed) == len(entries) and None not in keyed else None


def _is_default(old: object, new: object, default: object) -> bool:
    return default is not None and (default if old is ABSENT else old) == (default if new is ABSENT else new)


def _shown(value: Any, type_: Type, checkpoint: Checkpoint) -> object:
    return ABSENT if value is ABSENT else flatten_value(value, type_, checkpoint)
