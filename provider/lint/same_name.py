"""Findings about resources of one template that have the same configuration: the same Name, or the same adopted ARN."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import Any, Final, NamedTuple

from ..arn import slug
from ..resources import resource_type
from ..schema.finding import Path, Severity
from ..schema.model import NAME, TARGET
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


class _NamedResource(NamedTuple):
    """A resource with the value of its Name or its adopted ARN (`member`), which is at `path`.

    `token` is its ServiceToken, and `condition` its own condition.
    """

    path: Path
    member: str
    name: Any
    token: Any
    condition: str | None

    @property
    def logical_id(self) -> str:
        return str(self.path[1])

    @property
    def conditions(self) -> list[str]:
        """The conditions on which the resource and its name depend."""
        return list(dict.fromkeys([*conditions_in(self.name), *([self.condition] if self.condition else [])]))

    def value(self, outcome: Outcome, values: ShownValues) -> str | Unknown | None:
        """The name, which can be Unknown. None if the resource or its name does not exist."""
        if self.condition and not outcome[self.condition]:
            return None
        value = scenario(self.name, self.path, outcome, values).properties
        return value if isinstance(value, (str, Unknown)) else None

    def identity(self, outcome: Outcome, values: ShownValues) -> Hashable | None:
        """The identity of the configuration; None if there is none, or if a macro can return different values."""
        name = self.value(outcome, values)
        if isinstance(name, Unknown):
            return None if "Transform" in name.written else name
        return slug(name) if self.member == NAME and isinstance(name, str) else name


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
        message = f"{property_}: {value} has the same ARN as the {other}; give each resource a unique name"
        return Diagnostic(second.path, id_of("name-once"), Severity.ERROR, message, second.logical_id)
    message = f"{property_}: same as the {other}, so each undoes the other's updates; adopt it with one resource only"
    return Diagnostic(second.path, id_of("target-once"), Severity.WARNING, message, second.logical_id)


def _named(path: Path, resource: Mapping[str, Any]) -> list[_NamedResource]:
    properties = resource.get("Properties")
    if not isinstance(properties, Mapping) or len(path) != _TOP_LEVEL or type_of(resource) is not resource_type():
        return []
    token, condition = properties.get("ServiceToken"), condition_of(resource)
    return [
        _NamedResource((*path, "Properties", key), member, value, token, condition)
        for key, value in properties.items()
        if (member := resource_type().schema.spellings.get(key)) in (NAME, TARGET)
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
