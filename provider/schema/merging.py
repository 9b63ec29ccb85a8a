"""How values of several owners merge: the tables of keys, as data. `provider.ledger` merges by them.

A separate module, because a request that uses no ledger needs none of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from .model import (
    DISTRIBUTIONS,
    LIST_KEYS,
    PROPERTIES,
    PROVIDER_PROPERTIES,
    ROLE,
    TARGET,
    Schema,
    content_members,
    distribution_configuration,
)

MERGE_KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    **{shape: (member,) for shape, member in LIST_KEYS.items()},
    "LaunchTemplateConfigurationList": ("accountId", "launchTemplateId"),
    "SsmParameterConfigurationList": ("amiAccountId", "parameterName"),
}
"""Lists of structures, by shape, with the members that identify an entry. Any other list of structures is atomic."""

OWN_ACCOUNT_MEMBERS: Final = frozenset(
    {
        ("LaunchTemplateConfiguration", "accountId"),
        ("FastLaunchConfiguration", "accountId"),
        ("SsmParameterConfiguration", "amiAccountId"),
    }
)
"""Members that are the configuration's own account if they are omitted, by shape and member."""

ATOMIC: Final = frozenset(
    {
        "S3ExportConfiguration",
        "TargetContainerRepository",
        "FastLaunchSnapshotConfiguration",
        "FastLaunchLaunchTemplateSpecification",
    }
)
"""Structures that are compared as a whole, by shape: their members are meaningless without each other."""


def merge_keys(schema: Schema) -> tuple[str, ...]:
    """Return the members that identify an entry of this list; empty if the list has no such members."""
    return MERGE_KEYS.get(schema.shape, ())


@cache
def is_atomic(schema: Schema) -> bool:
    """Return whether a value of this schema is compared as a whole."""
    if schema.shape in ATOMIC or schema.is_scalar:
        return True
    if schema.type_name == "list":
        return schema.item is None or not (schema.item.is_scalar or merge_keys(schema))
    return schema.type_name == "map" and (schema.item is None or not schema.item.is_scalar)


def implied(schema: Schema, member: str, own_account: str) -> object:
    """Return the value of an omitted member of this structure; None if an omitted member has no value."""
    if (schema.shape, member) in OWN_ACCOUNT_MEMBERS:
        return own_account or None
    return schema.default(member)


Members = tuple[str, ...]
"""The members of a path, by the API's names, without keys."""


def members_of(written: str) -> Members | None:
    """Return the members of a path as a user writes it; None if it names no property that an Update replaces.

    `Distributions[].AmiDistributionConfiguration.AmiTags` and `distributions.amiDistributionConfiguration.amiTags` are
    the same path.
    """
    schema: Schema | None = distribution_configuration()
    found: list[str] = []
    for element in written.split("."):
        name = element.removesuffix("[]")
        structure = _structure(schema)
        if structure is None or name not in structure.spellings:
            return None
        found.append(structure.spellings[name])
        schema = structure.members[found[-1]]
        if element != name and schema.item is None:
            return None
    return tuple(found) if found[0] in content_members() else None


def _structure(schema: Schema | None) -> Schema | None:
    structure = schema.item if schema is not None and schema.type_name == "list" else schema
    return structure if structure is not None and structure.type_name == "structure" else None


@cache
def allowed_members(written: tuple[str, ...]) -> tuple[Members, ...]:
    """Return the members of an owner's paths. A path that names no property allows nothing."""
    return tuple(found for path in written if (found := members_of(path)) is not None)


@cache
def contribution() -> Schema:
    """Return the schema of a contribution's properties: the content of a configuration, of which a part is enough."""
    whole = distribution_configuration()
    members = {TARGET: whole.members[TARGET]} | {name: _partial(whole.members[name]) for name in content_members()}
    members[ROLE] = PROVIDER_PROPERTIES[ROLE]
    return Schema(type_name="structure", shape=PROPERTIES, members=members, required=(TARGET, DISTRIBUTIONS))


def _partial(schema: Schema, keys: tuple[str, ...] = ()) -> Schema:
    """Return a schema in which an entry requires only its keys, and a structure requires nothing."""
    if is_atomic(schema):
        return schema
    if schema.type_name == "structure":
        members = {name: _partial(member) for name, member in schema.members.items()}
        return replace(schema, members=members, required=tuple(name for name in schema.required if name in keys))
    return replace(schema, item=_partial(schema.item, merge_keys(schema)) if schema.item is not None else None)
