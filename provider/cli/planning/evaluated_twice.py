"""A template that is evaluated twice, with different placeholders: a value that differs depends on a placeholder."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...resources import CONTRIBUTION, resource_type
from ...resources.interface import ResourceType
from ...schema.finding import Path
from ...schema.model import NAME, REGION, ROLE, TARGET
from ...stack_engine.deployment import Deployment

_IF_CONTRIBUTED = (
    "this part is merged into the configuration, unless its owner's Contributions do not allow it, or another part "
    "conflicts with it. Only the provider's ledger has those. To let plan read it, use --table NAME; the output "
    "LedgerTableName of the provider's stack has the name. Offline, use rehearse OWNER --with TEMPLATE"
)


class EvaluatedTwice(NamedTuple):
    """A template that is evaluated twice, with different placeholders."""

    one: Deployment
    other: Deployment

    def properties(self, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """A resource's properties from both. Raises TemplateError if they cannot be evaluated."""
        return self.one.properties(name), self.other.properties(name)

    def provider_resources(self) -> list[str]:
        """The logical IDs of the provider's resources, in the order of their creation."""
        return list(filter(self.one.is_provider_resource, self.one.order))

    def type_of(self, name: str) -> ResourceType:
        """The type of one of the provider's resources."""
        return resource_type(self.one.type(name))

    def unreadable(self, name: str) -> str:
        """The reason why the live state of a resource cannot be read; empty for a distribution configuration."""
        if self.type_of(name) is resource_type():
            return ""
        if self.one.type(name) == CONTRIBUTION:
            return _IF_CONTRIBUTED
        return f"plan does not read resources of type {self.one.type(name)}"


def same_target(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether properties from both evaluations mean the same configuration, in the same location, with one role."""
    return all(one.get(member) == other.get(member) for member in (NAME, TARGET, REGION, ROLE))


def depends_on_placeholder(path: Path, one: Any, other: Any) -> bool:
    """Whether the two have different scalars at `path`."""
    for element in path:
        try:
            one, other = one[element], other[element]
        except (LookupError, TypeError):
            return False
    return not isinstance(one, (dict, list)) and bool(one != other)
