"""Finds a stack's configurations by their ownership tags, for plans without the previous template.

A retained configuration keeps its ownership tags. So a configuration with a resource's tags is either the resource's
current one or an earlier one. Without evidence that it is an earlier one, it counts as the current one.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ...arn import Location
from ...resources.ownership import Ownership
from ...schema.model import NAME, ON_DELETE, RETAIN, ROLE, TARGET, pascal_case
from .changes import CurrentConfiguration

_ON_DELETE = pascal_case(ON_DELETE)
_SEE_PREVIOUS = "to find out, use --previous FILE"
_IF_REPLACED = f"it is the current configuration of {{}}, whose {_ON_DELETE}, as deployed, is not {RETAIN}"
_IF_REMOVED = (
    f"{{}} is still in the stack and neither its {_ON_DELETE} nor its DeletionPolicy, as deployed, is {RETAIN}"
)
_IF_REMOVED_PART = "{} is still in the stack and its DeletionPolicy, as deployed, is not Retain"
_RETAINED_OR_REPLACED = (
    "has this resource's ownership tags: either an earlier replacement retained it, or this deployment replaces it; "
    f"{_SEE_PREVIOUS}"
)


class OwnedConfiguration(NamedTuple):
    """A live configuration, the owner in its ownership tags, and the role with which it was read, if any."""

    arn: str
    name: str
    owner: Ownership
    role: str = ""


class ResolvedTarget(NamedTuple):
    """The configuration that a template's resource refers to by ARN or name, and whether it exists."""

    arn: str
    exists: bool


@dataclass(frozen=True)
class StackResources:
    """The configurations with a stack's ownership tags, other than the targets of the template's resources.

    `replaced` has the current configuration of each resource whose configuration will be replaced, and `warnings` the
    uncertainties about the other resources, both by logical ID. `removed` has the logical IDs that the template lacks,
    each with a configuration that has its tags.
    """

    replaced: Mapping[str, CurrentConfiguration] = field(default_factory=dict)
    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    removed: tuple[tuple[str, CurrentConfiguration], ...] = ()


def stack_ids(listed: Iterable[OwnedConfiguration], location: Location, name: str) -> set[str]:
    """The IDs in ownership tags of the stacks with this name: several if the stack was deleted and created again."""
    start = f"arn:{location.partition}:cloudformation:{location.region}:{location.account}:stack/{name}/"
    return {one.owner.stack_id for one in listed if one.owner.stack_id.startswith(start)}


def find_stack_resources(
    listed: Iterable[OwnedConfiguration], stack_id: str, targets: Mapping[str, ResolvedTarget], names: Collection[str]
) -> StackResources:
    """Find a stack's configurations.

    `targets` are the known targets of the template's resources, by logical ID. `names` are all logical IDs in it.
    """
    own = [one for one in listed if one.owner.stack_id == stack_id]
    replaced: dict[str, CurrentConfiguration] = {}
    warnings: dict[str, tuple[str, ...]] = {}
    for name, target in targets.items():
        others = [one for one in own if one.owner.logical_id == name and one.arn != target.arn]
        if len(others) == 1 and not target.exists:
            replaced[name] = _current(others[0], _IF_REPLACED)
        else:
            warnings[name] = tuple(f"{one.arn} {_RETAINED_OR_REPLACED}" for one in others)
    return StackResources(replaced, warnings, tuple(_removed(own, targets, names)))


def _removed(
    own: Iterable[OwnedConfiguration], targets: Mapping[str, ResolvedTarget], names: Collection[str]
) -> Iterator[tuple[str, CurrentConfiguration]]:
    known = {target.arn for target in targets.values()}
    for one in own:
        if one.owner.logical_id not in names and one.arn not in known:
            yield one.owner.logical_id, _current(one, _IF_REMOVED)


def removed_part(name: str, arn: str) -> CurrentConfiguration:
    """A recorded part of the configuration `arn` whose resource the template lacks."""
    condition = _IF_REMOVED_PART.format(name)
    return CurrentConfiguration(arn, {pascal_case(TARGET): arn}, f"provided that {condition}; {_SEE_PREVIOUS}")


def _current(one: OwnedConfiguration, condition: str) -> CurrentConfiguration:
    condition = f"provided that {condition.format(one.owner.logical_id)}; {_SEE_PREVIOUS}"
    properties = {NAME: one.name, **({ROLE: one.role} if one.role else {})}
    return CurrentConfiguration(one.arn, {pascal_case(name): value for name, value in properties.items()}, condition)
