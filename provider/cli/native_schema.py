"""The native resource's schema, from cfn-lint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..authoring.native import NativeMembers


def native_schema() -> Mapping[str, Any]:
    """The CloudFormation registry's schema of the native resource. Importing cfn-lint takes half a second."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    from ..authoring.native import NATIVE_TYPE

    schema: Mapping[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", NATIVE_TYPE).schema
    return schema


def native_attributes(schema: Mapping[str, Any]) -> frozenset[str]:
    """The native resource's read-only properties, which are its attributes for Fn::GetAtt."""
    return frozenset(pointer.removeprefix("/properties/") for pointer in schema["readOnlyProperties"])


def native_members(schema: Mapping[str, Any]) -> NativeMembers:
    """The names of the properties that a template can set."""
    attributes = native_attributes(schema)
    return {name: below for name, below in _members(schema, schema).items() if name not in attributes}


def _members(part: Mapping[str, Any], schema: Mapping[str, Any]) -> NativeMembers:
    if "$ref" in part:
        return _members(schema["definitions"][part["$ref"].rpartition("/")[2]], schema)
    if "items" in part:
        return _members(part["items"], schema)
    return {name: _members(below, schema) for name, below in part.get("properties", {}).items()}
