"""Tracks configurations through a rehearsal: which may remain, which may be deleted, and which were lost."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ..resources import resource_type
from ..schema.diff import Difference, differences
from ..schema.model import DELETE, NAME, ON_DELETE, RETAIN, TAGS, TARGET, Schema, content_members
from ..schema.rules import OWNERSHIP_TAGS
from ..stack_engine.stacks import Stack
from .emulation import name_in


class Problem(NamedTuple):
    """A problem with one configuration: a line about it, and a summary that similar problems share."""

    line: str
    summary: str


class Inventory:
    """Tracks configurations through the lifecycle of stacks; `existing` are the ARNs of those that existed before."""

    def __init__(self, existing: Iterable[str]) -> None:
        self._existing = set(existing)
        self._seen: set[str] = set()
        self._may_remain: set[str] = set()
        self._may_be_deleted: set[str] = set()
        self._retained: set[str] = set()
        self._reported: set[str] = set()

    def add_existing(self, arn: str) -> None:
        """Count a configuration among those that existed before."""
        self._existing.add(arn)

    def observe(self, now: Iterable[str]) -> None:
        """Record the ARNs of the configurations that exist now."""
        self._seen.update(now)

    def has_seen(self, arn: str) -> bool:
        """Whether a configuration exists, or existed earlier in the rehearsal."""
        return arn in self._seen

    def deletion_skipped(self, physical_id: str, now: Collection[str]) -> None:
        """CloudFormation retains this resource because of its policy. `now` are the ARNs that exist."""
        self._may_remain.add(physical_id)
        self._retained |= {physical_id} & set(now)

    def deletion_requested(self, physical_id: str, properties: Mapping[str, Any], now: Collection[str]) -> None:
        """CloudFormation sends a Delete with these properties, by the API's names."""
        default = DELETE if NAME in properties else RETAIN if TARGET in properties else ""
        on_delete = properties.get(ON_DELETE, default)
        if on_delete == DELETE:
            self._may_be_deleted.add(physical_id)
        elif on_delete:
            self._retained |= {physical_id} & set(now)
        if properties.get(ON_DELETE) == RETAIN:
            self._may_remain.add(physical_id)

    def losses(self, stacks: Iterable[Stack], now: Collection[str]) -> list[Problem]:
        """After a step: resources whose configuration does not exist, and retained configurations that were deleted.

        A configuration that belongs to a stack again no longer counts as retained.
        """
        resources = [one for stack in stacks for one in stack.resources.values() if name_in(one.physical_id)]
        lost = [(one.logical_id, one.physical_id) for one in resources if one.physical_id not in now]
        live = {one.physical_id for one in resources}
        deleted = self._retained - set(now) - live
        self._retained -= deleted | live
        self._reported |= deleted | {arn for _, arn in lost}
        return [
            *(Problem(f"{name} lost its configuration: {arn}", f"{name} lost its configuration") for name, arn in lost),
            *_problems(deleted, "retained configuration", "was deleted", "were deleted"),
        ]

    def leftovers(self, stacks: Iterable[Stack], now: Collection[str]) -> list[Problem]:
        """At the end: configurations that were left behind, and existing ones that were deleted unexpectedly."""
        surplus = set(now) - self._existing - self._may_remain
        surplus -= {physical_id for stack in stacks for physical_id in _physical_ids(stack)}
        deleted = self._existing - set(now) - self._may_be_deleted - self._reported
        return [
            *_problems(surplus, "configuration", "left behind"),
            *_problems(deleted, "existing configuration", "was deleted", "were deleted"),
        ]


def _physical_ids(stack: Stack) -> set[str]:
    """All physical IDs that CloudFormation may still send requests for, including those of a failed rollback."""
    rollback = stack.rollback
    waiting = [*rollback.before.values(), *rollback.pending.values(), *rollback.surplus] if rollback else []
    return {one.physical_id for one in [*stack.resources.values(), *waiting]}


def _problems(arns: Collection[str], noun: str, one: str, several: str = "") -> list[Problem]:
    """One problem for each ARN, all with the same summary."""
    summary = f"1 {noun} {one}" if len(arns) == 1 else f"{len(arns)} {noun}s {several or one}"
    line = one if noun == "configuration" else f"{noun} {one}"
    return [Problem(f"{arn}: {line}", summary) for arn in sorted(arns)]


def content_drift(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Difference, ...]:
    """The differences between two states of a configuration, except for tags."""
    return differences(_content(before), _content(now), resource_type().schema)


def drift(
    desired: Mapping[str, Any], before: Mapping[str, Any], now: Mapping[str, Any], schema: Schema
) -> tuple[Difference, ...]:
    """The differences between the recorded properties, by the API's names, and the live configuration.

    Ownership tags, and tags that others had set `before` the step, are ignored.
    """
    tags = desired.get(TAGS, {})
    others = {*OWNERSHIP_TAGS, *before.get("tags", {})} - set(tags)
    return differences(
        {**_content(desired), TAGS: tags},
        {**_content(now), TAGS: {key: value for key, value in now.get("tags", {}).items() if key not in others}},
        schema,
    )


def _content(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {member: parameters[member] for member in content_members() if member in parameters}
