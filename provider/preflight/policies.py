"""Evaluates key policies and trust policies for one principal and one action. Pure.

It covers what such policies contain in practice; where it cannot tell (a condition key whose value is unknown), it says
so instead of guessing. Source: IAM User Guide, "Policy evaluation logic" and "IAM JSON policy elements".
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

Statement = Mapping[str, Any]


class Decision(Enum):
    """Whether a policy allows an action. CONDITIONAL: it depends on conditions that cannot be evaluated here."""

    ALLOWED = "allowed"
    CONDITIONAL = "conditional"
    DENIED = "denied"


class Principal(NamedTuple):
    """A principal of an account, or a service. Without an ARN, it is any principal of the account."""

    account: str = ""
    arn: str = ""
    service: str = ""


_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "stringequals": lambda actual, pattern: actual == pattern,
    "stringequalsignorecase": lambda actual, pattern: actual.lower() == pattern.lower(),
    "stringlike": fnmatchcase,
    "arnequals": fnmatchcase,
    "arnlike": fnmatchcase,
    "bool": lambda actual, pattern: actual.lower() == pattern.lower(),
}
"""The operators that are evaluated, each for the actual value and one of the policy's values."""


def decide(policy: Mapping[str, Any], principal: Principal, action: str, keys: Mapping[str, str]) -> Decision:
    """Whether a policy allows `principal` an action (`kms:Decrypt`). `keys` are the known condition keys, lowercase."""
    effects: dict[str, set[bool | None]] = {"Allow": set(), "Deny": set()}
    for statement in _list(policy.get("Statement")):
        if _matches_action(statement, action):
            applies = _both(_matches_principal(statement, principal), _holds(statement.get("Condition") or {}, keys))
            effects[statement["Effect"]].add(applies)
    if True in effects["Deny"] or not effects["Allow"] - {False}:
        return Decision.DENIED
    return Decision.CONDITIONAL if None in effects["Deny"] or True not in effects["Allow"] else Decision.ALLOWED


def condition_keys(policy: Mapping[str, Any]) -> list[str]:
    """All condition keys in a policy, as written."""
    conditions = (statement.get("Condition") or {} for statement in _list(policy.get("Statement")))
    return sorted({key for one in conditions for keys in one.values() for key in keys})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _both(one: bool | None, other: bool | None) -> bool | None:
    """Three-valued AND: None is unknown."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _matches_action(statement: Statement, action: str) -> bool:
    patterns = [str(one).lower() for one in _list(statement.get("Action", statement.get("NotAction")))]
    found = any(fnmatchcase(action.lower(), pattern) for pattern in patterns)
    return found if "Action" in statement else not found


def _matches_principal(statement: Statement, principal: Principal) -> bool | None:
    if "NotPrincipal" in statement:
        return None
    return any(_is_principal(kind, one, principal) for kind, one in _principals(statement))


def _principals(statement: Statement) -> Iterator[tuple[str, str]]:
    """The principals of a statement, each with its type: AWS or Service."""
    found = statement.get("Principal")
    if not isinstance(found, Mapping):
        yield from (("AWS", str(one)) for one in _list(found))
    else:
        yield from ((kind, str(one)) for kind, entries in found.items() for one in _list(entries))


def _is_principal(kind: str, text: str, principal: Principal) -> bool:
    if text == "*":
        return True
    if principal.service or kind == "Service":
        return kind == "Service" and text == principal.service
    account = re.fullmatch(r"(?:arn:[^:]+:iam::)?([0-9]{12})(?::root)?", text)
    if account is not None:
        return account[1] == principal.account
    return text == principal.arn if principal.arn else f"::{principal.account}:" in text


def _holds(condition: Mapping[str, Mapping[str, Any]], keys: Mapping[str, str]) -> bool | None:
    """Whether all conditions hold; None if that depends on an unknown key or operator."""
    result: bool | None = True
    for operator, tests in condition.items():
        for key, values in tests.items():
            result = _both(result, _test(operator, keys.get(key.lower()), [str(one) for one in _list(values)]))
    return result


def _test(operator: str, actual: str | None, values: list[str]) -> bool | None:
    name = operator.rpartition(":")[2].lower().removesuffix("ifexists")
    negated = "not" in name
    matches = _OPERATORS.get(name.replace("not", ""))
    if actual is None or matches is None:
        return None
    return any(matches(actual, value) for value in values) != negated
