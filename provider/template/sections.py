"""A CloudFormation template's sections."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from .reader import read, read_text
from .structure import template_errors
from .template_error import TemplateError, TreePath, raise_all

__all__ = ["Template", "TemplateError", "TreePath", "load", "made_of", "parse"]


class Template(NamedTuple):
    """A template's sections before any function is evaluated; `name` is usually its file's name."""

    name: str
    parameters: Mapping[str, Mapping[str, Any]]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]
    transformed: bool
    """Whether a transform (SAM, for one) would add resources that the text does not show."""
    foreign: frozenset[str] = frozenset()
    """The resources of a supported type whose properties show that they belong to another function."""
    rules: Mapping[str, Any] = MappingProxyType({})
    alone: bool = False
    """Whether the file contained only the properties of one resource."""


def load(file: Path) -> Template:
    """The template in `file`. Raises TemplateError if it cannot be read or is not a template."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror}") from error
    return made_of(read(content).tree, file.name)


def parse(text: str, name: str) -> Template:
    """The template in `text` (YAML or JSON). Raises TemplateError."""
    return made_of(read_text(text).tree, name)


def made_of(tree: object, name: str) -> Template:
    """The template in a parsed document. Raises TemplateError with all mistakes in its structure."""
    if not isinstance(tree, dict) or "Resources" not in tree:
        raise TemplateError("has no Resources section, so it is not a CloudFormation template")
    raise_all(template_errors(tree))
    return Template(
        name=name,
        parameters=tree.get("Parameters") or {},
        mappings=tree.get("Mappings") or {},
        conditions=tree.get("Conditions") or {},
        resources=tree["Resources"],
        outputs=tree.get("Outputs") or {},
        transformed="Transform" in tree,
        rules=tree.get("Rules") or {},
    )
