"""Validates the provider's arguments, as template.yaml does its parameters. A test compares the two."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Duration, Token

from .ledger import Ledger

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
LEDGER_TIMEOUT: Final = 120
"""Seconds, with a ledger."""
SWEEP_MINUTES: Final = (5, 10, 15, 30, 60)
MAX_PERCENTAGE: Final = 100


def problems(
    timeout: Duration, lists: Mapping[str, Sequence[str]], patterns: Mapping[str, str], ledger: Ledger | None
) -> list[str]:
    """The problems with a provider's arguments, each by its name. Tokens are not checked."""
    given = [(name, value, PATTERNS[name]) for name, value in patterns.items()]
    given += [(name, value, LISTS[name]) for name, values in lists.items() for value in values]
    found = [
        f"{name}: must be {in_words}, not {value!r}"
        for name, value, (pattern, in_words) in given
        if not Token.is_unresolved(value) and not re.fullmatch(pattern, value)
    ]
    least, with_ledger = (LEDGER_TIMEOUT, " with a ledger") if ledger else (MINIMUM_TIMEOUT, "")
    if timeout.to_seconds() < least:
        found.append(f"timeout: must be at least {least} seconds{with_ledger}, not {timeout.to_seconds():g}")
    return found + (_problems_of(ledger) if ledger else [])


def _problems_of(ledger: Ledger) -> list[str]:
    found = []
    removals = ledger.max_account_removals
    if not Token.is_unresolved(removals) and not 0 <= removals <= MAX_PERCENTAGE:
        found.append(f"ledger.max_account_removals: must be a percentage from 0 to {MAX_PERCENTAGE}, not {removals}")
    minutes = ledger.sweep_interval.to_minutes(integral=False)
    if minutes not in SWEEP_MINUTES:
        allowed = ", ".join(map(str, SWEEP_MINUTES[:-1]))
        found.append(f"ledger.sweep_interval: must be {allowed}, or {SWEEP_MINUTES[-1]} minutes, not {minutes:g}")
    return found
