"""Whether the provider's role can assume the role in RoleArn.

Both must allow it: the policies of the provider's role, and the trust policy of the other role.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from ..aws.roles import ASSUMABLE_ROLES, is_assumable, not_covered
from .interface import Context, Outcome, Probe, Read
from .outcomes import depends, failed, passed, simulate, unknown
from .policies import Decision, Principal, decide
from .subjects import Subject, UnknownValueError

_FUNCTION: Final = re.compile(r"arn:[^:]+:lambda:(?P<region>[^:]+):[0-9]{12}:function:.+")
_ACTION: Final = "sts:AssumeRole"
_EXTERNAL_ID: Final = "sts:externalid"
PROVIDER_ROLE_READS: Final = (
    "lambda:GetFunctionConfiguration",
    "iam:SimulatePrincipalPolicy",
    _ACTION,
    "iam:GetRole",
)
"""The calls of `provider_role_assumable`: the first two in the provider's account, the last in the other role's."""


def provider_role_assumable(subject: Subject, context: Context) -> Probe:
    """Whether the provider's role can assume the role that is the subject's value."""
    match = _FUNCTION.fullmatch(context.function)
    if match is None:
        raise UnknownValueError("ServiceToken")
    name, role = {"FunctionName": context.function}, str(subject.value)
    absent = ("ResourceNotFoundException",)
    found = yield Read("lambda:GetFunctionConfiguration", match["region"], name, absent, by_caller=True)
    if found is None:
        return failed(f"the function of the service token does not exist: {context.function}")
    provider = str(found["Role"])
    if not is_assumable(role, found.get("Environment", {}).get("Variables", {}).get(ASSUMABLE_ROLES, "")):
        return failed(not_covered(role).problem)
    decision = yield from simulate(provider, _ACTION, role, context, by_caller=True)
    if decision is Decision.CONDITIONAL:
        message = f"whether {provider} may assume the role depends on conditions in its policies"
        return unknown(message, "Check these conditions yourself.")
    if decision is not Decision.ALLOWED:
        return failed(f"the policies of {provider} do not allow sts:AssumeRole")
    parameters = {"RoleName": role.rpartition("/")[2]}
    found = yield Read("iam:GetRole", context.location.region, parameters, ("NoSuchEntity",))
    if found is None:
        return failed(f"the role does not exist in account {context.location.account}")
    return _trust_outcome(found["Role"]["AssumeRolePolicyDocument"], provider, context.stack_id)


def _trust_outcome(trust: Mapping[str, Any], provider: str, stack_id: str) -> Outcome:
    """The outcome of a trust policy. Whatever the external ID is, or with an ID like that of the stack."""
    account = provider.split(":")[4]
    principal = Principal(account, provider)
    known = {"aws:principalarn": provider, "aws:principalaccount": account}
    decision = decide(trust, principal, _ACTION, known)
    if decision is Decision.DENIED:
        return failed(f"the role's trust policy does not allow {provider} to assume it")
    like_stack = decide(trust, principal, _ACTION, {**known, _EXTERNAL_ID: stack_id})
    if Decision.ALLOWED in (decision, like_stack):
        return passed(f"{provider} can assume the role")
    return depends(f"whether {provider} can assume the role", trust)
