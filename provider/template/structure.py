"""The mistakes in a template's structure that CloudFormation rejects: one function for each rule.

`validate` reports the mistakes with cfn-lint's IDs; `plan` and `rehearse` stop if there are any.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from .function_calls import calls, references
from .reader import children
from .template_error import UNREADABLE, TemplateError, TreePath, describe, most_similar

RULES = {
    UNREADABLE: "The file is readable, contains a template or properties, and has no null values",
    **dict.fromkeys(("E1010", "E1019", "E1020"), "A name in a function is a parameter or resource of the template"),
    "E3001": "A resource has a Type and no unknown keys",
    "E3003": "A custom resource has a ServiceToken",
    "E3005": "DependsOn contains logical IDs of resources in the template",
    "E3012": "Properties is a mapping",
    "E3031": "ServiceToken is the ARN of a Lambda function or an SNS topic",
    "E3034": "ServiceTimeout is from 1 to 3600",
}
"""The rules' titles by cfn-lint's IDs."""

_NAME_IDS = {"Ref": "E1020", "Fn::GetAtt": "E1010", "Fn::Sub": "E1019"}

SECTIONS = (
    *("AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata"),
    *("Outputs", "Parameters", "Resources", "Rules", "Transform"),
)
RESOURCE_KEYS = (
    *("Type", "Properties", "Condition", "CreationPolicy", "DeletionPolicy", "DependsOn", "Metadata"),
    *("UpdatePolicy", "UpdateReplacePolicy", "Version"),
)
_SECTIONS_OF_MAPPINGS = ("Parameters", "Mappings", "Rules", "Conditions", "Resources", "Outputs")
_SECTIONS_WITH_LOGICAL_IDS = ("Parameters", "Resources", "Outputs")
_MAX_RESOURCES = 500
_NO_NULL = "null values are not allowed in templates; remove the key, or use !Ref AWS::NoValue"
MAX_SERVICE_TIMEOUT = 3600
"""Seconds, from the template reference of AWS::CloudFormation::CustomResource."""
SERVICE_TOKEN_ARN = re.compile(r"arn:aws[a-z-]*:(lambda|sns):[a-z0-9-]+:[0-9]{12}:.+")


def template_errors(tree: Mapping[str, Any]) -> Iterator[TemplateError]:
    """All mistakes in the structure of a template."""
    if unknown := sorted(set(tree) - set(SECTIONS)):
        yield TemplateError(f"unknown section {', '.join(unknown)}; the sections are {', '.join(SECTIONS)}")
    yield from _loop_errors(tree, ())
    yield from null_errors(tree["Resources"], ("Resources",))
    for name in _SECTIONS_OF_MAPPINGS:
        yield from section_errors(tree, name)
    for name in _SECTIONS_WITH_LOGICAL_IDS:
        for key, entry in children(tree.get(name)):
            yield from _entry_errors(entry, (name, key))
    resources = tree["Resources"] if isinstance(tree["Resources"], dict) else {}
    if len(resources) > _MAX_RESOURCES:
        yield TemplateError(f"has {len(resources)} resources; a template can have at most {_MAX_RESOURCES}")
    for logical_id, resource in resources.items():
        yield from resource_errors(resource, ("Resources", logical_id), transformed="Transform" in tree)


def section_errors(tree: Mapping[str, Any], name: str) -> Iterator[TemplateError]:
    """A mistake if a section is not a mapping."""
    section = tree.get(name)
    if section is not None and not isinstance(section, dict):
        yield TemplateError(f"must be a mapping, not {describe(section)}", (name,))


def null_errors(node: object, path: TreePath) -> Iterator[TemplateError]:
    """A mistake for each null within a value."""
    if node is None:
        yield TemplateError(_NO_NULL, path)
    for key, child in children(node):
        yield from null_errors(child, (*path, key))


def resource_errors(resource: object, path: TreePath, *, transformed: bool) -> Iterator[TemplateError]:
    """The mistakes of an entry of Resources. `null_errors` checks null; macros and loops are not checked."""
    if str(path[-1]).startswith("Fn::") or resource is None:
        return
    if not isinstance(resource, dict):
        yield TemplateError(f"must be a mapping with Type and Properties, not {describe(resource)}", path)
        return
    yield from key_errors(resource, path, transformed=transformed)
    type_ = resource.get("Type", 0)
    if type_ is not None and not isinstance(type_, str) and not is_misspelled(resource, "Type"):
        yield TemplateError("is required and must be text", (*path, "Type"), "E3001")


def key_errors(resource: Mapping[str, Any], path: TreePath, *, transformed: bool) -> Iterator[TemplateError]:
    """A mistake for each unknown key of a resource. A transform can define and remove its own keys."""
    for key in (str(key) for key in resource if key not in RESOURCE_KEYS):
        if intended := _intended_key(key):
            yield TemplateError(f"did you mean {intended}?", (*path, key), "E3001")
        elif not transformed and not key.startswith("Fn::"):
            message = f"unknown key; the keys are {', '.join(RESOURCE_KEYS)}. Put properties under Properties"
            yield TemplateError(message, (*path, key), "E3001")


def is_misspelled(resource: Mapping[Any, Any], key: str) -> bool:
    """Whether a resource has a key in a wrong spelling only."""
    return key not in resource and any(_intended_key(str(other)) == key for other in resource)


def depends_on_errors(
    resource: Mapping[str, Any], path: TreePath, resources: Collection[object]
) -> Iterator[TemplateError]:
    """The mistakes in DependsOn. `resources` has the logical IDs in the template."""
    for name in depends_on(resource):
        if not isinstance(name, str):
            yield TemplateError("must be a logical ID or a list of logical IDs", (*path, "DependsOn"), "E3005")
        elif name not in resources:
            yield TemplateError(f"there is no resource {name} in this template", (*path, "DependsOn"), "E3005")


def depends_on(resource: Mapping[str, Any]) -> list[Any]:
    """The entries of a resource's DependsOn."""
    names = resource.get("DependsOn") or []
    return names if isinstance(names, list) else [names]


def name_errors(node: object, path: TreePath, known: Collection[str]) -> Iterator[TemplateError]:
    """A mistake for each name in the function calls of a value that is neither `known` nor part of a loop."""
    for call in calls(node, path):
        for name, _ in references(call):
            if re.fullmatch("[A-Za-z0-9:]+", name) and name not in known:
                problem = f"there is no resource or parameter {name} in this template"
                yield TemplateError(f"{problem}{_instead(name, known)}", call.path, _NAME_IDS[call.function])


def _instead(name: str, known: Collection[str]) -> str:
    if name.startswith("imagebuilder:"):
        return f"; to keep Image Builder's variable as text, write {{{{ {name} }}}}"
    similar = most_similar(name, known, cutoff=0.75)
    return f"; did you mean {similar}?" if similar else ""


def properties_errors(properties: object, path: TreePath) -> Iterator[TemplateError]:
    """A mistake if a resource's properties are not a mapping."""
    if not isinstance(properties, dict):
        yield TemplateError(f"must be a mapping, not {describe(properties)}", path, "E3012")


def missing_token(path: TreePath) -> TemplateError:
    """The mistake of properties without a ServiceToken."""
    return TemplateError("ServiceToken is required: the ARN of the provider's function", path, "E3003")


def service_errors(
    properties: Mapping[str, Any], path: TreePath, is_unknown: Callable[[str], bool]
) -> Iterator[TemplateError]:
    """The mistakes in ServiceToken and ServiceTimeout, unless these are known only at deployment."""
    token, timeout = properties.get("ServiceToken"), properties.get("ServiceTimeout")
    if token is not None and not SERVICE_TOKEN_ARN.fullmatch(str(token)) and not is_unknown("ServiceToken"):
        message = f"must be the ARN of the provider's Lambda function or of an SNS topic, not {describe(token)}"
        yield TemplateError(message, (*path, "ServiceToken"), "E3031")
    is_valid = re.fullmatch("[0-9]{1,9}", str(timeout)) and 1 <= int(str(timeout)) <= MAX_SERVICE_TIMEOUT
    if timeout is not None and not is_valid and not is_unknown("ServiceTimeout"):
        message = f"must be a whole number of seconds from 1 to {MAX_SERVICE_TIMEOUT}, not {describe(timeout)}"
        yield TemplateError(message, (*path, "ServiceTimeout"), "E3034")


def _loop_errors(node: object, path: TreePath) -> Iterator[TemplateError]:
    """A mistake for each loop, and for each macro that adds resources or keys: only CloudFormation can expand them."""
    name = str(path[-1]) if path else ""
    is_entry = len(path) == 2 and path[0] in _SECTIONS_WITH_LOGICAL_IDS
    is_key = len(path) == 3 and path[0] == "Resources"
    if name.startswith("Fn::ForEach::") or (name.startswith("Fn::") and (is_entry or is_key)):
        yield TemplateError(
            f"only CloudFormation can expand {name}; use the processed template: create a change set, then "
            "`aws cloudformation get-template --change-set-name NAME --stack-name STACK --template-stage Processed`",
            path,
        )
        return
    for key, child in children(node):
        yield from _loop_errors(child, (*path, key))


def _entry_errors(entry: object, path: TreePath) -> Iterator[TemplateError]:
    section, name = path
    if not isinstance(name, str) or name.startswith("Fn::"):
        return
    if not re.fullmatch("[A-Za-z0-9]{1,255}", name):
        yield TemplateError("a logical ID has only letters and digits, at most 255", path)
    if section != "Resources" and not isinstance(entry, dict):
        yield TemplateError(f"must be a mapping, not {describe(entry)}", path)


def _intended_key(key: str) -> str:
    """The key of a resource that an unknown key is similar to; empty if there is none, or if the key is known."""
    return "" if key in RESOURCE_KEYS else most_similar(key, RESOURCE_KEYS, cutoff=0.75)
