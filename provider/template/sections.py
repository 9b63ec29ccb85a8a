"""A CloudFormation template's sections, and what CloudFormation refuses in how they are built."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .reader import read, read_text
from .refusal import TemplateError, TreePath, described, refuse

__all__ = ["Template", "TemplateError", "TreePath", "load", "made_of", "parse"]

SECTIONS = (
    *("AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata"),
    *("Outputs", "Parameters", "Resources", "Rules", "Transform"),
)
RESOURCE_KEYS = (
    *("Type", "Properties", "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata"),
    *("UpdatePolicy", "UpdateReplacePolicy", "Version"),
)
MOST_RESOURCES = 500
NO_NULL = "null values are not allowed in templates; leave it out, or give it !Ref AWS::NoValue"
_MAPPINGS = ("Parameters", "Mappings", "Conditions", "Resources", "Outputs")
_NAMED = ("Parameters", "Resources", "Outputs")
"""Sections that hold mappings, and those whose entries have logical IDs."""


class Template(NamedTuple):
    """A template's sections, not yet resolved; `name` is what to call it, usually its file's name."""

    name: str
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    transformed: bool
    """Whether a transform (SAM, for one) would add resources that the text does not show."""
    foreign: frozenset[str] = frozenset()
    """Resources of a type that the provider answers for, behind which another function stands."""
    alone: bool = False
    """Whether the text is one resource's properties, and not the template around them."""


def load(file: Path) -> Template:
    """The template in `file`. Raises TemplateError where it cannot be read or is no template."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror}") from error
    return made_of(read(content).tree, file.name)


def parse(text: str, name: str) -> Template:
    """The template that `text` (YAML or JSON) spells. Raises TemplateError, with the line, where none."""
    return made_of(read_text(text).tree, name)


def made_of(tree: object, name: str) -> Template:
    """The template that a tree is. Raises TemplateError where it is none, with all that is wrong with its build."""
    if not isinstance(tree, dict) or "Resources" not in tree:
        raise TemplateError("has no Resources section, so it is no CloudFormation template")
    refuse(_mistakes(tree))
    return Template(
        name=name,
        parameters=tree.get("Parameters") or {},
        mappings=tree.get("Mappings") or {},
        conditions=tree.get("Conditions") or {},
        resources=tree["Resources"],
        outputs=tree.get("Outputs") or {},
        transformed="Transform" in tree,
    )


def _mistakes(tree: Mapping[str, Any]) -> Iterator[TemplateError]:
    if unknown := sorted(set(tree) - set(SECTIONS)):
        yield TemplateError(f"unknown section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    yield from _unexpanded(tree, ())
    yield from _nulls(tree["Resources"], ("Resources",))
    for name in _MAPPINGS:
        section = tree.get(name)
        if isinstance(section, dict):
            yield from _entries(name, section)
        elif section is not None:
            yield TemplateError(f"must map names to what they stand for, not be {described(section)}", (name,))
    resources = tree["Resources"] if isinstance(tree["Resources"], dict) else {}
    if len(resources) > MOST_RESOURCES:
        yield TemplateError(f"has {len(resources)} resources; a template holds {MOST_RESOURCES} at most")
    for logical_id, resource in resources.items():
        if isinstance(resource, dict) and not logical_id.startswith("Fn::"):
            yield from _resource(resource, ("Resources", logical_id), transformed="Transform" in tree)


def _unexpanded(node: object, path: TreePath) -> Iterator[TemplateError]:
    """Loops, wherever they are, and what a macro puts between entries: what they make is not known here."""
    name = str(path[-1]) if path else ""
    is_entry, is_key = len(path) == 2 and path[0] in _NAMED, len(path) == 3 and path[0] == "Resources"
    if name.startswith("Fn::ForEach::") or (name.startswith("Fn::") and (is_entry or is_key)):
        yield TemplateError(
            f"{name} is expanded by a transform, not here; use the processed template: create a change set, then "
            "`aws cloudformation get-template --change-set-name NAME --stack-name STACK --template-stage Processed`",
            path,
        )
        return
    for key, child in _children(node):
        yield from _unexpanded(child, (*path, key))


def _nulls(node: object, path: TreePath) -> Iterator[TemplateError]:
    if node is None:
        yield TemplateError(NO_NULL, path)
    for key, child in _children(node):
        yield from _nulls(child, (*path, key))


def _children(node: object) -> Iterable[tuple[str | int, Any]]:
    return node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()


def _entries(section: str, entries: Mapping[str, Any]) -> Iterator[TemplateError]:
    for key, entry in entries.items() if section in _NAMED else ():
        path: TreePath = (section, key)
        if key.startswith("Fn::"):
            continue
        if not re.fullmatch("[A-Za-z0-9]{1,255}", key):
            yield TemplateError("a logical ID is letters and digits, 255 at most", path)
        if section == "Resources" and entry is None:
            continue
        if not isinstance(entry, dict):
            what = "a mapping with Type and Properties" if section == "Resources" else "a mapping"
            yield TemplateError(f"must be {what}, not {described(entry)}", path)


def _resource(resource: Mapping[str, Any], path: TreePath, *, transformed: bool) -> Iterator[TemplateError]:
    slips = {key: meant for key in resource if key not in RESOURCE_KEYS and (meant := _meant(key))}
    yield from (TemplateError(f"{key} should be {meant}", path) for key, meant in slips.items())
    # A transform may have keys of its own, which it takes away.
    known = (*RESOURCE_KEYS, *slips)
    for key in () if transformed else (key for key in resource if key not in known and not key.startswith("Fn::")):
        yield TemplateError(
            f"unknown key {key} beside Type and Properties; there are {', '.join(RESOURCE_KEYS)}, and a resource's own "
            "properties go under Properties",
            path,
        )
    kind = resource.get("Type", "" if "Type" in slips.values() else 0)
    if kind is not None and not isinstance(kind, str):
        yield TemplateError("a Type is needed, as text", path)


def _meant(key: str) -> str:
    """The key of a resource that an unknown one nearly is; empty where it is near none."""
    keys = {name.lower(): name for name in RESOURCE_KEYS}
    from difflib import get_close_matches  # only a mistake needs it

    near = get_close_matches(key.lower(), keys, n=1, cutoff=0.75)
    return keys[near[0]] if near else ""
