"""The Security Token Service: roles, the sessions of those who assume them, and the identity of each access key."""

import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from botocore.model import OperationModel

from .constraints import Violation, violations
from .faults import ServiceError, common_error
from .signature import Signature

_KEY_PREFIX = "ASIAEMULATED"
_SECONDS = 3600
"""The default duration of a session."""
_ROLE = re.compile(r"arn:(?P<partition>[a-z-]+):iam::(?P<account>[0-9]{12}):role/(?:.+/)?(?P<name>[\w+=,.@-]{1,64})")


class Caller(NamedTuple):
    """The identity of an access key: its account, and the ARN of a user, or of a session of `role` (an ARN)."""

    access_key: str
    account: str
    arn: str
    role: str = ""
    role_id: str = ""


class Trust(NamedTuple):
    """Who can assume a role: those who give an external ID that matches one of these patterns, as StringLike does.

    None: everyone. An empty sequence: nobody.
    """

    external_ids: Sequence[str] | None = None

    def allows(self, external_id: str | None) -> bool:
        """Whether the role can be assumed with this external ID, or without one."""
        if self.external_ids is None:
            return True
        return external_id is not None and any(_like(pattern).fullmatch(external_id) for pattern in self.external_ids)


@dataclass
class _Session:
    caller: Caller
    token: str
    expiration: float
    is_revoked: bool = False


class EmulatedSecurityTokenService:
    """STS in all Regions of a partition. Thread-safe.

    The keys that it issues belong to the account of the assumed role; all others, to the account given.
    """

    trust: Mapping[str, Trust] | None = None
    """The existing roles by ARN. None: each role exists, and everyone can assume it."""

    def __init__(self, partition: str, account: str, clock: Callable[[], float] = time.time) -> None:
        """`clock` returns seconds since the epoch, for the expiration of sessions."""
        self._partition = partition
        self._account = account
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}
        self._role_ids: dict[str, str] = {}
        self._operations: dict[str, Callable[[dict[str, Any], Caller], dict[str, Any]]] = {
            "AssumeRole": self._assume_role,
            "GetCallerIdentity": self._get_caller_identity,
        }

    def call(self, operation: OperationModel, parameters: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Execute one operation and return its output by API names. Raises ServiceError as the service would."""
        execute = self._operations.get(operation.name)
        if execute is None:
            raise ServiceError("InvalidAction", f"The emulator does not support the operation {operation.name}.")
        if operation.input_shape is not None:
            _check([*violations(operation.input_shape, parameters)])
        return execute(parameters, caller)

    def caller(self, access_key: str) -> Caller:
        """The identity of an access key, valid or not. It is empty for a request without a signature."""
        session = self._sessions.get(access_key)
        if session:
            return session.caller
        return Caller(access_key, self._account, f"arn:{self._partition}:iam::{self._account}:user/emulator")

    def authenticate(self, signature: Signature, action: str) -> None:
        """Raise ServiceError if a session's credentials cannot be used for an action (`sts:AssumeRole`).

        An unknown key that looks like an issued one is invalid: another emulator issued it, so that treating it as the
        account's own would hide that a client used the wrong credentials.
        """
        service = action.partition(":")[0]
        session = self._sessions.get(signature.access_key)
        if session is None and not signature.access_key.startswith(_KEY_PREFIX):
            return
        if session is None or signature.token != session.token:
            raise invalid_token(service)
        if self._clock() >= session.expiration:
            raise common_error(
                service, "ExpiredTokenException", "The security token included in the request is expired"
            )
        if session.is_revoked and action != "sts:GetCallerIdentity":  # this operation needs no permission
            raise _denied(service, session.caller, action, " with an explicit deny in an identity-based policy")

    def expire_sessions(self, role_arn: str) -> None:
        """Let all sessions of a role expire now. Raises KeyError if it has none."""
        for session in self._sessions_of(role_arn):
            session.expiration = min(session.expiration, self._clock())

    def revoke_sessions(self, role_arn: str) -> None:
        """Deny all actions to the role's present sessions, as "Revoke sessions" in IAM's console does.

        Raises KeyError if the role has none.
        """
        for session in self._sessions_of(role_arn):
            session.is_revoked = True

    def _sessions_of(self, role_arn: str) -> list[_Session]:
        with self._lock:
            found = [each for each in self._sessions.values() if each.caller.role == role_arn]
        if not found:
            raise KeyError(role_arn)
        return found

    def _assume_role(self, parameters: dict[str, Any], caller: Caller) -> dict[str, Any]:
        arn, name = parameters["RoleArn"], parameters["RoleSessionName"]
        role = _ROLE.fullmatch(arn)
        if role is None:
            message = "Request ARN is invalid" if arn.startswith("arn:") else f"{arn} is invalid"
            raise ServiceError("ValidationError", message)
        trust = Trust() if self.trust is None else self.trust.get(arn)
        # A partition has no roles of another one. STS does not say whether a role exists.
        if trust is None or role["partition"] != self._partition or not trust.allows(parameters.get("ExternalId")):
            raise _denied("sts", caller, "sts:AssumeRole", f" on resource: {arn}")
        expiration = int(self._clock()) + parameters.get("DurationSeconds", _SECONDS)
        session_arn = f"arn:{role['partition']}:sts::{role['account']}:assumed-role/{role['name']}/{name}"
        with self._lock:
            role_id = self._role_ids.setdefault(arn, f"AROA{len(self._role_ids):017}")
            key = f"{_KEY_PREFIX}{secrets.token_hex(4).upper()}"
            session = _Session(
                Caller(key, role["account"], session_arn, arn, f"{role_id}:{name}"), secrets.token_hex(32), expiration
            )
            self._sessions[key] = session
        return {
            "Credentials": {
                "AccessKeyId": key,
                "SecretAccessKey": secrets.token_hex(20),
                "SessionToken": session.token,
                "Expiration": f"{datetime.fromtimestamp(expiration, UTC):%Y-%m-%dT%H:%M:%SZ}",
            },
            "AssumedRoleUser": {"AssumedRoleId": session.caller.role_id, "Arn": session_arn},
        }

    def _get_caller_identity(self, _parameters: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return {"UserId": caller.role_id or "AIDAEMULATED", "Account": caller.account, "Arn": caller.arn}


def invalid_token(service: str) -> ServiceError:
    """The error of a service for credentials that it does not know."""
    message = "The security token included in the request is invalid."
    return common_error(service, "UnrecognizedClientException", message)


def _denied(service: str, caller: Caller, action: str, end: str) -> ServiceError:
    message = f"User: {caller.arn} is not authorized to perform: {action}{end}"
    return common_error(service, "AccessDeniedException", message)


def _like(pattern: str) -> re.Pattern[str]:
    """IAM's StringLike: case-sensitive, with * for any characters and ? for one."""
    wildcards = {"*": ".*", "?": "."}
    return re.compile("".join(wildcards.get(each) or re.escape(each) for each in pattern), re.DOTALL)


def _check(found: list[Violation]) -> None:
    """Raise the service's error about all violated constraints."""
    if found:
        texts = "; ".join(map(_constraint, found))
        start = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
        raise ServiceError("ValidationError", f"{start}: {texts}")


def _constraint(violation: Violation) -> str:
    path, value, keyword, limit, requirement = violation
    measured = "value" if isinstance(value, int) else "length"
    texts = {
        "min": f"have {measured} greater than or equal to {limit}",
        "max": f"have {measured} less than or equal to {limit}",
        "pattern": f"satisfy regular expression pattern: {limit}",
    }
    shown = "null" if value is None else f"'{value}'"
    text = f"must {texts[keyword]}" if keyword in texts else requirement
    return f"Value {shown} at '{path[0].lower()}{path[1:]}' failed to satisfy constraint: Member {text}"
