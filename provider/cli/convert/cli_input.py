"""Converts the AWS CLI's input to a template and back: the same members, in camelCase and without a resource."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from botocore import xform_name

from ...authoring.block import as_json, as_yaml, logical_id, template
from ...resources import resource_type
from ...schema.account_sources import source_entries
from ...schema.expand import expand
from ...schema.finding import Path, Spelling
from ...schema.model import (
    CREATE,
    IGNORED,
    NAME,
    REFUSED,
    REGION,
    ROLE,
    TARGET,
    UPDATE,
    Schema,
    camel_case,
    operation,
    pascal_case,
)
from ...template.function_calls import call_in
from ...template.reader import children, read
from .document import Document, Note
from .nodes import duplicate_names, entries
from .resource_nodes import ResourceNode, is_transform, note_missing_properties, value_at

_PROPERTIES_COLUMN = 6
"""The indentation of a template's properties."""
_OPTIONS = {
    REGION: "give it as --region",
    ROLE: "give a profile that assumes this role as --profile",
}
"""How the AWS CLI reaches another location."""
_MARKERS = ("---", "...", "%")
"""The starts of lines that only separate YAML documents."""


def is_input(tree: Mapping[str, Any]) -> bool:
    """Whether a file has the members of a call without a resource around them."""
    is_resource = not tree.keys().isdisjoint({"Type", "Resources", *IGNORED})
    return not is_resource and not tree.keys().isdisjoint(resource_type().schema.spellings)


def from_input(document: Document, service_token: Any) -> str:
    """A template in YAML with a resource that has the same effect as the call. Comments in YAML input are kept."""
    given = {camel_case(key): value for key, value in document.source.tree.items()}
    name = logical_id(str(given.get(NAME) or str(given.get(TARGET, "")).rpartition("/")[2]))
    refused = [key for key, _ in entries(document.root) if camel_case(key.value) in REFUSED]
    for key in refused:
        document.note(key, f"{key.value} is omitted: {REFUSED[camel_case(key.value)].partition(';')[0]}")
    _rename(document, document.root, resource_type().schema)
    document.remove(document.root, refused)
    text = document.result()
    if document.is_json:
        return as_yaml(template(name, read(text.encode()).tree, service_token=service_token))
    lines = text.removeprefix(document.byte_order_mark).splitlines()
    body = "\n".join(line for line in lines if not line.startswith(_MARKERS)).strip("\n")
    return (
        as_yaml(template(name, {}, service_token=service_token))
        + textwrap.indent(body, " " * _PROPERTIES_COLUMN)
        + "\n"
    )


def _rename(document: Document, node: yaml.Node, schema: Schema) -> None:
    """Write members in PascalCase. Unknown and duplicate names are unchanged, so that they are reported as written."""
    if schema.type_name == "list" and schema.item and isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _rename(document, item, schema.item)
    elif schema.type_name == "structure":
        duplicates = duplicate_names(node, schema)
        for key, value in entries(node):
            if key.value not in duplicates and (member := schema.spellings.get(key.value)):
                document.rename(key, pascal_case(key.value))
                _rename(document, value, schema.members[member])


def to_input(document: Document, resource: ResourceNode) -> str:
    """The JSON of --cli-input-json for the call with the same effect as a resource.

    It is empty, with notes, if there are no properties, or if they contain functions or account sources.
    """
    if resource.properties is None:
        note_missing_properties(document, resource)
        return ""
    path = (*resource.path, "Properties")
    sent = _as_sent(value_at(document, path), resource.properties[1])
    properties = {name: value for name, value in sent.items() if name not in IGNORED}
    functions = list(_functions(properties, path))
    for place in functions:
        _note_loss(document, place, f"{place[-1]}: the value is known only at deployment. Write the value itself")
    return "" if functions else _input(document, resource, properties, path)


def _input(document: Document, resource: ResourceNode, properties: Mapping[str, Any], path: Path) -> str:
    schema = resource_type().schema
    expanded, spelling = expand(properties, schema), Spelling(properties, schema)
    for finding in expanded.findings:
        _note_loss(document, (*path, *spelling.keys(finding.path)), f"omitted: {spelling.render(finding)}")
    sources = [place for place, _ in source_entries(expanded.parameters, schema)]
    for place in sources:
        text = f"{spelling.text(place)}: the API accepts no account sources. Write the account IDs"
        _note_loss(document, (*path, *spelling.keys(place)), text)
    if sources:
        return ""
    call = UPDATE if TARGET in expanded.parameters else CREATE
    members = operation(call).members
    for name in expanded.parameters.keys() - members.keys():
        text = f"{pascal_case(name)} is omitted: {_OPTIONS.get(name, f'{call} has no such member')}"
        _note_loss(document, (*path, *spelling.keys((name,))), text)
    document.note(resource.type, f"this is the input of `aws imagebuilder {xform_name(call, '-')}`")
    return as_json({name: value for name, value in expanded.parameters.items() if name in members})


def _as_sent(value: Any, node: yaml.Node | None) -> Any:
    """A value as CloudFormation sends it: with scalars as text. `node` is its node, if that is known."""
    if isinstance(value, Mapping):
        nodes = {key.value: inner for key, inner in entries(node)}
        return {name: _as_sent(inner, nodes.get(name)) for name, inner in value.items()}
    if isinstance(value, list):
        items = node.value if isinstance(node, yaml.SequenceNode) else [None] * len(value)
        return [_as_sent(inner, item) for inner, item in zip(value, items, strict=True)]
    if isinstance(value, float):
        return getattr(node, "value", str(value))  # 1.10 and 1.1 are different strings
    if isinstance(value, bool):
        return str(value).lower()
    return value if value is None else str(value)


def _note_loss(document: Document, path: Path, text: str) -> None:
    position = document.source.position(path)
    document.notes.append(Note(position.line, position.column, text, is_loss=True))


def _functions(value: Any, path: Path) -> Iterator[Path]:
    """The paths of the outermost function calls in a value, and of strings with dynamic references."""
    if call := call_in(value):
        yield (*path, call[0])
    elif isinstance(value, str) and "{{resolve:" in value:
        yield path
    else:
        for key, inner in children(value):
            if isinstance(key, str) and is_transform(key):
                yield (*path, key)
            else:
                yield from _functions(inner, (*path, key))
