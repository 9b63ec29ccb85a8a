"""The outcomes of probes, and the simulation of a principal's policies."""

from collections.abc import Mapping
from typing import Any

from .interface import Context, Outcome, Read, Status
from .policies import Decision, condition_keys


def passed(message: str) -> Outcome:
    """A check that passes."""
    return Outcome(Status.PASS, message)


def failed(message: str) -> Outcome:
    """A violation, with the row's remediation."""
    return Outcome(Status.FAILURE, message)


def unknown(message: str, remediation: str) -> Outcome:
    """What cannot be checked, with its own remediation."""
    return Outcome(Status.NOT_CHECKABLE, message, remediation)


def depends(what: str, policy: Mapping[str, Any]) -> Outcome:
    """What depends on conditions of a policy that cannot be evaluated."""
    keys = ", ".join(condition_keys(policy)) or "NotPrincipal"
    return unknown(f"{what} depends on {keys}", "Check these conditions yourself.")


def simulate(principal: str, action: str, resource: str, context: Context, *, by_caller: bool = False) -> Any:
    """The Decision of a principal's policies on an action; None if the principal does not exist.

    With `by_caller`, the principal is in the caller's account, not in that of the configuration.
    """
    parameters = {"PolicySourceArn": principal, "ActionNames": [action], "ResourceArns": [resource]}
    read = Read(
        "iam:SimulatePrincipalPolicy", context.location.region, parameters, ("NoSuchEntity",), by_caller=by_caller
    )
    found = yield read
    if found is None:
        return None
    (result,) = found["EvaluationResults"]
    if result["EvalDecision"] == "allowed":
        return Decision.ALLOWED
    return Decision.CONDITIONAL if result.get("MissingContextValues") else Decision.DENIED
