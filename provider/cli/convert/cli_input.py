"""The AWS CLI's input <-> ours: the same members, in camelCase and without a resource around them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import yaml
from botocore import xform_name

from ...authoring.block import as_json, as_yaml, logical_id, template
from ...resources import resource_type
from ...schema.expand import expand
from ...schema.finding import Path, Spelling
from ...schema.model import CREATE, IGNORED, NAME, REFUSED, TARGET, UPDATE, Schema, camel_case, operation, pascal_case
from ...template.function_calls import call_in
from ...template.reader import children
from .document import Document, Note
from .names import given_twice
from .nodes import entries
from .resources import Resource, tell_bare

_COLUMN = 6
"""Where a template's properties begin."""
_MARKERS = ("---", "...", "%")
"""How lines begin that only separate YAML documents."""


def is_input(tree: Mapping[str, Any]) -> bool:
    """Whether a file has the members of a call and no resource around them."""
    return tree.keys().isdisjoint({"Type", "Resources", *IGNORED}) and not tree.keys().isdisjoint(
        resource_type().schema.spellings
    )


def from_input(document: Document) -> str:
    """A template in YAML with the resource that does what the input asks for."""
    given = {camel_case(key): value for key, value in document.source.tree.items()}
    name = given.get(NAME) or str(given.get(TARGET, "")).rpartition("/")[2]
    refused = [key for key, _ in entries(document.root) if camel_case(key.value) in REFUSED]
    for key in refused:
        document.tell(key, f"{key.value} is left out: {REFUSED[camel_case(key.value)]}")
    if document.is_json:
        properties = {key: one for key, one in document.source.tree.items() if camel_case(key) not in REFUSED}
        return as_yaml(template(logical_id(str(name)), _renamed(properties, resource_type().schema)))
    document.remove(document.root, refused)
    return _yaml_around(document, str(name))


def _yaml_around(document: Document, name: str) -> str:
    """A template in YAML around the input's own text, so that its comments are kept."""
    _rename(document, document.root, resource_type().schema)
    written = document.result().removeprefix(document.mark)
    body = "\n".join(line for line in written.splitlines() if not line.startswith(_MARKERS))
    return as_yaml(template(logical_id(name), {})) + textwrap.indent(body.strip("\n"), " " * _COLUMN) + "\n"


def _renamed(value: Any, type_: Schema) -> Any:
    """A value of `type_` with its members' names in PascalCase; what is unknown or twice stays, to be told."""
    if type_.type_name == "list" and type_.item and isinstance(value, list):
        return [_renamed(entry, type_.item) for entry in value]
    if type_.type_name != "structure" or not isinstance(value, Mapping):
        return value
    twice = given_twice(value, type_)
    renamed = {}
    for name, inner in value.items():
        member = None if name in twice else type_.spellings.get(name)
        if member:
            renamed[pascal_case(name)] = _renamed(inner, type_.members[member])
        else:
            renamed[name] = inner
    return renamed


def _rename(document: Document, node: yaml.Node, type_: Schema) -> None:
    if type_.type_name == "list" and type_.item and isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _rename(document, item, type_.item)
    elif type_.type_name == "structure":
        twice = given_twice((key.value for key, _ in entries(node)), type_)
        for key, value in entries(node):
            if key.value not in twice and (member := type_.spellings.get(key.value)):
                document.rename(key, pascal_case(key.value))
                _rename(document, value, type_.members[member])


def to_input(document: Document, resource: Resource) -> str:
    """The JSON of --cli-input-json for the call that a resource stands for.

    It is empty, with notes, if there are no properties, or if they contain CloudFormation's functions.
    """
    if resource.properties is None:
        tell_bare(document, resource)
        return ""
    path = (*resource.path, "Properties")
    tree: Any = document.source.tree
    for name in path:
        tree = tree[name]
    sent = _as_sent(tree, resource.properties[1])
    properties = {name: value for name, value in sent.items() if name not in IGNORED}
    functions = list(_functions(properties, path))
    for place in functions:
        _lose(document, place, f"{place[-1]}: only a deployment knows the value. Write it out")
    if functions:
        return ""
    return _input(document, resource, properties, path)


def _input(document: Document, resource: Resource, properties: Mapping[str, Any], path: Path) -> str:
    expanded = expand(properties, resource_type().schema)
    spelling = Spelling(properties, resource_type().schema)
    for finding in expanded.findings:
        _lose(document, (*path, *spelling.keys(finding.path)), f"left out: {spelling.render(finding)}")
    name = UPDATE if TARGET in expanded.parameters else CREATE
    members = operation(name).members
    for member in expanded.parameters:
        if member not in members:
            place = (*path, *spelling.keys((member,)))
            _lose(document, place, f"{pascal_case(member)} is left out: {name} has no such member")
    document.tell(resource.type, f"this is the input of `aws imagebuilder {xform_name(name, '-')}`")
    return as_json({member: value for member, value in expanded.parameters.items() if member in members})


def _as_sent(value: Any, node: yaml.Node | None) -> Any:
    """A value as CloudFormation sends it, whose scalars are text; `node` is where it is written, if that is known."""
    if isinstance(value, Mapping):
        nodes = {key.value: inner for key, inner in entries(node)}
        return {name: _as_sent(inner, nodes.get(name)) for name, inner in value.items()}
    if isinstance(value, list):
        items = node.value if isinstance(node, yaml.SequenceNode) else [None] * len(value)
        return [_as_sent(inner, item) for inner, item in zip(value, items, strict=True)]
    if isinstance(value, float) and isinstance(node, yaml.ScalarNode):
        return node.value  # 1.10 is another text than 1.1
    return value if value is None else _scalar_text(value)


def _scalar_text(value: object) -> str:
    """A scalar as CloudFormation sends it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lose(document: Document, path: Path, text: str) -> None:
    place = document.source.position(path)
    document.notes.append(Note(place.line, place.column, text, lost=True))


def _functions(value: Any, path: Path) -> Iterator[Path]:
    """The paths of all outermost function calls in a value, and of texts with dynamic references."""
    if found := call_in(value):
        yield (*path, found[0])
    elif isinstance(value, str) and "{{resolve:" in value:
        yield path
    else:
        for key, inner in children(value):
            yield from _functions(inner, (*path, key))
