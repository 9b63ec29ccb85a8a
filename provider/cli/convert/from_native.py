"""Converts native resources to this provider's. Their properties are unchanged: the provider accepts all of them."""

from collections.abc import Mapping
from itertools import count
from typing import Any

import yaml

from ...arn import slug
from ...authoring.block import of_cloudformation
from ...authoring.native import NATIVE_TYPE
from ...resources import DISTRIBUTION_CONFIGURATION, resource_type
from ...schema.model import NAME, TARGET, pascal_case
from ...schema.validation import validate
from ...template.function_calls import LOOP
from ...template.intrinsics import DYNAMIC_REFERENCE
from .document import Document
from .nodes import call, entry
from .references import Reference, references
from .resource_nodes import ResourceNode, note_missing_properties, note_transforms, resources, value_at

_ARN = "arn:${AWS::Partition}:imagebuilder:${AWS::Region}:${AWS::AccountId}:distribution-configuration/"
_RETAINING = ("Retain", "RetainExceptOnCreate")


def to_owned(document: Document, service_token: Any) -> None:
    """Convert each native resource to one that creates and owns a configuration with the same name."""
    first = of_cloudformation(service_token)
    converted = [one for one in resources(document, NATIVE_TYPE) if _retype(document, one, first)]
    for resource in converted:
        document.note(resource.type, f"{resource} creates and owns a configuration of its Name")
    if converted:
        document.note(
            converted[0].type,
            "if a stack already has the native resource, use --adopt: CloudFormation does not change a resource's type",
        )


def to_adopted(document: Document, service_token: Any) -> None:
    """Convert each native resource to one that adopts its configuration, under another logical ID."""
    mentions = references(document)
    for resource in resources(document, NATIVE_TYPE):
        name = entry(resource.properties[1], pascal_case(NAME)) if resource.properties else None
        if obstacle := _obstacle(resource) or _unknown_name(document, resource, name[1] if name else None):
            document.note(resource.type, f"{resource} is unchanged: {obstacle}", is_loss=True)
        elif name and resource.properties:
            arn = {pascal_case(TARGET): {"Fn::Sub": _ARN + slug(name[1].value)}}
            _retype(document, resource, {**of_cloudformation(service_token), **arn})
            document.remove(resource.properties[1], [name[0]])
            document.note(name[0], f"adopts the configuration {name[1].value!r} by its ARN")
            _rename(document, resource, mentions.get(resource.logical_id, []))


def _obstacle(resource: ResourceNode) -> str:
    """Why a resource cannot adopt its configuration; empty if it can."""
    if LOOP in "".join(map(str, resource.path)):
        return "it is in an Fn::ForEach, so there is no single configuration to adopt"
    policy = entry(resource.node, "DeletionPolicy")
    if not policy or policy[1].value not in _RETAINING:
        return (
            "it has no DeletionPolicy: Retain. Add it and deploy that first; otherwise, CloudFormation deletes the "
            "configuration when the native resource is removed from the stack (see docs/migrating.md)"
        )
    if resource.properties is None or len(resource.properties[1].value) == 1:
        return "it has no properties except Name"
    return ""


def _unknown_name(document: Document, resource: ResourceNode, name: yaml.Node | None) -> str:
    """Why the name of a resource's configuration, and so its ARN, is unknown; empty if it is known."""
    if not isinstance(name, yaml.ScalarNode) or call(name):
        return "its Name is not plain text, so the configuration's ARN is unknown"
    if DYNAMIC_REFERENCE in name.value:
        return "its Name is a dynamic reference, so the configuration's ARN is unknown"
    value = value_at(document, (*resource.path, "Properties", pascal_case(NAME)))
    if (str(value).lower() if isinstance(value, bool) else str(value)) != name.value:
        return f"its Name, {name.value}, is not text in YAML; put it in quotes"
    if validate(name.value, resource_type().schema.members[NAME]):
        return f"{name.value!r} is not a valid Name, so the configuration's ARN is unknown"
    return ""


def _retype(document: Document, resource: ResourceNode, first: Mapping[str, Any]) -> bool:
    """Change a resource's type, and insert properties. Returns False if it has no properties."""
    if resource.properties is None:
        note_missing_properties(document, resource)
        return False
    document.rename(resource.type, DISTRIBUTION_CONFIGURATION)
    document.insert_first(*resource.properties, first)
    note_transforms(document, resource.properties[1])
    return True


def _rename(document: Document, resource: ResourceNode, mentions: list[Reference]) -> None:
    """Give the resource another logical ID, so that CloudFormation creates it before it removes the native one."""
    if resource.key is None:
        document.note(resource.type, "give it another logical ID than the native resource has")
        return
    section = entry(document.root, "Resources")
    existing = {key.value for key, _ in (section[1] if section else document.root).value}
    candidates = (f"{resource.logical_id}Adopted{n if n > 1 else ''}" for n in count(1))
    new = next(one for one in candidates if one not in existing)
    document.rename(resource.key, new)
    document.note(resource.key, f"{resource} is renamed to {new}, also where the template refers to it")
    for reference in mentions:
        document.substitute(reference.scalar, reference.pattern, new)
