"""Resources of one template for one configuration: by one Name the second is refused; by one ARN, none is its own."""

from collections.abc import Hashable, Mapping
from itertools import combinations
from typing import Any, Final, NamedTuple

from ..arn import slug
from ..resources import resource_type
from ..schema.finding import Path, Severity
from ..schema.model import NAME, TARGET
from ..schema.validation import describe
from .catalog import id_of
from .conditions import Conditions, Outcome, condition_of
from .diagnostic import Diagnostic
from .functions import may_have_loops
from .names import AS_WRITTEN
from .scenario import Unknown, conditions_in, scenario
from .texts import Texts

_TOP_LEVEL: Final = 2
"""The length of the paths of resources that no loop makes."""


class _Named(NamedTuple):
    """A resource with a Name, or the ARN that it adopts, which stands at `place`.

    `member` is which of the two; `holding` is the resource's own condition.
    """

    place: Path
    member: str
    name: Any
    provider: Any
    holding: str | None

    @property
    def logical_id(self) -> str:
        return str(self.place[1])

    def conditions(self) -> list[str]:
        """What it hangs on whether the resource is there, and with which Name."""
        return [*conditions_in(self.name), *([self.holding] if self.holding else [])]

    def value(self, outcome: Outcome, texts: Texts) -> object:
        """The name: text, or what stands for one that is not known. None where there is no such resource, or name."""
        if self.holding and not outcome[self.holding]:
            return None
        value = scenario(self.name, self.place, outcome, texts).properties
        return value if isinstance(value, (str, Unknown)) else None


def check_names(template: Mapping[str, Any], ours: Mapping[Path, Mapping[str, Any]]) -> list[Diagnostic]:
    """All resources, of those at their paths in `ours`, whose name leads where another's leads at the same time."""
    named = [one for path, resource in ours.items() if len(path) == _TOP_LEVEL for one in _named(path, resource)]
    conditions, texts = Conditions.of(template), Texts(AS_WRITTEN, may_have_loops(template))
    found: dict[Path, Diagnostic] = {}
    for first, second in combinations(named, 2):
        # The same name is another configuration where the provider is another account's.
        if (first.provider, first.member) != (second.provider, second.member):
            continue
        if (value := _shared(first, second, conditions, texts)) is not None:
            found.setdefault(second.place, _told(first, second, describe(str(value))))
    return list(found.values())


def _told(first: _Named, second: _Named, value: str) -> Diagnostic:
    property_, other = second.place[-1], f"{first.place[-1]} of {first.logical_id}"
    if second.member == NAME:
        message = f"{property_}: {value} leads to the same ARN as the {other}; give each resource a name of its own"
        return Diagnostic(second.place, id_of("name-once"), Severity.ERROR, message, second.logical_id)
    message = f"{property_}: it is the {other}, too: each undoes the other's updates; adopt it by one resource"
    return Diagnostic(second.place, id_of("target-once"), Severity.WARNING, message, second.logical_id)


def _named(path: Path, resource: Mapping[str, Any]) -> list[_Named]:
    properties = resource.get("Properties")
    if not isinstance(properties, Mapping):
        return []
    return [
        _Named((*path, "Properties", key), member, value, properties.get("ServiceToken"), condition_of(resource))
        for key, value in properties.items()
        if (member := resource_type().schema.spellings.get(key)) in (NAME, TARGET)
    ][:1]


def _shared(first: _Named, second: _Named, conditions: Conditions, texts: Texts) -> object:
    """The second's name where both lead to one ARN under an outcome that occurs for sure, else None."""
    names = list(dict.fromkeys([*first.conditions(), *second.conditions()]))
    for outcome in conditions.outcomes(names) if conditions.is_exact(names) else ():
        one, other = (_in_arn(named.value(outcome, texts), named.member) for named in (first, second))
        if one is not None and one == other:
            return second.value(outcome, texts)
    return None


def _in_arn(name: object, member: str) -> Hashable | None:
    """What of the ARN hangs on a name; None where the same writing may give another each time."""
    if isinstance(name, Unknown):
        return None if "Transform" in name.written else name
    if not isinstance(name, str):
        return None
    return slug(name) if member == NAME else name
