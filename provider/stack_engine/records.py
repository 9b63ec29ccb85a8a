"""Records of stacks: their resources, events, and locations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple


class DeployedResource(NamedTuple):
    """A provider-backed resource as its stack records it.

    `properties` are as they were sent: scalars as text. `data` has the values for `Fn::GetAtt`.
    """

    logical_id: str
    type: str
    physical_id: str
    properties: dict[str, Any]
    data: Mapping[str, Any]
    deletion_policy: str
    replace_policy: str


class StackLocation(NamedTuple):
    """The location of a stack; `stack_id` is its ARN."""

    region: str
    account: str
    stack_name: str
    stack_id: str


class StackEvent(NamedTuple):
    """One line of a stack's events.

    `status` is CloudFormation's, or one of two others: SKIPPED (the resource's type is not deployed here) and NOTICE
    (information that CloudFormation does not show).
    """

    time: datetime
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str = ""


class Rollback(NamedTuple):
    """The rest of an update's rollback that failed.

    `before` and `outputs` are the stack's before the update; `created` are the logical IDs that the update added.
    """

    before: Mapping[str, DeployedResource]
    outputs: Mapping[str, str]
    pending: Mapping[str, DeployedResource]
    """The resources that still need their old properties, in their state after the failed update."""
    surplus: tuple[DeployedResource, ...] = ()
    """The resources that the rollback has replaced so far; its cleanup deletes them."""
    created: tuple[str, ...] = ()


class Stack(NamedTuple):
    """A stack between operations. `resources` are the provider-backed ones, by logical ID, oldest first."""

    name: str
    id: str
    status: str
    resources: Mapping[str, DeployedResource]
    outputs: Mapping[str, str]
    shown: frozenset[str] = frozenset()
    """Skipped resources and notices that were already shown."""
    types: Mapping[str, str] = MappingProxyType({})
    """The types of all resources in the stack's template, skipped ones included, by logical ID."""
    rollback: Rollback | None = None
    """In UPDATE_ROLLBACK_FAILED: what `continue-update-rollback` continues."""
    exports: Mapping[str, str] = MappingProxyType({})
    """The values that the stack exports, by the names of the exports."""
    imports: frozenset[str] = frozenset()
    """The names of the exports that the stack imports."""
