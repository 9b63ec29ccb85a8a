"""What docs/preflight.md says about the checks, generated from their rows."""

import json
from typing import Any, Final

from .checks import CHECKS
from .interface import CROSS_ACCOUNT_ROLE, action_of

_WITHOUT_PERMISSION: Final = ("sts:GetCallerIdentity",)
"""AWS allows this call to everybody."""
_OF_THE_COMMAND: Final = ("imagebuilder:GetDistributionConfiguration",)
"""What the command needs to read the configuration of an ARN."""


def table() -> str:
    """All checks as a Markdown table."""
    rows = (
        f"| `{check.id}` | {check.title} | {check.violation.value} | "
        f"{', '.join(f'`{action_of(one)}`' for one in check.reads)} | {check.source} |\n"
        for check in CHECKS
    )
    return f"| check | what must be true | if not | actions | source |\n|---|---|---|---|---|\n{''.join(rows)}"


def policy() -> dict[str, Any]:
    """The IAM policy that all checks need."""
    operations = {one for check in CHECKS for one in check.reads} - {*_WITHOUT_PERMISSION}
    actions = sorted({*map(action_of, operations), *_OF_THE_COMMAND} - {"sts:AssumeRole"})
    role = f"arn:aws:iam::*:role/{CROSS_ACCOUNT_ROLE}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "*"},
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": role},
        ],
    }


def policy_text() -> str:
    """The IAM policy as a Markdown code block."""
    return f"```json\n{json.dumps(policy(), indent=2)}\n```\n"
