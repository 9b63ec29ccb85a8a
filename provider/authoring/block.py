"""Renders a resource as readable YAML or as JSON."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from ..resources import DISTRIBUTION_CONFIGURATION

SERVICE_TOKEN: Final = {"Fn::ImportValue": "image-builder-distribution-provider-ServiceToken"}
"""The export of the provider's stack, if the stack's name is the one in the deployment guide."""

SERVICE_TIMEOUT: Final = 900
"""How many seconds CloudFormation waits for a response."""

_PLAIN: Final = re.compile(
    r"(?!(?:true|false|yes|no|on|off|null|y|n)\Z)[a-z/$][\w./:$@+{} -]*", re.ASCII | re.IGNORECASE
)
"""Strings that need no quotes, unless they contain `: ` or end with a space or colon."""


def logical_id(name: str) -> str:
    """A logical ID derived from a configuration's name: `golden-image` -> `GoldenImage`."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    return "".join(word[:1].upper() + word[1:] for word in words) or "DistributionConfiguration"


def of_cloudformation(service_token: Any = SERVICE_TOKEN) -> dict[str, Any]:
    """The properties that CloudFormation itself reads. `service_token` is an ARN or a function call."""
    return {"ServiceToken": service_token, "ServiceTimeout": SERVICE_TIMEOUT}


def template(
    logical_id: str,
    properties: Mapping[str, Any],
    type_name: str = DISTRIBUTION_CONFIGURATION,
    service_token: Any = SERVICE_TOKEN,
) -> dict[str, Any]:
    """A Resources section with one resource of this provider."""
    resource = {"Type": type_name, "Properties": {**of_cloudformation(service_token), **properties}}
    return {"Resources": {logical_id: resource}}


def as_yaml(value: Any) -> str:
    """A value as a YAML document with CloudFormation's short forms."""
    return "\n".join(lines(value)) + "\n"


def as_json(value: Any) -> str:
    """A value as a JSON document."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def lines(value: Any) -> list[str]:
    """The lines of a value in YAML's block style."""
    if isinstance(value, Mapping) and value and not is_call(value):
        return [line for key, entry in value.items() for line in entry_lines(scalar(key), lines(entry), entry)]
    if isinstance(value, list) and value:
        return [line for entry in value for line in item_lines(lines(entry))]
    return [scalar(value)]


def entry_lines(key: str, below: list[str], value: Any) -> list[str]:
    """The lines of a mapping entry, given the lines of its value."""
    if is_nested(value):
        return [f"{key}:", *(f"  {line}" for line in below)]
    return [f"{key}: {below[0]}"]


def item_lines(below: list[str]) -> list[str]:
    """The lines of a list entry, given the lines of its value. Leading comments go above the dash."""
    first = next(index for index, line in enumerate(below) if not line.startswith("#"))
    return [*below[:first], f"- {below[first]}", *(f"  {line}" for line in below[first + 1 :])]


def is_nested(value: Any) -> bool:
    """Whether a value is written on separate lines."""
    return isinstance(value, (Mapping, list)) and bool(value) and not is_call(value)


def is_call(value: Any) -> bool:
    """Whether a value is a call of an intrinsic function with a single string argument."""
    return isinstance(value, Mapping) and len(value) == 1 and _name_of(value) is not None


def _name_of(value: Mapping[str, Any]) -> str | None:
    ((name, argument),) = value.items()
    is_function = (name == "Ref" or name.startswith("Fn::")) and isinstance(argument, str)
    return name.removeprefix("Fn::") if is_function else None


def scalar(value: Any) -> str:
    """A scalar or an empty value as YAML, in quotes if it would be ambiguous without them."""
    if is_call(value):
        return f"!{_name_of(value)} {scalar(next(iter(value.values())))}"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and ": " not in value and value[-1] not in " :":
        return value
    # Unlike JSON, YAML requires escapes for all control characters and all its line breaks.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(character if character.isprintable() else f"\\U{ord(character):08x}" for character in text)
