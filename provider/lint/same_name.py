"""Findings about resources of one template that have the same configuration: the same Name, or the same adopted ARN.

The same Name in another Region or account is another configuration. If a template does not show whether two locations
are the same, there is no finding.
"""

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from ..arn import slug
from ..resources import resource_type
from ..schema.finding import Path, Severity
from ..schema.model import NAME, REGION, ROLE, TARGET
from ..schema.validation import describe
from .catalog import id_of
from .condition_outcomes import Conditions, Outcome, condition_of
from .diagnostic import Diagnostic
from .function_check import may_have_loops
from .resource_matching import type_of
from .scenario import Unknown, conditions_in, scenario
from .shown_values import AS_WRITTEN, ShownValues

_TOP_LEVEL: Final = 2
"""The length of the paths of resources outside loops."""
_FUNCTION: Final = re.compile(r"arn:[^:]*:lambda:([^:]+):([0-9]{12}):.*")
_ROLE: Final = re.compile(r"arn:[^/]*?:iam::(.+?):role/.*")
"""The account in a role's ARN, which can be `${AWS::AccountId}`."""
_STACK_REGION: Final = "${AWS::Region}"
"""The function is in the Region of the stack: CloudFormation requires it."""


class _NamedResource(NamedTuple):
    """A resource with the value of its Name or its adopted ARN (`member`), which is at `path`.

    `token` is its ServiceToken, `region` and `role` are its Region and RoleArn, None if it has none, and `condition` is
    its own condition.
    """

    path: Path
    member: str
    name: Any
    token: Any
    region: Any
    role: Any
    condition: str | None

    @property
    def logical_id(self) -> str:
        return str(self.path[1])

    @property
    def conditions(self) -> list[str]:
        """The conditions on which the resource, its name, and its location depend."""
        values = (self.name, self.region, self.role) if self.member == NAME else (self.name,)
        names = [name for value in values for name in conditions_in(value)]
        return list(dict.fromkeys([*names, *([self.condition] if self.condition else [])]))

    def value(self, outcome: Outcome, values: ShownValues) -> str | Unknown | None:
        """The name, which can be Unknown. None if the resource or its name does not exist."""
        if self.condition and not outcome[self.condition]:
            return None
        return self._shown(self.name, outcome, values)

    def identity(self, outcome: Outcome, values: ShownValues) -> Hashable | None:
        """The identity of the configuration; None if there is none, or if a macro can return different values."""
        name = self.value(outcome, values)
        if name is None or self.member == TARGET:
            return None if _is_macro(name) else name
        place = self._place(outcome, values)
        found = (slug(name) if isinstance(name, str) else name, *place)
        return None if any(map(_is_macro, found)) else found

    def _place(self, outcome: Outcome, values: ShownValues) -> tuple[str | Unknown, str | Unknown]:
        """The Region and the account of the configuration, each empty if it is the function's."""
        function = _FUNCTION.fullmatch(self.token) if isinstance(self.token, str) else None
        own_region, own_account = function.groups() if function else ("", "")
        region, role = (self._shown(node, outcome, values) or "" for node in (self.region, self.role))
        match = _ROLE.fullmatch(role) if isinstance(role, str) else None
        account = match[1] if match else role
        return (
            "" if region in (own_region, _STACK_REGION) else region,
            "" if account == own_account else account,
        )

    def _shown(self, node: Any, outcome: Outcome, values: ShownValues) -> str | Unknown | None:
        value = None if node is None else scenario(node, self.path, outcome, values).properties
        return value if isinstance(value, (str, Unknown)) else None


def _is_macro(value: object) -> bool:
    """Whether a macro returns the value, so that the same text can mean different values."""
    return isinstance(value, Unknown) and "Transform" in value.written


def check_names(
    template: Mapping[str, Any], resources: Mapping[Path, Mapping[str, Any]], conditions: Conditions
) -> list[Diagnostic]:
    """A finding for each of the provider's `resources` (by path) that has the configuration of an earlier one."""
    named = [one for path, resource in resources.items() for one in _named(path, resource)]
    values = ShownValues(AS_WRITTEN, may_have_loops(template))
    # Compare only resources that can have the same identity, because a template can have 500 resources.
    earlier: dict[Hashable, list[_NamedResource]] = defaultdict(list)
    found: list[Diagnostic] = []
    for second in named:
        identities = dict.fromkeys(
            second.identity(outcome, values) for outcome in conditions.outcomes(second.conditions)
        )
        others = {one.path: one for identity in identities for one in earlier[identity] if identity is not None}
        found += _duplicates(second, others.values(), conditions, values)
        for identity in identities:
            earlier[identity].append(second)
    return found


def _duplicates(
    second: _NamedResource, others: Iterable[_NamedResource], conditions: Conditions, values: ShownValues
) -> list[Diagnostic]:
    for first in others:
        if (value := _shared(first, second, conditions, values)) is not None:
            return [_diagnostic(first, second, describe(str(value)))]
    return []


def _diagnostic(first: _NamedResource, second: _NamedResource, value: str) -> Diagnostic:
    property_, other = second.path[-1], f"{first.path[-1]} of {first.logical_id}"
    if second.member == NAME:
        message = f"{property_}: {value} has the same ARN as the {other}; give it another Name, Region, or account"
        return Diagnostic(second.path, id_of("name-once"), Severity.ERROR, message, second.logical_id)
    message = f"{property_}: same as the {other}, so each undoes the other's updates; adopt it with one resource only"
    return Diagnostic(second.path, id_of("target-once"), Severity.WARNING, message, second.logical_id)


def _named(path: Path, resource: Mapping[str, Any]) -> list[_NamedResource]:
    properties = resource.get("Properties")
    if not isinstance(properties, Mapping) or len(path) != _TOP_LEVEL or type_of(resource) is not resource_type():
        return []
    spellings = resource_type().schema.spellings
    token, condition = properties.get("ServiceToken"), condition_of(resource)
    given = {spellings[key]: value for key, value in properties.items() if key in spellings}
    region, role = given.get(REGION), given.get(ROLE)
    return [
        _NamedResource((*path, "Properties", key), member, value, token, region, role, condition)
        for key, value in properties.items()
        if (member := spellings.get(key)) in (NAME, TARGET)
    ][:1]


def _shared(first: _NamedResource, second: _NamedResource, conditions: Conditions, values: ShownValues) -> object:
    """The second name if both resources have the same configuration under an outcome that can occur, else None."""
    # The provider of another account has other configurations.
    if (first.token, first.member) != (second.token, second.member):
        return None
    names = list(dict.fromkeys([*first.conditions, *second.conditions]))
    for outcome in conditions.outcomes(names) if conditions.is_exact(names) else ():
        identity = first.identity(outcome, values)
        if identity is not None and identity == second.identity(outcome, values):
            return second.value(outcome, values)
    return None
