"""The planned change of a resource, and the configuration that it has before."""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from ...resources import DISTRIBUTION_CONFIGURATION
from ...resources.ownership import Owner
from ...schema.diff import Difference
from ...schema.finding import Finding


class Action(Enum):
    """The effect of the deployment on one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RETAIN = "retain"
    """The resource is removed from the stack, and its configuration is retained."""
    NONE = "none"
    DRIFT = "drift"
    """The live configuration differs from the template, and this deployment does not update it."""
    REFUSED = "refused"
    UNKNOWN = "unknown"


CHANGING = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE, Action.UNKNOWN})
"""The actions that change a configuration, or may do so."""

DEPENDS_ON_DEPLOYMENT = (
    "its name, its ARN, its location, or its structure depends on a value that is known only at deployment. Give an "
    "export with --import, and a dynamic reference with --resolve"
)
"""The reason why a change is unknown."""


class Change(NamedTuple):
    """The change of one resource, and the reason.

    `arn` is the ARN of its configuration after the deployment; empty if it is unknown. `placeholders` are the paths of
    values that are known only at deployment. If the configuration is replaced, `replaced` is the change of the old one.
    """

    logical_id: str
    action: Action
    arn: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    properties: Mapping[str, Any] = MappingProxyType({})
    differences: tuple[Difference, ...] = ()
    placeholders: tuple[str, ...] = ()
    replaced: "Change | None" = None
    type_name: str = DISTRIBUTION_CONFIGURATION
    has_unknown_sources: bool = False
    """Whether a list depends on a source of accounts that is not given."""
    owners: Mapping[str, tuple[Owner, ...]] | None = None
    """The resources that have the values of the differences, by path; None if the ledger was not read."""


class CurrentConfiguration(NamedTuple):
    """The configuration that a resource has before the deployment, according to a template or to ownership tags.

    `arn` is empty if it depends on a value that is known only at deployment. If the source is ownership tags, the only
    properties are the name and, if a role was needed to read it, the role. `condition` is the condition under which it
    is deleted, as text.
    """

    arn: str
    properties: Mapping[str, Any]
    condition: str = ""
