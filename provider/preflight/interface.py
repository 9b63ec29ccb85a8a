"""What a check is: the calls that it needs and the outcomes that it can have, as data."""

from collections.abc import Callable, Generator, Mapping
from enum import Enum
from typing import Any, Final, NamedTuple

from ..arn import Location
from ..schema.finding import Path
from .subjects import Subject

CROSS_ACCOUNT_ROLE: Final = "EC2ImageBuilderDistributionCrossAccountRole"
"""The role that Image Builder assumes in target accounts. The service fixes its name."""

_ACTIONS: Final = {"s3:HeadBucket": "s3:ListBucket"}
"""Operations whose IAM action has another name."""
_PREFIXES: Final = {"service-quotas": "servicequotas"}
"""Services whose IAM prefix is not botocore's name of the service."""


class Status(Enum):
    """The status of one check of one value."""

    PASS = "pass"  # noqa: S105 - not a password
    WARNING = "warning"
    FAILURE = "failure"
    NOT_CHECKABLE = "not-checkable"


class Outcome(NamedTuple):
    """The status of a check, and why. `remediation` replaces the row's; a pass has none."""

    status: Status
    message: str
    remediation: str = ""


class Context(NamedTuple):
    """The location of the configuration, and the ARN that it has or will have; empty if only a deployment knows it.

    `function` is the ARN of the provider's function; empty if it is unknown. `stack_id` is like that of the stack.
    """

    location: Location
    arn: str
    function: str = ""
    stack_id: str = ""

    def iam_arn(self, resource: str, account: str = "") -> str:
        """The ARN of an IAM resource (`role/name`) in an account; by default, in the configuration's."""
        return f"arn:{self.location.partition}:iam::{account or self.location.account}:{resource}"


class Read(NamedTuple):
    """One call: botocore's service and operation (`kms:DescribeKey`), and the Region and account to call it in.

    An empty account is the configuration's; in another one, the call is made with `CROSS_ACCOUNT_ROLE`. With
    `by_caller`, it is made with the caller's credentials, also if the configuration has a role. If the call fails with
    one of the error codes in `absent`, the response is None.
    """

    operation: str
    region: str
    parameters: Mapping[str, Any]
    absent: tuple[str, ...] = ()
    account: str = ""
    by_caller: bool = False


Probe = Generator[Read, Any, Outcome | None]
"""Yields reads, receives their responses (None if absent), and returns None if the check does not apply."""


class Check(NamedTuple):
    """One check. `title` is what must be true.

    It runs for each value whose member or shape in the service model has a name in `applies_to`. `reads` are the
    operations that `probe` may yield. `violation` is its status if `title` is not true.
    """

    id: str
    title: str
    applies_to: tuple[str, ...]
    reads: tuple[str, ...]
    violation: Status
    source: str
    remediation: str
    probe: Callable[[Subject, Context], Probe]


class Result(NamedTuple):
    """The outcome of one check of the value at a path by the API's names. `action` is a missing IAM permission."""

    check: Check
    path: Path
    outcome: Outcome
    action: str = ""


class DeniedError(Exception):
    """A read was denied. `action` is the missing IAM permission."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class ReadError(Exception):
    """A read failed for another reason, such as throttling or a Region that is disabled."""


def action_of(operation: str) -> str:
    """The IAM action that an operation needs: `servicequotas:ListServiceQuotas`."""
    service, _, name = operation.partition(":")
    return _ACTIONS.get(operation, f"{_PREFIXES.get(service, service)}:{name}")


def assume_role(context: Context, account: str) -> Read:
    """Assume `CROSS_ACCOUNT_ROLE` in an account. None if it is denied, which AWS does not distinguish from absent."""
    role = context.iam_arn(f"role/{CROSS_ACCOUNT_ROLE}", account)
    parameters = {"RoleArn": role, "RoleSessionName": "preflight", "DurationSeconds": 900}
    return Read("sts:AssumeRole", context.location.region, parameters, ("AccessDenied",))
