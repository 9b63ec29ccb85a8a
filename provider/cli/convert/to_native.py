"""Converts this provider's resources to native ones, which lack some of the properties."""

import re
from collections.abc import Collection, Mapping

import yaml

from ...authoring.native import NATIVE_TYPE, NativeMembers, native_name
from ...resources import CONTRIBUTION, resource_type
from ...schema.model import (
    IGNORED,
    NAME,
    ON_DELETE,
    REFUSED,
    REGION,
    RETAIN,
    ROLE,
    TARGET,
    Schema,
    camel_case,
    pascal_case,
)
from ..native_schema import native_attributes, native_members, native_schema
from .document import Document
from .nodes import Pair, call, duplicate_names, entries, entry, possible_values
from .references import references
from .resource_nodes import (
    ResourceNode,
    is_transform,
    note_missing_properties,
    note_transforms,
    provider_resources,
    resources,
)

_ARN_ATTRIBUTE = pascal_case(TARGET)
_NAME_IN_ARN = re.compile(r"arn:.*:distribution-configuration/([a-z0-9-]+)")
_HOW_TO_GO_BACK = (
    "the native resource cannot adopt. To go back to native: 1. Remove {0} from the stack. Its configuration stays in "
    "place, unless OnDelete is Delete. 2. In this result, set Name to the exact name of the configuration; its ARN "
    "shows it in lowercase, with hyphens. 3. Import the configuration by its ARN, with a change set of type IMPORT. "
    "See docs/migrating.md#migrating-back"
)
_IF_DEPLOYED = (
    "if a stack already has {0}, CloudFormation rejects this result, because a resource cannot change its type; see "
    "docs/migrating.md#migrating-back"
)
_IN_ITS_STACK = (
    "omitted: the configuration of a native resource is in the {0} of its stack. Put {1} into a stack in {2}"
)
_ACCOUNT_OF_ROLE = re.compile(r"arn:[^:]+:iam::([0-9]{12}):role/.+")
_POLICIES = ("DeletionPolicy", "UpdateReplacePolicy")


def to_native(document: Document) -> None:
    """Convert each of the provider's resources to a native one, and note the properties that cannot be converted."""
    schema = native_schema()
    members, attributes = native_members(schema), native_attributes(schema)
    mentions = references(document)
    for part in resources(document, CONTRIBUTION):
        text = f"{part} is unchanged: nobody can contribute to a native resource"
        document.note(part.type, text, is_loss=True)
    for resource in provider_resources(document):
        if resource.properties is None:
            note_missing_properties(document, resource)
            continue
        document.rename(resource.type, NATIVE_TYPE)
        document.note(resource.type, f"the type of {resource} is now {NATIVE_TYPE}")
        _convert_properties(document, resource, resource.properties[1], members)
        for reference in mentions.get(resource.logical_id, []):
            if reference.attribute == _ARN_ATTRIBUTE and reference.attribute_at:
                document.substitute(*reference.attribute_at, "Arn")
            elif reference.attribute and reference.attribute not in attributes:
                known = ", ".join(sorted(attributes))
                text = f"the native resource has no attribute {reference.attribute}, only {known}"
                document.note(reference.scalar, text, is_loss=True)


def _convert_properties(
    document: Document, resource: ResourceNode, properties: yaml.MappingNode, native: NativeMembers
) -> None:
    own = {camel_case(key.value): (key, value) for key, value in entries(properties)}
    not_native = (ON_DELETE, REGION, ROLE, TARGET, *REFUSED)
    skipped = [key for name, (key, _) in own.items() if key.value in IGNORED or name in not_native]
    if TARGET in own:
        document.note(own[TARGET][0], _HOW_TO_GO_BACK.format(resource), is_loss=True)
    else:
        document.note(resource.type, _IF_DEPLOYED.format(resource))
    renamed = _rename_arn(document, own)
    if removed := [key for key in skipped if key not in renamed]:
        document.note(removed[0], f"removed: {', '.join(str(key.value) for key in removed)}")
    _convert_on_delete(document, resource, own.get(ON_DELETE), is_adopted=TARGET in own)
    _note_location(document, resource, own)
    note_transforms(document, properties)
    lacking = _convert_structure(document, properties, resource_type().schema, native, skip=skipped)
    document.remove(properties, [*removed, *lacking])


def _rename_arn(document: Document, own: Mapping[str, Pair]) -> list[yaml.ScalarNode]:
    """Make the ARN of an adopting resource its Name. Returns the key, unless the text does not show the name."""
    if TARGET not in own or NAME in own:
        return []
    key, value = own[TARGET]
    function, argument = call(value) or ("Fn::Sub", value)
    name = _NAME_IN_ARN.fullmatch(argument.value) if isinstance(argument, yaml.ScalarNode) else None
    if function != "Fn::Sub" or name is None:
        return []
    document.rename(key, pascal_case(NAME))
    document.replace(value, name[1])
    return [key]


def _convert_on_delete(document: Document, resource: ResourceNode, on_delete: Pair | None, *, is_adopted: bool) -> None:
    """Add policies that retain the configuration if the provider would retain it."""
    if on_delete and (call(on_delete[1]) or not isinstance(on_delete[1], yaml.ScalarNode)):
        text = "a DeletionPolicy, which replaces this property, cannot be a function"
        document.note(on_delete[0], text, is_loss=True)
    elif on_delete[1].value == RETAIN if on_delete else is_adopted:
        type_ = entry(resource.node, "Type")
        missing = {policy: RETAIN for policy in _POLICIES if not entry(resource.node, policy)}
        if type_ and missing:
            document.insert_after(resource.node, type_, missing)
            text = f"added {' and '.join(missing)}: {RETAIN}, because the provider would retain the configuration"
            document.note(resource.type, text)


def _note_location(document: Document, resource: ResourceNode, own: Mapping[str, Pair]) -> None:
    """Note in which Region and account the stack of the native resource must be."""
    if REGION in own and not _is_stack_region(own[REGION][1]):
        key, value = own[REGION]
        region = _literal(value) or "that Region"
        document.note(key, _IN_ITS_STACK.format("Region", resource, region), is_loss=True)
    if ROLE in own:
        key, value = own[ROLE]
        match = _ACCOUNT_OF_ROLE.fullmatch(_literal(value))
        account = f"account {match[1]}" if match else "the account of this role"
        document.note(key, _IN_ITS_STACK.format("account", resource, account), is_loss=True)


def _literal(value: yaml.Node) -> str:
    """A scalar's text; empty for a function."""
    return str(value.value) if isinstance(value, yaml.ScalarNode) and call(value) is None else ""


def _is_stack_region(value: yaml.Node) -> bool:
    function, argument = call(value) or ("", None)
    return function == "Ref" and isinstance(argument, yaml.ScalarNode) and argument.value == "AWS::Region"


def _convert_structure(
    document: Document, node: yaml.MappingNode, schema: Schema, native: NativeMembers, skip: Collection[yaml.Node] = ()
) -> list[yaml.Node]:
    """Give members their native names. Returns the keys of those that the native resource lacks."""
    lacking: list[yaml.Node] = []
    duplicates = duplicate_names(node, schema)
    for key, value in entries(node):
        if key in skip:
            continue
        member = schema.spellings.get(key.value)
        name = native_name(schema, member, native) if member else None
        if is_transform(key.value):
            continue
        if member is None:
            document.note(key, f"{key.value} is unknown and unchanged", is_loss=True)
        elif key.value in duplicates:
            document.note(key, f"{pascal_case(member)} is specified twice and unchanged; remove one", is_loss=True)
        elif name is None:
            document.note(key, f"omitted: the native resource lacks {pascal_case(member)}", is_loss=True)
            lacking.append(key)
        else:
            document.rename(key, name)
            _convert_value(document, value, schema.members[member], native[name])
    return lacking


def _convert_value(document: Document, node: yaml.Node, schema: Schema, native: NativeMembers) -> None:
    for value in possible_values(node):
        if schema.type_name == "list" and schema.item and isinstance(value, yaml.SequenceNode):
            for item in value.value:
                _note_source(document, item, schema.item)
                _convert_value(document, item, schema.item, native)
        elif schema.type_name == "structure" and isinstance(value, yaml.MappingNode):
            document.remove(value, _convert_structure(document, value, schema, native))


def _note_source(document: Document, node: yaml.Node, item: Schema) -> None:
    for value in possible_values(node) if item.source else ():
        if isinstance(value, yaml.MappingNode):
            text = "the native resource accepts no account sources; replace this one by account IDs"
            document.note(value, text, is_loss=True)
