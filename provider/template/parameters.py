"""Gives a template's parameters their values, refusing what CloudFormation would refuse."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from .placeholders import Placeholders
from .sections import Template, TemplateError, TreePath

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
    """Whether a parameter's value is that of an SSM parameter."""
    return _SSM.fullmatch(str(parameter.get("Type"))) is not None


def bind(
    template: Template, given: Mapping[str, str], placeholders: Placeholders, note: Callable[[str], None]
) -> dict[str, Value]:
    """The value of each parameter that `template` declares: from `given`, else its default.

    List types give lists of text, everything else text. `note` is told of each value that is a stand-in.
    Raises TemplateError for names that it does not declare, and for values that are missing or not allowed.
    """
    if unknown := [name for name in given if name not in template.parameters]:
        from difflib import get_close_matches  # only a mistake needs it

        near = get_close_matches(unknown[0], template.parameters, n=1)
        raise TemplateError(
            f"has no parameter {', '.join(unknown)}"
            + (f"; did you mean {near[0]}?" if near else "")
            + (f" It has {', '.join(template.parameters)}." if template.parameters and not near else "")
        )
    missing = [
        name
        for name, parameter in template.parameters.items()
        if name not in given and parameter.get("Default") is None
    ]
    if missing:
        raise TemplateError(
            f"needs a value for {', '.join(missing)}: " + " ".join(f"--parameter {n}=..." for n in missing)
        )
    return {
        name: _value(name, parameter, _given(name, parameter, given), placeholders, note)
        for name, parameter in template.parameters.items()
    }


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
    kind = str(parameter.get("Type", ""))
    if not kind:
        raise TemplateError("a Type is needed", path)
    if kind not in TYPES:
        from difflib import get_close_matches  # only a mistake needs it

        near = get_close_matches(kind, TYPES, n=1)
        raise TemplateError(f"there is no type {kind}{f'; did you mean {near[0]}?' if near else ''}", (*path, "Type"))
    from_store = _SSM.fullmatch(kind)
    if from_store:
        value = placeholders.parameter(from_store.group(1), text)
        note(f"parameter {name}: SSM parameter {text} is taken to be {value!r}")
        return value
    items = [part.strip() for part in text.split(",")] if _LIST.fullmatch(kind) else [text]
    for item in items:
        for refusal in _refusals(parameter, kind, item):
            hint = parameter.get("ConstraintDescription")
            raise TemplateError(f"{item!r} {refusal}" + (f": {hint}" if hint else ""), path)
    return items if _LIST.fullmatch(kind) else text


def _refusals(parameter: Mapping[str, Any], kind: str, item: str) -> Iterator[str]:
    allowed = [str(choice).lower() if isinstance(choice, bool) else str(choice) for choice in _allowed(parameter)]
    if allowed and item not in allowed:
        yield f"is none of the allowed values {', '.join(allowed)}"
    pattern = parameter.get("AllowedPattern")
    if pattern is not None and not re.fullmatch(str(pattern), item):
        yield f"does not match {pattern}"
    if "Number" in kind:
        yield from _number_refusals(parameter, item)
        return
    if len(item) < int(parameter.get("MinLength", 0)):
        yield f"is shorter than {parameter['MinLength']}"
    if len(item) > int(parameter.get("MaxLength", len(item))):
        yield f"is longer than {parameter['MaxLength']}"


def _number_refusals(parameter: Mapping[str, Any], item: str) -> Iterator[str]:
    try:
        number = float(item)
    except ValueError:
        yield "is no number"
        return
    if number < float(parameter.get("MinValue", number)):
        yield f"is less than {parameter['MinValue']}"
    if number > float(parameter.get("MaxValue", number)):
        yield f"is more than {parameter['MaxValue']}"


def _allowed(parameter: Mapping[str, Any]) -> list[Any]:
    values = parameter.get("AllowedValues", [])
    return values if isinstance(values, list) else [values]
