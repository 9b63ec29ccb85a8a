"""A CloudFormation template's sections, and what CloudFormation refuses in how they are built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provider.local.refusal import TemplateError, TreePath
from provider.local.syntax import decoded, tree_of

__all__ = ["Template", "TemplateError", "TreePath", "load", "made_of", "parse", "tree_of"]

SECTIONS = (
    *("AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata"),
    *("Outputs", "Parameters", "Resources", "Rules", "Transform"),
)
RESOURCE_KEYS = (
    *("Type", "Properties", "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata"),
    *("UpdatePolicy", "UpdateReplacePolicy"),
)
MOST_RESOURCES = 500


@dataclass(frozen=True)
class Template:
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


def load(file: Path) -> Template:
    """The template in `file`. Raises TemplateError where it cannot be read or is no template."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror}") from error
    return parse(decoded(content), file.name)


def parse(text: str, name: str) -> Template:
    """The template that `text` (YAML or JSON) spells. Raises TemplateError, with the line, where none."""
    return made_of(tree_of(text), name)


def made_of(tree: object, name: str) -> Template:
    """The template that a tree is. Raises TemplateError where it is none."""
    if not isinstance(tree, dict) or "Resources" not in tree:
        raise TemplateError("has no Resources section, so it is no CloudFormation template")
    if unknown := sorted(set(tree) - set(SECTIONS)):
        raise TemplateError(f"unknown section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    _check_loops(tree, ())
    template = Template(
        name=name,
        parameters=_section(tree, "Parameters"),
        mappings=_section(tree, "Mappings"),
        conditions=_section(tree, "Conditions"),
        resources=_section(tree, "Resources"),
        outputs=_section(tree, "Outputs"),
        transformed="Transform" in tree,
    )
    for section, entries in (
        ("Parameters", template.parameters),
        ("Resources", template.resources),
        ("Outputs", template.outputs),
    ):
        for key, entry in entries.items():
            _check_entry(entry, (section, key))
    _check_resources(template)
    return template


def _check_resources(template: Template) -> None:
    if len(template.resources) > MOST_RESOURCES:
        raise TemplateError(f"has {len(template.resources)} resources; a template holds {MOST_RESOURCES} at most")
    for logical_id, resource in template.resources.items():
        path: TreePath = ("Resources", logical_id)
        if not isinstance(resource.get("Type"), str):
            raise TemplateError("a Type is needed, as text", path)
        # A transform may have keys of its own, which it takes away.
        unknown = [] if template.transformed else [key for key in resource if key not in RESOURCE_KEYS]
        if unknown:
            raise TemplateError(
                f"unknown key {', '.join(unknown)} beside Type and Properties; there are {', '.join(RESOURCE_KEYS)}",
                path,
            )


def _section(tree: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = tree.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise TemplateError(f"must map names to what they stand for, not be a {_kind(section)}", (name,))
    return section


def _check_entry(entry: object, path: TreePath) -> None:
    if str(path[-1]).startswith("Fn::"):
        raise _unexpanded(path)
    if not re.fullmatch("[A-Za-z0-9]{1,255}", str(path[-1])):
        raise TemplateError("a logical ID is letters and digits, 255 at most", path)
    if not isinstance(entry, dict):
        raise TemplateError(f"must be a map, not a {_kind(entry)}", path)


def _check_loops(node: object, path: TreePath) -> None:
    """Refuse a loop, wherever it is: what it makes is not known before a transform has expanded it."""
    if path and str(path[-1]).startswith("Fn::ForEach::"):
        raise _unexpanded(path)
    for key, child in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        _check_loops(child, (*path, key))


def _unexpanded(path: TreePath) -> TemplateError:
    return TemplateError(
        f"{path[-1]} is expanded by a transform, not here; use the processed template: create a change set, then "
        "`aws cloudformation get-template --change-set-name NAME --stack-name STACK --template-stage Processed`",
        path,
    )


def _kind(value: object) -> str:
    return {dict: "map", list: "list", type(None): "null", str: "text"}.get(type(value), "number")
