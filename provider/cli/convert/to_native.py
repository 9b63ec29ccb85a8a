"""Ours -> native resources, as far as those know the properties."""

from __future__ import annotations

from collections.abc import Collection

import yaml

from ...authoring.native import NATIVE_TYPE, NativeMembers, native_name
from ...resources import resource_type
from ...schema.model import IGNORED, NAME, ON_DELETE, REFUSED, RETAIN, TARGET, Schema, camel_case, pascal_case
from ..native import native_attributes, native_members, native_schema
from .document import Document
from .names import given_twice
from .nodes import Pair, call, entries, entry, outcomes
from .references import references
from .resources import Resource, own_resources, tell_bare

_SAME_AS_ARN = pascal_case(TARGET)
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


def to_native(document: Document) -> None:
    """Turn each resource of ours into a native one, and tell what that cannot have."""
    schema = native_schema()
    members, attributes = native_members(schema), native_attributes(schema)
    found = references(document)
    for resource in own_resources(document):
        if resource.properties is None:
            tell_bare(document, resource)
            continue
        document.rename(resource.type, NATIVE_TYPE)
        document.tell(resource.type, f"{resource.name or 'the resource'} is of the type {NATIVE_TYPE}")
        _root(document, resource, resource.properties[1], members)
        for reference in found.get(resource.name, []):
            if reference.attribute == _SAME_AS_ARN and reference.attribute_at:
                document.substitute(*reference.attribute_at, "Arn")
            elif reference.attribute and reference.attribute not in attributes:
                known = ", ".join(sorted(attributes))
                text = f"the native resource has no attribute {reference.attribute}, only {known}"
                document.tell(reference.scalar, text, lost=True)


def _root(document: Document, resource: Resource, properties: yaml.MappingNode, native: NativeMembers) -> None:
    ours = {camel_case(key.value): (key, value) for key, value in entries(properties)}
    removed = [key for name, (key, _) in ours.items() if key.value in IGNORED or name in (ON_DELETE, TARGET, *REFUSED)]
    if removed:
        document.tell(removed[0], f"removed: {', '.join(str(key.value) for key in removed)}")
    if TARGET in ours:
        cure = f"give it the configuration's {pascal_case(NAME)} and import it (see docs/migrating.md)"
        document.tell(ours[TARGET][0], f"the native resource cannot adopt: {cure}", lost=True)
    _keep(document, resource, ours.get(ON_DELETE), adopted=TARGET in ours)
    lacking = _structure(document, properties, resource_type().schema, native, passed=removed)
    document.remove(properties, [*removed, *lacking])


def _keep(document: Document, resource: Resource, on_delete: Pair | None, *, adopted: bool) -> None:
    """Let CloudFormation's own policies leave the configuration in place where ours would."""
    if on_delete and (call(on_delete[1]) or not isinstance(on_delete[1], yaml.ScalarNode)):
        document.tell(on_delete[0], "a DeletionPolicy, which would take its place, cannot be a function", lost=True)
    elif on_delete[1].value == RETAIN if on_delete else adopted:
        type_ = entry(resource.node, "Type")
        missing = {policy: RETAIN for policy in _POLICIES if not entry(resource.node, policy)}
        if type_ and missing:
            document.put_after(resource.node, type_, missing)
            document.tell(
                resource.type, f"{' and '.join(missing)}: {RETAIN} leaves the configuration in place, as ours does"
            )


def _structure(
    document: Document,
    node: yaml.MappingNode,
    type_: Schema,
    native: NativeMembers,
    passed: Collection[yaml.Node] = (),
) -> list[yaml.Node]:
    """Give members their native names. Returns the keys of those that the native resource lacks."""
    lacking: list[yaml.Node] = []
    twice = given_twice((key.value for key, _ in entries(node)), type_)
    for key, value in entries(node):
        member = type_.spellings.get(key.value)
        name = native_name(type_, member, native) if member else None
        if key in passed:
            continue
        if member is None:
            document.tell(key, f"{key.value} is unknown and stays as it is", lost=True)
        elif key.value in twice:
            document.tell(key, f"{pascal_case(member)} is given twice and stays as it is; leave one out", lost=True)
        elif name is None:
            document.tell(key, f"the native resource lacks {pascal_case(member)}: left out", lost=True)
            lacking.append(key)
        else:
            document.rename(key, name)
            _value(document, value, type_.members[member], native[name])
    return lacking


def _value(document: Document, node: yaml.Node, type_: Schema, native: NativeMembers) -> None:
    for one in outcomes(node):
        if type_.type_name == "list" and type_.item and isinstance(one, yaml.SequenceNode):
            for item in one.value:
                _value(document, item, type_.item, native)
        elif type_.type_name == "structure" and isinstance(one, yaml.MappingNode):
            document.remove(one, _structure(document, one, type_, native))
