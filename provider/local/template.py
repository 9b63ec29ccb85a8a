"""Reads a CloudFormation template, YAML with short-form tags or JSON, as plain dictionaries and lists.

PyYAML reads the YAML (YAML 1.1, as CloudFormation does); cfn-lint's reader gives the same tree, but importing it
takes half a second, which every start of the command line would pay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

TreePath: TypeAlias = tuple[str | int, ...]
"""Where a value is in a template: keys, and list positions from 0."""

SECTIONS = (
    *("AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata"),
    *("Outputs", "Parameters", "Resources", "Rules", "Transform"),
)
RESOURCE_KEYS = (
    *("Type", "Properties", "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata"),
    *("UpdatePolicy", "UpdateReplacePolicy"),
)
_LINE_END = re.compile(r"\r\n|\r|\n")
_UNQUOTED_BRACES = re.compile(r"[:-]\s+\{\{")
MOST_RESOURCES = 500
MOST_LEVELS = 100
"""How deep values may lie in each other: far beyond what anybody writes, and within what Python can walk."""


class TemplateError(Exception):
    """What a template's author has to mend; its text is one line that says where.

    `path` is where in the template, as keys and list positions; empty where no single place is at fault.
    """

    def __init__(self, message: str, path: TreePath = ()) -> None:
        self.path = path
        super().__init__(f"{spelled(path)}: {message}" if path else message)


def spelled(path: TreePath) -> str:
    """`("Resources", "A", 0)` as a person writes it: `Resources.A[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


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


def load(file: Path) -> Template:
    """The template in `file`. Raises TemplateError where it cannot be read or is no template."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise TemplateError(f"cannot be read: {error.strerror}") from error
    return parse(decoded(content), file.name)


def decoded(content: bytes) -> str:
    """The text of a file, with or without a byte order mark. Raises TemplateError where it is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(f"is not UTF-8 text (byte {error.start})") from error


def parse(text: str, name: str) -> Template:
    """The template that `text` (YAML or JSON) spells. Raises TemplateError, with the line, where none."""
    return made_of(tree_of(text), name)


def tree_of(text: str) -> object:
    """What `text` (YAML with CloudFormation's tags, or JSON) spells. Raises TemplateError, with the line."""
    try:
        tree = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    except RecursionError:
        raise TemplateError("is nested too deeply") from None
    if is_too_deep(tree):
        raise TemplateError("is nested too deeply")
    return tree


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


def is_too_deep(tree: object) -> bool:
    """Whether maps and lists lie in each other more than MOST_LEVELS deep."""
    level = [tree]
    for _ in range(MOST_LEVELS):
        level = [child for node in level for child in _children(node)]
    return bool(level)


def _children(node: object) -> Iterator[object]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


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


def _json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise TemplateError(f"is not JSON: line {error.lineno}, column {error.colno}: {error.msg}") from error
    except ValueError as error:
        # JSON's own reader does not know where it was. YAML takes no tabs between JSON's tokens.
        _yaml(text.replace("\t", " "), "JSON")
        raise TemplateError(f"is not JSON: {error}") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"{key!r} is there twice")
        found[key] = value
    return found


def _yaml(text: str, language: str = "YAML") -> object:
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        hint = hint_for("".join(_LINE_END.split(text)[mark.line : mark.line + 1])) if mark else ""
        raise TemplateError(f"is not {language}: {place}{error.problem or error.context}{hint}") from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
        character = f"#x{ord(text[error.position]):02x}"
        raise TemplateError(f"is not {language}: {place}: a control character ({character})") from error


def hint_for(line: str) -> str:
    """What to add to what is wrong with a line of YAML: the likely reason, or nothing."""
    return "; a value that begins with {{ needs quotes" if _UNQUOTED_BRACES.search(line) else ""


class WithoutAliases(yaml.SafeLoader):
    """YAML without aliases, which CloudFormation does not take."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(
                problem="CloudFormation takes no YAML aliases; write the value out, or resolve them first "
                "(`aws cloudformation package`, `sam build`)",
                problem_mark=self.current_event.start_mark,
            )
        return super().compose_node(parent, index)


class _Loader(WithoutAliases):
    """YAML as CloudFormation reads it: dates stay text, keys are text and may not repeat."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep=deep)
        except (LookupError, ValueError) as error:
            kind = node.tag.rpartition(":")[2]
            raise yaml.constructor.ConstructorError(
                problem=f"{str(node.value)[:60]!r} is no {kind}; text needs quotes", problem_mark=node.start_mark
            ) from error

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        if not isinstance(node, yaml.MappingNode):
            raise yaml.constructor.ConstructorError(problem="this is no map", problem_mark=node.start_mark)
        mapping: dict[Hashable, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(problem="a key must be text", problem_mark=key_node.start_mark)
            key = key_node.value
            if key in mapping:
                raise yaml.constructor.ConstructorError(
                    problem=f"{key!r} is there twice", problem_mark=key_node.start_mark
                )
            mapping[key] = self.construct_object(value_node, deep=deep)
        return mapping


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    if isinstance(node, yaml.MappingNode):
        return {name: loader.construct_mapping(node, deep=True)}
    if isinstance(node, yaml.ScalarNode):
        scalar = loader.construct_scalar(node)
        return {name: str(scalar).split(".", 1) if name == "Fn::GetAtt" else scalar}
    raise yaml.constructor.ConstructorError(problem=f"!{suffix} of nothing", problem_mark=node.start_mark)


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _text)
