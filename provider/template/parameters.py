"""Assigns values to a template's parameters, and rejects the values that CloudFormation rejects."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from .intrinsics import SCALARS, text
from .placeholders import Placeholders
from .sections import Template
from .template_error import TemplateError, TreePath, most_similar

Value: TypeAlias = str | list[str]

_SSM = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")
_LIST = re.compile(r"CommaDelimitedList|List<.+>")
_LISTED = (
    *("String", "Number", "AWS::EC2::AvailabilityZone::Name", "AWS::EC2::Image::Id", "AWS::EC2::Instance::Id"),
    *("AWS::EC2::SecurityGroup::GroupName", "AWS::EC2::SecurityGroup::Id", "AWS::EC2::Subnet::Id"),
    *("AWS::EC2::VPC::Id", "AWS::EC2::Volume::Id", "AWS::Route53::HostedZone::Id"),
)
_PLAIN = (
    *_LISTED,
    *(f"List<{name}>" for name in _LISTED),
    *("CommaDelimitedList", "AWS::EC2::KeyPair::KeyName", "AWS::SSM::Parameter::Name"),
)
TYPES = (*_PLAIN, *(f"AWS::SSM::Parameter::Value<{name}>" for name in _PLAIN))
"""The types that a template's parameter may have. Source: AWS CloudFormation User Guide, "Parameters"."""


def stored_reference(name: str, parameter: Mapping[str, Any], given: Mapping[str, str]) -> str:
    """The SSM parameter with a parameter's value, as in a dynamic reference: `ssm:/name`. Empty if there is none."""
    is_stored = _SSM.fullmatch(str(parameter.get("Type"))) is not None
    return f"ssm:{_given(name, parameter, given)}" if is_stored else ""


def _given(name: str, parameter: Mapping[str, Any], given: Mapping[str, str]) -> str:
    return given[name] if name in given else text(parameter["Default"], ("Parameters", name, "Default"))


def is_list(type_: str) -> bool:
    """Whether the value of a parameter of this type is a list."""
    stored = _SSM.fullmatch(type_)
    return _LIST.fullmatch(stored[1] if stored else type_) is not None


def allowed_values(parameter: Mapping[str, Any]) -> list[str]:
    """The AllowedValues of a parameter as text; empty if it allows any value."""
    values = parameter.get("AllowedValues")
    scalars = values if isinstance(values, list) else []
    return [text(value) for value in scalars if isinstance(value, SCALARS)]


def items_of(value: str) -> list[str]:
    """The items of a list parameter's value."""
    return [item.strip() for item in value.split(",")]


def bind(
    template: Template,
    given: Mapping[str, str],
    placeholders: Placeholders,
    note: Callable[[str], None],
    references: Mapping[str, str],
) -> dict[str, Value]:
    """The value of each parameter that `template` declares: from `given`, else its default.

    A list type has a list of text, every other type has text. `references` has the known values of SSM parameters, by
    the names of their dynamic references. `note` is called with each value that is a placeholder.
    Raises TemplateError for undeclared names, and for values that are missing or not allowed.
    """

    def stored(name: str, type_: str, parameter: str) -> Value:
        known = references.get(f"ssm:{parameter}")
        if known is not None:
            return items_of(known) if _LIST.fullmatch(type_) else known
        placeholder = placeholders.parameter(type_, parameter)
        note(
            f"parameter {name}: SSM parameter {parameter} is assumed to be {placeholder!r}; to give its value, use "
            f"--resolve ssm:{parameter}=VALUE"
        )
        return placeholder

    _reject_unknown(template.parameters, given)
    _reject_missing(template.parameters, given)
    values = {}
    for name, parameter in template.parameters.items():
        values[name] = _value(name, parameter, _given(name, parameter, given), stored)
    return values


def _reject_unknown(declared: Mapping[str, Any], given: Mapping[str, str]) -> None:
    if unknown := [name for name in given if name not in declared]:
        hint = _suggestion(unknown[0], declared) or f"; it declares {', '.join(declared) or 'no parameters'}"
        raise TemplateError(f"has no parameter {', '.join(unknown)}{hint}")


def _reject_missing(declared: Mapping[str, Any], given: Mapping[str, str]) -> None:
    if missing := [name for name, one in declared.items() if name not in given and one.get("Default") is None]:
        options = " ".join(f"--parameter {name}=..." for name in missing)
        raise TemplateError(f"needs a value for {', '.join(missing)}: {options}")


def _suggestion(name: str, known: Iterable[str]) -> str:
    similar = most_similar(name, known)
    return f"; did you mean {similar}?" if similar else ""


def _value(name: str, parameter: Mapping[str, Any], value: str, stored: Callable[[str, str, str], Value]) -> Value:
    """The value of a parameter. `stored` takes its name, its type, and the SSM parameter that has its value."""
    path: TreePath = ("Parameters", name)
    type_ = str(parameter.get("Type", ""))
    if not type_:
        raise TemplateError("Type is required", path)
    if type_ not in TYPES:
        raise TemplateError(f"there is no type {type_}{_suggestion(type_, TYPES)}", (*path, "Type"))
    if match := _SSM.fullmatch(type_):
        return stored(name, match[1], value)
    items = items_of(value) if is_list(type_) else [value]
    for item in items:
        for violation in _violations(parameter, type_, item):
            hint = parameter.get("ConstraintDescription")
            raise TemplateError(f"{item!r} {violation}" + (f": {hint}" if hint else ""), path)
    return items if is_list(type_) else value


def _violations(parameter: Mapping[str, Any], type_: str, item: str) -> Iterator[str]:
    allowed = allowed_values(parameter)
    if allowed and item not in allowed:
        yield f"is not one of the allowed values {', '.join(allowed)}"
    pattern = parameter.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(str(pattern), item):
        yield f"does not match {pattern}"
    if "Number" in type_:
        yield from _number_violations(parameter, item)
        return
    if len(item) < int(parameter.get("MinLength", 0)):
        yield f"is shorter than {parameter['MinLength']}"
    if len(item) > int(parameter.get("MaxLength", len(item))):
        yield f"is longer than {parameter['MaxLength']}"


def _number_violations(parameter: Mapping[str, Any], item: str) -> Iterator[str]:
    try:
        number = float(item)
    except ValueError:
        yield "is not a number"
        return
    if number < float(parameter.get("MinValue", number)):
        yield f"is less than {parameter['MinValue']}"
    if number > float(parameter.get("MaxValue", number)):
        yield f"is more than {parameter['MaxValue']}"
