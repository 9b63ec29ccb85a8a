"""What a plan says of each resource, and what the resource stands for before it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from provider.properties.diff import Difference
from provider.properties.finding import Finding


class Action(Enum):
    """What becomes of one resource."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    RETAIN = "retain"
    """It leaves the stack, and its configuration stays."""
    NONE = "none"
    DRIFT = "drift"
    """The live configuration is not as the template says, and this deployment does not change that."""
    REFUSED = "refused"
    UNKNOWN = "unknown"


CHANGES = frozenset({Action.CREATE, Action.UPDATE, Action.REPLACE, Action.DELETE, Action.UNKNOWN})
"""What changes a configuration, or may."""


class Change(NamedTuple):
    """What becomes of one resource, and why.

    `arn` is its configuration's afterwards, empty where that cannot be said. `stand_ins` are the paths of values that
    only the deployment knows. `replaced` is what becomes of the configuration that it stood for before.
    """

    logical_id: str
    action: Action
    arn: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    properties: Mapping[str, Any] = MappingProxyType({})
    differences: tuple[Difference, ...] = ()
    stand_ins: tuple[str, ...] = ()
    replaced: Change | None = None


class Before(NamedTuple):
    """What a resource stands for, as a template or the configuration's ownership tags say.

    `arn` is empty where only a deployment knows. Of the properties, ownership tags show only the name. `condition` is
    what the deletion depends on.
    """

    arn: str
    properties: Mapping[str, Any]
    condition: str = ""
