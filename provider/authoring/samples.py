"""Sample values for the starter template and the reference. They pass this provider's checks."""

import re
from typing import Any, Final

from ..resources import resource_type
from ..schema.model import NAME, ON_DELETE, RETAIN, Schema
from ..schema.validation import validate

KNOWN: Final[dict[tuple[str, str], Any]] = {
    ("Properties", NAME): "golden-image",
    ("Properties", ON_DELETE): RETAIN,
    ("Distribution", "region"): "us-east-1",
    ("AmiDistributionConfiguration", "name"): "golden-image-{{ imagebuilder:buildDate }}",
    ("AmiDistributionConfiguration", "kmsKeyId"): "arn:aws:kms:us-east-1:123456789012:alias/golden-image",
    ("LaunchPermissionConfiguration", "userGroups"): ["all"],
    ("S3ExportConfiguration", "roleName"): "vmimport",
    ("S3ExportConfiguration", "s3Prefix"): "golden-image/",
    ("FastLaunchLaunchTemplateSpecification", "launchTemplateVersion"): "$Latest",
    ("SsmParameterConfiguration", "parameterName"): "/images/golden-image",
    ("SsmParameterConfiguration", "dataType"): "aws:ec2:image",
}
"""Realistic samples, by shape and member. Any other member gets the first valid guess."""

ALTERNATIVES: Final = frozenset({("FastLaunchLaunchTemplateSpecification", "launchTemplateName")})
"""Members that exclude an earlier member, by shape and member."""

_TEXTS: Final = (
    "123456789012",
    "lt-0a1b2c3d4e5f67890",
    "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden-image",
    "arn:aws:license-manager:us-east-1:123456789012:license-configuration:lic-0123456789abcdef0123456789abcdef",
    "arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5",
    "arn:aws:organizations::123456789012:ou/o-a1b2c3d4e5/ou-a1b2-c3d4e5f6",
)
_NUMBERS: Final = (6, 1, 0)
_MAP_KEY: Final = "Team"


def sample(type_: Schema, structure: str = "", member: str = "") -> Any:
    """A sample of a type, by the API's names; None if no guess is valid.

    `structure` is the shape that has the value as its `member`, by API names.
    """
    if (structure, member) in KNOWN:
        return KNOWN[structure, member]
    if type_.type_name == "structure":
        return _structure(type_)
    if type_.item is not None:
        entry = sample(type_.item, structure, member)
        return None if entry is None else [entry] if type_.type_name == "list" else {_MAP_KEY: entry}
    return next((value for value in _guesses(type_, member) if not validate(value, type_)), None)


def _structure(type_: Schema) -> dict[str, Any] | None:
    found = {name: sample(inner, type_.shape, name) for name, inner in type_.members.items()}
    if any(found[name] is None for name in type_.required):
        return None
    return {name: value for name, value in found.items() if value is not None}


def _guesses(type_: Schema, member: str) -> tuple[Any, ...]:
    if type_.type_name == "boolean":
        return (True,)
    if type_.type_name != "string":
        return (*_NUMBERS, type_.minimum, type_.maximum)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", member).lower()
    named = () if type_.pattern else (f"example-{words}",)
    return (*type_.enum, *named, *_TEXTS)


def consistent(value: Any, type_: Schema) -> Any:
    """A value of a type without members that exclude another one."""
    if type_.type_name == "structure":
        kept = (name for name in value if (type_.shape, name) not in ALTERNATIVES)
        return {name: consistent(value[name], type_.members[name]) for name in kept}
    if type_.type_name == "list" and type_.item is not None:
        return [consistent(entry, type_.item) for entry in value]
    return value


def whole() -> dict[str, Any]:
    """All properties by the API's names, including those that exclude each other."""
    found: dict[str, Any] = sample(resource_type().schema)
    return found
