"""CloudFormation's public schemas, from cfn-lint: those of the registry, and those of a template's sections."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..authoring.native import NativeMembers


_REGION = "us-east-1"
"""The Region whose resource types are used: it has the most."""


def native_schema() -> Mapping[str, Any]:
    """The CloudFormation registry's schema of the native resource. Importing cfn-lint takes half a second."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    from ..authoring.native import NATIVE_TYPE

    schema: Mapping[str, Any] = PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, NATIVE_TYPE).schema
    return schema


def registered_schemas(patterns: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """The registry's schemas of the resource types that match one of these patterns (`AWS::S3::*`)."""
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    types = PROVIDER_SCHEMA_MANAGER.get_resource_types(_REGION)
    chosen = sorted(type_ for type_ in types if any(fnmatchcase(type_, pattern) for pattern in patterns))
    return {type_: PROVIDER_SCHEMA_MANAGER.get_resource_schema(_REGION, type_).schema for type_ in chosen}


def section_schemas(names: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """The schemas of a template's sections, and of the template itself."""
    import json
    from importlib.resources import files

    folder = files("cfnlint.data.schemas") / "other"
    return {name: json.loads((folder / name / "configuration.json").read_text("utf-8")) for name in names}


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
