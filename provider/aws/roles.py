"""Assumes the roles of resources and the one that reads Organizations, and reuses their credentials while valid.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

import re
from collections.abc import Callable
from datetime import datetime
from fnmatch import translate
from typing import Any, Final, NamedTuple

from ..errors import NotAssumed, Outcome, ProviderError
from .client import Credentials, call, client, session

ASSUMABLE_ROLES: Final = "ASSUMABLE_ROLE_ARNS"
"""The environment variable with the roles that the function may assume: comma-separated ARNs with * and ?."""

_MARGIN: Final = 60.0
"""Seconds before their expiration at which credentials are no longer reused."""
_MAX_SESSIONS: Final = 64
_INVALID: Final = "ValidationError"
"""STS's error code for a role that it cannot have, such as one of another partition."""
_NAME_LENGTHS: Final = (2, 64)
"""The least and the most characters of a session's name."""


class Assumption(NamedTuple):
    """A role, and the stack for which it is assumed: its ID is the external ID. If it is empty, there is none."""

    role: str
    stack_id: str = ""


_sessions: dict[tuple[object, Assumption], tuple[Credentials, float]] = {}
"""The credentials with their expiration in seconds since the epoch, by the session that obtained them."""


def is_assumable(role: str, patterns: str) -> bool:
    """Return whether comma-separated patterns, with * and ? as in IAM policies, cover a role's ARN."""
    # `translate` makes a pattern that does not backtrack. Brackets are wildcards of fnmatch, but not of IAM.
    return any(re.match(translate(pattern.strip().replace("[", "[[]")), role) for pattern in patterns.split(","))


def not_covered(role: str) -> NotAssumed:
    """Return the error about a role that the function may not assume."""
    error = NotAssumed(
        f"the provider may not assume {role}: its parameter AssumableRoleArns does not cover this role",
        outcome=Outcome.DENIED,
    )
    error.final = True
    return error


def assume(
    assumption: Assumption,
    logical_id: str,
    patterns: str,
    region: str | None,
    now: Callable[[], float],
    *,
    renew: bool = False,
) -> Credentials:
    """Return the credentials of a role, as `credentials`, if comma-separated patterns cover it."""
    if not is_assumable(assumption.role, patterns):
        raise not_covered(assumption.role)
    return credentials(assumption, logical_id, region, now, renew=renew)


def session_name(logical_id: str) -> str:
    """Return the name of a role's session for a resource: its logical ID, as far as STS allows."""
    shortest, longest = _NAME_LENGTHS
    return re.sub(r"[^A-Za-z0-9_+=,.@-]", "-", logical_id)[:longest].ljust(shortest, "-")


def credentials(
    assumption: Assumption, logical_id: str, region: str | None, now: Callable[[], float], *, renew: bool = False
) -> Credentials:
    """Return the credentials of a role, through the STS endpoint of a Region.

    `logical_id` names the session if the role is assumed now. `now` returns seconds since the epoch. With `renew`,
    earlier credentials are not reused. Raises ProviderError, with the outcome DENIED if the role cannot be assumed;
    no outcome is UNKNOWN, because assuming a role changes nothing.
    """
    key = (session(), assumption)
    found, expires = _sessions.get(key, (None, 0.0))
    if found is not None and not renew and expires - now() > _MARGIN:
        return found
    _sessions.pop(key, None)
    parameters = {"RoleArn": assumption.role, "RoleSessionName": session_name(logical_id)}
    if assumption.stack_id:
        parameters["ExternalId"] = assumption.stack_id
    try:
        response = call(client("sts", region), "AssumeRole", parameters)
    except ProviderError as error:
        raise _explained(error, assumption) from error
    made, expires = _parse(response, assumption.role)
    while len(_sessions) >= _MAX_SESSIONS:
        _sessions.pop(next(iter(_sessions)), None)
    _sessions[key] = made, expires
    return made


def _parse(response: dict[str, Any], role: str) -> tuple[Credentials, float]:
    """Return the credentials in a response of STS, and their expiration. Raises ProviderError if there are none."""
    found = response.get("Credentials", {})
    made = tuple(str(found.get(name, "")) for name in ("AccessKeyId", "SecretAccessKey", "SessionToken"))
    expires = found.get("Expiration")
    if not all(made) or not isinstance(expires, datetime):
        raise NotAssumed(f"{role} could not be assumed: the response is not from STS", outcome=Outcome.UNSENT)
    key, secret, token = made
    return (key, secret, token), expires.timestamp()


def _explained(error: ProviderError, assumption: Assumption) -> NotAssumed:
    role, stack_id = assumption
    if error.outcome is Outcome.DENIED or error.code == _INVALID:
        condition = f" with sts:ExternalId {stack_id}" if stack_id else ""
        return NotAssumed(
            f"sts:AssumeRole of {role} was denied ({error.problem})",
            remediation=f"Either the role does not exist, or its trust policy does not allow the provider's "
            f"role{condition}. Correct that, then deploy again",
            outcome=Outcome.DENIED,
            request_id=error.request_id,
        )
    is_unknown = error.outcome is Outcome.UNKNOWN  # assuming a role again changes nothing
    return NotAssumed(
        f"{role} could not be assumed: {error.problem}",
        remediation="Image Builder was not called; deploy again later" if is_unknown else error.remediation,
        outcome=Outcome.UNSENT if is_unknown else error.outcome,
        request_id=error.request_id,
    )
