"""What the ownership tags of live configurations say about a stack, if there is no previous template.

A retained configuration keeps its ownership tags. So a configuration with a resource's tags is either the one that the
resource has now, or one that it had earlier. Without evidence of the second, the first is assumed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...arn import Location
from ...resources.ownership import Ownership
from ...schema.model import NAME, ON_DELETE, RETAIN, pascal_case
from .changes import Current

_ON_DELETE = pascal_case(ON_DELETE)
_SEE_PREVIOUS = "--previous FILE tells"
_IF_REPLACED = f"{{}} has it now and its {_ON_DELETE}, as deployed, is not {RETAIN}"
_IF_REMOVED = (
    f"{{}} is still in the stack and neither its {_ON_DELETE} nor its DeletionPolicy, as deployed, is {RETAIN}"
)


class OwnedConfiguration(NamedTuple):
    """A live configuration, and the owner in its ownership tags."""

    arn: str
    name: str
    owner: Ownership


class ResolvedTarget(NamedTuple):
    """The configuration that a template's resource refers to by ARN or name, and whether it exists."""

    arn: str
    exists: bool


@dataclass(frozen=True)
class StackResources:
    """The configurations with a stack's ownership tags, other than the targets of the template's resources.

    `replaced` has the current configuration of each resource that is about to be replaced. `warnings` has the doubts
    about the other resources. Both are by logical ID. `removed` pairs logical IDs that the template lacks with the
    configurations that have their tags.
    """

    replaced: Mapping[str, Current] = field(default_factory=dict)
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    removed: tuple[tuple[str, Current], ...] = ()


def owned_configurations(summaries: Iterable[Mapping[str, Any]]) -> list[OwnedConfiguration]:
    """Those of the listed configurations that have both ownership tags."""
    return [
        OwnedConfiguration(one["arn"], one["name"], owner)
        for one in summaries
        if (owner := Ownership.of(one.get("tags", {}))).is_complete
    ]


def stack_ids(listed: Iterable[OwnedConfiguration], home: Location, name: str) -> set[str]:
    """The IDs in ownership tags of the stacks with this name: several if the stack was deleted and created again."""
    start = f"arn:{home.partition}:cloudformation:{home.region}:{home.account}:stack/{name}/"
    return {one.owner.stack_id for one in listed if one.owner.stack_id.startswith(start)}


def find_stack_resources(
    listed: Iterable[OwnedConfiguration], stack_id: str, targets: Mapping[str, ResolvedTarget], names: Collection[str]
) -> StackResources:
    """Find a stack's configurations. `targets` are those that are known, and `names` are all of the template's."""
    own = [one for one in listed if one.owner.stack_id == stack_id]
    replaced: dict[str, Current] = {}
    warnings: dict[str, tuple[str, ...]] = {}
    for name, target in targets.items():
        others = [one for one in own if one.owner.logical_id == name and one.arn != target.arn]
        if len(others) == 1 and not target.exists:
            replaced[name] = _current(others[0], _IF_REPLACED)
        else:
            warnings[name] = tuple(_retained_or_replaced(one.arn) for one in others)
    return StackResources(replaced, warnings, tuple(_removed(own, targets, names)))


def _removed(
    own: Iterable[OwnedConfiguration], targets: Mapping[str, ResolvedTarget], names: Collection[str]
) -> Iterable[tuple[str, Current]]:
    known = {target.arn for target in targets.values()}
    for one in own:
        if one.owner.logical_id not in names and one.arn not in known:
            yield one.owner.logical_id, _current(one, _IF_REMOVED)


def _current(one: OwnedConfiguration, condition: str) -> Current:
    condition = f"provided that {condition.format(one.owner.logical_id)}; {_SEE_PREVIOUS}"
    return Current(one.arn, {pascal_case(NAME): one.name}, condition)


def _retained_or_replaced(arn: str) -> str:
    return (
        f"{arn} has this resource's ownership tags: either an earlier replacement retained it, or this deployment "
        f"replaces it; {_SEE_PREVIOUS}"
    )
