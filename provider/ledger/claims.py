"""A configuration's content as a set of (path, value) claims, and back.

List entries are identified by their keys, scalars in sets by their values. So claims do not depend on any order, and
merging is a union of sets. Containers are claims, too, because an empty one has a meaning.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache
from typing import Any, Final, NamedTuple

from ..schema.checkpoint import Checkpoint, paced, proceed
from ..schema.diff import ABSENT, Difference
from ..schema.merging import implied, is_atomic, merge_keys
from ..schema.model import Schema, content_members, distribution_configuration, pascal_case


class Key(NamedTuple):
    """The element of a path that identifies an entry of a list, a set, or a map."""

    values: tuple[str, ...]


Path = tuple[str | Key, ...]
"""Member names by the API, and keys."""


class _Present(Enum):
    PRESENT = "present"


PRESENT: Final = _Present.PRESENT
"""The value of a container, and of an entry of a set."""


class Claim(NamedTuple):
    """The value at one path. If it is implied, the member was omitted and has this value by default."""

    value: object
    is_implied: bool = False


Claims = Mapping[Path, Claim]
Content = Mapping[str, Any]
"""What an Update call replaces, by the API's names."""


def claims_of(content: Content, own_account: str, checkpoint: Checkpoint = proceed) -> dict[Path, Claim]:
    """Return the claims of a content. `own_account` is the account of the configuration.

    If a list has two entries with the same key, the claims of the last one count.
    """
    schema = distribution_configuration()
    found: dict[Path, Claim] = {}
    for member in content_members():
        if member in content:
            found.update(_claims(content[member], schema.members[member], (member,), own_account, checkpoint))
    return found


def _claims(
    value: Any, schema: Schema, path: Path, own_account: str, checkpoint: Checkpoint
) -> Iterator[tuple[Path, Claim]]:
    if is_atomic(schema):
        yield path, Claim(_with_defaults(value, schema, own_account))
        return
    yield path, Claim(PRESENT)
    if schema.type_name == "structure":
        for member, inner in schema.members.items():
            if member in value:
                yield from _claims(value[member], inner, (*path, member), own_account, checkpoint)
            elif (default := implied(schema, member, own_account)) is not None:
                yield (*path, member), Claim(default, is_implied=True)
    elif schema.type_name == "map":
        for key, entry in paced(value.items(), checkpoint):
            yield (*path, Key((key,))), Claim(entry)
    else:
        yield from _entries(value, schema, path, own_account, checkpoint)


def _entries(
    value: Any, schema: Schema, path: Path, own_account: str, checkpoint: Checkpoint
) -> Iterator[tuple[Path, Claim]]:
    item, keys = schema.item, merge_keys(schema)
    assert item is not None, "a list has entries"
    for entry in paced(value, checkpoint):
        if item.is_scalar:
            yield (*path, Key((str(entry),))), Claim(entry)
        else:
            key = Key(tuple(str(entry.get(member) or implied(item, member, own_account) or "") for member in keys))
            yield from _claims(entry, item, (*path, key), own_account, checkpoint)


def _with_defaults(value: Any, schema: Schema, own_account: str) -> Any:
    """Return an atomic value with its defaults filled in."""
    if schema.type_name == "structure" and isinstance(value, Mapping):
        filled = {name: value.get(name, implied(schema, name, own_account)) for name in schema.members}
        return {
            name: _with_defaults(entry, schema.members[name], own_account)
            for name, entry in filled.items()
            if entry is not None
        }
    if schema.type_name == "list" and schema.item is not None and isinstance(value, list):
        return [_with_defaults(entry, schema.item, own_account) for entry in value]
    return value


def content_of(claims: Claims) -> dict[str, Any]:
    """Return the content with these claims. Members that are only implied are omitted again.

    Equal claims have equal contents, byte for byte: members and entries are sorted.
    """
    schema = distribution_configuration()
    root: dict[Any, Any] = {}
    for path in sorted(claims, key=_order):
        claim = claims[path]
        node: dict[Any, Any] | None = root
        for element in path[:-1]:
            node = node.get(element) if isinstance(node, dict) else None
        if node is not None and not claim.is_implied:
            node[path[-1]] = {} if claim.value is PRESENT else claim.value
    return {member: _value(root[member], schema.members[member]) for member in root}


def _order(path: Path) -> tuple[tuple[str, ...], ...]:
    return tuple(element.values if isinstance(element, Key) else (element,) for element in path)


def _value(node: Any, schema: Schema) -> Any:
    if is_atomic(schema):
        return node
    if schema.type_name == "structure":
        return {member: _value(entry, schema.members[member]) for member, entry in node.items()}
    if schema.type_name == "map":
        return {key.values[0]: entry for key, entry in node.items()}
    assert schema.item is not None, "a list has entries"
    return [_value(entry, schema.item) for entry in node.values()]


def values_of(claims: Claims) -> dict[Path, object]:
    """Return the value at each path, whether it is implied or not."""
    return {path: claim.value for path, claim in claims.items()}


def are_equal(one: Content, other: Content, own_account: str) -> bool:
    """Return whether two contents have the same claims."""
    return one == other or values_of(claims_of(one, own_account)) == values_of(claims_of(other, own_account))


def digest(content: Content, own_account: str) -> str:
    """Return 64 hexadecimal digits that identify a content. Contents with the same claims have the same digest."""
    claims = claims_of(content, own_account)
    lines = sorted(json.dumps([_order(path), _json(claim.value)], sort_keys=True) for path, claim in claims.items())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _json(value: object) -> object:
    return True if value is PRESENT else value


def differences(old: Content, new: Content, own_account: str) -> tuple[Difference, ...]:
    """Return the claims in which two contents differ, in the order of their paths."""
    before, after = values_of(claims_of(old, own_account)), values_of(claims_of(new, own_account))
    changed = (path for path in {*before, *after} if before.get(path, ABSENT) != after.get(path, ABSENT))
    return tuple(
        Difference(path_text(path), _json(before.get(path, ABSENT)), _json(after.get(path, ABSENT)))
        for path in sorted(changed, key=_order)
    )


def path_text(path: Path) -> str:
    """Return a path for messages: `Distributions["us-east-1"].AmiDistributionConfiguration.Name`."""
    text = ""
    for element in path:
        if isinstance(element, Key):
            text += f"[{', '.join(json.dumps(value, ensure_ascii=False) for value in element.values)}]"
        else:
            text += f".{pascal_case(element)}" if text else pascal_case(element)
    return text


def members(path: Path) -> tuple[str, ...]:
    """Return the members of a path, without the keys."""
    return tuple(element for element in path if not isinstance(element, Key))


@cache
def schema_at(names: tuple[str, ...]) -> Schema:
    """Return the schema of the value at these members. A list's entries have its item's members."""
    schema = distribution_configuration()
    for name in names:
        structure = schema.item if schema.type_name == "list" and schema.item is not None else schema
        schema = structure.members[name]
    return schema
