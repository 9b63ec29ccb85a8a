"""How values of several owners merge: the tables of keys, as data. `provider.ledger` merges by them.

A separate module, because a request that uses no ledger needs none of it.
"""

from collections.abc import Mapping
from typing import Final

from .model import LIST_KEYS, Schema

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
