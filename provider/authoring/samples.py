"""Sample values for the starter template and the reference. They pass the provider's checks."""

import re
from typing import Any, Final

from ..resources import DISTRIBUTION_CONFIGURATION, resource_type
from ..schema.account_sources import ORGANIZATIONAL_UNIT, PARAMETER
from ..schema.model import CONTRIBUTIONS, NAME, ON_DELETE, RETAIN, Schema
from ..schema.validation import validate

SAMPLES: Final[dict[tuple[str, str], Any]] = {
    ("Properties", NAME): "golden-image",
    ("Properties", ON_DELETE): RETAIN,
    ("Properties", CONTRIBUTIONS): ["Distributions[].LaunchTemplateConfigurations"],
    ("Properties", "region"): "us-east-1",
    ("Distribution", "region"): "us-east-1",
    ("AmiDistributionConfiguration", "name"): "golden-image-{{ imagebuilder:buildDate }}",
    ("AmiDistributionConfiguration", "kmsKeyId"): "arn:aws:kms:us-east-1:123456789012:alias/golden-image",
    ("LaunchPermissionConfiguration", "userGroups"): ["all"],
    ("S3ExportConfiguration", "roleName"): "vmimport",
    ("S3ExportConfiguration", "s3Prefix"): "golden-image/",
    ("FastLaunchLaunchTemplateSpecification", "launchTemplateVersion"): "$Latest",
    ("SsmParameterConfiguration", "parameterName"): "/images/golden-image",
    ("SsmParameterConfiguration", "dataType"): "aws:ec2:image",
    ("AccountSource", ORGANIZATIONAL_UNIT): "ou-a1b2-c3d4e5f6",
    ("AccountSource", PARAMETER): "/images/accounts",
}
"""Realistic samples, by shape and member. For other members, the first valid candidate is used."""

NOT_IN_EXAMPLES: Final = frozenset(
    {
        ("FastLaunchLaunchTemplateSpecification", "launchTemplateName"),
        ("LaunchPermissionConfiguration", "userGroups"),
        ("Properties", CONTRIBUTIONS),
    }
)
"""Members that exclude an earlier member, make the image public, or require the ledger, by shape and member."""

_TEXTS: Final = (
    "123456789012",
    "lt-0a1b2c3d4e5f67890",
    "arn:aws:imagebuilder:us-east-1:123456789012:distribution-configuration/golden-image",
    "arn:aws:license-manager:us-east-1:123456789012:license-configuration:lic-0123456789abcdef0123456789abcdef",
    "arn:aws:organizations::123456789012:organization/o-a1b2c3d4e5",
    "arn:aws:organizations::123456789012:ou/o-a1b2c3d4e5/ou-a1b2-c3d4e5f6",
    "arn:aws:iam::123456789012:role/image-distribution",
)
_NUMBERS: Final = (6, 1, 0)
_MAP_KEY: Final = "Team"


def sample(schema: Schema, shape: str = "", member: str = "") -> Any:
    """A sample value by the API's names; None if no candidate is valid.

    The value is the `member` of the structure with this `shape`, if any.
    """
    if (shape, member) in SAMPLES:
        return SAMPLES[shape, member]
    if schema.type_name == "structure":
        return _structure(schema)
    if schema.item is not None:
        entry = sample(schema.item, shape, member)
        return None if entry is None else [entry] if schema.type_name == "list" else {_MAP_KEY: entry}
    return next((value for value in _candidates(schema, member) if not validate(value, schema)), None)


def _structure(schema: Schema) -> dict[str, Any] | None:
    names = dict.fromkeys((*schema.required, *schema.members))
    found = {name: sample(schema.members[name], schema.shape, name) for name in names}
    if any(found[name] is None for name in schema.required):
        return None
    return {name: value for name, value in found.items() if value is not None}


def _candidates(schema: Schema, member: str) -> tuple[Any, ...]:
    if schema.type_name == "boolean":
        return (True,)
    if schema.type_name != "string":
        return (*_NUMBERS, schema.minimum, schema.maximum)
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", member).lower()
    named = () if schema.pattern else (f"example-{words}",)
    return (*schema.enum, *named, *_TEXTS)


def as_example(value: Any, schema: Schema) -> Any:
    """A value without the members in NOT_IN_EXAMPLES, at any depth."""
    if schema.type_name == "structure":
        kept = (name for name in value if (schema.shape, name) not in NOT_IN_EXAMPLES)
        return {name: as_example(value[name], schema.members[name]) for name in kept}
    if schema.type_name == "list" and schema.item is not None:
        return [as_example(entry, schema.item) for entry in value]
    return value


def all_samples(type_name: str = DISTRIBUTION_CONFIGURATION) -> dict[str, Any]:
    """A sample of all properties of a type by the API's names, including those that exclude each other."""
    found: dict[str, Any] = sample(resource_type(type_name).schema)
    return found
