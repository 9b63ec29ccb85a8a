"""Validates the provider's arguments, as template.yaml does its parameters. A test compares the two."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Duration, Token

PATTERNS: Final = {
    "name_pattern": (
        r"^[-_a-z0-9*?]+$",
        "lowercase letters, digits, hyphens, and underscores as in an ARN, with the wildcards * and ?",
    ),
    "export_bucket_pattern": (r"^[-.a-z0-9*?]*$", "a bucket name with the wildcards * and ?, or nothing"),
    "ssm_parameter_pattern": (
        r"^([-_.a-zA-Z0-9*?][-_.a-zA-Z0-9/*?]*)?$",
        "a parameter name without its leading slash, with the wildcards * and ?, or nothing",
    ),
    "source_parameter_pattern": (
        r"^([-_.a-zA-Z0-9*?][-_.a-zA-Z0-9/*?]*)?$",
        "a parameter name without its leading slash, with the wildcards * and ?, or nothing",
    ),
    "organizations_role_arn": (r"^(arn:[^:]+:iam::[0-9]{12}:role/.+)?$", "the ARN of an IAM role, or nothing"),
}
"""By argument: its pattern, and the pattern in words."""

_ROLE: Final = r"arn:[^:,]+:iam::[0-9*?]+:role/[-_+=.@/a-zA-Z0-9*?]+"
_REGION: Final = r"[a-z]{2,}(-[a-z]+)+-[0-9]+"

LISTS: Final = {
    "regions": (_REGION, "names of Regions"),
    "assumable_role_arns": (_ROLE, "ARNs of IAM roles with the wildcards * and ?"),
}
"""By argument: the pattern of each entry, and the entries in words."""

MINIMUM_TIMEOUT: Final = 30
"""Seconds."""


def problems(timeout: Duration, lists: Mapping[str, Sequence[str]], patterns: Mapping[str, str]) -> list[str]:
    """The problems with a provider's arguments, each by its name. Tokens are not checked."""
    found = [
        f"{name}: must be {PATTERNS[name][1]}, not {value!r}"
        for name, value in patterns.items()
        if not Token.is_unresolved(value) and not re.fullmatch(PATTERNS[name][0], value)
    ]
    found += [
        f"{name}: must be {LISTS[name][1]}, not {value!r}"
        for name, values in lists.items()
        for value in values
        if not Token.is_unresolved(value) and not re.fullmatch(LISTS[name][0], value)
    ]
    if timeout.to_seconds() < MINIMUM_TIMEOUT:
        found.append(f"timeout: must be at least {MINIMUM_TIMEOUT} seconds, not {timeout.to_seconds():g}")
    return found
