"""Native resources -> ours. Their properties stay as they are: ours takes all that the native one has."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any

import yaml

from ...arn import slug
from ...authoring.block import OF_CLOUDFORMATION, RESOURCE_TYPE
from ...authoring.native import NATIVE_TYPE
from ...schema.model import NAME, TARGET, pascal_case
from ...template.function_calls import LOOP
from .document import Document
from .nodes import call, entry
from .references import Reference, references
from .resources import Resource, resources, tell_bare

_ARN = "arn:${AWS::Partition}:imagebuilder:${AWS::Region}:${AWS::AccountId}:distribution-configuration/"
_KEEPING = ("Retain", "RetainExceptOnCreate")


def own(document: Document) -> None:
    """Turn each native resource into one that creates and owns a configuration of the same name."""
    done = [one for one in resources(document, NATIVE_TYPE) if _retype(document, one, OF_CLOUDFORMATION)]
    for resource in done:
        document.tell(resource.type, f"{resource.name or 'the resource'} creates and owns a configuration of its Name")
    if done:
        document.tell(
            done[0].type,
            "in a stack that has it deployed as native, use --adopt: CloudFormation does not change a resource's type",
        )


def adopt(document: Document) -> None:
    """Turn each native resource into one that adopts its configuration, under another logical ID."""
    found = references(document)
    for resource in resources(document, NATIVE_TYPE):
        name = entry(resource.properties[1], pascal_case(NAME)) if resource.properties else None
        if problem := _why_not(resource, name[1] if name else None):
            document.tell(resource.type, f"{resource.name or 'the resource'} stays as it is: {problem}", lost=True)
        elif name and resource.properties:
            arn = {pascal_case(TARGET): {"Fn::Sub": _ARN + slug(name[1].value)}}
            _retype(document, resource, {**OF_CLOUDFORMATION, **arn})
            document.remove(resource.properties[1], [name[0]])
            document.tell(name[0], f"adopts the configuration {name[1].value!r} by its ARN")
            _rename(document, resource, found.get(resource.name, []))


def _why_not(resource: Resource, name: yaml.Node | None) -> str:
    """What speaks against adopting; empty if nothing does."""
    if LOOP in "".join(map(str, resource.path)):
        return "it is one of an Fn::ForEach, so there is no single configuration to adopt"
    policy = entry(resource.node, "DeletionPolicy")
    if not policy or policy[1].value not in _KEEPING:
        return (
            "it has no DeletionPolicy: Retain. Add that and deploy it first, or CloudFormation deletes the "
            "configuration when the native resource leaves the stack (see docs/migrating.md)"
        )
    if not isinstance(name, yaml.ScalarNode) or call(name):
        return "its Name is not plain text, so the configuration's ARN is not known here"
    if resource.properties is None or len(resource.properties[1].value) == 1:
        return "it has nothing but a Name"
    return ""


def _retype(document: Document, resource: Resource, first: Mapping[str, Any]) -> bool:
    if resource.properties is None:
        tell_bare(document, resource)
        return False
    document.rename(resource.type, RESOURCE_TYPE)
    document.put_first(*resource.properties, first)
    if included := entry(resource.properties[1], "Fn::Transform"):
        document.tell(included[0], "what Fn::Transform brings is not looked at")
    return True


def _rename(document: Document, resource: Resource, mentions: list[Reference]) -> None:
    """Give it another logical ID: to CloudFormation it is another resource, created before the native one goes."""
    if resource.key is None:
        document.tell(resource.type, "give it another logical ID than the native resource has")
        return
    section = entry(document.root, "Resources")
    taken = {key.value for key, _ in (section[1] if section else document.root).value}
    new = next(one for n in count(1) if (one := f"{resource.name}Adopted{n if n > 1 else ''}") not in taken)
    document.rename(resource.key, new)
    document.tell(resource.key, f"{resource.name} is called {new} now, also where the template refers to it")
    for reference in mentions:
        document.substitute(reference.scalar, reference.pattern, new)
