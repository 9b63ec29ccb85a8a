"""Gives a template's parameters their values, and rejects what CloudFormation would reject."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from .placeholders import Placeholders
from .sections import Template
from .template_error import TemplateError, TreePath, raise_all

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


def is_stored(parameter: Mapping[str, Any]) -> bool:
    """Whether a parameter's value is stored in an SSM parameter."""
    return _SSM.fullmatch(str(parameter.get("Type"))) is not None


def bind(
    template: Template, given: Mapping[str, str], placeholders: Placeholders, note: Callable[[str], None]
) -> dict[str, Value]:
    """The value of each parameter that `template` declares: from `given`, else its default.

    A list type has a list of text, every other type has text. `note` is called with each value that is a placeholder.
    Raises TemplateError for undeclared names, and for values that are missing or not allowed.
    """
    raise_all([*_undeclared(template, given)][:1] or [*_missing(template, given)])
    return {
        name: _value(name, parameter, _given(name, parameter, given), placeholders, note)
        for name, parameter in template.parameters.items()
    }


def _undeclared(template: Template, given: Mapping[str, str]) -> Iterator[TemplateError]:
    unknown = [name for name in given if name not in template.parameters]
    if unknown:
        suggestion = _suggestion(unknown[0], template.parameters)
        known = f" It has {', '.join(template.parameters)}." if template.parameters and not suggestion else ""
        yield TemplateError(f"has no parameter {', '.join(unknown)}{suggestion}{known}")


def _missing(template: Template, given: Mapping[str, str]) -> Iterator[TemplateError]:
    declared = template.parameters.items()
    missing = [name for name, one in declared if name not in given and one.get("Default") is None]
    if missing:
        options = " ".join(f"--parameter {name}=..." for name in missing)
        yield TemplateError(f"needs a value for {', '.join(missing)}: {options}")


def _suggestion(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # only a mistake needs it

    similar = get_close_matches(name, list(known), n=1)
    return f"; did you mean {similar[0]}?" if similar else ""


def _given(name: str, parameter: Mapping[str, Any], given: Mapping[str, str]) -> str:
    if name in given:
        return given[name]
    default = parameter["Default"]
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, (dict, list)):
        raise TemplateError("must be text or a number", ("Parameters", name, "Default"))
    return str(default)


def _value(
    name: str, parameter: Mapping[str, Any], text: str, placeholders: Placeholders, note: Callable[[str], None]
) -> Value:
    path: TreePath = ("Parameters", name)
    type_ = str(parameter.get("Type", ""))
    if not type_:
        raise TemplateError("a Type is needed", path)
    if type_ not in TYPES:
        raise TemplateError(f"there is no type {type_}{_suggestion(type_, TYPES)}", (*path, "Type"))
    if stored := _SSM.fullmatch(type_):
        value = placeholders.parameter(stored[1], text)
        note(f"parameter {name}: SSM parameter {text} is taken to be {value!r}")
        return value
    is_list = _LIST.fullmatch(type_) is not None
    items = [part.strip() for part in text.split(",")] if is_list else [text]
    for item in items:
        for violation in _violations(parameter, type_, item):
            hint = parameter.get("ConstraintDescription")
            raise TemplateError(f"{item!r} {violation}" + (f": {hint}" if hint else ""), path)
    return items if is_list else text


def _violations(parameter: Mapping[str, Any], kind: str, item: str) -> Iterator[str]:
    allowed = [str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in _allowed(parameter)]
    if allowed and item not in allowed:
        yield f"is not one of the allowed values {', '.join(allowed)}"
    pattern = parameter.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(str(pattern), item):
        yield f"does not match {pattern}"
    if "Number" in kind:
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


def _allowed(parameter: Mapping[str, Any]) -> list[Any]:
    values = parameter.get("AllowedValues", [])
    return values if isinstance(values, list) else [values]
